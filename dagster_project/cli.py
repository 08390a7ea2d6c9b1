"""The console command `maintainx`: the same functions as Dagster's assets, for people, cron and CI.

Each command imports what it needs when it is called: a line of help should not wait for a database.
"""

import json
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from dagster_project.settings import Settings

app = typer.Typer(name="maintainx", help="Maintenance analytics for MaintainX: extract, model, reconcile, publish, show.",
                  no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)  # fmt: skip
quarantine_app = typer.Typer(no_args_is_help=True, help="""Records that broke the contract, and were set aside while the others went on.

A record gets here when a field has another type than the API documents, a number that no column can hold, or another organisation's id. \
It is kept with its reason. Of one that was good before, the figures go on with that last good version ("stale since"). \
It leaves by itself when MaintainX shows it in order again.""")  # fmt: skip
app.add_typer(quarantine_app, name="quarantine")

KNOWN = {  # errors that say themselves what to do next, by the module of dagster_project that may raise them
    "settings": ("BadSettings", "MissingToken"),
    "sites": ("BadSites",),
    "maintainx.errors": ("MaintainXError",),
    "warehouse.base": ("WarehouseBusy", "LeaseLost", "DamagedWarehouse", "DiskTrouble", "BigQueryTrouble", "NotOnBigQuery"),
    "warehouse.open": ("NoWarehouse",),
    "warehouse.figures": ("UnreadableVersion",),
    "models.reports": ("ModelsFailed",),
    "publish": ("NothingToPublish", "DamagedPublication"),
    "as_of": ("NoInstant", "NotKnownYet", "FileExists", "NoFolder"),
    "exports": ("NothingToExport", "UnknownTable"),
    "refresh": ("NothingReadable", "LostWarehouse", "OtherSource"),
    "programs": ("ProgramDied", "NoAnswer"),
    "backup": ("NothingToBackUp", "NoBackup", "NotEmpty", "DamagedBackup"),
    "quarantine": ("UnknownEntry",),
}


def _endpoint(given: str | list[str] | None) -> str | list[str] | None:
    """Refuse a name that is no endpoint's."""
    from dagster_project.maintainx.endpoints import BY_TABLE

    for name in [given] if isinstance(given, str) else given or ():
        if name not in BY_TABLE:
            raise typer.BadParameter(f"{name} is none of {', '.join(BY_TABLE)}")
    return given


Accept = Annotated[
    list[str] | None,
    typer.Option(callback=_endpoint, help="Go on although this endpoint's breaker trips (it is written to ops.audit)."),
]

Wait = Annotated[
    int | None,
    typer.Option(min=0, metavar="SECONDS", help="Wait so long for another writer of the warehouse, and say who it is (WAREHOUSE_WAIT)."),
]

OneEndpoint = Annotated[
    str | None, typer.Option(callback=_endpoint, help="Only this endpoint, by the name of its raw table (work_orders, assets, …).")
]


class Format(StrEnum):
    """What an export can write."""

    PARQUET = "parquet"
    CSV = "csv"
    BIGQUERY = "bigquery"


@contextmanager
def _plain_errors(wait: int | None = None) -> "Generator[Settings]":
    """Give the settings; print a known error in one line, with its next step, and exit with 1."""
    from dagster_project import settings
    from dagster_project.maintainx.redaction import guard_logs

    guard_logs()
    try:
        yield settings.load(**({} if wait is None else {"warehouse_wait": wait}))
    except known() as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(1) from None


def known() -> tuple[type[Exception], ...]:
    """Return the known errors that can have been raised: those of modules that are imported by now."""
    imported = {module: sys.modules.get(f"dagster_project.{module}") for module in KNOWN}
    return tuple(getattr(found, name) for module, found in imported.items() if found for name in KNOWN[module])


def _say(text: str) -> None:
    print(text, flush=True)


def _say_aside(text: str) -> None:
    """Say something that is not the answer: another program may read that."""
    print(text, file=sys.stderr, flush=True)


@app.command("demo")
def demo_command() -> None:
    """Run the whole job on the embedded simulator and print the KPIs; each later run is a simulated day on."""
    from dagster_project import demo

    with _plain_errors() as found:
        raise typer.Exit(demo.demo(found))


