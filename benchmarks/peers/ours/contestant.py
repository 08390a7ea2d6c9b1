"""This project's refresh of the same two lists, without models and publishing."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent), str(Path(__file__).resolve().parents[3])]

from dagster_project.maintainx import endpoints  # noqa: E402

endpoints.ENDPOINTS = tuple(endpoint for endpoint in endpoints.ENDPOINTS if endpoint.table in {"work_orders", "assets"})

import duckdb  # noqa: E402
import msgspec  # noqa: E402
from rows import arguments, show  # noqa: E402  # ty: ignore[import-not-found]

from dagster_project import refresh  # noqa: E402
from dagster_project.settings import load  # noqa: E402
from dagster_project.warehouse.open import open_warehouse  # noqa: E402


def sync(url: str, token: str, folder: Path) -> int:
    """Refresh once; what is due is reconciled."""
    settings = load(maintainx_url=url, maintainx_token=token, data_dir=folder, sites_file=None)
    report = refresh.RefreshReport(refresh.new_run_id())
    with open_warehouse(settings) as warehouse:
        for source in refresh.organisations(settings):
            refresh.read_organisation(source, warehouse, report)
    return report.status


def main() -> int:
    """Sync once, or show the rows."""
    given = arguments()
    if given.what == "sync":
        return sync(given.url, given.token, given.folder)
    with duckdb.connect(str(given.folder / "warehouse.duckdb"), read_only=True) as connection:
        for table in ("work_orders", "assets"):
            show(table, stored(connection, table))
        show_refused(connection)
    return 0


def stored(connection: duckdb.DuckDBPyConnection, table: str) -> list[tuple]:
    """Return the live rows as they are to be shown."""
    payloads = connection.sql(
        f"select payload from raw.{table} join raw.{table}_latest l using (organisation_id, id, version_number) where not l.is_deleted"
    ).fetchall()
    found = []
    for (payload,) in payloads:
        record = msgspec.json.decode(payload)
        status = record.get("status") if table == "work_orders" else None
        shown = record.get("title", record.get("name")), status, record.get("priority"), record.get("timeItems")
        found.append((record["id"], record["updatedAt"], *shown, record.get("sequentialId"), record.get("riskScore")))
    return found


def show_refused(connection: duckdb.DuckDBPyConnection) -> None:
    """Print what was set aside, with the reason."""
    for table, record_id, reason in connection.sql(
        "select endpoint, record_id, reason_code from ops.quarantine where status = 'open'"
    ).fetchall():
        line = {"table": table, "id": int(record_id), "set_aside": reason}
        sys.stdout.write(msgspec.json.encode(line).decode() + "\n")


if __name__ == "__main__":
    sys.exit(main())
