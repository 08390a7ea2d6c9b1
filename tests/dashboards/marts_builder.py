"""A published folder of plausible rows, small and seeded: what the pages are developed and tested on.

The rows look like a plant; they do not agree with each other to the last order, which no page relies on.
"""

import math
import random
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import duckdb

from dagster_project import publish

AS_OF = datetime(2026, 11, 16, 6, tzinfo=UTC)
TODAY = AS_OF.date()
VERSION = "000001_20261116T060000Z"
WEEKS = 60

SITES = [  # organisation, its name, its zone, site, name, zone, currency, root, crew hours, is_unassigned
    (101, "Northfield Foods", "America/Chicago", "austin", "Austin", "America/Chicago", "USD", 5001, 640.0, False),
    (101, "Northfield Foods", "America/Chicago", "porto", "Porto", "Europe/Lisbon", "USD", 5002, 360.0, False),
    (101, "Northfield Foods", "America/Chicago", "101-unassigned", "Unassigned", "America/Chicago", "USD", None, None, True),
    (102, "Deccan Packaging", "Asia/Kolkata", "pune", "Pune", "Asia/Kolkata", "INR", 5101, 480.0, False),
]
# kpi: label, unit, better, target, basis, usual value, spread, reason when it cannot be computed
DEFINITIONS: dict[str, tuple[str, str, str, float | None, str | None, float, float, str]] = {
    "mttr": ("Time to repair", "hours", "lower", None, "status", 3.4, 0.25, "no_repair_evidence"),
    "mttr_labour": ("Labour per repair", "hours", "lower", None, "time_items", 2.6, 0.15, "no_labour_logged"),
    "mean_downtime": ("Mean downtime", "hours", "lower", None, None, 6.2, 0.3, "no_downtime_ended"),
    "availability": ("Availability", "share", "higher", 0.98, "calendar", 0.979, 0.006, "no_status_tracking"),
    "lead_time": ("Lead time", "hours", "lower", None, None, 96.0, 0.15, "nothing_completed"),
    "lead_time_median": ("Lead time, median", "hours", "lower", None, None, 61.0, 0.15, "nothing_completed"),
    "lead_time_reactive": ("Lead time of repairs", "hours", "lower", None, None, 41.0, 0.2, "nothing_completed"),
    "lead_time_reactive_median": ("Lead time of repairs, median", "hours", "lower", None, None, 19.0, 0.2, "nothing_completed"),
    "pm_compliance": ("PM compliance", "share", "higher", 0.9, None, 0.86, 0.06, "nothing_due"),
    "pm_compliance_plus_1_day": ("PM compliance, a day's grace", "share", "higher", None, None, 0.91, 0.05, "nothing_due"),
    "vendor_on_time_share": ("On time, MaintainX report", "share", "higher", None, None, 0.93, 0.04, "nothing_due"),
    "backlog_count": ("Backlog", "orders", "lower", None, None, 310.0, 0.05, "not_observed_yet"),
    "backlog_upcoming_count": ("Backlog not yet released", "orders", "neutral", None, None, 84.0, 0.08, "not_observed_yet"),
    "backlog_overdue_count": ("Backlog overdue", "orders", "lower", None, None, 46.0, 0.15, "not_observed_yet"),
    "backlog_hours": ("Backlog hours", "hours", "lower", None, "estimates", 1290.0, 0.06, "no_estimates"),
    "backlog_crew_weeks": ("Backlog in crew weeks", "crew_weeks", "lower", 4.0, "estimates", 3.1, 0.08, "no_crew_hours"),
    "created": ("Created", "orders", "neutral", None, None, 148.0, 0.1, "not_observed_yet"),
    "completed": ("Completed", "orders", "higher", None, None, 143.0, 0.1, "not_observed_yet"),
    "completion_within_30_days": ("Completed within 30 days", "share", "higher", None, None, 0.84, 0.05, "cohort_not_mature"),
    "pm_share": ("PM share", "share", "higher", None, None, 0.58, 0.05, "nothing_completed"),
}
COVERED = {
    "mttr": 0.71,
    "mttr_labour": 0.83,
    "availability": 0.64,
    "backlog_hours": 0.78,
    "backlog_crew_weeks": 0.78,
    "pm_compliance": 0.97,
}

