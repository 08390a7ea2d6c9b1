"""Is the data whole and fresh?"""

from datetime import datetime, timedelta

import polars as pl
import streamlit as st

from dashboards import comparisons, data, panels
from dashboards.filters import Selection
from dashboards.format import MISSING, code, days_and_hours, hours, instant, plural
from dashboards.panels import REFRESHED_EVERY

TITLE = "Data health"
ICON = ":material/health_metrics:"
ORDER = 5

SUMS = (  # what was found, the source's and the log's sum, and how many of their unit make one of ours
    ("labour_hours_difference", "source_labour_seconds", "raw_labour_seconds", 3600),
    ("cost_difference", "source_cost_cents", "raw_cost_cents", 100),
)


def render(selection: Selection) -> None:
    """Draw the page, for all organisations."""
    names = panels.organisation_names(selection.version)
    endpoints = freshness(selection, _named(data.endpoints(selection.version), names))
    compared = _named(data.reconciliations(selection.version), names)
    held = _named(data.quarantined(selection.version), names)
    panels.head(selection, TITLE, finding(endpoints, compared, held), is_filtered=False)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _freshness(selection, endpoints)
    with right:
        _skipped(endpoints)
    _reconciliation(selection, compared)
    _sweeps(selection, _named(data.labour_sweeps(selection.version), names))
    _quarantine(selection, held)
    _gaps(selection, _named(data.gaps(selection.version), names))
    _drift(selection, _named(data.drift(selection.version), names))
    _runs(selection, _named(data.runs(selection.version), names))


def finding(endpoints: pl.DataFrame, compared: pl.DataFrame, held: pl.DataFrame) -> str:
    """Return whether something needs a hand, in one sentence."""
    failed = endpoints.filter(pl.col("state") == "failed").height
    late = endpoints.filter(pl.col("state") == "late").height
    differing = compared.filter(pl.col("status").is_in(["differs", "failed"])).height
    problems = [
        plural(failed, "endpoint could not be read", "endpoints could not be read") if failed else "",
        plural(late, "endpoint is late", "endpoints are late") if late else "",
        plural(differing, "endpoint differs from the source", "endpoints differ from the source") if differing else "",
        plural(held.height, "record is in quarantine", "records are in quarantine") if not held.is_empty() else "",
    ]
    said = [problem for problem in problems if problem]
    if said:
        return "; ".join(said)
    return "Everything was read and agrees with the source" if not endpoints.is_empty() else "No endpoint has been read yet"


def freshness(selection: Selection, endpoints: pl.DataFrame) -> pl.DataFrame:
    """Return the endpoints with their age in hours and state: read, late, failed or skipped.

    Their instants are on the source's clock; what has passed since the last run is told by the wall clock.
    """
    clocks = {row["organisation_id"]: row for row in data.freshness(selection.version).iter_rows(named=True)}
    ages = [_age(clocks.get(row["organisation_id"]), row["good_at"], selection.now) for row in endpoints.iter_rows(named=True)]
    limit = REFRESHED_EVERY / timedelta(hours=1)
    state = (
        pl.when(pl.col("status") == "skipped").then(pl.lit("skipped"))
        .when(pl.col("status").is_in(["failed", "stale"])).then(pl.lit("failed"))
        .when(pl.col("age_hours") > limit).then(pl.lit("late"))
        .otherwise(pl.lit("read"))
    )  # fmt: skip
    return endpoints.with_columns(pl.Series("age_hours", ages, dtype=pl.Float64)).with_columns(state.alias("state"))


def _age(clock: dict[str, datetime] | None, good_at: datetime | None, now: datetime) -> float | None:
    if clock is None or good_at is None or clock["data_to"] is None:
        return None
    since_the_run = now - clock["read_at"] if clock["read_at"] else timedelta(0)
    return max((clock["data_to"] - good_at + since_the_run) / timedelta(hours=1), 0.0)


def _named(rows: pl.DataFrame, names: panels.Mapping[int, str]) -> pl.DataFrame:
    name = pl.col("organisation_id").replace_strict(dict(names), default=MISSING, return_dtype=pl.String)
    return rows.select(name.alias("organisation"), pl.all())


def _freshness(selection: Selection, endpoints: pl.DataFrame) -> None:
    if endpoints.is_empty():
        panels.empty("No run has read an endpoint yet.")
        return
    rows = pl.DataFrame([_cell(row) for row in endpoints.iter_rows(named=True)])
    read, skipped = endpoints.filter(pl.col("state") == "read").height, endpoints.filter(pl.col("state") == "skipped").height
    oldest = max(endpoints["age_hours"].drop_nulls().to_list(), default=None)
    title = f"{read:,} of {plural(endpoints.height, 'endpoint')} are fresh" + (f", {skipped:,} skipped" if skipped else "")
    remark = f"Time since each was last read; late is orange, failed is red, skipped is grey. The oldest is {_time(oldest)} old."
    table = endpoints.drop("organisation_id", "state").with_columns(pl.col("age_hours").round(1))
    panels.figure(title, comparisons.matrix(rows), table, "endpoints", remark=remark, zone=selection.zone)


