"""The definition of each KPI, as the oracle computes it from one cell."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median

from simulator.truth_calendar import DAY
from simulator.truth_cells import MATURE_AFTER, Cell, Scope
from simulator.truth_orders import Order


@dataclass(frozen=True, slots=True)
class Figure:
    """A value with its parts, or the reason why there is none."""

    numerator: float | None = None
    denominator: float | None = None
    n: int = 0
    coverage_share: float | None = None
    basis: str | None = None
    reason: str | None = None
    records: int | None = None  # how many there were, with what the value needs or without; None: n

    @property
    def counted(self) -> int:
        """How many records there were."""
        return self.n if self.records is None else self.records

    @property
    def value(self) -> float | None:
        """Numerator over denominator."""
        return None if self.numerator is None or self.denominator is None else self.numerator / self.denominator


def hours(seconds: int) -> float:
    """Return seconds as hours."""
    return seconds / 3600.0


def count(n: int) -> Figure:
    """Return a number of orders, 0 included."""
    return Figure(float(n), 1.0, n)


def share(part: int, whole: int, reason: str, coverage_share: float | None = None) -> Figure:
    """Return a part of a whole; without a whole the reason."""
    return Figure(float(part), float(whole), whole, coverage_share) if whole else Figure(coverage_share=coverage_share, reason=reason)


def mean_hours(seconds: Sequence[int], reason: str) -> Figure:
    """Return the mean hours of durations; of none the reason."""
    return Figure(hours(sum(seconds)), float(len(seconds)), len(seconds)) if seconds else Figure(reason=reason)


def median_hours(seconds: Sequence[int], reason: str) -> Figure:
    """Return the median hours of durations, interpolated in seconds; of none the reason."""
    return Figure(median(seconds) / 3600.0, 1.0, len(seconds)) if seconds else Figure(reason=reason)


def covered(part: int, whole: int) -> float | None:
    """Return a coverage share, None of nothing."""
    return part / whole if whole else None


def leads(cell: Cell, order_type: str | None = None) -> list[int]:
    """Return the lead seconds of the completed orders of one type, or of all; those completed before created have none."""
    completed = (order for order in cell.completed if order_type in {None, order.type})
    return [lead for order in completed if (lead := order.lead_seconds) is not None]


def repairs(cell: Cell) -> list[Order]:
    """Return the completed REACTIVE orders."""
    return [order for order in cell.completed if order.type == "REACTIVE"]


def mttr(cell: Cell, _: Scope) -> Figure:
    """Elapsed repair time within the one basis that knows most repairs: root-cause reports, else observed statuses."""
    done = repairs(cell)
    if not done:
        return Figure(reason="nothing_completed")
    by_rca = [order.rca_seconds for order in done if order.rca_seconds is not None]
    by_status = [order.status_seconds for order in done if order.rca_seconds is None and order.status_seconds is not None]
    basis, seconds = ("rca", by_rca) if len(by_rca) >= len(by_status) else ("status", by_status)
    if not seconds:
        return Figure(coverage_share=0.0, reason="no_repair_evidence", records=len(done))
    return Figure(hours(sum(seconds)), float(len(seconds)), len(seconds), len(seconds) / len(done), basis, records=len(done))


def mttr_labour(cell: Cell, _: Scope) -> Figure:
    """Logged labour per repair that has any."""
    done = repairs(cell)
    if not done:
        return Figure(reason="nothing_completed")
    logged = [order.labour_seconds for order in done if order.labour_seconds > 0]
    if not logged:
        return Figure(coverage_share=0.0, reason="no_labour_logged", records=len(done))
    return Figure(hours(sum(logged)), float(len(logged)), len(logged), len(logged) / len(done), "time_items", records=len(done))


def pm_compliance(cell: Cell, scope: Scope, grace: int = 0) -> Figure:
    """Share of the PMs due, by their original due date, that were completed by it (plus the grace); skipped and open are misses."""
    counted = [
        (order, due.deadline + grace)
        for order in cell.pm_due
        if (due := order.original_due) and due.deadline + grace <= scope.as_of and order.status != "CANCELED"
    ]
    on_time = sum(order.completed_at is not None and order.completed_at <= deadline for order, deadline in counted)
    dated = covered(sum(order.original_due is not None for order in scope.preventive), len(scope.preventive))
    return share(on_time, len(counted), "nothing_due", dated)


def vendor_on_time_share(cell: Cell, scope: Scope) -> Figure:
    """Like the vendor's report: on time is completed by the due date, or not completed and not due yet."""
    counted = [(order, due.deadline) for order in cell.due if (due := order.due) and order.status not in {"CANCELED", "SKIPPED"}]
    on_time = sum(_is_on_time(order, deadline, scope.as_of) for order, deadline in counted)
    return share(on_time, len(counted), "nothing_due")


