"""Numbered sweeps: a full reading that was interrupted goes on where it was, and only a complete one tells what is absent."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

import polars as pl

from dagster_project.ingest import Intake
from dagster_project.maintainx.client import MaintainX
from dagster_project.maintainx.endpoints import Endpoint
from dagster_project.visit import Run, Visit, latest_of
from dagster_project.warehouse.base import Commit, State, Warehouse
from dagster_project.warehouse.tables import OPS

LONGEST = timedelta(days=1)  # what was seen longer ago may be gone: a sweep that was left for so long begins anew


@dataclass(slots=True)
class Generation:
    """One full reading of a collection by createdAt: its number, how far it has come, and the ids it has met (in ops.seen)."""

    warehouse: Warehouse
    table: str
    run: Run
    number: int
    began_at: datetime
    reached: datetime | None = None  # createdAt; everything before it has been read
    seen: set[int] = field(default_factory=set)

    @classmethod
    def open(cls, warehouse: Warehouse, table: str, run: Run) -> Self:
        """Return the sweep that was interrupted within a day, else a new one."""
        state = warehouse.states(run.organisation_id, f"{table}/sweep").get("")
        number = (state.generation or 0) if state else 0
        if state is None or state.is_complete or state.slice_from is None or not timedelta(0) <= run.now - state.slice_from < LONGEST:
            return cls(warehouse, table, run, number + 1, run.now)
        rows = warehouse.query(
            "select id from ops.seen where organisation_id = ? and endpoint = ? and generation = ?", [run.organisation_id, table, number]
        )
        return cls(warehouse, table, run, number, state.slice_from, state.watermark, set(rows["id"].to_list()))

    def note(self, intake: Intake, shown: set[int]) -> None:
        """Let the batch carry what it showed, and how far the sweep has come with it."""
        stamps = {version.id: getattr(version.record, "created_at", None) for version in intake.versions}
        for record_id in shown:
            before = intake.known.get(record_id)
            stamp = stamps.get(record_id, before and before.created_at)
            self.reached = latest_of(self.reached, stamp)
        new = sorted(shown - self.seen)
        self.seen |= shown
        rows = {"organisation_id": self.run.organisation_id, "endpoint": self.table, "generation": self.number, "id": new}
        intake.commit.seen = pl.DataFrame(rows, schema=OPS["seen"])
        intake.commit.states = [*intake.commit.states, self.state(is_complete=False)]

    def end(self) -> None:
        """Close the sweep, judged or in doubt: the next one begins anew."""
        self.warehouse.commit(Commit(self.table, states=[self.state(is_complete=True)]))
        self.warehouse.replace("seen", [], {"organisation_id": self.run.organisation_id, "endpoint": self.table})

    def state(self, *, is_complete: bool) -> State:
        """Return where the sweep stands, as a row of ops.state."""
        return State(
            self.run.organisation_id, f"{self.table}/sweep", watermark=self.reached, slice_from=self.began_at, is_complete=is_complete,
            run_id=self.run.run_id, generation=self.number,
        )  # fmt: skip


class Sweep(Visit):
    """A reading that notes which records the source's lists show."""

    def __init__(self, endpoint: Endpoint, source: MaintainX, warehouse: Warehouse, run: Run):
        super().__init__(endpoint, source, warehouse, run)
        self.generation: Generation | None = None
        self.shown: set[int] = set()
        self.stored: set[int] = set()  # live in the log when the sweep began

    def enrich(self, intake: Intake) -> None:
        """Note what a batch showed, refused rows of known records included; a numbered sweep keeps it in the same transaction."""
        shown = (intake.seen_ids - intake.gone_ids) - (intake.refused_ids - self.stored)
        self.shown -= intake.gone_ids
        self.shown |= shown
        if self.generation:
            self.generation.note(intake, shown)
