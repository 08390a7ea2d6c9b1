"""What a comparison of source and log found: a row of ops.reconciliation."""

from dataclasses import dataclass, field

from dagster_project.visit import EndpointReport, Run
from dagster_project.warehouse.base import Warehouse


@dataclass(slots=True)
class Comparison:
    """What one reconciliation of one endpoint found before it healed; a row of ops.reconciliation."""

    scope: str
    source_rows: int = 0
    raw_rows: int = 0
    missing: int = 0
    ghost: int = 0
    stale: int = 0
    late_rows: int = 0  # came to light, or changed, below the overlap: no sync could see it
    healed: int = 0
    deleted: int = 0
    source_labour_seconds: int | None = None
    raw_labour_seconds: int | None = None
    source_cost_cents: int | None = None
    raw_cost_cents: int | None = None
    source_ids: int | None = None  # that the source's lists show
    live_rows: int | None = None  # of the log in that scope, once healed: the same number, or the sweep differs
    generation: int | None = None  # of a full sweep that goes on where it was interrupted
    status: str = "matched"
    reason: str | None = None
    report: EndpointReport | None = field(default=None, repr=False)

    def as_row(self, run: Run) -> dict:
        """Return the row of ops.reconciliation."""
        names = [name for name in self.__dataclass_fields__ if name != "report"]
        return {
            "run_id": run.run_id,
            "organisation_id": run.organisation_id,
            "endpoint": self.report.endpoint if self.report else None,
            "reconciled_at": run.now,
            "requests": self.report.requests if self.report else None,
            **{name: getattr(self, name) for name in names},
        }


@dataclass(slots=True)
class Sums:
    """Rows and sums of one side."""

    rows: int = 0
    labour: int = 0
    cost: int = 0

    def add(self, labour: int | None, cost: int | None) -> None:
        """Count one row."""
        self.rows, self.labour, self.cost = self.rows + 1, self.labour + (labour or 0), self.cost + (cost or 0)


def write(found: Comparison, warehouse: Warehouse, run: Run) -> None:
    """Write the row of ops.reconciliation; the same run again replaces it."""
    row = found.as_row(run)
    warehouse.replace("reconciliation", [row], {name: row[name] for name in ("run_id", "organisation_id", "endpoint")})
