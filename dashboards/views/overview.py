"""Are we getting better or worse, and where must I look?"""

from collections.abc import Iterator
from itertools import chain, zip_longest

import polars as pl
import streamlit as st

from dashboards import data, panels, readings
from dashboards.filters import Selection
from dashboards.format import MISSING, PRIORITIES, change, days_and_hours, inside, period_label, plural, quantity
from dashboards.readings import Reading
from dashboards.views.time_to_repair import LADDER

TITLE = "Overview"
ICON = ":material/space_dashboard:"
ORDER = 1

HEADLINES = {  # KPI → the page with its rows, and the words of the link
    "pm_compliance": ("pm_compliance", "What was late"),
    "mttr": ("time_to_repair", "The repairs"),
    "mean_downtime": ("time_to_repair", "Downtime over time"),
    "availability": ("time_to_repair", "What stood still"),
    "lead_time_reactive": ("time_to_repair", "How long repairs wait"),
    "backlog_crew_weeks": ("backlog", "What is waiting"),
}
CLAUSES = 3  # of a site's sentence
WORST = 3
KINDS = {"unknown": "planned or not is not said"}  # of downtime

Item = tuple[str, str, str]  # a head, words, a smaller line


def render(selection: Selection) -> None:
    """Draw the page."""
    found = [reading for kpi in HEADLINES if (reading := readings.read(selection, kpi))]
    panels.head(selection, TITLE, finding(selection, found))
    grid = st.grid(3, min_column_width=280)
    for reading in found:
        page, words = HEADLINES[reading.row["kpi"]]
        more = {"measure": reading.label} if reading.row["kpi"] in LADDER else {}
        with grid.cell():
            panels.linked_tile(selection, reading, page, words, **more)
    left, right = st.columns(2, gap="large")
    with left:
        panels.section("What changed, site by site")
        panels.judged((name, clauses(selection, site_id)) for site_id, name in places(selection))
    with right:
        panels.section("The three worst things")
        _worst(selection)
    panels.section(f"Every KPI, {selection.span}")
    panels.rows(table(selection), "kpis", most=30)


def finding(selection: Selection, found: list[Reading]) -> str:
    """Return what happened to the headline measures, in one sentence."""
    if all(reading.value is None for reading in found):
        return f"No measure has a value in {period_label(selection.period.start, selection.grain)}"
    if selection.before is None:
        return "These are the first figures"
    against = f"than in {period_label(selection.before.start, selection.grain)}"
    worse, better = (_named([reading for reading in found if reading.verdict == verdict]) for verdict in ("worse", "better"))
    match worse, better:
        case "", "":
            return f"No measure is clearly better or worse {against}"
        case _, "":
            return f"{worse} got worse {against}"
        case "", _:
            return f"{better} got better {against}"
        case _:
            return f"{worse} got worse, {inside(better)} better {against}"


def _named(found: list[Reading]) -> str:
    if len(found) > 2:
        return f"{len(found)} measures"
    first, *rest = [reading.name for reading in found] or [""]
    return readings.joined([first, *map(inside, rest)])


def places(selection: Selection) -> list[tuple[str, str]]:
    """Return the sites in view: id and name; what belongs to no site is left out unless it is asked for."""
    shown = selection.site_ids if selection.site_id else [site_id for site_id in selection.site_ids if site_id not in selection.unassigned]
    return [(site_id, selection.sites[site_id]) for site_id in shown]


def clauses(selection: Selection, site_id: str) -> list[tuple[str, str]]:
    """Return what changed most at a site: (verdict, words)."""
    found = [reading for kpi in HEADLINES if (reading := readings.read(selection, kpi, site_id))]
    if all(reading.value is None for reading in found):
        return [("unknown", f"no value, {found[0].missing_words}" if found else "no row")]
    changed = sorted((r for r in found if r.verdict in {"better", "worse"}), key=lambda reading: -reading.size)
    if not changed:
        return [("steady", "no clear change")]
    return [(reading.verdict, _clause(reading)) for reading in changed[:CLAUSES]]


def _clause(reading: Reading) -> str:
    return f"{inside(reading.sentence)}, {reading.verdict}"


def _worst(selection: Selection) -> None:
    kinds = (missed_targets(selection), down(selection), overdue(selection))
    mixed = [item for item in chain.from_iterable(zip_longest(*kinds)) if item][:WORST]
    if mixed:
        panels.listed(mixed, is_numbered=True)
    else:
        panels.empty(f"No target is missed, no asset is down and no order is overdue in {selection.place}.")


def missed_targets(selection: Selection) -> Iterator[Item]:
    """Yield the KPIs of the sites in view that miss their target in the chosen period, the furthest off first."""
    found = [
        reading
        for site_id in selection.site_ids
        for kpi in names(selection)
        if (reading := readings.read(selection, kpi, site_id)) and _gap(reading) > 0
    ]
    for reading in sorted(found, key=lambda reading: -_gap(reading)):
        row, target = reading.row, reading.row["target"]
        off = change(reading.row["value"], target, row["unit"])
        site = selection.sites[row["site_id"]]
        yield (
            f"{reading.label} in {site}",
            f"is {reading.text}",
            f"{off} off its target of {quantity(target, row['unit'])}, {reading.caption}".removesuffix(", "),
        )


def names(selection: Selection) -> list[str]:
    """Return every KPI that the marts have."""
    return sorted({kpi for kpi, _ in selection.kpis()})


def _gap(reading: Reading) -> float:
    value, target = reading.value, reading.row["target"]
    if value is None or not target:
        return 0.0
    return (target - value if reading.row["better"] == "higher" else value - target) / target


def down(selection: Selection) -> Iterator[Item]:
    """Yield the assets that are down and not by plan, the longest first."""
    for row in (
        data.down_now(selection.version, selection.site_ids, selection.as_of)
        .filter(pl.col("downtime_type") != "planned")
        .iter_rows(named=True)
    ):
        where = selection.sites.get(row["site_id"], MISSING)
        yield (
            row["asset_name"],
            f"has been down for {days_and_hours(row['hours'])}",
            f"{where}, {KINDS.get(row['downtime_type'], row['downtime_type'])}, still down",
        )


def overdue(selection: Selection) -> Iterator[Item]:
    """Yield the overdue orders, the most urgent first."""
    for row in data.attention(selection.version, selection.site_ids).filter("is_overdue").head(WORST).iter_rows(named=True):
        days = plural(row["days_overdue"], "day") if row["days_overdue"] else "less than a day"
        under = f"{row['title']} · {PRIORITIES.get(row['priority'], row['priority'] or MISSING)} · {row['site_name']}"
        yield f"Work order #{row['number'] or row['work_order_id']}", f"is {days} overdue", under


def table(selection: Selection) -> pl.DataFrame:
    """Return one row per KPI of the scope in view: what it is, its change, and why it has no value."""
    found = [reading for kpi in names(selection) if (reading := readings.read(selection, kpi))]
    columns = {
        "kpi": [reading.label for reading in found],
        "value": [reading.text for reading in found],
        "change_or_why_no_value": [reading.change_words or reading.missing_words for reading in found],
        "target": [quantity(reading.row["target"], reading.row["unit"]) for reading in found],
        "n": [reading.row["n"] for reading in found],
        "covered": [reading.coverage or MISSING for reading in found],
    }
    return pl.DataFrame(columns, schema_overrides={"n": pl.Int64}, strict=False)
