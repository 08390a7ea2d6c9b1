"""Draws histories: of each kind of fault alone, and of all together."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from tests.model.history import Broken, History, Outside, Populate, Step, Sweep, Sync, Wait
from tests.model.naive import Algorithm
from tests.model.source import Setting, Source

PICKS = st.tuples(st.integers(0, 99), st.integers(0, 999))
INSIDE = st.lists(st.none() | PICKS | PICKS, max_size=8)
SCOPES = ("full", "full", "rolling", "labour")
STEPS = 6  # with the one that fills the source


@dataclass
class Tally:
    """What was drawn."""

    executions: int = 0
    syncs: int = 0
    requests: int = 0
    gave_up: int = 0
    found: Broken | None = None


@dataclass(frozen=True)
class Kind:
    """A kind of history: which faults it has, and how its source may behave."""

    faults: frozenset[str]
    settings: st.SearchStrategy[Setting] = field(default_factory=lambda: st.just(Setting()))


def machine(algorithm: Callable[[Source], Algorithm], drawn: Kind, tally: Tally) -> type[RuleBasedStateMachine]:
    """Return a state machine that lets an algorithm read histories of one kind."""
    inside = INSIDE if drawn.faults & {"inside", "inside deletes", "expiry", "stale"} else st.just([])
    crash_at = st.none() | st.integers(0, 11) if "crash" in drawn.faults else st.none()

    class Machine(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            tally.executions += 1
            self.history: History | None = None

        @initialize(setting=drawn.settings, number=st.integers(2, 6), spread=st.integers(1, 4))
        def populate(self, setting: Setting, number: int, spread: int) -> None:
            self.history = History(setting, algorithm, drawn.faults)
            self.do(Populate(number, spread))

        @rule(before=st.lists(PICKS, max_size=6), ticks=st.integers(0, 12), inside=inside, crash_at=crash_at)
        def sync(self, before: list, ticks: int, inside: list, crash_at: int | None) -> None:
            for step in (Outside(before), Wait(ticks), Sync(inside, crash_at)):
                self.do(step)

        @precondition(lambda self: self.history is not None and self.history.copy.has_sweep)
        @rule(inside=inside, crash_at=crash_at, scope=st.sampled_from(SCOPES))
        def sweep(self, inside: list, crash_at: int | None, scope: str) -> None:
            self.do(Sweep(inside, crash_at, scope))

        def do(self, step: Step) -> None:
            assert self.history is not None
            self.guarded(lambda history: history.do(step))

        def teardown(self) -> None:
            if self.history is None:
                return
            self.guarded(History.end)
            tally.syncs += sum(isinstance(step, Sync) for step in self.history.steps)
            tally.gave_up += len(self.history.failures)
            tally.requests += sum(isinstance(entry, tuple) for entry in self.history.source.log)

        def guarded(self, act: Callable[[History], None]) -> None:
            """Act, and once something broke never again."""
            history = self.history
            if history is None:
                return
            try:
                act(history)
            except BaseException as error:
                self.history = None
                if tally.found is None and isinstance(error, Broken):
                    tally.found = error
                raise

    return Machine


def examine(algorithm: Callable[[Source], Algorithm], drawn: Kind, executions: int, steps: int = STEPS) -> Tally:
    """Let an algorithm live through so many histories, the same ones every time, and return what was drawn.

    Raises:
        Broken: a promise did not hold; the history is made as short as it gets.
    """
    tally = Tally()
    _run(machine(algorithm, drawn, tally), settings(max_examples=executions, stateful_step_count=steps))
    return tally


def killed(algorithm: Callable[[Source], Algorithm], drawn: Kind, executions: int) -> Tally:
    """Return what was drawn until the algorithm broke a promise, or all of it; nothing is made shorter."""
    tally = Tally()
    with suppress(Broken):
        _run(machine(algorithm, drawn, tally), settings(max_examples=executions, stateful_step_count=STEPS, phases=[Phase.generate]))
    return tally


def _run(drawn: type[RuleBasedStateMachine], chosen: settings) -> None:
    same = settings(
        chosen, derandomize=True, database=None, deadline=None, report_multiple_bugs=False, suppress_health_check=list(HealthCheck)
    )  # fmt: skip
    run_state_machine_as_test(drawn, settings=same, _min_steps=3)  # shorter ones see nothing
