"""What keeps the instance itself in order: runs whose process is gone are ended, and old runs are forgotten with their events."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from dagster_project import settings
from dagster_project.warehouse import lease

KEPT = timedelta(days=30)
MOST_AT_ONCE = 100  # a tick has a minute; an hourly job makes 25 runs a day, and a tick comes every hour
GOING_ON = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


def end_dead_runs(instance: dg.DagsterInstance, warehouse: Path, suspects: set[str]) -> set[str]:
    """End the suspects that still count as going on though nobody writes to the warehouse; return the next tick's suspects.

    A run holds the warehouse from its first step to its last. Dagster's own launcher does not notice a killed process: its
    run would stand in the way of all others until max_runtime.
    """
    runs = {record.dagster_run.run_id: record.dagster_run for record in instance.get_run_records(dg.RunsFilter(statuses=GOING_ON))}
    if not lease.is_free(warehouse):
        return set()
    for run_id in sorted(suspects & runs.keys()):
        instance.report_run_failed(runs[run_id], "The process of this run is gone: killed, or the machine went down. The next run heals.")
    return runs.keys() - suspects


def forget_runs(instance: dg.DagsterInstance, before: datetime, most: int = MOST_AT_ONCE) -> int:
    """Delete runs that ended and were made before an instant, oldest first, with their events; return how many."""
    wanted = dg.RunsFilter(statuses=ENDED, created_before=before)
    records = instance.get_run_records(wanted, limit=most, order_by="create_timestamp", ascending=True)
    for record in records:
        instance.delete_run(record.dagster_run.run_id)
    return len(records)


@dg.sensor(minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.RUNNING)
def dead_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """End runs whose process is gone, at the second look."""
    if settings.load().warehouse == "bigquery":
        return dg.SkipReason(
            "the warehouse in BigQuery has no lock that would tell a dead run from a living one; its lease runs out by itself"
        )
    before = set(json.loads(context.cursor or "[]"))
    suspects = end_dead_runs(context.instance, settings.load().warehouse_path, before)
    context.update_cursor(json.dumps(sorted(suspects)))
    return dg.SkipReason(f"{len(suspects)} to be looked at again")


@dg.sensor(minimum_interval_seconds=3600, default_status=dg.DefaultSensorStatus.RUNNING)
def old_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Forget runs older than 30 days: Dagster itself keeps their events for ever."""
    return dg.SkipReason(f"{forget_runs(context.instance, datetime.now(UTC) - KEPT)} runs forgotten")


@dg.definitions
def upkeep() -> dg.Definitions:
    """Return the sensors that keep the instance in order."""
    return dg.Definitions(sensors=[dead_runs, old_runs])
