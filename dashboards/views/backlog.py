"""What is due, what is late, and can the crew take it?"""

from datetime import datetime

import polars as pl
import streamlit as st

from dashboards import charts, data, panels, readings
from dashboards.filters import Selection
from dashboards.format import PRIORITIES, STATUSES, counted, period_label, period_span, plural, significant
from dashboards.readings import Reading
from dashboards.views.overview import as_of_organisation

TITLE = "Backlog"
ICON = ":material/pending_actions:"
ORDER = 4

TILES = ("backlog_crew_weeks", "backlog_count", "backlog_overdue_count", "backlog_upcoming_count")
AGES = {0: "≤ 7 days", 8: "8–30", 31: "31–90", 91: "> 90 days"}


def render(selection: Selection) -> None:
    """Draw the page: the backlog as it stands now, or as it stood at the end of a chosen earlier period."""
    index = selection.periods.index(selection.shown[-1])
    found = {kpi: reading for kpi in TILES if (reading := readings.read(selection, kpi, index=index))}
    panels.head(selection, TITLE, finding(selection, found), when=when(selection, index))
    grid = st.grid(4, min_column_width=250)
    for reading in found.values():
        with grid.cell():
            panels.tile(selection, reading, page="", link="", index=index)
    left, right = st.columns(2, gap="large")
    with left:
        _weeks(selection, index)
    with right:
        _ageing(selection, as_of_organisation(selection))
    left, right = st.columns(2, gap="large")
    with left:
        _flow(selection)
    with right:
        _overdue(selection, index)
    _attention(selection)


def when(selection: Selection, index: int) -> str:
    """Return the instant of the page in words: now, or the end of a period."""
    period = selection.periods[index]
    return "now" if index == 0 else f"at the end of {period_span(period.start, period.end, selection.grain)}"


def finding(selection: Selection, found: dict[str, Reading]) -> str:
    """Return how much is waiting and how much of it is late."""
    weeks, count, late = (found.get(kpi) for kpi in ("backlog_crew_weeks", "backlog_count", "backlog_overdue_count"))
    overdue = f"{late.text} of {count.text} orders are overdue" if late and count and late.value is not None and count.value is not None else ""
    if weeks and weeks.value is not None:
        return f"{weeks.text} of work are waiting" + (f"; {overdue}" if overdue else "")
    return overdue or f"The backlog of {selection.place} is not known: {count.missing_words if count else 'no row'}"


def _weeks(selection: Selection, index: int) -> None:
    found = {name: readings.read(selection, "backlog_crew_weeks", site_id, index) for site_id, name in selection.sites.items()}
    crews = dict(data.sites(selection.version, selection.organisation_id).select("site_name", "crew_hours_per_week").iter_rows())
    valued = sorted(((name, r) for name, r in found.items() if r and r.value is not None), key=lambda item: -item[1].value)
    without = [f"{name}: {reading.missing_words}" for name, reading in found.items() if reading and reading.value is None]
    if not valued:
        panels.empty(f"Weeks of work cannot be said. {'; '.join(without)}.")
        return
    rows = pl.DataFrame(
        {
            "site": [name for name, _ in valued],
            "value": [reading.value for _, reading in valued],
            "low": [None for _ in valued],
            "high": [None for _ in valued],
            "end": [reading.value for _, reading in valued],
            "text": [f"{reading.text} at {significant(crews.get(name) or 0, 3)} h a week" for name, reading in valued],
            "is_shown": [selection.site_id in {None, reading.row["site_id"]} for _, reading in valued],
            "crew_hours_per_week": [crews.get(name) for name, _ in valued],
        },
        schema_overrides={"low": pl.Float64, "high": pl.Float64},
    )
    target = valued[0][1].row["target"]
    over = [name for name, reading in valued if target and reading.value > target]
    title = f"{readings.joined(over)} {'has' if len(over) == 1 else 'have'} more than {counted(target, 'week')} of work" if over else f"{valued[0][0]} has the most work waiting: {valued[0][1].text}"
    remark = "Estimated work over the crew's hours a week" + (f" · no value: {'; '.join(without)}" if without else "")
    table = rows.select("site", pl.col("value").alias("crew_weeks"), "crew_hours_per_week")
    panels.figure(title, charts.by_site(rows, "crew_weeks", target, bars=True), f"Weeks of work by site: {'; '.join(rows['text'])}", table, "backlog_by_site", remark=remark)