DDL = """
create schema marts; create schema ops;
create table ops.sites(organisation_id bigint, organisation_name varchar, organisation_time_zone varchar, site_id varchar,
    site_name varchar, time_zone varchar, currency varchar, root_location_id bigint, crew_hours_per_week double, is_unassigned boolean);
create table ops.runs(run_id varchar, organisation_id bigint, kind varchar, status varchar, started_at timestamptz, finished_at timestamptz,
    known_from timestamptz, wall_started_at timestamptz, wall_finished_at timestamptz, requests bigint, error varchar);
create table ops.endpoint_runs(run_id varchar, organisation_id bigint, endpoint varchar, kind varchar, status varchar, read_at timestamptz,
    requests bigint, fetched bigint, inserted bigint, updated bigint, unchanged bigint, deduplicated bigint, quarantined bigint,
    deleted bigint, seconds double, watermark_from timestamptz, watermark_to timestamptz, reason varchar);
create table ops.quarantine(organisation_id bigint, endpoint varchar, record_id bigint, reason_code varchar, field varchar, value varchar,
    detail varchar, raw_hash bigint, run_id varchar, first_seen_at timestamptz, last_seen_at timestamptz, times_seen bigint,
    status varchar, stale_since timestamptz);
create table ops.drift(organisation_id bigint, endpoint varchar, kind varchar, field varchar, value varchar, first_seen_at timestamptz,
    last_seen_at timestamptz, times_seen bigint);
create table ops.reconciliation(run_id varchar, organisation_id bigint, endpoint varchar, reconciled_at timestamptz, scope varchar,
    source_rows bigint,
    raw_rows bigint, missing bigint, ghost bigint, stale bigint, healed bigint, deleted bigint, source_labour_seconds bigint,
    raw_labour_seconds bigint, source_cost_cents bigint, raw_cost_cents bigint, requests bigint, status varchar, reason varchar,
    late_rows bigint);
create table marts.dim_sites(site_id varchar, organisation_id bigint, organisation_name varchar, site_name varchar, time_zone varchar,
    currency varchar, root_location_id bigint, crew_hours_per_week double, is_unassigned boolean);
create table marts.dim_assets(organisation_id bigint, asset_id bigint, asset_name varchar, asset_path varchar, site_id varchar,
    asset_type varchar, location_path varchar, current_status varchar, is_known boolean);
create table marts.dim_dates(date_on date, iso_year bigint, iso_week bigint, iso_week_label varchar, week_start_on date,
    month_start_on date, quarter_start_on date, year bigint);
create table marts.fct_work_orders(organisation_id bigint, work_order_id bigint, site_id varchar, sequential_id bigint, title varchar,
    type varchar, priority varchar, status varchar, is_active boolean, is_completed boolean, asset_id bigint, location_id bigint,
    created_at timestamptz, created_on date, start_at timestamptz, due_at timestamptz, due_on date, completed_at timestamptz,
    completed_on date, lead_hours double, labour_seconds bigint, repair_seconds bigint, repair_basis varchar, has_negative_lead boolean,
    planned_seconds bigint, is_orphan_asset boolean, estimated_seconds bigint);
create table marts.fct_downtime(organisation_id bigint, asset_id bigint, site_id varchar, started_at timestamptz, ended_at timestamptz,
    downtime_type varchar, downtime_seconds bigint, is_ongoing boolean);
create table marts.fct_pm_occurrences(organisation_id bigint, work_order_id bigint, site_id varchar, title varchar,
    original_due_on date, due_at timestamptz, outcome varchar, days_late double);
create table marts.work_orders(organisation_id bigint, organisation_name varchar, work_order_id bigint, number bigint, title varchar,
    status varchar, status_rank bigint, priority varchar, priority_rank bigint, type varchar, site_id varchar, site_name varchar,
    asset_name varchar, asset_path varchar, location_path varchar, assignee_names varchar, category_names varchar, created_at timestamptz,
    due_at timestamptz, completed_at timestamptz, created_on date, due_on date, completed_on date, lead_hours double, days_overdue double,
    labour_hours double, cost_amount double, currency varchar, is_overdue boolean, maintainx_url varchar);
create table marts.kpis(kpi varchar, organisation_id bigint, site_id varchar, scope_type varchar, scope_id varchar, period_grain varchar,
    period_start_on date, period_end_on date, value double, unit varchar, numerator double, denominator double, n bigint,
    coverage_share double, basis varchar, interval_low double, interval_high double, target double, reason varchar, window_state varchar,
    as_of timestamptz, data_to timestamptz, definition_version varchar);
create table marts.kpi_definitions(kpi varchar, label varchar, unit varchar, better varchar, target double, definition_version varchar,
    formula varchar, description varchar, is_history boolean, standard_reference varchar);
"""
ENDPOINTS = [
    "work_orders", "assets", "asset_statuses", "locations", "users", "teams", "categories", "vendors",
    "meters", "maintenance_plans", "work_requests", "rca_reports", "parts", "organizations",
]  # fmt: skip
HOSTILE_TITLE = '=cmd|"/c calc"!A1 <script>alert(1)</script> **bold** :red[x] $y$'

