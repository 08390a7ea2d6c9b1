"""Runs whose process is gone, ticks that come too often, an event log that would grow for ever."""

import fcntl
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import yaml

from dagster_project.defs import automation, upkeep
from dagster_project.settings import ROOT, load

pytestmark = pytest.mark.dagster
STARTED, SUCCESS, FAILURE, WAITING = (dg.DagsterRunStatus[name] for name in ("STARTED", "SUCCESS", "FAILURE", "NOT_STARTED"))


@dg.job
def refresh() -> None: ...


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as found:
        yield found


@pytest.fixture
def lock() -> Path:
    found = load().warehouse_path.with_suffix(".lock")
    found.parent.mkdir(parents=True, exist_ok=True)
    found.touch()
    return found


def a_run(instance: dg.DagsterInstance, status: dg.DagsterRunStatus) -> str:
    return instance.create_run_for_job(refresh, status=status).run_id


def status(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    [record] = instance.get_run_records(dg.RunsFilter(run_ids=[run_id]))
    return record.dagster_run.status


def tick(instance: dg.DagsterInstance, cursor: str | None) -> str | None:
    with dg.build_sensor_context(instance, cursor=cursor) as context:
        upkeep.dead_runs(context)
        return context.cursor


def test_g1_a_run_whose_process_was_killed_is_marked_as_failed_at_the_second_look(instance, lock: Path):
    dead, done = a_run(instance, STARTED), a_run(instance, SUCCESS)
    cursor = tick(instance, None)
    assert (status(instance, dead), json.loads(cursor or "")) == (STARTED, [dead])
    cursor = tick(instance, cursor)
    assert (status(instance, dead), status(instance, done), json.loads(cursor or "")) == (FAILURE, SUCCESS, [])


def test_g1_a_run_that_holds_the_warehouse_is_left_alone_however_long_it_takes(instance, lock: Path):
    alive = a_run(instance, STARTED)
    with lock.open("r+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        cursor = tick(instance, json.dumps([alive]))
        cursor = tick(instance, cursor)
    assert (status(instance, alive), json.loads(cursor or "")) == (STARTED, [])


def test_g2_slots_of_a_run_that_ended_are_freed_and_its_retries_are_bounded():
    declared = yaml.safe_load((ROOT / "dagster.yaml").read_text(encoding="utf-8"))
    monitoring = declared["run_monitoring"]
    assert monitoring["enabled"]
    assert monitoring["free_slots_after_run_end_seconds"] + monitoring["poll_interval_seconds"] <= 300
    assert monitoring["cancel_timeout_seconds"] <= 300
    assert declared["run_retries"] == {"enabled": True, "max_retries": 2, "retry_on_asset_or_op_failure": False}


@pytest.mark.parametrize("ahead", [WAITING, STARTED], ids=lambda each: each.name.lower())
def test_g3_a_tick_while_a_run_waits_or_goes_on_asks_for_none(instance, ahead: dg.DagsterRunStatus):
    a_run(instance, ahead)
    skipped = automation.hourly_refresh.evaluate_tick(dg.build_schedule_context(instance))
    assert (skipped.run_requests, "has not ended yet" in (skipped.skip_message or "")) == ([], True)


def test_g3_ticks_that_were_missed_are_one_run_together(instance):
    asked = 0
    for hour in range(6):  # the daemon was down for six hours and evaluates what it missed
        context = dg.build_schedule_context(instance, datetime(2026, 11, 20, hour, 5, tzinfo=UTC))
        requests = automation.hourly_refresh.evaluate_tick(context).run_requests or []
        for _ in requests:
            a_run(instance, WAITING)
        asked += len(requests)
    assert asked == 1


def test_g3_no_schedule_knows_of_summer_time_and_one_run_goes_at_a_time():
    assert {automation.hourly_refresh.execution_timezone, automation.nightly_reconcile.execution_timezone} == {"UTC"}
    declared = yaml.safe_load((ROOT / "dagster.yaml").read_text(encoding="utf-8"))
    assert declared["concurrency"]["runs"]["max_concurrent_runs"] == 1


def test_g4_runs_older_than_thirty_days_are_forgotten_with_their_events_oldest_first(instance):
    runs = [refresh.execute_in_process(instance=instance).run_id for _ in range(3)]
    assert all(instance.all_logs(run) for run in runs)
    going_on = a_run(instance, STARTED)
    assert upkeep.forget_runs(instance, datetime.now(UTC) - upkeep.KEPT) == 0
    later = datetime.now(UTC) + timedelta(seconds=1)
    assert upkeep.forget_runs(instance, later, most=2) == 2
    assert [bool(instance.all_logs(run)) for run in runs] == [False, False, True]
    assert [instance.has_run(run) for run in (*runs, going_on)] == [False, False, True, True]
