"""What the oracle says of the data themselves: how many orders tell what other figures need, and how many were ticked off in one go."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from simulator.truth_calendar import SECOND
from simulator.truth_cells import Cell, Scope
from simulator.truth_kpis import Figure, share
from simulator.truth_orders import Order, asset_id, completed_at
from simulator.truth_places import Place
from simulator.truth_pm import place_of
from simulator.truth_sources import Readers, Sources

BATCH, WITHIN = 5, 120 * SECOND


@dataclass(frozen=True, slots=True)
class Noted:
    """One order of which something holds: that it was completed in a batch, or that its asset has a criticality."""

    place: Place
    id: int


def batched(sources: Sources) -> list[Noted]:
    """Return the orders that are among five or more that one person completed within two minutes."""
    records = sources.latest("work_orders")
    closings: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for key, record in records.items():
        at, completer = completed_at(record), record.get("completerId")
        if at is not None and completer is not None:
            closings[completer].append((at, key))
    ids = {key for found in closings.values() for key in in_batches(sorted(found))}
    return [Noted(place_of(sources, records[key]), key) for key in sorted(ids)]


def critical(sources: Sources) -> list[Noted]:
    """Return the orders whose asset has a criticality."""
    assets = {key for key, asset in sources.latest("assets").items() if asset.get("criticalityId") is not None}
    records = sources.latest("work_orders")
    return [Noted(place_of(sources, record), key) for key, record in records.items() if asset_id(record) in assets]


def in_batches(closings: Sequence[tuple[int, int]]) -> set[int]:
    """Return the ids of those (instant, id), in order, that lie in a window of two minutes with four others."""
    found: set[int] = set()
    for first in range(len(closings) - BATCH + 1):
        window = closings[first : first + BATCH]
        if window[-1][0] - window[0][0] <= WITHIN:
            found |= {key for _, key in window}
    return found


def batch_closed_share(cell: Cell, scope: Scope) -> Figure:
    """Share of the completed orders whose completer is known that were completed in a batch."""
    if not cell.completed:
        return Figure(reason="nothing_completed")
    ids = {each.id for each in scope.records.get("batched", ())}
    known = [order for order in cell.completed if order.record.get("completerId") is not None]
    found = share(sum(order.id in ids for order in known), len(known), "closer_not_known", len(known) / len(cell.completed))
    return replace(found, records=len(cell.completed))


def criticality_share(cell: Cell, scope: Scope) -> Figure:
    """Share of the created orders whose asset has a criticality."""
    ids = {each.id for each in scope.records.get("critical", ())}
    return share(sum(order.id in ids for order in cell.created), len(cell.created), "nothing_created")


def of_created(tells: Callable[[Order], bool]) -> Callable[[Cell, Scope], Figure]:
    """Return the KPI that is the share of the created orders that tell something."""
    return lambda cell, _: share(sum(map(tells, cell.created)), len(cell.created), "nothing_created")


READERS: Readers = {"batched": batched, "critical": critical}
KPIS: dict[str, Callable[[Cell, Scope], Figure]] = {
    "quality_asset_share": of_created(lambda order: order.place.asset_id is not None),
    "quality_type_share": of_created(lambda order: order.type is not None),
    "quality_due_share": of_created(lambda order: order.due is not None),
    "quality_estimate_share": of_created(lambda order: order.estimated_seconds is not None),
    "quality_priority_share": of_created(lambda order: order.record.get("priority") in {"LOW", "MEDIUM", "HIGH"}),
    "quality_criticality_share": criticality_share,
    "quality_time_log_share": lambda cell, _: share(
        sum(order.labour_seconds > 0 for order in cell.completed), len(cell.completed), "nothing_completed"
    ),
    "quality_batch_closed_share": batch_closed_share,
}