@app.command("refresh")
def refresh_command(accept: Accept = None, wait: Wait = None) -> None:
    """Run the whole job against MAINTAINX_URL; exits with 1 when an organisation failed, after publishing the others."""
    from dagster_project import refresh

    with _plain_errors(wait) as found:
        done = refresh.refresh(found, _say, accepted=accept or ())
        _say(f"{done.requests} requests, {done.fetched} records read, {done.versions} new versions")
        raise typer.Exit(done.status)


@app.command("reconcile")
def reconcile_command(
    full: Annotated[bool, typer.Option(help="Compare all of history, not today's part of it.")] = False,
    accept: Accept = None,
    wait: Wait = None,
) -> None:
    """Compare the source with the log, heal the differences, rebuild and publish."""
    from dagster_project import refresh

    with _plain_errors(wait) as found:
        done = refresh.reconcile_all(found, _say, is_full=full, accepted=accept or ())
        _say(f"{done.requests} requests, {done.versions} new versions")
        raise typer.Exit(done.status)


@app.command("backup")
def backup_command(wait: Wait = None) -> None:
    """Write raw, what was reported, quarantine and state into a new, immutable folder."""
    from dagster_project import backup

    with _plain_errors(wait) as found:
        _say(f"backup written to {backup.backup(found)}")


@app.command("restore")
def restore_command(
    folder: Annotated[Path | None, typer.Argument(help="A backup folder; by default the newest.")] = None, wait: Wait = None
) -> None:
    """Fill an empty warehouse from a backup; refuses to touch one that holds anything."""
    from dagster_project import backup

    with _plain_errors(wait) as found:
        done = backup.restore(found, folder)
        _say(f"restored {sum(done.rows.values()):,} rows from {done.folder}; run `make refresh` to rebuild and publish the marts")


@quarantine_app.command("list")
def quarantine_list_command(
    endpoint: OneEndpoint = None,
    reason: Annotated[str | None, typer.Option(help="Only this reason (type, out_of_range, wrong_organisation, …).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Everything that is known of each, the record included, as JSON.")] = False,
    wait: Wait = None,
) -> None:
    """Show what is set aside, what was seen last first; the first column names the entry for `discard`."""
    from dagster_project import quarantine
    from dagster_project.warehouse.open import existing_warehouse

    with _plain_errors(wait) as found, existing_warehouse(found, _say_aside) as warehouse:
        rows = quarantine.entries(warehouse, endpoint, reason).to_dicts()
    if as_json:
        _say(json.dumps(rows, default=str, indent=2))
    elif rows:
        Console().print(_quarantine_table(rows))
    else:
        _say("nothing is in quarantine" + (" by these filters" if endpoint or reason else ""))


@quarantine_app.command("replay")
def quarantine_replay_command(endpoint: OneEndpoint = None, wait: Wait = None) -> None:
    """Try what is set aside again, after an update of this program: what fits by now joins the log, without asking MaintainX."""
    from dagster_project import quarantine, refresh

    with _plain_errors(wait) as found:
        done = quarantine.replay(found, refresh.new_run_id(), endpoint, _say)
        if not done.tried:
            _say("nothing is in quarantine" + (f" of {endpoint}" if endpoint else ""))
            return
        parts = [
            f"{done.tried} tried: {done.healed} healed",
            f"{done.overtaken} replaced by something newer",
            f"{done.refused} still refused",
        ]
        parts += [f"{done.kept_in_part} wait to be read again"] if done.kept_in_part else []
        _say(", ".join(parts) + ("; the figures count them from the next `make refresh` on" if done.healed else ""))


@quarantine_app.command("discard")
def quarantine_discard_command(
    entries: Annotated[list[str], typer.Argument(help="Entries, as `make quarantine` names them.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept in ops.audit.")],
    wait: Wait = None,
) -> None:
    """Give entries up for good; one opens again only when MaintainX shows it with other content that does not fit either."""
    from dagster_project import quarantine

    if not reason.strip():
        raise typer.BadParameter("say why, whoever reads ops.audit will want to know", param_hint="--reason")
    with _plain_errors(wait) as found:
        _say(f"{quarantine.discard(found, entries, reason, _say)} discarded, and written to ops.audit")


