"""The whole pipeline against the simulator's own truth: after many steps of a living plant the marts say what happened."""

from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from dagster_project import backup, models, refresh, settings, sites
from dagster_project.settings import ROOT, Settings
from dagster_project.warehouse.open import open_warehouse
from simulator import plant, truth, truth_events
from simulator.api import Simulator
from simulator.history import Version
from simulator.transport import transport

pytestmark = pytest.mark.dbt

SITES_FILE = ROOT / "data" / "demo" / "sites.toml"
VOLATILE = frozenset({"known_at", "as_of", "run_id", "version_number", "data_to", "observed_at"})


@dataclass
class Plant:
    """A simulated plant, the instants it was read at, and the warehouse that read it."""

    simulator: Simulator
    settings: Settings
    instants: list[datetime]

    @property
    def source(self) -> dict:
        return {"transport": transport(self.simulator)}

    @property
    def versions(self) -> list[Version]:
        world = self.simulator.world
        tables = ("locations", "assets", "asset_statuses", "rca_reports", "work_orders", "work_requests", "teams")
        return [version for name in tables for version in world.versions(name)]

    def step(self, span: timedelta) -> refresh.RefreshReport:
        """Let time pass, then read: sync, and reconcile when that is due; the marts wait."""
        self.simulator.world.advance(span)
        self.instants.append(self.simulator.world.instant)
        report = refresh.RefreshReport(refresh.new_run_id())
        with open_warehouse(self.settings) as warehouse:
            sources = refresh.organisations(self.settings, lambda _: None, self.source["transport"])
            for source in sources:
                refresh.read_organisation(source, warehouse, report)
            refresh.write_sites(warehouse, sources)
        assert report.failed == {}
        return report

    def delete_orders(self, *statuses: str) -> None:
        """Delete the newest order of each status in each organisation."""
        world = self.simulator.world
        world.advance(timedelta(minutes=1))
        latest = {(version.organisation_id, version.id): version.record for version in world.versions("work_orders")}
        newest = {(key[0], record["status"]): key[1] for key, record in sorted(latest.items()) if record and record["status"] in statuses}
        for (organisation_id, _), order in newest.items():
            world.delete("work_orders", organisation_id, order)

    def stir(self) -> None:
        """Let happen to the newest orders of each organisation what in a small plant happens once a month."""
        world = self.simulator.world
        world.advance(timedelta(minutes=1))
        latest = {(version.organisation_id, version.id): version.record for version in world.versions("work_orders")}
        for status, fields in STIRRED.items():
            for organisation_id in world.organisations:
                orders = [key[1] for key, record in latest.items() if key[0] == organisation_id and record and record["status"] == status]
                for order in sorted(orders)[-4:]:
                    world.change("work_orders", organisation_id, order, **fields)


STIRRED = {
    "DONE": {"status": "OPEN", "completedAt": None, "completerId": None},
    "OPEN": {"status": "ON_HOLD", "dueDate": "2027-01-15T05:00:00.000Z", "dueDateIsFullDay": True, "priority": "LOW"},
    "IN_PROGRESS": {"status": "ON_HOLD", "assignees": [], "partStatus": "RESERVED"},
    "ON_HOLD": {"status": "OPEN", "dueDate": None},
    "CANCELED": {"status": "OPEN"},
}


def a_plant(folder: Path, scale: float) -> Plant:
    simulator = Simulator(plant.build(seed=7, scale=scale))
    found = settings.load(maintainx_url="http://simulator/v1", maintainx_token="demo", data_dir=folder, sites_file=SITES_FILE)
    return Plant(simulator, found, [])


def truth_sites() -> list[truth.Organisation]:
    """The demo's sites.toml in the oracle's own words."""
    return [
        truth.Organisation(
            one.organisation_id,
            one.time_zone or "UTC",
            tuple(truth_site(one.organisation_id, site) for site in one.sites),
        )
        for one in sites.load(SITES_FILE)
    ]


