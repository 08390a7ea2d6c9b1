"""How long does a repair take, and what is it made of?"""

import polars as pl
import streamlit as st

from dashboards import charts, data, panels, readings
from dashboards.filters import Selection
from dashboards.format import BASES, code, plural
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
BUCKETS = ((1, "≤ 1 h"), (4, "1–4 h"), (8, "4–8 h"), (24, "8–24 h"), (72, "1–3 d"), (168, "3–7 d"), (float("inf"), "> 7 d"))


def render(selection: Selection) -> None:
    """Draw the page."""
    found = {kpi: reading for kpi in LADDER if (reading := readings.read(selection, kpi))}
    panels.head(selection, TITLE, finding(selection, found))
    _ladder(selection, found)
    measure = _choose(found)
    if measure:
        left, right = st.columns([3, 2], gap="large")
        with left:
            _trend(selection, found[measure])
        with right:
            _by_site(selection, found[measure])
    repairs = data.repairs(selection.version, selection.site_ids, selection.period.start, selection.period.end)
    if repairs.is_empty():
        panels.empty(panels.nothing(selection, "No repair was completed"))
        return
    _distributions(selection, found, repairs)
    panels.section(f"The {plural(repairs.height, 'repair')} completed, the longest wait first")
    sites = pl.col("site_id").replace_strict(dict(selection.sites), default="")
    panels.rows(repairs.with_columns(sites.alias("site_id")).rename({"site_id": "site"}), "repairs", selection.zone, height=360)


def finding(selection: Selection, found: dict[str, Reading]) -> str:
    """Return the best answer that the data allows."""
    mttr, labour, lead = (found.get(kpi) for kpi in ("mttr", "mttr_labour", "lead_time_reactive"))
    if mttr and mttr.value is not None:
        return f"A repair took {mttr.text} on average, {mttr.change_words.lstrip('▲▼')}".rstrip(", ")
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
                "text": [f"{reading.text}, n = {reading.row['n']:,}" for reading in valued],
                "is_main": [reading.row["kpi"] == "mttr" for reading in valued],
                "basis": [BASES.get(reading.row["basis"], reading.row["basis"]) for reading in valued],
                "coverage": [reading.coverage for reading in valued],
                "what_it_is": [STARTS[reading.row["kpi"]] for reading in valued],
            }
        )
        first, last = valued[0], valued[-1]
        title = f"From {first.text} of {_low(first.label)} to {last.text} of {_low(last.label)}" if len(valued) > 1 else f"{first.label}: {first.text}"
        told = "; ".join(f"{reading.label} {reading.text}" for reading in valued)
        bases = " · ".join(f"{reading.label}: {reading.caption}" for reading in valued if reading.row["basis"])
        panels.figure(title, charts.ladder(rows), told, rows.drop("is_main"), "repair_ladder", remark=bases or None)
    for reading in found.values():
        if reading.value is None:
            panels.note(f"{reading.label} has no value: {reading.missing_words}.")


def _choose(found: dict[str, Reading]) -> str | None:
    labels = {reading.label: kpi for kpi, reading in found.items()}
    if not labels:
        return None
    valued = [label for label, kpi in labels.items() if found[kpi].value is not None]
    first = found["mttr"].label if "mttr" in found and found["mttr"].value is not None else (valued or list(labels))[0]
    panels.section("Over time and by site")
    chosen = st.pills("Measure", list(labels), default=first, required=True, key="measure", bind="query-params", label_visibility="collapsed")
    return labels[chosen or first]


def _trend(selection: Selection, reading: Reading) -> None:
    row = reading.row
    points = readings.series(selection, row["kpi"])
    if points["value"].drop_nulls().is_empty():
        panels.empty(f"{reading.label} has no value in {selection.place} in any of these {selection.grain}s: {reading.missing_words}.")
        return
    title = f"{reading.sentence} in {selection.span}" if reading.value is not None else f"{reading.label} has no value in {selection.span}"
    chart = charts.trend(points, row["unit"], row["target"])
    remark = "Hours · hollow and dashed: so far · grey: no value"
    panels.figure(title, chart, f"{title}; {reading.change_words}", points.drop("label", "text", "second"), f"{row['kpi']}_trend", remark=remark)


