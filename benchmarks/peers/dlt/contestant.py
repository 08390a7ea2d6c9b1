"""dlt's rest_api source into DuckDB: incremental by updatedAt with a lag, merged by id. README.md says where each setting comes from."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}

import dlt  # ty: ignore[import-not-found]
import duckdb
from dlt.sources.helpers.requests import Client  # ty: ignore[import-not-found]
from dlt.sources.rest_api import rest_api_source  # ty: ignore[import-not-found]
from rows import ASSETS_QUERY, EPOCH, ORDERS_QUERY, OVERLAP_SECONDS, arguments, grouped, show  # ty: ignore[import-not-found]

INCREMENTAL = {"cursor_path": "updatedAt", "initial_value": EPOCH, "start_param": "updatedAt[gte]", "lag": OVERLAP_SECONDS}
NEWEST_OF_DOUBLES = {"updatedAt": {"dedup_sort": "desc"}}


def is_cut(response, _error) -> bool:
    """Tell whether the answer is no whole JSON: worth another try."""
    if response is None or not response.ok:
        return False
    try:
        response.json()
    except ValueError:
        return True
    return False


def source(url: str, token: str, is_full: bool):
    """Return the two lists as dlt resources."""
    session = Client(retry_condition=is_cut, request_max_attempts=6, request_backoff_factor=1, request_max_retry_delay=10).session
    how = {"write_disposition": "replace"} if is_full else {"write_disposition": "merge", "columns": NEWEST_OF_DOUBLES}
    resources = []
    for name, path, items, query, sort in (
        ("work_orders", "workorders", "workOrders", ORDERS_QUERY, "updatedAt"),
        ("assets", "assets", "assets", ASSETS_QUERY, "-updatedAt"),
    ):
        endpoint = {"path": path, "data_selector": items, "params": {**grouped(query), "sort": sort}}
        resources.append(
            {
                "name": name, "primary_key": "id", "max_table_nesting": 0, **how,
                "endpoint": endpoint if is_full else endpoint | {"incremental": INCREMENTAL},
            }
        )  # fmt: skip
    client = {"base_url": url, "auth": {"type": "bearer", "token": token}, "session": session}
    paginator = {"type": "cursor", "cursor_path": "nextCursor", "cursor_param": "cursor"}
    return rest_api_source({"client": client | {"paginator": paginator}, "resources": resources}, name="maintainx")


def pipeline(folder: Path) -> dlt.Pipeline:
    """Return the pipeline, whose state and database are in the folder."""
    destination = dlt.destinations.duckdb(str(folder / "data.duckdb"))
    return dlt.pipeline("peer", pipelines_dir=str(folder / "pipelines"), destination=destination, dataset_name="peer")


def main() -> None:
    """Sync once, or show the rows."""
    given = arguments()
    if given.what == "sync":
        pipeline(given.folder).run(source(given.url, given.token, given.full))
        return
    with duckdb.connect(str(given.folder / "data.duckdb"), read_only=True) as connection:
        for table in ("work_orders", "assets"):
            show(table, connection.sql(f"select {shown(connection, table)} from peer.{table}").fetchall())


def shown(connection: duckdb.DuckDBPyConnection, table: str) -> str:
    """Return the columns to show; a value of another type is in a column of its own."""
    there = {row[0] for row in connection.sql(f"describe peer.{table}").fetchall()}
    number = [name for name in ("sequential_id__v_text", "sequential_id::text") if name.partition("::")[0] in there]
    risk = "risk_score" if "risk_score" in there else "null"
    if table == "assets":
        return "id, epoch_ms(updated_at), name, null, null, null, null, null"
    return f"id, epoch_ms(updated_at), title, status, priority, time_items, coalesce({', '.join(number)}), {risk}"


if __name__ == "__main__":
    main()