Row = tuple[object, ...]


def build_published(
    published_dir: Path, *, empty: bool = False, null_kpis: bool = False, wall: datetime = AS_OF, version: str = VERSION, seed: int = 7
) -> Path:
    """Write one version and let CURRENT name it; returns its DuckDB file.

    Args:
        published_dir: the folder of versions.
        empty: tables without rows.
        null_kpis: every KPI is NULL, with its reason.
        wall: when the last run ended by the clock on the wall.
        version: the folder's name.
        seed: of the random rows.
    """
    path = published_dir / version / publish.ALIAS
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(path)) as connection:
        connection.execute(DDL)
        for table, make in {} if empty else _tables(random.Random(seed), wall, null_kpis=null_kpis):
            _insert(connection, table, list(make()))
    (published_dir / publish.POINTER).write_text(version + "\n", encoding="utf-8")
    return path


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: list[Row]) -> None:
    import polars as pl  # noqa: PLC0415  the frame is the fast way in

    names = [
        name
        for (name,) in connection.execute(
            "select column_name from duckdb_columns() where schema_name || '.' || table_name = ? order by column_index", [table]
        ).fetchall()
    ]
    frame = pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None)
    connection.register("incoming", frame)
    connection.execute(f"insert into {table} by name select * from incoming")
    connection.unregister("incoming")


def _tables(rng: random.Random, wall: datetime, *, null_kpis: bool) -> list[tuple[str, Callable[[], Iterator[Row]]]]:
    orders = list(_orders(rng))
    return [
        ("ops.sites", lambda: (site[:6] + site[6:] for site in SITES)),
        ("ops.runs", lambda: _runs(wall)),
        ("ops.endpoint_runs", lambda: _endpoint_runs(rng)),
        ("ops.quarantine", _quarantine),
        ("ops.drift", _drift),
        ("ops.reconciliation", lambda: _reconciliation(rng)),
        ("marts.dim_sites", lambda: ((s[3], s[0], s[1], s[4], s[5], s[6], s[7], s[8], s[9]) for s in SITES)),
        ("marts.dim_assets", _assets),
        ("marts.dim_dates", _dates),
        ("marts.fct_work_orders", lambda: iter(orders)),
        ("marts.fct_downtime", lambda: _downtime(rng)),
        ("marts.fct_pm_occurrences", lambda: _pms(rng, orders)),
        ("marts.work_orders", lambda: (_wide(order) for order in orders)),
        ("marts.kpis", lambda: _kpis(rng, null_kpis=null_kpis)),
        (
            "marts.kpi_definitions",
            lambda: ((k, d[0], d[1], d[2], d[3], "1", f"formula of {k}", f"What {k} means.", False, None) for k, d in DEFINITIONS.items()),
        ),
    ]


