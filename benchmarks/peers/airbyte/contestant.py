"""The manifest run by PyAirbyte into its DuckDB cache: incremental, merged by primary key. README.md says why so."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ |= {"DO_NOT_TRACK": "1", "AIRBYTE_OFFLINE_MODE": "1"}

import duckdb
import yaml
from rows import arguments, show  # ty: ignore[import-not-found]

MANIFEST = Path(__file__).with_name("manifest.yaml")


def sync(url: str, token: str, folder: Path, now: str, is_full: bool) -> None:
    """Read both streams into the cache."""
    import airbyte  # noqa: PLC0415  takes seconds, and is not needed to show rows  # ty: ignore[import-not-found]
    from airbyte.caches import DuckDBCache  # noqa: PLC0415  # ty: ignore[import-not-found]
    from airbyte.strategies import WriteStrategy  # noqa: PLC0415  # ty: ignore[import-not-found]

    os.chdir(folder)  # PyAirbyte keeps temporary files in the current folder
    config = {"url": url, "token": token, "now": now, "__injected_declarative_manifest": yaml.safe_load(MANIFEST.read_text())}
    executable = Path(sys.executable).with_name("source-declarative-manifest")
    source = airbyte.get_source("source-declarative-manifest", config=config, local_executable=executable, streams="*")
    cache = DuckDBCache(db_path=folder / "data.duckdb", schema_name="peer", cache_dir=folder / "cache")
    how = WriteStrategy.REPLACE if is_full else WriteStrategy.MERGE
    source.read(cache=cache, write_strategy=how, force_full_refresh=is_full, skip_validation=True)


def main() -> None:
    """Sync once, or show the rows."""
    given = arguments()
    if given.what == "sync":
        sync(given.url, given.token, given.folder, given.now, given.full)
        return
    with duckdb.connect(str(given.folder / "data.duckdb"), read_only=True) as connection:
        for table in ("work_orders", "assets"):
            show(table, connection.sql(f"select {shown(connection, table)} from peer.{table}").fetchall())


def shown(connection: duckdb.DuckDBPyConnection, table: str) -> str:
    """Return the columns to show."""
    there = {row[0].lower() for row in connection.sql(f"describe peer.{table}").fetchall()}
    if table == "assets":
        return "id, epoch_ms(updatedat), name, null, null, null, null, null"
    return f"id, epoch_ms(updatedat), title, status, priority, timeitems, sequentialid, {'riskscore' if 'riskscore' in there else 'null'}"


if __name__ == "__main__":
    main()
