"""A history of the source, read by one algorithm: its steps, what must hold after each of them, and what must hold in the end."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, count
from typing import TypeAlias

import msgspec

from dagster_project import failpoint
from dagster_project.failpoint import Crashed
from tests.model.menu import FAULTS, Pick, chosen
from tests.model.naive import Algorithm, Failed
from tests.model.source import IDS, Op, Setting, Source

Change: TypeAlias = Pick | Op | None
PLACES = frozenset({"transaction.before_commit", "transaction.after_commit"})


@dataclass(frozen=True)
class Populate:
    """Records exist before the first reading."""

    number: int
    spread: int = 1  # ticks between them


@dataclass(frozen=True)
class Outside:
    """The source changes while nobody reads."""

    changes: Sequence[Change]


@dataclass(frozen=True)
class Wait:
    """Time passes."""

    ticks: int


@dataclass(frozen=True)
class Sync:
    """One sync; `inside` happens between its requests, the process dies at the `crash_at`-th side of a commit."""

    inside: Sequence[Change] = ()
    crash_at: int | None = None


@dataclass(frozen=True)
class Sweep:
    """One comparison: full, rolling (what is open, what is recent, a part of the rest), or of labour alone."""

    inside: Sequence[Change] = ()
    crash_at: int | None = None
    scope: str = "full"


Step: TypeAlias = Populate | Outside | Wait | Sync | Sweep


class Broken(AssertionError):
    """A promise does not hold: which one, and the history that shows it."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(f"{kind}: {text}")
        self.kind = kind


@dataclass
class History:
    """One source, one algorithm, and what happened so far."""

    setting: Setting
    algorithm: Callable[[Source], Algorithm]
    faults: frozenset[str] = FAULTS
    steps: list[Step] = field(default_factory=list)  # with what came of each pick
    failures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.source = Source(self.setting)
        self.copy = self.algorithm(self.source)

    def live_through(self, steps: Sequence[Step]) -> None:
        """Take all steps, and come to rest."""
        for step in steps:
            self.do(step)
        self.end()

    def do(self, step: Step) -> None:
        """Take one step and look whether all still holds."""
        alive, deletions, buried = set(self.source.truth), len(self.source.deletions), set(self.copy.deleted())
        self.source.log.append(step)
        self.steps.append(self._taken(step))
        if not isinstance(step, Sync | Sweep):
            return  # the copy is as it was
        steady = alive & self.source.truth.keys() - set(self.source.deletions[deletions:])
        if "stale" not in self.faults and (wrong := self.copy.deleted() & steady - buried):
            raise self.broken("FALSE-DELETE", f"{sorted(wrong)} were there all the time")
        self.check()

    def _taken(self, step: Step) -> Step:
        match step:
            case Populate(number, spread):
                for id_ in IDS[:number]:
                    self.source.apply(Op("create", id_, spread))
            case Outside(changes):
                return Outside([self.happen(change, is_inside=False) for change in changes])
            case Wait(ticks):
                self.source.tick(ticks)
            case Sync(inside, crash_at):
                return Sync(self.read(self.copy.sync, inside, crash_at), crash_at)
            case Sweep(inside, crash_at, scope):
                return Sweep(self.read(partial(self.copy.sweep, scope), inside, crash_at), crash_at, scope)
        return step

    def happen(self, change: Change, *, is_inside: bool) -> Op | None:
        """Let one change happen, and return which it was."""
        op = chosen(change, self.source, self.faults, is_inside=is_inside) if isinstance(change, tuple) else change
        if op:
            self.source.apply(op)
        return op

    def read(self, read: Callable[[], None], inside: Sequence[Change] = (), crash_at: int | None = None) -> list[Op | None]:
        """Let the algorithm read while the source changes, and perhaps die; return what happened inside."""
        happened: list[Op | None] = []

        def meanwhile() -> Iterator[Callable[[], None] | None]:
            for change in chain([None], inside):  # nothing before the first request
                yield partial(lambda change: happened.append(self.happen(change, is_inside=True)), change) if change else None
                happened.extend([] if change else [None])

        reached = count()

        def crash(place: str) -> None:
            if place in PLACES and next(reached) == crash_at:
                self.source.log.append(f"dies at {place}")
                raise Crashed(place)

        self.source.meanwhile = meanwhile()
        try:
            with failpoint.arm(crash):
                read()
        except Failed as failure:
            self.failures.append(str(failure))
            self.source.log.append(f"gives up: {failure}")
        except Crashed:
            pass
        self.source.calm()
        self.copy.look()
        return happened[1:]

    def check(self) -> None:
        """Raise unless ids are unique, every row is one that the source had, and the copy agrees with itself."""
        live = self.copy.live()
        if len(live) > len(dict(live)):
            raise self.broken("DUPLICATE", f"{sorted(live)}")
        for id_, content in live:
            if content not in self.source.seen[id_]:
                raise self.broken("MIXTURE", f"{id_} was never {content}")
        try:
            self.copy.check()
        except AssertionError as error:
            raise self.broken("INVARIANT", str(error)) from error

    def end(self) -> None:
        """Let the source come to rest, read it once more, and compare."""
        self.source.log.append("at rest")
        self.source.settle()
        self.copy.rest()
        self.copy.look()
        if self.copy.keeps_up:
            self.compare({rec.id for rec in self.source.recs.values() if rec.deleted_at is None and not rec.is_silent}, "after the sync")
        if self.copy.sweeps_labour:
            self.copy.sweep("labour")
            self.copy.look()
            self.compare(set(self.source.truth), "after the sweep of labour")
        if self.copy.has_sweep:
            self.copy.settle()
            self.copy.look()
        self.check()
        is_ghost_counted = self.copy.has_sweep or "deletes" in self.faults
        self.compare(set(IDS if is_ghost_counted else self.source.truth), "in the end")

    def compare(self, ids: set[int], when: str) -> None:
        """Raise unless the copy of these ids is the truth."""
        truth, live = self.source.truth, dict(self.copy.live())
        for id_ in sorted(ids):
            if (id_ in truth, id_ in live) == (True, False):
                raise self.broken("LOST", f"{id_} {when}: the source has {truth[id_]}")
            if (id_ in truth, id_ in live) == (False, True):
                raise self.broken("GHOST", f"{id_} {when}: the copy has {live[id_]}")
            if truth.get(id_) != live.get(id_):
                raise self.broken("STALE", f"{id_} {when}: the source has {truth[id_]}, the copy {live[id_]}")

    def broken(self, kind: str, text: str) -> Broken:
        """Return the failure with all that led to it."""
        steps = "\n".join(f"    {step!r}," for step in self.steps)
        log = "\n".join(map(told, self.source.log))
        return Broken(kind, f"{text}\n{self.setting!r}\n[\n{steps}\n]\n{log}")


def told(entry: object) -> str:
    """Return one line about something that happened."""
    if not isinstance(entry, tuple):
        return f"  {entry}"
    path, query, status, body = entry
    asked = " ".join(f"{name}={value}" for name, value in query if name != "expand")
    if status != 200 or "/" in path:
        return f"    GET {path} {asked} -> {status}"
    page = msgspec.json.decode(body)
    rows = [f"{row['id']}@{row['updatedAt'][8:23]}" for row in next(iter(page.values()))]
    return f"    GET {path} {asked} -> {' '.join(rows)}{' ...' if page['nextCursor'] else ''}"