def _ageing(selection: Selection, as_of: datetime) -> None:
    rows = data.ageing(selection.version, selection.site_ids, as_of)
    if rows.is_empty():
        panels.empty(f"Nothing is waiting in {selection.place}.")
        return
    full = pl.DataFrame({"age_days": list(AGES)}).join(pl.DataFrame({"priority": list(PRIORITIES)}), how="cross")
    rows = full.join(rows, on=["age_days", "priority"], how="left").with_columns(
        pl.col("orders").fill_null(0),
        pl.col("age_days").replace_strict(AGES).alias("age"),
        pl.col("priority").replace(PRIORITIES),
    )
    old = rows.filter(pl.col("age_days") == 91)
    high = old.filter(pl.col("priority") == PRIORITIES["HIGH"])["orders"].sum()
    title = f"{plural(old['orders'].sum(), 'order is', 'orders are')} older than 90 days, {high:,} of them of high priority"
    panels.figure(title, charts.ageing(rows), title, rows.select("age", "priority", "orders"), "backlog_ageing", remark="Released open orders by age and priority, now")


def _flow(selection: Selection) -> None:
    created, completed = readings.series(selection, "created"), readings.series(selection, "completed")
    rows = created.select("label", "period_start_on", "is_open", "is_shown", pl.col("value").alias("created")).with_columns(
        (-completed["value"]).alias("completed")
    )
    rows = rows.with_columns((pl.col("created") + pl.col("completed")).alias("net"))
    if rows["created"].drop_nulls().is_empty():
        panels.empty(panels.nothing(selection, "No order was created"))
        return
    told = pl.format("{}: {} created, {} completed", "label", pl.col("created").cast(pl.Int64), (-pl.col("completed")).cast(pl.Int64))
    rows = rows.with_columns(told.alias("told"))
    net = rows.filter("is_shown")["net"].sum()
    more = "as many orders were completed as created" if not net else f"{plural(int(abs(net)), 'order')} more {'created' if net > 0 else 'completed'} than {'completed' if net > 0 else 'created'}"
    title = f"{period_label(selection.period.start, selection.grain)}: {more}"
    table = rows.select("period_start_on", "created", (-pl.col("completed")).alias("completed"), "net")
    panels.figure(title, charts.flow(rows), title, table, "backlog_flow", remark="Up: created · down: completed · black: the difference · pale: so far")


def _overdue(selection: Selection, index: int) -> None:
    reading = readings.read(selection, "backlog_overdue_count", index=index)
    points = readings.series(selection, "backlog_overdue_count")
    if reading is None or points["value"].drop_nulls().is_empty():
        panels.empty(panels.nothing(selection, "The number of overdue orders is not known"))
        return
    title = f"{reading.sentence}, {when(selection, index)}" if reading.value is not None else "The number of overdue orders is not known"
    points = points.with_columns((pl.col("period_start_on") == selection.periods[index].start).alias("is_shown"))
    panels.figure(title, charts.trend(points, "orders"), f"{title}; {reading.change_words}", points.drop("label", "text", "second", "low", "high"), "backlog_overdue", remark=f"Overdue orders at the end of each {selection.grain}")


def _attention(selection: Selection) -> None:
    rows = data.attention(selection.version, selection.site_ids)
    if rows.is_empty():
        panels.empty(f"No order of {selection.place} is overdue or on hold.")
        return
    held = rows.filter(pl.col("status") == "ON_HOLD").height
    panels.section(f"{plural(rows.filter('is_overdue').height, 'order is', 'orders are')} overdue and {held:,} on hold, the most urgent first")
    table = rows.with_columns(pl.col("priority").replace(PRIORITIES), pl.col("status").replace(STATUSES)).drop("is_overdue")
    panels.rows(table, "overdue_or_on_hold", selection.zone, height=420)
