"""How long does a repair take, and what is it made of?"""

import polars as pl
import streamlit as st

from dashboards import charts, comparisons, data, panels, readings, series
from dashboards.filters import Selection
from dashboards.format import BASES, TO, inside, plural
from dashboards.readings import Reading

TITLE = "Time to repair"
ICON = ":material/build:"
ORDER = 2

LADDER = ("mttr_labour", "mttr", "mean_downtime", "lead_time_reactive_median", "lead_time_reactive")  # from the hand to the wait
STARTS = {
    "mttr_labour": "hours of work logged on a repair",
    "mttr": "from the start of a repair to its end, holds left out",
    "mean_downtime": "from an asset's standstill to its return",
    "lead_time_reactive_median": "from a report to its completion, half are faster",
    "lead_time_reactive": "from a report to its completion, the mean",
}
BUCKETS = (
    (1, "≤ 1 h"),
    (4, f"1{TO}4 h"),
    (8, f"4{TO}8 h"),
    (24, f"8{TO}24 h"),
    (72, f"1{TO}3 d"),
    (168, f"3{TO}7 d"),
    (float("inf"), "> 7 d"),
)


def render(selection: Selection) -> None:
    """Draw the page."""
    found = {kpi: reading for kpi in LADDER if (reading := readings.read(selection, kpi))}
    panels.head(selection, TITLE, finding(selection, found))
    _ladder(selection, found)
    measure = _choose(selection, found)
    if measure:
        _over_time_and_by_site(selection, found[measure])
    repairs = data.repairs(selection.version, selection.site_ids, selection.period.start, selection.period.end)
    if repairs.is_empty():
        panels.empty(panels.nothing(selection, "No repair was completed"))
    else:
        _distributions(selection, found, repairs)
        panels.section(f"{plural(repairs.height, 'repair')} completed, the longest wait first")
        panels.rows(_named(selection, repairs).with_columns(pl.col("repair_basis").replace(BASES)), "repairs", selection.zone)
    _standstills(selection)


def finding(selection: Selection, found: dict[str, Reading]) -> str:
    """Return the best answer that the data allows."""
    mttr, labour, lead = (found.get(kpi) for kpi in ("mttr", "mttr_labour", "lead_time_reactive"))
    if mttr and mttr.value is not None and (mttr.is_few or mttr.is_thin):
        return f"The {plural(mttr.row['n'], 'repair')} with evidence took {mttr.text} on average"
    if mttr and mttr.value is not None:
        return f"A repair took {mttr.text} on average, {mttr.comparison}"
    if labour and labour.value is not None:
        return f"A repair took {labour.text} of logged work; its elapsed time is not recorded"
    if lead and lead.value is not None:
        return f"A report waited {lead.text} for its repair to be done; the repair itself is not recorded"
    return f"No time to repair in {selection.place}: {mttr.missing_words if mttr else 'no row'}"


def _ladder(selection: Selection, found: dict[str, Reading]) -> None:
    valued = [reading for reading in found.values() if reading.value]
    if valued:
        rows = pl.DataFrame(
            {
                "measure": [reading.label for reading in valued],
                "value": [reading.value for reading in valued],
                "text": [f"{reading.label}: {reading.text}, n = {reading.row['n']:,}" for reading in valued],
                "is_main": [reading.row["kpi"] == "mttr" for reading in valued],
                "basis": [BASES.get(reading.row["basis"], reading.row["basis"]) for reading in valued],
                "coverage": [reading.coverage for reading in valued],
                "what_it_is": [STARTS[reading.row["kpi"]] for reading in valued],
            }
        )
        title = ladder_title(found)
        told = "; ".join(f"{reading.label} {reading.text}" for reading in valued)
        bases = " · ".join(f"{reading.label}: {reading.caption}" for reading in valued if reading.row["basis"])
        panels.figure(title, comparisons.ladder(rows), rows.drop("is_main", "text"), "repair_ladder", told=told, remark=bases or None)
    for reading in found.values():
        if reading.value is None:
            panels.note(f"{reading.label} has no value: {reading.missing_words}.")


def ladder_title(found: dict[str, Reading]) -> str:
    """Return how the wait compares with the work."""
    words = {
        "lead_time_reactive": "{} from report to completion",
        "mttr": "{} from start to end of the repair",
        "mean_downtime": "{} of standstill",
        "mttr_labour": "{} of logged work",
    }
    said = [phrase.format(found[kpi].text) for kpi, phrase in words.items() if kpi in found and found[kpi].value is not None]
    return readings.joined(said[:3])


def _choose(selection: Selection, found: dict[str, Reading]) -> str | None:
    labels = {reading.label: kpi for kpi, reading in found.items()}
    if not labels:
        return None
    valued = [label for label, kpi in labels.items() if found[kpi].value is not None]
    first = found["mttr"].label if "mttr" in found and found["mttr"].value is not None else (valued or list(labels))[0]
    panels.section("Over time and by site" if selection.has_sites else "Over time")
    chosen = st.pills(
        "Measure", list(labels), default=first, required=True, key="measure", bind="query-params", label_visibility="collapsed"
    )
    return labels[chosen or first]