def _is_on_time(order: Order, deadline: int, as_of: int) -> bool:
    if order.status == "DONE":
        return order.completed_at is not None and order.completed_at <= deadline
    return deadline > as_of


def backlog_upcoming_count(cell: Cell, _: Scope) -> Figure:
    """Open orders that were not released yet: made ahead of their start."""
    return replace(count(sum(order.start_at is not None and order.start_at > at for order, at in cell.backlog)), records=len(cell.backlog))


def backlog_overdue_count(cell: Cell, _: Scope) -> Figure:
    """Open orders whose present deadline had passed."""
    return replace(count(sum(order.due is not None and order.due.deadline < at for order, at in cell.backlog)), records=len(cell.backlog))


def backlog_hours(cell: Cell, _: Scope) -> Figure:
    """Planned hours of the open orders; the usual hours of its like stand in for a missing estimate."""
    planned = [order.planned_seconds for order, _ in cell.backlog if order.planned_seconds is not None]
    estimated = sum(order.estimated_seconds is not None for order, _ in cell.backlog)
    coverage = covered(estimated, len(cell.backlog))
    if cell.backlog and not planned:
        return Figure(coverage_share=coverage, reason="no_estimates", records=len(cell.backlog))
    return Figure(hours(sum(planned)), 1.0, len(planned), coverage, "estimates", records=len(cell.backlog))


def backlog_crew_weeks(cell: Cell, scope: Scope) -> Figure:
    """Weeks of the whole crew that the open orders take."""
    open_hours, crew_hours = backlog_hours(cell, scope), scope.crew_hours_per_week
    if not crew_hours or crew_hours <= 0:
        return Figure(n=open_hours.n, coverage_share=open_hours.coverage_share, reason="no_crew_hours")
    if open_hours.reason:
        return open_hours
    return Figure(open_hours.numerator, crew_hours, open_hours.n, open_hours.coverage_share, "estimates")


def completion_within_30_days(cell: Cell, _: Scope) -> Figure:
    """Share of the orders created that were completed within 720 hours, cancelled ones left out, once all have had the time."""
    cohort = [order for order in cell.created if order.status != "CANCELED"]
    if not cell.is_mature:
        return Figure(n=len(cohort), reason="cohort_not_mature")
    within = sum(order.completed_at is not None and order.completed_at <= order.created_at + MATURE_AFTER for order in cohort)
    return share(within, len(cohort), "nothing_created")


def pm_share(cell: Cell, _: Scope) -> Figure:
    """Share of the completed orders that are PREVENTIVE."""
    return share(sum(order.type == "PREVENTIVE" for order in cell.completed), len(cell.completed), "nothing_completed")


KPIS: dict[str, Callable[[Cell, Scope], Figure]] = {
    "created": lambda cell, _: count(len(cell.created)),
    "completed": lambda cell, _: count(len(cell.completed)),
    "lead_time": lambda cell, _: mean_hours(leads(cell), "nothing_completed"),
    "lead_time_median": lambda cell, _: median_hours(leads(cell), "nothing_completed"),
    "lead_time_reactive": lambda cell, _: mean_hours(leads(cell, "REACTIVE"), "nothing_completed"),
    "lead_time_reactive_median": lambda cell, _: median_hours(leads(cell, "REACTIVE"), "nothing_completed"),
    "mttr": mttr,
    "mttr_labour": mttr_labour,
    "pm_compliance": pm_compliance,
    "pm_compliance_plus_1_day": lambda cell, scope: pm_compliance(cell, scope, grace=DAY),
    "vendor_on_time_share": vendor_on_time_share,
    "backlog_count": lambda cell, _: count(len(cell.backlog)),
    "backlog_upcoming_count": backlog_upcoming_count,
    "backlog_overdue_count": backlog_overdue_count,
    "backlog_hours": backlog_hours,
    "backlog_crew_weeks": backlog_crew_weeks,
    "completion_within_30_days": completion_within_30_days,
    "pm_share": pm_share,
}

ASSET_TOO = ("location_subtree", "asset_type", "team", "asset")
SCOPES: dict[str, Sequence[str]] = {
    "created": ASSET_TOO,
    "completed": ASSET_TOO,
    "mttr": ASSET_TOO,
    "mttr_labour": ASSET_TOO,
    "backlog_crew_weeks": (),
}
