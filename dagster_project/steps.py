"""The steps of an organisation's run: each is written, said, and left to the run's end when it fails."""

from collections.abc import Callable
from datetime import timedelta

from dagster_project import labour, reconcile, sync
from dagster_project.breakers import Breaker
from dagster_project.comparison import Comparison
from dagster_project.maintainx.endpoints import Endpoint
from dagster_project.maintainx.errors import MaintainXError, RateLimited, Unauthorized, Unavailable
from dagster_project.organisation_run import OrganisationRun
from dagster_project.visit import EndpointReport, endpoint_run

HOPELESS = (Unauthorized, RateLimited, Unavailable)  # end an organisation's run at once


def sync_endpoint(endpoint: Endpoint, part: OrganisationRun) -> EndpointReport:
    """Sync one endpoint; a failure is written, said, and left to the run's end, so that the other endpoints go on.

    Raises:
        Unauthorized, RateLimited, Unavailable: no other endpoint of this organisation would fare better.
    """
    done = _attempt(endpoint, part, "sync", sync.sync)
    if done.status == "ok" and done.is_first_load:
        reconcile.first_load(done, part.warehouse, part.run)
    part.report.endpoints.append(done)
    part.say(said(done))
    return done


def sweep_if_due(endpoint: Endpoint, part: OrganisationRun, synced: EndpointReport) -> EndpointReport | None:
    """Read again what changes without a stamp when that is due, after a sync that went well; None when it is not."""
    every = timedelta(hours=part.source.settings.labour_every_hours)
    if endpoint.table != labour.TABLE or not labour.is_due(part.warehouse, part.run, every):
        return None
    if synced.is_first_load:  # which has just read everything
        labour.note(part.warehouse, part.run)
        return None
    done = _attempt(endpoint, part, labour.KIND, labour.sweep)
    part.report.endpoints.append(done)
    part.say(said(done))
    return done


def sync_and_reconcile(endpoint: Endpoint, part: OrganisationRun, is_full: bool = False) -> Comparison | None:
    """Sync one endpoint, then reconcile it; None when it cannot be read, or was just read for the first time and whole."""
    done = sync_endpoint(endpoint, part)
    if done.status != "ok" or done.is_first_load:
        return None
    sweep_if_due(endpoint, part, done)
    return reconcile_endpoint(endpoint, part, is_full)


def reconcile_if_due(endpoint: Endpoint, part: OrganisationRun) -> Comparison | None:
    """Reconcile an endpoint whose last reconciliation is older than a day."""
    return reconcile_endpoint(endpoint, part) if reconcile.is_due(endpoint, part.warehouse, part.run) else None


def reconcile_endpoint(endpoint: Endpoint, part: OrganisationRun, is_full: bool = False) -> Comparison:
    """Reconcile one endpoint; a failure is written, said, and left to the run's end, as in `sync_endpoint`."""
    before = part.client.requests
    try:
        found = reconcile.reconcile(endpoint, part.client, part.warehouse, part.run, is_full, part.source.reconciling_requests())
    except HOPELESS as error:
        failed_endpoint(endpoint, part, "reconcile", error, before)
        raise
    except (MaintainXError, Breaker) as error:
        found = Comparison("full" if is_full else "rolling", status="failed", reason=f"{type(error).__name__}: {error}")
        found.report = failed_endpoint(endpoint, part, "reconcile", error, before)
        part.warehouse.insert("reconciliation", [found.as_row(part.run)])
    part.report.comparisons.append(found)
    differences = f"missing {found.missing}, ghost {found.ghost}, stale {found.stale}"
    verdict = f"reconciled, {found.status}: {found.source_rows} {'row' if found.source_rows == 1 else 'rows'} compared, {differences}"
    part.say(f"  {part.run.organisation_id} {endpoint.table}: {verdict}{f' ({found.reason})' if found.reason else ''}")
    return found


def _attempt(endpoint: Endpoint, part: OrganisationRun, kind: str, read: Callable[..., EndpointReport]) -> EndpointReport:
    """Read an endpoint; write a failure, and raise it when it is hopeless."""
    before = part.client.requests
    try:
        return read(endpoint, part.client, part.warehouse, part.run, lambda now: _say_batch(part, now))
    except HOPELESS as error:
        failed_endpoint(endpoint, part, kind, error, before)
        raise
    except (MaintainXError, Breaker) as error:
        return failed_endpoint(endpoint, part, kind, error, before)


def failed_endpoint(endpoint: Endpoint, part: OrganisationRun, kind: str, error: Exception, before: int) -> EndpointReport:
    """Write that an endpoint could not be read, and what was spent on it since `before`, the client's requests until then."""
    done = EndpointReport(endpoint.table, part.run.organisation_id, kind, "failed", f"{type(error).__name__}: {error}")
    done.requests = part.client.requests - before
    row = endpoint_run(done, part.run)
    part.warehouse.replace("endpoint_runs", [row], part.key | {"endpoint": endpoint.table, "kind": kind})
    return done


def said(done: EndpointReport) -> str:
    """Return one line for the console about one endpoint."""
    counts, what = done.counts, done.endpoint if done.kind == "sync" else f"{done.endpoint} ({done.kind})"
    if done.status != "ok":
        return f"  {done.organisation_id} {what}: {done.status}: {done.reason}"
    parts = [f"{counts.fetched} read", f"{counts.inserted} new", f"{counts.updated} changed"]
    parts += [f"{counts.deleted} deleted"] if counts.deleted else []
    parts += [f"{counts.quarantined} in quarantine"] if counts.quarantined else []
    requests = "1 request" if done.requests == 1 else f"{done.requests} requests"
    return f"  {done.organisation_id} {what}: {', '.join(parts)} ({requests}, {done.seconds:.1f} s)"


def _say_batch(part: OrganisationRun, now: EndpointReport) -> None:
    part.say(f"  {now.organisation_id} {now.endpoint}: {now.counts.fetched} read so far ({now.requests} requests)")