def _kpis(rng: random.Random, *, null_kpis: bool) -> Iterator[Row]:
    scopes = [(org, None, "organisation", str(org)) for org in (101, 102)] + [(s[0], s[3], "site", s[3]) for s in SITES]
    for kpi, (_, unit, _, target, basis, usual, spread, reason) in DEFINITIONS.items():
        for organisation_id, site_id, scope_type, scope_id in scopes:
            level = (
                usual * (1 if unit == "share" else rng.uniform(0.7, 1.3)) * (1 if scope_type == "organisation" or unit != "orders" else 0.5)
            )
            for grain, periods in (("week", _weeks()), ("month", _months())):
                for i, (start, end) in enumerate(periods):
                    is_open = end >= TODAY
                    value = level * (1 + spread * (math.sin(i / 3.1 + len(kpi)) * 0.4 + rng.gauss(0, 0.5)))
                    value = min(value, 1.0) if unit == "share" else max(round(value, 0 if unit == "orders" else 6), 0)
                    n = max(int(rng.gauss(41, 8)) * (4 if grain == "month" else 1), 1)
                    is_null = (
                        null_kpis
                        or site_id == "101-unassigned"
                        or (kpi == "completion_within_30_days" and end > TODAY - timedelta(days=30))
                    )
                    is_null = is_null or (kpi == "mttr" and scope_id in {"102", "pune"})
                    low, high = _wilson(value, n) if unit == "share" and not is_null else (None, None)
                    yield (
                        kpi, organisation_id, site_id, scope_type, scope_id, grain, start, end, None if is_null else value, unit,
                        None if is_null else value * n, float(n), n, COVERED.get(kpi), basis, low, high,
                        0.92 if kpi == "pm_compliance" and site_id == "austin" else target,
                        ("not_observed_yet" if null_kpis and unit == "orders" else reason) if is_null else None,
                        "open" if is_open else ("restated" if i == len(periods) - 3 else "closed"), AS_OF, AS_OF, "1",
                    )  # fmt: skip