def _cell(row: dict) -> dict[str, str]:
    age = _time(row["age_hours"])
    text = {"read": age, "late": f"{age}, late", "failed": "failed", "skipped": "skipped"}[row["state"]]
    appended = (row["inserted"] or 0) + (row["updated"] or 0)
    told = f"{row['organisation']}, {code(row['endpoint'])}: {text}; {row['fetched'] or 0:,} fetched, {appended:,} new versions"
    return {"endpoint": code(row["endpoint"]), "organisation": row["organisation"], "state": row["state"], "text": text, "told": told}


def _time(age: float | None) -> str:
    if age is None:
        return "never read"
    return hours(age) if age < 24 else days_and_hours(age)


def _skipped(endpoints: pl.DataFrame) -> None:
    rows = endpoints.filter(pl.col("state").is_in(["skipped", "failed"]))
    panels.section("Endpoints that were not read")
    if rows.is_empty():
        panels.empty("Every endpoint was read.")
    else:
        panels.listed(
            (code(row["endpoint"]), f"{row['state']} for {row['organisation']}", row["reason"] or "no reason given")
            for row in rows.iter_rows(named=True)
        )


def _reconciliation(selection: Selection, compared: pl.DataFrame) -> None:
    panels.section("Reconciliation with the source")
    if compared.is_empty():
        panels.empty("Nothing has been compared with the source yet: make reconcile.")
        return
    differing = compared.filter(pl.col("status").is_in(["differs", "failed"]))
    healed, rows = int(compared["healed"].sum()), int(compared["source_rows"].sum())
    last = instant(max(compared["reconciled_at"].to_list()), selection.zone)
    outcome = "the log agrees with the source" if differing.is_empty() else plural(differing.height, "endpoint differs", "endpoints differ")
    after = f", after {plural(healed, 'record')} had been read anew" if healed else ""
    late = int(compared["late_rows"].fill_null(0).sum())
    too_late = f" {plural(late, 'record')} came to light later than a reading looks back." if late else ""
    panels.note(f"{plural(rows, 'record')} compared, the last at {last}: {outcome}{after}.{too_late}")
    if remarked := compared.filter(pl.col("reason").is_not_null()).to_dicts():
        panels.listed((code(row["endpoint"]), f"{row['status']} for {row['organisation']}", row["reason"]) for row in remarked)
    table = compared.select(
        "organisation", "endpoint", "status", "source_rows", "raw_rows", "missing", "ghost", "stale", "healed", "deleted", "late_rows",
        *(((pl.col(raw) - pl.col(source)) / unit).round(2).alias(name) for name, source, raw, unit in SUMS),
        "scope", "reconciled_at", "reason",
    )  # fmt: skip
    panels.rows(table.sort(pl.col("status") == "matched", "organisation", "endpoint"), "reconciliation", selection.zone)


def _sweeps(selection: Selection, swept: pl.DataFrame) -> None:
    """Say when labour and costs were read again, which change an order without its updatedAt moving."""
    said = (
        f"{row['organisation']}: {instant(row['swept_at'], selection.zone)}, {row['changed']:,} of {plural(row['orders'], 'order')} changed"
        for row in swept.iter_rows(named=True)
    )
    panels.note(f"Labour and costs last swept. {'; '.join(said)}." if not swept.is_empty() else "Labour and costs were not swept yet.")


def _quarantine(selection: Selection, held: pl.DataFrame) -> None:
    panels.section("Records in quarantine")
    if held.is_empty():
        panels.empty("No record breaks the contract of its endpoint.")
        return
    stale = held["stale_since"].count()
    known = f"Of {stale:,} the figures keep the last good version (stale since); the others are in no figure. " if stale else ""
    panels.note(f"{known or 'They are in no figure. '}Once the cause is gone, the next reading takes them in; make quarantine shows more.")
    panels.rows(held.drop("organisation_id"), "quarantine", selection.zone)


def _gaps(selection: Selection, found: pl.DataFrame) -> None:
    panels.section("What the work orders lack")
    if found.is_empty():
        panels.empty("Every work order has what the figures need.")
        return
    panels.note("They are kept and counted; a figure that needs what they lack leaves them out, and says how many it covers.")
    table = found.drop("organisation_id").with_columns(missing_share=pl.col("orders") / pl.col("of_orders"))
    panels.rows(table, "gaps", selection.zone)


def _drift(selection: Selection, rows: pl.DataFrame) -> None:
    panels.section("Keys and values never seen before")
    if rows.is_empty():
        panels.empty("The API sends nothing that is not known.")
        return
    panels.rows(rows.drop("organisation_id"), "drift", selection.zone)


def _runs(selection: Selection, runs: pl.DataFrame) -> None:
    panels.section("The last runs")
    if runs.is_empty():
        panels.empty("No run has been recorded.")
        return
    panels.rows(runs.drop("organisation_id"), "runs", selection.zone)