def _over_time_and_by_site(selection: Selection, reading: Reading) -> None:
    if not selection.has_sites:
        _trend(selection, reading)
        return
    left, right = st.columns([3, 2], gap="large")
    with left:
        _trend(selection, reading)
    with right:
        _by_site(selection, reading)


def _trend(selection: Selection, reading: Reading) -> None:
    row = reading.row
    points = series.over_time(selection, row["kpi"])
    if points["value"].drop_nulls().is_empty():
        panels.empty(f"{reading.label} has no value in {selection.place} in any of these {selection.grain}s: {reading.missing_words}.")
        return
    title = f"{reading.sentence} in {selection.span}" if reading.value is not None else f"{reading.label} has no value in {selection.span}"
    chart = charts.trend(points, row["unit"], row["target"])
    remark = "Hours · hollow: so far · grey: no value"
    table = points.select("period_start_on", "value", "n", "is_open")
    panels.figure(title, chart, table, f"{row['kpi']}_trend", told=f"{title}; {reading.change_words}", remark=remark)


def _by_site(selection: Selection, reading: Reading) -> None:
    kpi = reading.row["kpi"]
    rows, without = series.site_rows(selection, kpi)
    if rows.is_empty():
        panels.empty(f"No site has a value of {inside(reading.label)} in {selection.span}.")
        return
    title = f"{rows['site'][0]} is highest with {rows['words'][0]}" if rows.height > 1 else f"{rows['site'][0]}: {rows['words'][0]}"
    chart = comparisons.by_site(rows, reading.row["unit"])
    told = f"{reading.label} by site: {'; '.join(rows['text'])}"
    panels.figure(title, chart, rows.select("site", "value", "n"), f"{kpi}_by_site", told=told, remark=without)


def _distributions(selection: Selection, found: dict[str, Reading], repairs: pl.DataFrame) -> None:
    panels.section(f"How long the repairs of {selection.span} took")
    left, right = st.columns(2, gap="large")
    with left:
        _lead(found.get("lead_time_reactive_median"), bucketed(repairs, "lead_hours"))
    with right:
        if repairs["repair_hours"].null_count() < repairs.height:
            _repair(bucketed(repairs, "repair_hours"))
        else:
            panels.empty(
                f"None of these repairs has a recorded start and end: {found['mttr'].missing_words if 'mttr' in found else 'no row'}."
            )


def _lead(median: Reading | None, rows: pl.DataFrame) -> None:
    known = median is not None and median.value is not None
    half = f"Half of the repairs were done within {median.text} of the report" if known else "From report to completion"
    title = f"{half}; {rows['orders'][-1]:,} took over a week" if rows["orders"][-1] else half
    remark, told = "Repairs by hours from report to completion", _told(rows, "report to completion")
    panels.figure(title, comparisons.buckets(rows), rows, "lead_hours", told=told, remark=remark)


def _repair(rows: pl.DataFrame) -> None:
    title = f"{rows['orders'][0] + rows['orders'][1]:,} of {plural(int(rows['orders'].sum()), 'repair')} took at most 4 h once started"
    remark, told = "Repairs by hours of repair, holds left out", _told(rows, "start to end")
    panels.figure(title, comparisons.buckets(rows), rows, "repair_hours", told=told, remark=remark)


def bucketed(repairs: pl.DataFrame, column: str) -> pl.DataFrame:
    """Return how many repairs fall into each fixed bucket of hours: bucket, orders."""
    values, lower, rows = repairs[column].drop_nulls(), float("-inf"), []
    for upper, name in BUCKETS:
        rows.append((name, int(((values > lower) & (values <= upper)).sum())))
        lower = upper
    return pl.DataFrame(rows, schema={"bucket": pl.String, "orders": pl.Int64}, orient="row")


def _told(rows: pl.DataFrame, what: str) -> str:
    return f"Repairs by hours from {what}: " + ", ".join(f"{orders} in {bucket}" for bucket, orders in rows.iter_rows())


def _standstills(selection: Selection) -> None:
    rows = data.standstills(selection.version, selection.site_ids, selection.period.start, selection.period.end, selection.as_of)
    if rows.is_empty():
        panels.empty(panels.nothing(selection, "No downtime ended or goes on"))
        return
    ongoing = rows["ended_at"].null_count()
    panels.section(f"{plural(rows.height - ongoing, 'standstill')} ended, {ongoing:,} {'goes' if ongoing == 1 else 'go'} on")
    panels.rows(_named(selection, rows), "standstills", selection.zone)


def _named(selection: Selection, rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(pl.col("site").replace_strict(dict(selection.sites), default="", return_dtype=pl.String))