def _quarantine_table(rows: list[dict]) -> Table:
    table = Table(title=f"{len(rows):,} in quarantine", title_justify="left", box=SIMPLE_HEAD)
    table.add_column("Entry", no_wrap=True)  # to be copied
    for name in ("Organisation, record", "What is wrong", "Last seen", "Stale since"):
        table.add_column(name, overflow="fold")
    for row in rows:
        record = f"{row['organisation_id']} {row['endpoint']} {'without an id' if row['record_id'] is None else row['record_id']}"
        where = f" in {row['field']}" if row["field"] else ""
        value = f": {row['value']}" if row["value"] is not None else ""
        times = f", {row['times_seen']:,} times" if row["times_seen"] > 1 else ""
        seen, stale = (f"{row[name]:%Y-%m-%d %H:%M}" if row[name] else "" for name in ("last_seen_at", "stale_since"))
        table.add_row(*map(escape, (row["entry"], record, f"{row['reason_code']}{where}{value}", seen + times, stale)))
    return table


@app.command("replay")
def replay_command(
    endpoint: Annotated[list[str] | None, typer.Option(callback=_endpoint, help="Only this endpoint; may be given several times.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Only verify the payloads; rebuild nothing.")] = False,
    wait: Wait = None,
) -> None:
    """Verify every payload and rebuild the typed columns of raw from them, without asking MaintainX; exits with 1 when one is damaged."""
    from dagster_project import replay

    with _plain_errors(wait) as found:
        done = replay.replay(found, endpoint or (), check, _say)
        damaged, rows = sum(len(each.damaged) for each in done), sum(each.rows for each in done)
        verified = f"{rows:,} versions {'verified' if check else 'verified and rebuilt'}"
        if damaged:
            _say(
                f"{verified}, {damaged:,} DAMAGED: the next `make refresh` reads again those that are their record's newest; see ops.audit"
            )
            raise typer.Exit(1)
        _say(f"{verified}, none damaged" + ("" if check else "; the marts show what is new from the next `make refresh` on"))


@app.command("status")
def status_command(
    verify: Annotated[bool, typer.Option("--verify", help="Read all of the published file, and compare it with its manifest.")] = False,
) -> None:
    """Say what is published, how fresh it is, and what needs a hand."""
    from dagster_project import demo, publish
    from dagster_project.warehouse import figures

    with _plain_errors() as found:
        path = publish.current(found.published_dir)
        if path is None:
            _say(f"nothing is published in {found.published_dir} yet: run `make demo`, or `make refresh` with MAINTAINX_TOKEN set")
            raise typer.Exit(1)
        if verify:
            publish.verify(found.published_dir)
        fresh = f"data to {figures.data_to(path)}; last run: {demo.told(figures.last_run(path))}"
        _say(f"version {path.parent.name} in {found.published_dir}" + (", read whole: it is what was published" if verify else ""))
        _say(fresh)
        if told := publish.told(found.published_dir):
            _say(f"! {told}")
        for organisation_id, what, why in figures.troubles(path):
            _say(f"! organisation {organisation_id}: {what}: {why}")
        held = figures.open_quarantine(path)
        _say(f"! {held:,} in quarantine: see `make quarantine`" if held else "nothing is in quarantine")
        Console().print(demo.kpi_table(figures.last_closed_month(path)))


@app.command("export")
def export_command(
    table: Annotated[list[str] | None, typer.Option(help="Only this table (kpis, fct_work_orders, ops.runs, …); may be repeated.")] = None,
    file_format: Annotated[list[Format] | None, typer.Option("--format", help="Only this format; may be repeated.")] = None,
    out: Annotated[Path | None, typer.Option(help="The folder to write to; by default DATA_DIR/exports.")] = None,
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only rows dated then (UTC) or later.")] = None,
) -> None:
    """Write tables of the published version as Parquet and CSV files, or to BigQuery; all of marts when no table is named."""
    from dagster_project import exports

    chosen = [one.value for one in file_format] if file_format else list(exports.FORMATS)
    if Format.BIGQUERY in chosen and (since or out or len(chosen) > 1):
        raise typer.BadParameter("tables of BigQuery are replaced whole: it goes with neither --since, --out nor another format")
    with _plain_errors() as found:
        if Format.BIGQUERY in chosen:
            done, where = exports.export_to_bigquery(found, table or (), _say), f"BigQuery, project {found.bigquery_project}"
        else:
            done = exports.export(found, table or (), chosen, out=out, since=since and since.date(), say=_say)
            where = f"{out or found.export_dir}"
        _say(f"version {done[0].version}: {len(done)} tables in {where}")