def truth_site(organisation_id: int, site: sites.Site) -> truth.Site:
    shifts = tuple((shift.weekday, shift.starts_second, shift.ends_second) for shift in site.shifts)
    place = (site.site_id, organisation_id, site.time_zone, site.root_location_id)
    return truth.Site(*place, site.crew_hours_per_week, shifts, site.holidays)


KEY = ["kpi", "organisation_id", "scope_type", "scope_id", "period_grain", "period_start_on"]
FIGURES = ["value", "numerator", "denominator", "n", "coverage_share", "basis", "reason", "window_state"]


def truth_frame(rows: list[truth.KpiRow]) -> pl.DataFrame:
    return pl.DataFrame([{name: getattr(row, name) for name in KEY + FIGURES} for row in rows], infer_schema_length=None).sort(KEY)


def marts_frame(found: Settings) -> pl.DataFrame:
    with duckdb.connect(str(found.warehouse_path), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        query = f"select {', '.join(KEY + FIGURES)} from marts.kpis"
        rows = connection.sql(query).pl()
    closed = pl.when(pl.col("window_state") == "restated").then(pl.lit("closed")).otherwise(pl.col("window_state"))
    return rows.with_columns(window_state=closed).sort(KEY)


def differences(ours: pl.DataFrame, theirs: pl.DataFrame) -> pl.DataFrame:
    """Rows that stand on one side only, or differ in a figure (a double may differ in its last digits)."""
    both = ours.join(theirs, on=KEY, how="full", suffix="_truth", coalesce=True)
    unequal = pl.any_horizontal(_unequal(name, ours.schema[name]) for name in FIGURES)
    return both.filter(unequal)


def _unequal(name: str, dtype: pl.DataType) -> pl.Expr:
    one, other = pl.col(name), pl.col(f"{name}_truth")
    if dtype == pl.Float64:
        close = (one - other).abs() <= 1e-9 * pl.max_horizontal(one.abs(), other.abs(), pl.lit(1.0))
        return ~(close.fill_null(value=False) | (one.is_null() & other.is_null()))
    return one.ne_missing(other.cast(dtype))


def tables_of(found: Settings, schemas: tuple[str, ...]) -> list[str]:
    with duckdb.connect(str(found.warehouse_path), read_only=True) as connection:
        rows = connection.execute("select table_schema || '.' || table_name, table_schema from information_schema.tables").fetchall()
    return sorted(name for name, schema in rows if schema in schemas)


def content(found: Settings, table: str, left_out: frozenset[str] = frozenset()) -> list[tuple]:
    """All rows of a table, in a total order."""
    with duckdb.connect(str(found.warehouse_path), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        columns = [row[0] for row in connection.execute(f"describe {table}").fetchall() if row[0] not in left_out]
        quoted = ", ".join(f'"{column}"' for column in columns)
        return connection.execute(f"select {quoted} from {table} order by all").fetchall()


def rebuild(found: Settings) -> None:
    """Build the models over the log that is there."""
    with open_warehouse(found) as warehouse:
        known_at = refresh.last_known_at(warehouse)
        assert known_at is not None
        with warehouse.released():
            models.build(found, known_at, known_at)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Plant:
    """A small plant after fifteen days (a frozen week is over by then) and six hours, each read; compared in full, then modelled."""
    return live(a_plant(tmp_path_factory.mktemp("lived"), scale=0.1), days=15, hours=6)


def live(one: Plant, days: int, hours: int) -> Plant:
    one.step(timedelta(0))
    one.delete_orders("OPEN", "DONE", "CANCELED")
    for day in range(days):
        one.step(timedelta(days=1))
        if day == days // 2:
            one.stir()
    for _ in range(hours):
        one.step(timedelta(hours=1))
    report = refresh.reconcile_all(one.settings, lambda _: None, is_full=True, transport=one.source["transport"])
    assert report.failed == {}
    assert (one.settings.dbt_target_dir / "statements.json").exists()
    rebuild(one.settings)  # by what dbt compiled: what holds below, holds of that; a rebuild elsewhere is dbt's own
    return one


def test_the_marts_equal_what_the_source_showed_at_each_reading(lived: Plant) -> None:
    expected = truth_frame(truth.observable(lived.versions, lived.instants, lived.instants[-1], truth_sites()))
    found = marts_frame(lived.settings)
    assert found.height == expected.height
    assert differences(found, expected).is_empty(), differences(found, expected).head(20)


def test_the_events_of_every_order_are_those_that_the_readings_show(lived: Plant) -> None:
    states = truth.versions_of(lived.versions, lived.instants)
    expected = [event for event in truth_events.events(states, lived.instants) if event.event != "deleted"]
    told = "occurred_at, occurred_after, occurred_by"
    micros = ", ".join(f"epoch_us({name}) as {name}" for name in told.split(", "))
    before, after = (f"coalesce({side}_value, cast(epoch_us({side}_at) as varchar))" for side in ("from", "to"))
    query = f"select organisation_id, work_order_id, event, {before}, {after}, {micros} from marts.fct_work_order_events"
    found = content(lived.settings, f"({query})")
    alike = [tuple(None if part is None else str(part) for part in row) for row in found if row[2] != "deleted"]
    assert sorted(map(repr, alike)) == sorted(repr(tuple(None if each is None else str(each) for each in astuple(one))) for one in expected)
    assert {"reopened", "held", "resumed", "due_date_pushed", "reassigned", "priority_changed"} <= {event.event for event in expected}


def test_kpis_without_history_equal_what_really_happened_at_organisation_scope(lived: Plant, capsys: pytest.CaptureFixture[str]) -> None:
    """Beneath it a record has its place, and where assets stood before the first reading the log cannot tell."""
    now = lived.instants[-1]
    actual = truth.actual(lived.versions, now, truth_sites())
    observable = truth.observable(lived.versions, lived.instants, now, truth_sites())
    with capsys.disabled():
        print("\ndistance of what was observed from what really happened\n" + truth.table_of(truth.distance(actual, observable)))
    history = {row[0] for row in content(lived.settings, "(select kpi from marts.kpi_definitions where is_history)")}
    compared = ~pl.col("kpi").is_in(history) & (pl.col("scope_type") == "organisation")
    found, expected = marts_frame(lived.settings).filter(compared), truth_frame(actual).filter(compared)
    assert found["kpi"].n_unique() >= 10
    assert differences(found, expected).is_empty(), differences(found, expected).head(20)


def test_a_fresh_full_sync_gives_the_same_current_state(lived: Plant, tmp_path: Path) -> None:
    fresh = Plant(lived.simulator, lived.settings.model_copy(update={"data_dir": tmp_path}), [])
    fresh.step(timedelta(0))
    rebuild(fresh.settings)
    nodes = models.manifest(fresh.settings)["nodes"].values()
    state = [f"{node['schema']}.{node['name']}" for node in nodes if "state" in node.get("tags", [])]
    current = [table for table in tables_of(fresh.settings, ("staging", "marts", "intermediate")) if table in state]
    assert len(current) > 20
    for table in current:
        assert content(lived.settings, table, VOLATILE) == content(fresh.settings, table, VOLATILE), table
    placed = [node["name"] for node in nodes if "placed" in node.get("tags", []) and "formula" in node["meta"]]
    compared = pl.col("kpi").is_in(placed) & (pl.col("scope_type") == "organisation")  # beneath it places of the log count
    assert len(placed) > 20
    assert differences(*(marts_frame(one.settings).filter(compared) for one in (lived, fresh))).is_empty()


def test_a_rebuild_from_the_log_in_an_empty_place_gives_the_same_marts(lived: Plant, tmp_path: Path) -> None:
    empty = lived.settings.model_copy(update={"data_dir": tmp_path})
    folder = backup.backup(lived.settings)
    backup.restore(empty, folder)
    rebuild(empty)
    rebuilt = tables_of(empty, ("marts",))
    assert rebuilt == tables_of(lived.settings, ("marts",))
    for table in rebuilt:
        assert content(lived.settings, table) == content(empty, table), table


def test_a_second_refresh_of_a_source_that_stood_still_changes_nothing(lived: Plant) -> None:
    before = {table: content(lived.settings, table) for table in tables_of(lived.settings, ("raw",))}
    report = lived.step(timedelta(0))
    assert report.versions == 0
    assert {table: content(lived.settings, table) for table in tables_of(lived.settings, ("raw",))} == before


def test_deleted_orders_leave_the_marts_and_stay_in_the_log(lived: Plant) -> None:
    gone = {
        (version.organisation_id, version.id)
        for version in lived.simulator.world.versions("work_orders")
        if version.record is None and version.at > lived.instants[0]
    }
    tombs = set(content(lived.settings, "(select organisation_id, id from raw.work_orders where is_deleted)"))
    shown = set(content(lived.settings, "(select organisation_id, work_order_id from marts.fct_work_orders)"))
    assert len(gone) >= 6
    assert gone == tombs
    assert not gone & shown


def test_labour_entered_on_an_order_is_in_the_marts_after_the_next_sweep_without_a_reconciliation(tmp_path: Path) -> None:
    one = a_plant(tmp_path, scale=0.01)
    one.step(timedelta(0))
    world, now = one.simulator.world, one.simulator.world.instant
    orders = [(each.organisation_id, each.id, each.record or {}) for each in world.current("work_orders")]
    at_work = next(order for order in orders if order[2]["status"] == "OPEN" and not order[2].get("timeItems"))
    done = [order for order in orders if order[2]["status"] == "DONE"]
    long_done = next(order for order in done if datetime.fromisoformat(order[2]["completedAt"]) < now - timedelta(days=20))
    for organisation_id, order_id, record in (at_work, long_done):
        entry = {"type": "TIME", "userId": 1, "durationTotal": 5400, "quantity": 1.5, "rowTotal": 4200}
        world.whisper("work_orders", organisation_id, order_id, timeItems=[*record.get("timeItems", []), entry])
    report = one.step(timedelta(hours=2))
    rebuild(one.settings)
    assert report.comparisons == []
    labour = dict(content(one.settings, "(select work_order_id, labour_seconds from marts.fct_work_orders)"))
    assert labour[at_work[1]] == 5400
    assert (labour[long_done[1]] or 0) == sum(item["durationTotal"] for item in long_done[2].get("timeItems", []))  # the night's
    runs = content(one.settings, "(select distinct kind, status from ops.endpoint_runs where endpoint = 'work_orders')")
    assert runs == [("labour", "ok"), ("sync", "ok")]


@pytest.mark.slow
def test_the_whole_demo_plant_equals_its_truth_after_a_month_of_days(tmp_path: Path) -> None:
    one = live(a_plant(tmp_path, scale=1.0), days=30, hours=0)
    now = one.instants[-1]
    observable = truth.observable(one.versions, one.instants, now, truth_sites())
    print(truth.table_of(truth.distance(truth.actual(one.versions, now, truth_sites()), observable)))
    assert differences(marts_frame(one.settings), truth_frame(observable)).is_empty()


def test_a_warehouse_of_one_source_refuses_another(lived: Plant) -> None:
    elsewhere = lived.settings.model_copy(update={"maintainx_url": "https://api.getmaintainx.com/v1"})
    with pytest.raises(refresh.OtherSource, match=r"holds records of simulator, but MAINTAINX_URL names api\.getmaintainx\.com"):
        refresh.refresh(elsewhere, lambda _: None)
