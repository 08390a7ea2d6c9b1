"""Files of the published version for programs that read no DuckDB."""

from datetime import date
from pathlib import Path

import dagster as dg
from pydantic import Field

from dagster_project import exports, settings
from dagster_project.defs.resources import OWNERS


class ExportConfig(dg.Config):
    """What to export; the launchpad and a schedule may say otherwise."""

    tables: list[str] = Field(default=[])
    formats: list[str] = Field(default=list(exports.FORMATS))
    out: str | None = None
    since: str | None = None


@dg.asset(
    key=["exports", "files"],
    description="Published tables as Parquet and CSV in DATA_DIR/exports: all of marts, unless the run's configuration names tables (kpis, "
    "ops.runs), formats, another folder (out) or a date (since). A manifest names version, rows and digest of each file.",
    group_name="exports",
    kinds={"parquet", "csv"},
    owners=OWNERS,
    deps=[["published", "marts"]],
)
def exported_files(context: dg.AssetExecutionContext, config: ExportConfig) -> dg.MaterializeResult:
    """Write the files; another run may publish meanwhile."""
    found = settings.load()
    out = Path(config.out) if config.out else None
    since = date.fromisoformat(config.since) if config.since else None
    done = exports.export(found, config.tables, config.formats, out=out, since=since, say=context.log.info)
    return dg.MaterializeResult(
        metadata={
            "version": done[0].version,
            "folder": dg.MetadataValue.path(str(out or found.export_dir)),
            "tables": len(done),
            "dagster/row_count": sum(one.rows for one in done),
        }
    )


class LoadConfig(dg.Config):
    """Which tables to load; the launchpad and a schedule may say otherwise."""

    tables: list[str] = Field(default=[])


@dg.asset(
    key=["exports", "bigquery"],
    description="Published tables of this DuckDB warehouse in the datasets marts and ops of BIGQUERY_PROJECT: each replaced whole by a "
    "load job. All of marts, unless the run's configuration names tables. It stands here only where BIGQUERY_PROJECT is set.",
    group_name="exports",
    kinds={"bigquery"},
    owners=OWNERS,
    deps=[["published", "marts"]],
)
def exported_to_bigquery(context: dg.AssetExecutionContext, config: LoadConfig) -> dg.MaterializeResult:
    """Load the tables; another run may publish meanwhile."""
    done = exports.export_to_bigquery(settings.load(), config.tables, context.log.info)
    rows = sum(one.rows for one in done)
    return dg.MaterializeResult(metadata={"version": done[0].version, "tables": len(done), "dagster/row_count": rows})


@dg.definitions
def exported() -> dg.Definitions:
    """Return the assets that hand tables on to other programs."""
    found = settings.load()
    has_bigquery_beside = found.warehouse == "duckdb" and found.bigquery_project is not None
    return dg.Definitions(assets=[exported_files, *([exported_to_bigquery] if has_bigquery_beside else [])])
