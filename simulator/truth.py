"""The oracle: every KPI computed from the history of the records alone, without any of the product's pipeline, SQL or models.

`actual` knows every change at its own instant; `observable` knows what readings at some instants could see, and is what a faultless
pipeline must report. Where the definition of a KPI leaves room, this is the reading chosen:

- A duration is whole seconds: the microseconds between two instants, floor-divided. Seconds and cents are added as integers, and
  divided once; medians are interpolated between the two middle seconds.
- A KPI without a value has neither numerator, denominator nor basis; `n` and `coverage_share` stay as counted. Counts are never
  without a value. `coverage_share` and `basis` are only given where a KPI defines them.
- An order is placed by its present location, or else by where its asset stood when the order was created; downtime by where the
  asset stood when it began. Before the first state that was seen of an asset it stood where that says; after it was deleted, where
  it stood last. A deleted record is out of every period.
- Scopes finer than a site (a location with all below it, a label of asset types, a team that is assigned or has a member who is,
  an asset) have rows for whole periods that begin within two years (weeks: 26), and only where a KPI counts anything. Their
  calendar is their site's; of what lies in several sites, the organisation's. Single assets have no weeks.
- Periods run from the one that holds the organisation's first live order (at most five years back) to the one that holds the
  instant of evaluation on the site's clock, for the organisation on the latest of its sites' clocks.
- Any status but DONE, CANCELED, SKIPPED is open. A cancelled order closed when it was first seen closed.
- The original due date is the first one the order was seen with. Status evidence of a repair needs every change of status pinned
  to the hour before it by the reading before, and some time in progress.
- Overlapping and touching downtimes of one asset and kind are one; IGNORE beats OFFLINE; an end after the instant of evaluation is
  not known yet.
- A missing estimate is the floor of the median estimate of live orders of the same type and asset type (the first label by name),
  else of the same type; an order without a type has none.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from simulator.history import Version
from simulator.truth_calendar import GRAINS, micros
from simulator.truth_cells import Cell, Plant, Scope, plants
from simulator.truth_families import KPIS, LAYOUTS, READERS, SCOPES
from simulator.truth_history import Key, Seen, records_at, versions_of, whole_history
from simulator.truth_kpis import Figure
from simulator.truth_sites import Organisation, Site

__all__ = [
    "KPIS",
    "Distance",
    "KpiRow",
    "Organisation",
    "Site",
    "actual",
    "distance",
    "observable",
    "records_at",
    "table_of",
    "versions_of",
]

RowKey = tuple[str, int, str, str, str, date]


@dataclass(frozen=True, slots=True)
class KpiRow:
    """One KPI of one scope in one period."""

    kpi: str
    organisation_id: int
    scope_type: str  # organisation, site, or finer: location_subtree, asset_type, team, asset
    scope_id: str
    period_grain: str  # week, month, quarter, year
    period_start_on: date
    value: float | None
    numerator: float | None
    denominator: float | None
    n: int
    coverage_share: float | None
    basis: str | None
    reason: str | None
    window_state: str  # open, closed

    @property
    def key(self) -> RowKey:
        """What tells the row from all others."""
        return (self.kpi, self.organisation_id, self.scope_type, self.scope_id, self.period_grain, self.period_start_on)


def actual(versions: Iterable[Version], as_of: datetime, sites: Iterable[Organisation]) -> list[KpiRow]:
    """Return every KPI from the full history: each change up to an instant, at its own instant.

    Args:
        versions: the history.
        as_of: the instant of evaluation.
        sites: the organisations with their sites.

    Returns:
        One row per KPI, scope and period, ordered by organisation, scope (the organisation first), grain, period and KPI.
    """
    return _rows(whole_history(versions, as_of), as_of, [(organisation, True) for organisation in sites])


def observable(
    versions: Iterable[Version],
    sync_instants: Sequence[datetime] | Mapping[int, Sequence[datetime]],
    as_of: datetime,
    sites: Iterable[Organisation],
) -> list[KpiRow]:
    """Return every KPI from what was served at some instants only.

    Args:
        versions: the history.
        sync_instants: when everything was read, ascending; by organisation where they differ.
        as_of: the instant of evaluation.
        sites: the organisations with their sites.

    Returns:
        Rows as of `actual`; an organisation that was never read has the reason `not_observed_yet` in all of them.
    """
    organisations = list(sites)
    own = isinstance(sync_instants, Mapping)
    instants = sync_instants if own else {organisation.id: sync_instants for organisation in organisations}
    states: dict[Key, list[Seen]] = {}
    for organisation_id, group in groupby(sorted(versions, key=_organisation_id), key=_organisation_id):
        states |= versions_of(group, instants.get(organisation_id, ()))
    return _rows(states, as_of, [(organisation, bool(instants.get(organisation.id))) for organisation in organisations])


@dataclass(frozen=True, slots=True)
class Distance:
    """How far the observable rows of one KPI lie from the actual ones."""

    kpi: str
    rows: int
    rows_that_differ: int  # in value, or in having one
    mean_difference: float  # absolute, over the rows that have a value in both
    max_difference: float


def distance(actual_rows: Iterable[KpiRow], observable_rows: Iterable[KpiRow]) -> list[Distance]:
    """Return, for each KPI, how far what can be seen lies from what happened; rows of one side only differ."""
    truths, views = {row.key: row for row in actual_rows}, {row.key: row for row in observable_rows}
    values: dict[str, list[tuple[float | None, float | None]]] = {kpi: [] for kpi in KPIS}
    for key in truths.keys() | views.keys():
        truth, view = truths.get(key), views.get(key)
        values[key[0]].append((truth.value if truth else None, view.value if view else None))
    return [_distance(kpi, pairs) for kpi, pairs in values.items()]


def table_of(distances: Iterable[Distance]) -> str:
    """Return the distances as lines of text."""
    lines = [f"{'kpi':<28}{'rows':>8}{'differ':>8}{'mean':>12}{'max':>12}"]
    lines += [
        f"{each.kpi:<28}{each.rows:>8}{each.rows_that_differ:>8}{each.mean_difference:>12.4f}{each.max_difference:>12.4f}"
        for each in distances
    ]
    return "\n".join(lines)


def _distance(kpi: str, pairs: Sequence[tuple[float | None, float | None]]) -> Distance:
    gaps = [abs(truth - view) for truth, view in pairs if truth is not None and view is not None]
    differing = sum(truth != view for truth, view in pairs)
    return Distance(kpi, len(pairs), differing, sum(gaps) / len(gaps) if gaps else 0.0, max(gaps, default=0.0))


def _rows(states: Mapping[Key, Sequence[Seen]], as_of: datetime, organisations: Sequence[tuple[Organisation, bool]]) -> list[KpiRow]:
    found: Iterable[Plant] = plants(states, micros(as_of), [organisation for organisation, _ in organisations], READERS, LAYOUTS)
    observed = [is_observed for _, is_observed in organisations]
    scopes = (scope for plant, is_observed in zip(found, observed, strict=True) for scope in plant.scopes(is_observed))
    return [row for scope in scopes for row in _rows_of(scope)]


def _rows_of(scope: Scope) -> list[KpiRow]:
    order = {grain: position for position, grain in enumerate(GRAINS)}
    begun = sorted((key for key in scope.cells if key[1] <= scope.last_on), key=lambda key: (order[key[0]], key[1]))
    kpis = [kpi for kpi in KPIS if not scope.is_fine or scope.scope_type in SCOPES[kpi]]
    figures = ((kpi, key, _figure(kpi, scope, scope.cells[key])) for key in begun for kpi in kpis)
    return [_row(kpi, scope, *key, figure) for kpi, key, figure in figures if figure.counted or not scope.is_fine]


def _figure(kpi: str, scope: Scope, cell: Cell) -> Figure:
    return KPIS[kpi](cell, scope) if scope.is_observed else Figure(reason="not_observed_yet")


def _row(kpi: str, scope: Scope, grain: str, start_on: date, figure: Figure) -> KpiRow:
    cell = scope.cells[grain, start_on]
    return KpiRow(
        kpi=kpi,
        organisation_id=scope.organisation_id,
        scope_type=scope.scope_type,
        scope_id=scope.scope_id,
        period_grain=grain,
        period_start_on=start_on,
        value=figure.value,
        numerator=figure.numerator,
        denominator=figure.denominator,
        n=figure.n,
        coverage_share=figure.coverage_share,
        basis=figure.basis,
        reason=figure.reason,
        window_state="open" if cell.is_open else "closed",
    )


def _organisation_id(version: Version) -> int:
    return version.organisation_id
