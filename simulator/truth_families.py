"""Everything that the oracle reads, lays out and computes: one family of KPIs beside the other."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from simulator import truth_backlog, truth_costs, truth_kpis, truth_pm, truth_quality, truth_reliability, truth_requests, truth_schedules
from simulator.truth_cells import Cell, Layout, Scope, lay_out_backlog, lay_out_downtimes, lay_out_orders
from simulator.truth_downtime import downtimes
from simulator.truth_kpis import Figure
from simulator.truth_orders import orders
from simulator.truth_sources import Readers, asset_places, statuses, work_requests

Kpi = Callable[[Cell, Scope], Figure]
FINE = ("location_subtree", "asset_type", "team")  # the scopes finer than a site that a KPI has unless it says otherwise


@dataclass(frozen=True, slots=True)
class Family:
    """KPIs that belong together, with the records they read and how these are laid out."""

    kpis: Mapping[str, Kpi] = field(default_factory=dict)
    scopes: Mapping[str, Sequence[str]] = field(default_factory=dict)  # by KPI, where they are not FINE
    readers: Readers = field(default_factory=dict)  # by the name under which a sheet and a scope have the records
    layouts: Sequence[Layout] = ()


WORK = Family(
    kpis=truth_kpis.KPIS,
    scopes=truth_kpis.SCOPES,
    readers={"orders": orders, "downtimes": downtimes},
    layouts=(lay_out_orders, lay_out_backlog, lay_out_downtimes),
)
PLACES = Family(readers={"asset_places": asset_places, "statuses": statuses, "work_requests": work_requests})
RELIABILITY = Family(
    kpis=truth_reliability.KPIS,
    scopes=truth_reliability.SCOPES,
    readers={"stays": truth_reliability.stays},
    layouts=(truth_reliability.lay_out_hours, truth_reliability.lay_out_stops, truth_reliability.lay_out_ongoing),
)
COSTS = Family(
    kpis=truth_costs.KPIS,
    scopes=truth_costs.SCOPES,
    readers={"bookings": truth_costs.bookings, "correctives": truth_costs.correctives},
    layouts=(truth_costs.lay_out_bookings, truth_costs.lay_out_correctives),
)
BACKLOG = Family(
    kpis=truth_backlog.KPIS,
    scopes=truth_backlog.SCOPES,
    readers={"marks": truth_backlog.marks},
    layouts=(truth_backlog.lay_out_days, truth_backlog.lay_out_flow),
)
SCHEDULES = Family(
    kpis=truth_schedules.KPIS,
    scopes=truth_schedules.SCOPES,
    readers={"scheduled": truth_schedules.scheduled},
    layouts=(truth_schedules.lay_out_completions, truth_schedules.lay_out_schedules),
)
PREVENTIVE = Family(kpis=truth_pm.KPIS, readers=truth_pm.READERS, layouts=truth_pm.LAYOUTS)
REQUESTS = Family(kpis=truth_requests.KPIS, scopes=truth_requests.SCOPES, readers=truth_requests.READERS, layouts=truth_requests.LAYOUTS)
QUALITY = Family(kpis=truth_quality.KPIS, readers=truth_quality.READERS)
FAMILIES: tuple[Family, ...] = (WORK, PLACES, PREVENTIVE, REQUESTS, QUALITY, RELIABILITY, COSTS, BACKLOG, SCHEDULES)

KPIS: dict[str, Kpi] = {kpi: define for family in FAMILIES for kpi, define in family.kpis.items()}
SCOPES: dict[str, Sequence[str]] = {kpi: family.scopes.get(kpi, FINE) for family in FAMILIES for kpi in family.kpis}
READERS: Readers = {name: read for family in FAMILIES for name, read in family.readers.items()}
LAYOUTS: list[Layout] = [layout for family in FAMILIES for layout in family.layouts]
