"""One batch and one publication, as small as they can be and the same however often they are made: what faults of the disk strike.

`python -m tests.kills.small_job <folder>` says `committed` and `published` as soon as it is so.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from dagster_project.publish import current, publish
from dagster_project.settings import Settings
from dagster_project.warehouse.base import Commit, State
from dagster_project.warehouse.duckdb import DuckDBWarehouse
from dagster_project.warehouse.open import open_warehouse

KNOWN_AT = datetime(2026, 11, 16, 6, tzinfo=UTC)
ROWS = 300
STATE = """
select count(*) filter (version_number = 2), (select count(*) from raw.locations_latest where version_number = 2),
    (select count(*) from ops.state where endpoint = 'locations') from raw.locations
"""
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


def state(folder: Path) -> tuple:
    """Return the second versions, the latest rows of second versions, and the states."""
    return rows(folder / "warehouse.duckdb", STATE)[0]


def value(folder: Path) -> float:
    """Return what readers see."""
    path = current(folder / "published")
    [(found,)] = rows(path, "select distinct value from marts.kpis") if path else [(None,)]
    return found


def reported(folder: Path) -> list[tuple]:
    """Return how often which value was reported."""
    return rows(folder / "warehouse.duckdb", "select value, count(*) from ops.kpi_reported group by all order by all")


def rows(path: Path, query: str) -> list[tuple]:
    """Return the rows of a query."""
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(query).fetchall()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
