"""Records that no list shows and that their id still finds: after a while asked for in turn, no longer one by one in every run."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Self

from dagster_project.warehouse.base import State, Warehouse

TRUSTED = timedelta(days=30)  # what its id has found since then counts as there
SETTLED = timedelta(days=1)  # what has been hidden for so long is asked for now and then
AGAIN = timedelta(days=7)
MOST_ASKED = 100  # of the settled in one reading, or one of every
ROUNDS = 20  # when they are many


@dataclass(slots=True)
class Hidden:
    """The hidden records of one endpoint: since when each is hidden, and when its id last found it (in ops.state)."""

    warehouse: Warehouse
    name: str  # in ops.state
    run_id: str
    organisation_id: int
    now: datetime
    records: dict[int, State] = field(default_factory=dict)
    resting: set[int] = field(default_factory=set)  # absent, and not asked for in this reading

    @classmethod
    def open(cls, warehouse: Warehouse, table: str, run_id: str, organisation_id: int, now: datetime) -> Self:
        """Return what is known from the readings before."""
        name = f"{table}/hidden"
        states = warehouse.states(organisation_id, name)
        return cls(warehouse, name, run_id, organisation_id, now, {int(record_id): state for record_id, state in states.items()})

    @property
    def trusted(self) -> set[int]:
        """Return the records whose id found them lately: their absence from a list is nothing new."""
        return {record_id for record_id in self.records if self._was_found_within(record_id, TRUSTED)}

    def in_turn(self, absent: set[int]) -> list[int]:
        """Return whom to ask for: first whom nobody found so far, then by when they were last found; the settled now and then."""
        order = sorted(absent, key=lambda record_id: (self._found_at(record_id), record_id))
        settled = [record_id for record_id in order if self._is_settled(record_id)]
        due = [record_id for record_id in settled if not self._was_found_within(record_id, AGAIN)]
        self.resting = set(settled) - set(due[: max(MOST_ASKED, len(settled) // ROUNDS)])
        return [record_id for record_id in order if record_id not in self.resting]

    def note(self, found: Iterable[int]) -> None:
        """Note whom their id has found."""
        for record_id in found:
            new = State(self.organisation_id, self.name, str(record_id), slice_from=self.now)
            self.records[record_id] = replace(self.records.get(record_id, new), watermark=self.now, run_id=self.run_id)

    def keep(self, seen: set[int], gone: set[int]) -> None:
        """Write who is hidden still."""
        hidden = [state for record_id, state in self.records.items() if record_id not in seen | gone]
        if self.records:
            self.warehouse.replace("state", map(asdict, hidden), {"organisation_id": self.organisation_id, "endpoint": self.name})

    def _found_at(self, record_id: int) -> datetime:
        state = self.records.get(record_id)
        return state.watermark if state and state.watermark else datetime.min.replace(tzinfo=UTC)

    def _was_found_within(self, record_id: int, span: timedelta) -> bool:
        return timedelta(0) <= self.now - self._found_at(record_id) < span

    def _is_settled(self, record_id: int) -> bool:
        state = self.records.get(record_id)
        return bool(state and state.slice_from and self._found_at(record_id) - state.slice_from >= SETTLED)
