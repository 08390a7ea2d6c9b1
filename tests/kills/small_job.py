"""One batch and one publication, as small as they can be and the same however often they are made: what faults of the disk strike.

`python -m tests.kills.small_job <folder>` says `committed` and `published` as soon as it is so.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

from dagster_project.publish import publish
from dagster_project.settings import Settings
from dagster_project.warehouse.base import Commit, State
from dagster_project.warehouse.duckdb import DuckDBWarehouse
from dagster_project.warehouse.open import open_warehouse

KNOWN_AT = datetime(2026, 11, 16, 6, tzinfo=UTC)
ROWS = 300
SECOND = "select * replace (2 as version_number) from raw.{} where 1 = all (select version_number from raw.locations)"


def prepare(folder: Path) -> None:
    """Fill a folder with a warehouse of 300 locations and one published KPI, everything in its first version."""
    settings = Settings(data_dir=folder)
    with open_warehouse(settings) as warehouse:
        for table in ("locations", "locations_latest"):
            warehouse.execute(
                f"""insert into raw.{table} by name select 101 as organisation_id, i as id, 1 as version_number,
                hash(i) // 2 as content_hash, false as is_deleted from range({ROWS}) r(i)"""
            )
        warehouse.execute("create schema marts")
        say(warehouse, 1)
        publish(settings, warehouse, KNOWN_AT)


def main(folder: Path) -> None:
    """Append a second version of each location with its state, and publish a second value."""
    settings = Settings(data_dir=folder)
    with open_warehouse(settings) as warehouse:
        versions, latest = (warehouse.query(SECOND.format(table)) for table in ("locations", "locations_latest"))
        warehouse.commit(Commit("locations", 101, versions, latest=latest, states=[State(101, "locations", watermark=KNOWN_AT)]))
        print("committed", flush=True)
        say(warehouse, 2)
        publish(settings, warehouse, KNOWN_AT)
        print("published", flush=True)


def say(warehouse: DuckDBWarehouse, value: int) -> None:
    """Let marts.kpis say one value, as often as there are locations."""
    warehouse.execute(
        f"""create or replace table marts.kpis as select 'mttr' as kpi, 101::bigint as organisation_id, 'austin' as site_id,
        'site' as scope_type, i::varchar as scope_id, 'week' as period_grain, date '2026-11-09' as period_start_on,
        {value}::double as value, {value}::double as numerator,
        1::double as denominator, 1::bigint as n, null::varchar as reason, 'closed' as window_state,
        '1' as definition_version from range({ROWS}) r(i)"""
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
