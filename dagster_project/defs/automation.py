"""When things run: the jobs, their schedules, and the sensor that keeps the partitions in step with the organisations."""

import dagster as dg

from dagster_project import refresh, settings
from dagster_project.defs.resources import ORGANISATIONS
from dagster_project.maintainx.errors import MaintainXError
from dagster_project.settings import MissingToken
from dagster_project.sites import BadSites

NAME = "organisations"
ONE_RUN = "Materialize all, then All partitions, then Launch: one run over all organisations. So does a launch without any partition."
BACKUP = dg.AssetSelection.assets(["ops", "backup"])
EXPORTS = dg.AssetSelection.groups("exports")

refresh_job = dg.define_asset_job(
    "refresh",
    selection=dg.AssetSelection.all() - BACKUP - EXPORTS,
    description=f"The main job: read every organisation, reconcile what is due, build the models, publish. {ONE_RUN}",
)
reconcile_job = dg.define_asset_job(
    "reconcile",
    selection=dg.AssetSelection.all() - dg.AssetSelection.groups("raw") - EXPORTS,
    description=f"Compare the source with the log, heal the differences, rebuild, publish, back up. {ONE_RUN}",
)
export_job = dg.define_asset_job("export", selection=EXPORTS, description="Write the published tables as files for other programs.")


UNFINISHED = [status for status in dg.DagsterRunStatus if status.name not in ("SUCCESS", "FAILURE", "CANCELED")]


def all_organisations(context: dg.ScheduleEvaluationContext, job: str) -> dg.RunRequest | dg.SkipReason:
    """Return the request of one run over all partitions; without any the run finds the organisations itself.

    While a run of the job waits or goes on there is none: ticks that were missed, or come too soon, are one run together.
    """
    if skipped := going_on(context, job):
        return skipped
    keys = context.instance.get_dynamic_partitions(NAME)
    tags = {"dagster/asset_partition_range_start": keys[0], "dagster/asset_partition_range_end": keys[-1]} if keys else {}
    return dg.RunRequest(tags=tags)


def going_on(context: dg.ScheduleEvaluationContext, job: str) -> dg.SkipReason | None:
    """Return why a tick asks for no run of the job: one waits or goes on; None when none does."""
    ahead = context.instance.get_run_records(dg.RunsFilter(job_name=job, statuses=UNFINISHED), limit=1)
    return dg.SkipReason(f"run {ahead[0].dagster_run.run_id} has not ended yet") if ahead else None


@dg.schedule(job=refresh_job, cron_schedule="5 * * * *", execution_timezone="UTC")
def hourly_refresh(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Refresh every hour; off until it is switched on."""
    return all_organisations(context, "refresh")


@dg.schedule(job=reconcile_job, cron_schedule="35 2 * * *", execution_timezone="UTC")
def nightly_reconcile(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Reconcile and back up every night; off until it is switched on."""
    return all_organisations(context, "reconcile")


@dg.schedule(job=export_job, cron_schedule="20 4 * * *", execution_timezone="UTC")
def nightly_export(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Export every night, after the reconciliation; off until it is switched on."""
    return going_on(context, "export") or dg.RunRequest()


@dg.sensor(name=NAME, minimum_interval_seconds=300, default_status=dg.DefaultSensorStatus.RUNNING)
def organisations(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """Add organisations that sites.toml or the token names to the partitions; a refresh does so as well."""
    try:
        found = [str(source.organisation_id) for source in refresh.organisations(settings.load(), context.log.info)]
    except (MaintainXError, MissingToken, BadSites) as error:
        return dg.SkipReason(f"the organisations are not known: {error}")
    new = [one for one in found if one not in context.instance.get_dynamic_partitions(NAME)]
    return dg.SensorResult(dynamic_partitions_requests=[ORGANISATIONS.build_add_request(new)]) if new else dg.SkipReason("none is new")


@dg.definitions
def automation() -> dg.Definitions:
    """Return jobs, schedules and the sensor."""
    return dg.Definitions(
        jobs=[refresh_job, reconcile_job, export_job],
        schedules=[hourly_refresh, nightly_reconcile, nightly_export],
        sensors=[organisations],
    )
