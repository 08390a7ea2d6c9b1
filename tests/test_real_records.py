"""Real outage records, as MaintainX lists them, through the whole pipeline: the figures equal those of an independent count."""

import json
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from dagster_project import models, refresh, settings
from dagster_project.settings import Settings
from dagster_project.warehouse.open import open_warehouse
from simulator import recorded
from simulator.api import Simulator
from simulator.transport import transport

pytestmark = [pytest.mark.dbt, pytest.mark.shared_data]

A_SECOND = 1 / 3600  # hours: we count whole seconds
AFTER_MAY = datetime(2018, 6, 1, tzinfo=UTC)  # the records end on 22 May; the independent count took the whole month


@pytest.fixture(scope="module")
def recordings(pytestconfig: pytest.Config) -> Path:
    folder = pytestconfig.rootpath.parent / "shared" / "data" / "mta_elevators"
    if not folder.is_dir():
        pytest.skip(f"recorded data is not in {folder}; the project works without it")
    return folder


@pytest.fixture(scope="module")
def elevators(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The records read through the simulator, modelled once as of their own clock and then as of the end of May."""
    source = transport(Simulator(recorded.load(recordings)))
    found = settings.load(maintainx_url="http://simulator/v1", maintainx_token="demo", data_dir=tmp_path_factory.mktemp("elevators"))
    report = refresh.refresh(found, lambda _: None, transport=source)
    assert report.failed == {}
    assert report.known_at is not None
    with open_warehouse(found) as warehouse, warehouse.released():
        models.build(found, AFTER_MAY, report.known_at)
    return found


def rows(found: Settings, sql: str) -> list[tuple]:
    with duckdb.connect(str(found.warehouse_path), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        return connection.execute(sql).fetchall()


def monthly(found: Settings, kpi: str, what: str) -> dict[str, float]:
    """One figure of the organisation by month of 2018, as `2018-02`."""
    query = f"""select strftime(period_start_on, '%Y-%m'), {what} from marts.kpis
        where kpi = '{kpi}' and scope_type = 'organisation' and period_grain = 'month' order by 1"""
    return dict(rows(found, query))


@pytest.fixture(scope="module")
def counted(recordings: Path) -> dict[str, dict]:
    truth = json.loads((recordings / "truth.json").read_text(encoding="utf-8"))
    return {month["month"]: month for month in truth["months"]}


def of_months(months: dict[str, dict], name: str) -> dict[str, float]:
    return {month: figures[name] for month, figures in months.items()}


def among(months: dict[str, dict], found: dict[str, float]) -> dict[str, float]:
    return {month: found[month] for month in months}


def test_reactive_lead_times_equal_the_independent_count(elevators: Settings, counted: dict) -> None:
    assert among(counted, monthly(elevators, "lead_time_reactive", "n")) == of_months(counted, "mttr_n")
    mean = among(counted, monthly(elevators, "lead_time_reactive", "value"))
    median = among(counted, monthly(elevators, "lead_time_reactive_median", "value"))
    assert mean == pytest.approx(of_months(counted, "mttr_h"), abs=A_SECOND)
    assert median == pytest.approx(of_months(counted, "mttr_median_h"), abs=A_SECOND)


def test_created_and_completed_equal_the_independent_count(elevators: Settings, counted: dict) -> None:
    assert among(counted, monthly(elevators, "created", "value")) == of_months(counted, "created")
    assert among(counted, monthly(elevators, "completed", "value")) == of_months(counted, "completed")


def test_pm_compliance_equals_the_independent_count(elevators: Settings, counted: dict) -> None:
    assert among(counted, monthly(elevators, "pm_compliance", "denominator")) == of_months(counted, "pm_due")
    assert among(counted, monthly(elevators, "pm_compliance", "numerator")) == of_months(counted, "pm_on_time")
    assert among(counted, monthly(elevators, "pm_compliance", "value")) == pytest.approx(of_months(counted, "pm_compliance"), abs=5e-5)


def test_the_backlog_at_month_ends_equals_the_independent_count(elevators: Settings, counted: dict) -> None:
    assert among(counted, monthly(elevators, "backlog_count", "value")) == of_months(counted, "backlog_end")
    assert among(counted, monthly(elevators, "backlog_overdue_count", "value")) == of_months(counted, "overdue_open_end")


def test_no_time_was_logged_so_mttr_is_null_and_says_so(elevators: Settings, counted: dict) -> None:
    assert set(among(counted, monthly(elevators, "mttr", "value")).values()) == {None}
    assert set(among(counted, monthly(elevators, "mttr", "reason")).values()) == {"no_repair_evidence"}
    assert set(among(counted, monthly(elevators, "mttr_labour", "reason")).values()) == {"no_labour_logged"}
    assert set(among(counted, monthly(elevators, "availability", "reason")).values()) == {"no_status_tracking"}


def test_orders_of_lifts_that_are_in_no_list_are_kept_and_counted(elevators: Settings, recordings: Path) -> None:
    truth = json.loads((recordings / "truth.json").read_text(encoding="utf-8"))
    by_asset = rows(elevators, "select count(*), sum(case when asset_id is null then 1 else 0 end) from marts.fct_work_orders")
    assert by_asset == [(truth["rows"], truth["orphan_orders"])]
    assert rows(elevators, "select count(*) from marts.dim_assets") == [(truth["assets_in_file"],)]
    assert rows(elevators, "select count(*) from ops.quarantine") == [(0,)]