def _by_site(selection: Selection, reading: Reading) -> None:
    kpi = reading.row["kpi"]
    found = {name: readings.read(selection, kpi, site_id) for site_id, name in selection.sites.items()}
    rows, without = site_rows(selection, found)
    if rows.is_empty():
        panels.empty(f"No site has a value of {_low(reading.label)} in {selection.span}.")
        return
    title = f"{rows['site'][0]} is highest with {rows['words'][0]}" if rows.height > 1 else f"{rows['site'][0]}: {rows['words'][0]}"
    chart = charts.by_site(rows, reading.row["unit"], bars=True)
    panels.figure(title, chart, f"{reading.label} by site: " + "; ".join(rows["told"]), rows.drop("told", "end", "words"), f"{kpi}_by_site", remark=without)


def site_rows(selection: Selection, found: dict[str, Reading | None]) -> tuple[pl.DataFrame, str | None]:
    """Return one row per site that has a value, the highest first, and a sentence about those that have none."""
    valued = sorted((item for item in found.items() if item[1] and item[1].value is not None), key=lambda item: -item[1].value)
    rows = [
        (name, r.value, r.row["interval_low"], r.row["interval_high"], r.row["interval_high"] or r.value, r.text, f"{r.text}, n = {r.row['n']:,}",
         selection.site_id in {None, r.row["site_id"]}, f"{name} {r.text}")
        for name, r in valued
    ]  # fmt: skip
    schema = {"site": pl.String, "value": pl.Float64, "low": pl.Float64, "high": pl.Float64, "end": pl.Float64, "words": pl.String, "text": pl.String, "is_shown": pl.Boolean, "told": pl.String}  # noqa: E501
    without = [f"{name}: {reading.missing_words}" for name, reading in found.items() if reading and reading.value is None]
    return pl.DataFrame(rows, schema=schema, orient="row"), f"No value: {'; '.join(without)}" if without else None


def _distributions(selection: Selection, found: dict[str, Reading], repairs: pl.DataFrame) -> None:
    panels.section(f"How long the repairs of {selection.span} took")
    left, right = st.columns(2, gap="large")
    median = found.get("lead_time_reactive_median")
    with left:
        rows = bucketed(repairs, "lead_hours")
        half = f"Half of the repairs were done within {median.text} of the report" if median and median.value is not None else "From report to completion"
        long = f"{half}; {rows['orders'][-1]:,} took over a week" if rows["orders"][-1] else half
        panels.figure(long, charts.buckets(rows), _told(rows, "report to completion"), rows, "lead_hours", remark="Repairs by hours from report to completion")
    with right:
        rows, repaired = bucketed(repairs, "repair_hours"), repairs["repair_hours"].drop_nulls()
        if repaired.is_empty():
            panels.empty(f"None of these repairs has a recorded start and end. {code(found['mttr'].missing_words) if 'mttr' in found else ''}")
            return
        title = f"{rows['orders'][0] + rows['orders'][1]:,} of {plural(len(repaired), 'repair')} took at most 4 h once started"
        panels.figure(title, charts.buckets(rows), _told(rows, "start to end"), rows, "repair_hours", remark="Repairs by hours of repair, holds left out")


def bucketed(repairs: pl.DataFrame, column: str) -> pl.DataFrame:
    """Return how many repairs fall into each fixed bucket of hours: bucket, orders."""
    values, lower, rows = repairs[column].drop_nulls(), float("-inf"), []
    for upper, name in BUCKETS:
        rows.append((name, int(((values > lower) & (values <= upper)).sum())))
        lower = upper
    return pl.DataFrame(rows, schema={"bucket": pl.String, "orders": pl.Int64}, orient="row")


def _told(rows: pl.DataFrame, what: str) -> str:
    return f"Repairs by hours from {what}: " + ", ".join(f"{orders} in {bucket}" for bucket, orders in rows.iter_rows())


def _low(label: str) -> str:
    return label if label[1:2].isupper() else label[0].lower() + label[1:]

