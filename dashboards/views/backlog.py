"""What is due, what is late, and can the crew take it?"""

import polars as pl
import streamlit as st

from dashboards import charts, comparisons, data, panels, readings, series
from dashboards.filters import Selection
from dashboards.format import PRIORITIES, STATUSES, TO, counted, period_label, period_span, plural, significant
from dashboards.readings import Reading

TITLE = "Backlog"
ICON = ":material/pending_actions:"
ORDER = 4

TILES = ("backlog_crew_weeks", "backlog_count", "backlog_overdue_count", "backlog_upcoming_count")
AGES = {0: "≤ 7 days", 8: f"8{TO}30", 31: f"31{TO}90", 91: "> 90 days"}


def render(selection: Selection) -> None:
    """Draw the page: the backlog as it stands now, or as it stood at the end of a chosen earlier period."""
    index = selection.periods.index(selection.shown[-1])
    found = {kpi: reading for kpi in TILES if (reading := readings.read(selection, kpi, index=index))}
    hours = readings.read(selection, "backlog_hours", index=index)
    panels.head(selection, TITLE, finding(found, hours, selection.place), when=when(selection, index))
    panels.tiles(selection, found.values(), 4, index=index)
    left, right = st.columns(2, gap="large")
    with left:
        _weeks(selection, index)
    with right:
        _ageing(selection)
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


def finding(found: dict[str, Reading], hours: Reading | None, place: str) -> str:
    """Return how much is waiting and how much of it is late."""
    weeks, count, late = (found.get(kpi) for kpi in ("backlog_crew_weeks", "backlog_count", "backlog_overdue_count"))
    work = next((reading for reading in (weeks, hours) if reading and reading.value is not None), None)
    known = late is not None and count is not None and late.value is not None and count.value is not None
    parts = [f"{work.text} of work are waiting" if work else "", f"{late.text} of {count.text} orders are overdue" if known else ""]
    return "; ".join(filter(None, parts)) or f"The backlog of {place} is not known: {count.missing_words if count else 'no row'}"


def _weeks(selection: Selection, index: int) -> None:
    """Draw the weeks of work by site; where crews are not known, the hours."""
    valued, without = series.by_site(selection, "backlog_crew_weeks", index)
    kpi = "backlog_crew_weeks" if valued else "backlog_hours"
    if not valued:
        valued, _ = series.by_site(selection, kpi, index)
    if not valued:
        hours = readings.read(selection, "backlog_hours", index=index)
        panels.empty(f"The hours of work in {selection.place} cannot be computed: {hours.missing_words if hours else 'no row'}.")
        return
    crews = dict(data.sites(selection.version, selection.organisation_id).select("site_name", "crew_hours_per_week").iter_rows())
    words = {name: f", at {significant(crews[name], 3)} h a week" for name, _ in valued if crews.get(name) and kpi == "backlog_crew_weeks"}
    rows = pl.DataFrame(
        {
            "site": [name for name, _ in valued],
            "value": [reading.value for _, reading in valued],
            "text": [f"{name}: {reading.text}{words.get(name, '')}" for name, reading in valued],
            "is_shown": [selection.site_id in {None, reading.row["site_id"]} for _, reading in valued],
            "crew_hours_per_week": [crews.get(name) for name, _ in valued],
        }
    )
    target, unit = valued[0][1].row["target"], valued[0][1].row["unit"]
    over = rows.filter(pl.col("value") > target)["site"].to_list() if target else []
    title = f"{valued[0][0]} has the most work waiting: {valued[0][1].text}"
    if over:
        title = f"{readings.joined(over)} {'has' if len(over) == 1 else 'have'} more than {counted(target, 'week')} of work"
    remark = " · ".join(filter(None, ("Estimated work" + (" over the crew's hours a week" if words else ""), without)))
    table = rows.select("site", pl.col("value").alias(kpi.removeprefix("backlog_")), "crew_hours_per_week")
    panels.figure(
        title, comparisons.by_site(rows, unit, target), table, "backlog_by_site", told=f"{title}. {'; '.join(rows['text'])}", remark=remark
    )


def _ageing(selection: Selection) -> None:
    rows = data.ageing(selection.version, selection.site_ids, selection.as_of)
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
    table, remark = rows.select("age", "priority", "orders"), "Released open orders by age and priority, now"
    number = int(old["orders"].sum())
    title = (
        f"{plural(number, 'order is', 'orders are')} older than 90 days, {high:,} of high priority"
        if number
        else "No order is older than 90 days"
    )
    panels.figure(title, comparisons.ageing(rows), table, "backlog_ageing", remark=remark)


def _flow(selection: Selection) -> None:
    created, completed = series.over_time(selection, "created"), series.over_time(selection, "completed")
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
    in_period = f"in {period_label(selection.period.start, selection.grain)}"
    more, less = ("created", "completed") if net > 0 else ("completed", "created")
    number = plural(int(abs(net)), "more order was", "more orders were")
    title = f"{number} {more} than {less} {in_period}" if net else f"As many orders were completed as created {in_period}"
    table = rows.select("period_start_on", "created", (-pl.col("completed")).alias("completed"), "net")
    remark = "Up: created · down: completed · tick: the difference · pale: so far"
    panels.figure(title, charts.flow(rows), table, "backlog_flow", remark=remark)


def _overdue(selection: Selection, index: int) -> None:
    reading = readings.read(selection, "backlog_overdue_count", index=index)
    points = series.over_time(selection, "backlog_overdue_count")
    if reading is None or points["value"].drop_nulls().is_empty():
        panels.empty(panels.nothing(selection, "The number of overdue orders is not known"))
        return
    title = (
        f"{reading.text} orders are overdue {when(selection, index)}, {reading.comparison}"
        if reading.value is not None
        else "The number of overdue orders is not known"
    )
    points = points.with_columns((pl.col("period_start_on") == selection.periods[index].start).alias("is_shown"))
    table, remark = points.select("period_start_on", "value", "is_open"), f"Overdue orders at the end of each {selection.grain}"
    panels.figure(title, charts.trend(points, "orders"), table, "backlog_overdue", remark=remark)


def _attention(selection: Selection) -> None:
    rows = data.attention(selection.version, selection.site_ids)
    if rows.is_empty():
        panels.empty(f"No order of {selection.place} is overdue or on hold.")
        return
    held = rows.filter(pl.col("status") == "ON_HOLD").height
    panels.section(
        f"{plural(rows.filter('is_overdue').height, 'order is', 'orders are')} overdue and {held:,} on hold, the most urgent first"
    )
    table = rows.with_columns(pl.col("priority").replace(PRIORITIES), pl.col("status").replace(STATUSES)).drop("is_overdue")
    panels.rows(table, "overdue_or_on_hold", selection.zone, most=14)