def _wilson(p: float, n: int, z: float = 1.96) -> tuple[float, float]:
    middle, half = (p + z * z / (2 * n)) / (1 + z * z / n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return middle - half, middle + half


def _weeks() -> list[tuple[date, date]]:
    monday = TODAY - timedelta(days=TODAY.weekday())
    starts = [monday - timedelta(weeks=i) for i in range(WEEKS)][::-1]
    return [(start, start + timedelta(days=6)) for start in starts]


def _months() -> list[tuple[date, date]]:
    firsts = [date(2025 + (9 + i) // 12, (9 + i) % 12 + 1, 1) for i in range(15)]
    return [(first, following - timedelta(days=1)) for first, following in pairwise(firsts)]


def _orders(rng: random.Random) -> Iterator[Row]:
    sites = ["austin"] * 5 + ["porto"] * 3 + ["pune"] * 4
    for i in range(4000):
        site = rng.choice(sites)
        organisation_id = 102 if site == "pune" else 101
        kind = rng.choice(["REACTIVE", "REACTIVE", "PREVENTIVE", "PREVENTIVE", "PREVENTIVE", "OTHER"])
        created = AS_OF - timedelta(hours=rng.uniform(0, 24 * 7 * WEEKS))
        lead = rng.lognormvariate(3.0 if kind == "REACTIVE" else 4.2, 1.2)
        completed = created + timedelta(hours=lead)
        done = completed < AS_OF and rng.random() > 0.035
        status = "DONE" if done else rng.choice(["OPEN", "OPEN", "OPEN", "IN_PROGRESS", "ON_HOLD", "CANCELED"])
        is_active = status in {"OPEN", "IN_PROGRESS", "ON_HOLD"}
        due = created + timedelta(hours=rng.uniform(24, 24 * 20)) if rng.random() > 0.2 else None
        repair = int(rng.lognormvariate(0.9, 0.8) * 3600) if kind == "REACTIVE" and done and rng.random() < 0.7 else None
        title = (
            HOSTILE_TITLE
            if i == 11
            else rng.choice(
                ["Conveyor belt slips", "Leak at pump", "Monthly inspection", "Replace seal", "Bearing noise", "Lubricate gearbox"]
            )
        )
        yield (
            organisation_id, 900000 + i, site, i + 1, title, kind, rng.choice(["HIGH", "MEDIUM", "MEDIUM", "LOW", "NONE"]), status,
            is_active, done, 7000 + i % 60 + (100 if site == "pune" else 0), None, created, created.date(),
            created + timedelta(days=20) if is_active and rng.random() < 0.15 else None, due, due and due.date(),
            completed if done else None, completed.date() if done else None, lead if done else None,
            int(rng.lognormvariate(0.8, 0.6) * 3600) if done and rng.random() < 0.8 else 0,
            repair, "status" if repair else None, False, 7200, i % 50 == 0, None if i % 3 == 0 else 7200,
        )  # fmt: skip


def _wide(order: Row) -> Row:
    organisation_id, identifier, site, number, title, kind, priority, status, is_active, *_ = order
    created, created_on, due, due_on, completed, completed_on, lead, labour = (
        order[12],
        order[13],
        order[15],
        order[16],
        order[17],
        order[18],
        order[19],
        order[20],
    )
    overdue = bool(is_active and isinstance(due, datetime) and due < AS_OF)
    name = {s[3]: (s[1], s[4], s[6]) for s in SITES}[str(site)]
    return (
        organisation_id, name[0], identifier, number, title, status, 1, priority, 1, kind, site, name[1], f"Press {number % 60}" if isinstance(number, int) else None,  # noqa: E501
        f"Line {number % 4} / Press {number % 60}" if isinstance(number, int) else None, f"{name[1]} / Hall 2", "Ana Souza, Raj Patil", "Mechanical", created, due, completed,  # noqa: E501
        created_on, due_on, completed_on, lead, (AS_OF - due).days if overdue and isinstance(due, datetime) else None,
        labour / 3600 if isinstance(labour, int) else None, 12.5, name[2], overdue, f"https://app.getmaintainx.com/workorders/{identifier}",
    )  # fmt: skip


def _assets() -> Iterator[Row]:
    for i in range(160):
        site = "pune" if i >= 100 else "austin" if i % 3 else "porto"
        yield (102 if site == "pune" else 101, 7000 + i, f"Press {i}", f"Line {i % 4} / Press {i}", site, "Press", None, "ONLINE", True)


def _downtime(rng: random.Random) -> Iterator[Row]:
    for i in range(400):
        asset = rng.randrange(160)
        site = "pune" if asset >= 100 else "austin" if asset % 3 else "porto"
        start = AS_OF - timedelta(hours=rng.uniform(80 if i >= 3 else 3, 24 * 7 * WEEKS if i >= 3 else 60))
        hours = rng.lognormvariate(1.5, 0.9)
        ended = None if i < 3 else start + timedelta(hours=hours)
        kind = "unplanned" if i < 3 else rng.choice(["unplanned", "unplanned", "planned", "unknown"])
        seconds = int(((ended or AS_OF) - start).total_seconds())
        yield (102 if site == "pune" else 101, 7000 + asset, site, start, ended, kind, seconds, ended is None)


def _pms(rng: random.Random, orders: list[Row]) -> Iterator[Row]:
    for order in orders:
        organisation_id, identifier, site, _, title, kind = order[:6]
        due = order[15]
        if kind != "PREVENTIVE" or not isinstance(due, datetime):
            continue
        late = max(1, int(rng.lognormvariate(1.6, 1.1)))
        past = rng.choices(["on_time", "late", "missed", "skipped", "canceled"], [84, 9, 3, 2, 2])[0]
        outcome = past if due < AS_OF else "not_yet_due"
        days = float(late) if outcome == "late" else float((AS_OF - due).days) if outcome == "missed" else None
        yield (organisation_id, identifier, site, title, due.date(), due, outcome, days)


def _dates() -> Iterator[Row]:
    for i in range(1200):
        on = date(2024, 1, 1) + timedelta(days=i)
        year, week, weekday = on.isocalendar()
        yield (
            on,
            year,
            week,
            f"W{week:02}",
            on - timedelta(days=weekday - 1),
            on.replace(day=1),
            on.replace(month=(on.month - 1) // 3 * 3 + 1, day=1),
            on.year,
        )


def _runs(wall: datetime) -> Iterator[Row]:
    for i, (kind, status) in enumerate(
        [("refresh", "finished"), ("reconcile", "finished"), ("refresh", "finished"), ("refresh", "failed")]
    ):
        for organisation_id in (101, 102):
            ended = wall - timedelta(hours=24 * i)
            failed = status == "failed" and organisation_id == 102
            at = AS_OF - timedelta(hours=24 * i)
            yield (
                f"run-{i}", organisation_id, kind, "failed" if failed else "finished", at - timedelta(minutes=2), at, at,
                ended - timedelta(seconds=74), ended, 212 + i, "Unavailable: GET /workorders answered 503 five times" if failed else None,
            )  # fmt: skip


def _endpoint_runs(rng: random.Random) -> Iterator[Row]:
    for organisation_id in (101, 102):
        for endpoint in ENDPOINTS:
            skipped = endpoint == "rca_reports" and organisation_id == 102
            fetched = 0 if skipped else rng.randrange(3, 900)
            yield (
                "run-0", organisation_id, endpoint, "sync", "skipped" if skipped else "ok",
                AS_OF - timedelta(minutes=rng.randrange(1, 3)), max(fetched // 100, 1), fetched, fetched // 20, fetched // 9,
                fetched - fetched // 20 - fetched // 9, 0, 3 if endpoint == "work_orders" else 0, 0, rng.uniform(0.1, 9),
                AS_OF - timedelta(days=1), AS_OF, "GET /rcareports answered 403: not in this plan" if skipped else None,
            )  # fmt: skip
    yield (
        "run-0", 101, "work_orders", "labour", "ok", AS_OF - timedelta(hours=1), 6, 812, 0, 14, 798, 0, 0, 0, 1.8,
        AS_OF - timedelta(days=1), AS_OF, None,
    )  # fmt: skip


def _reconciliation(rng: random.Random) -> Iterator[Row]:
    for organisation_id in (101, 102):
        for endpoint in ENDPOINTS[:-1]:
            rows = rng.randrange(40, 9000)
            healed = 2 if endpoint == "assets" and organisation_id == 101 else 0
            labour = rng.randrange(10**6, 10**7) if endpoint == "work_orders" else None
            yield (
                "run-1", organisation_id, endpoint, AS_OF - timedelta(hours=24), "rolling", rows, rows, 0, 0, healed, healed, 0, labour,
                labour, labour and labour * 3, labour and labour * 3, rows // 200 + 1, "healed" if healed else "matched",
                "history takes 45 days at this share" if endpoint == "work_orders" else None, healed // 2,
            )  # fmt: skip


def _quarantine() -> Iterator[Row]:
    for i in range(3):
        yield (
            101,
            "work_orders",
            900100 + i,
            "wrong_type",
            "dueDate",
            HOSTILE_TITLE if i == 0 else "tomorrow",
            "not an instant",
            i,
            "run-0",
            AS_OF,
            AS_OF,
            1,
            "open",
            AS_OF - timedelta(hours=5) if i == 0 else None,
        )


def _drift() -> Iterator[Row]:
    yield (101, "work_orders", "unknown_value", "priority", "URGENT", AS_OF - timedelta(days=3), AS_OF, 12)
    yield (102, "assets", "unknown_key", "geofence", None, AS_OF - timedelta(days=9), AS_OF, 88)