@app.command("kpis", epilog="""Examples:

`maintainx kpis --as-of 2026-10-03 --out then.duckdb`: what was reported last on 3 October (UTC).

`maintainx kpis --as-of 2026-10-03 --known-at 2026-11-01 --out since.duckdb`: the same instant by what was known on 1 November.

`duckdb then.duckdb "from marts.kpis"` reads it.""")  # fmt: skip
def kpis_command(
    as_of: Annotated[
        str, typer.Option(help="A date (as of its last finished run), or an instant (2026-10-03T18:00-05:00; UTC without an offset).")
    ],
    out: Annotated[Path, typer.Option(help="The DuckDB file to write, with marts and ops; it must not exist.")],
    known_at: Annotated[
        str | None, typer.Option(help="Only what had been read by then counts; by default by the last run that had finished at --as-of.")
    ] = None,
    wait: Wait = None,
) -> None:
    """Evaluate all KPIs for a past date as they were known then, into a file of its own; nothing else changes, sites.toml is today's."""
    from dagster_project import as_of as then

    with _plain_errors(wait) as found:
        done = then.evaluate(found, as_of, out, known_at, _say_aside)
        if not done.is_observed:
            _say_aside("no run had finished by then: every KPI is NULL, reason not_observed_yet")
        told = f"as of {done.as_of:%Y-%m-%d %H:%M:%S} UTC, known at {done.known_at:%Y-%m-%d %H:%M:%S} UTC"
        _say(f'{done.path}: {done.tables["marts.kpis"]:,} KPI rows {told}; read it with: duckdb {done.path} "from marts.kpis"')


@app.command("docs")
def docs_command(wait: Wait = None) -> None:
    """Write what every model and column means, and what hangs on what, as a page to browse."""
    from dagster_project import models

    with _plain_errors(wait) as found:
        _say(f"the models' page is written: open {models.document(found)} in a browser")


@app.command("probe")
def probe_command() -> None:
    """Find out, reading only, what this MaintainX does where its documentation is silent; later runs act on it."""
    from dagster_project import organisations, probe
    from dagster_project.maintainx.errors import MaintainXError
    from dagster_project.settings import MissingToken

    with _plain_errors() as found:
        failed = False
        for source in organisations.organisations(found, _say):
            _say(f"asking about organisation {source.organisation_id}: at most {probe.MOST_REQUESTS} GET requests")
            try:
                report = probe.probe(source)
            except (MaintainXError, MissingToken) as error:  # the other organisations may have another token
                failed = True
                _say(f"organisation {source.organisation_id} could not be asked: {error}")
                continue
            Console().print(report.as_table())
            _say(f"written to {report.file}; the next run acts on it")
        raise typer.Exit(int(failed))


@app.command("simulator", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def simulator_command(context: typer.Context) -> None:
    """Run the stand-in MaintainX in the foreground; options go to it (`maintainx simulator -- --help`)."""
    from dagster_project import up

    with _plain_errors() as found:
        raise typer.Exit(up.simulator(found, *context.args))


@app.command("dashboard")
def dashboard_command() -> None:
    """Show the published KPIs in the browser until Ctrl-C."""
    from dagster_project import up

    with _plain_errors() as found:
        raise typer.Exit(up.dashboard(found))


@app.command("up")
def up_command() -> None:
    """Start simulator (unless MAINTAINX_TOKEN is set), Dagster and dashboard; Ctrl-C stops all."""
    from dagster_project import up

    with _plain_errors() as found:
        raise typer.Exit(up.up(found))


@app.command("clean")
def clean_command(backups: Annotated[bool, typer.Option("--backups", help="Remove the backups as well.")] = False) -> None:
    """Remove what was made at run time; backups stay unless asked for."""
    from dagster_project import clean

    with _plain_errors() as found:
        for path in clean.clean(found, backups=backups):
            _say(f"removed {path}")
        for path in clean.kept(found):
            _say(f"kept backup {path}")
