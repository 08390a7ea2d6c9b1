"""What was reported of each KPI, and when: the rows of `ops.kpi_reported`, which no rebuild can bring back."""

from datetime import datetime
from pathlib import Path

from dagster_project.warehouse.copying import Connection

KEY = ("kpi", "organisation_id", "scope_type", "scope_id", "period_grain", "period_start_on")
FIGURE = ("value", "numerator", "denominator", "n", "reason", "window_state", "definition_version")
NEWS = "kpi_news"  # a temporary table: what the next publication reports for the first time


def find_news(connection: Connection, version: str, known_at: datetime, reported_at: datetime) -> int:
    """Put the rows of `marts.kpis` that differ from the last reported one of their key into `NEWS`; return their number.

    A figure that was never reported is news; so is the same figure in another state of its window (open, closed, restated).
    Of scopes finer than a site only what is closed counts as reported: their open periods change with every reading, and would make
    this table, which is never pruned, grow by all of them each day.
    """
    connection.execute(f"create or replace temp table {NEWS} as from ops.kpi_reported limit 0")
    same = " and ".join(f"k.{column} is not distinct from r.{column}" for column in (*KEY, *FIGURE))
    query = f"""
        insert into {NEWS} by name
        with last_reported as (
            select * from ops.kpi_reported
            qualify row_number() over (partition by {", ".join(KEY)} order by version desc) = 1
        )
        select {", ".join(f"k.{column}" for column in ("site_id", *KEY, *FIGURE))},
            $version as version, cast($known_at as timestamptz) as known_at, cast($reported_at as timestamptz) as reported_at
        from (from marts.kpis where window_state <> 'open' or scope_type in ('organisation', 'site')) k
            anti join last_reported r on {same}
        order by {", ".join(f"k.{column}" for column in KEY)}
    """
    values = {"version": version, "known_at": known_at, "reported_at": reported_at}
    return connection.execute(query, values).fetchall()[0][0]


def append_news(connection: Connection) -> None:
    """Append what `find_news` found; nothing is left of it afterwards."""
    connection.execute(f"insert into ops.kpi_reported by name from {NEWS}")
    connection.execute(f"drop table {NEWS}")


def take_back_in(connection: Connection, published: Path) -> int:
    """Append the rows that a published file reports and `ops.kpi_reported` lacks; return their number.

    They are missing when the process was killed between publishing and writing down what it had published.
    """
    same = " and ".join(f"p.{column} is not distinct from r.{column}" for column in (*KEY, "version"))
    connection.execute("attach '{}' as last_published (read_only)".format(str(published).replace("'", "''")))
    try:
        query = f"insert into ops.kpi_reported by name from last_published.ops.kpi_reported p anti join ops.kpi_reported r on {same}"
        return connection.execute(query).fetchall()[0][0]
    finally:
        connection.execute("detach last_published")


def last_version(connection: Connection) -> str | None:
    """Return the latest version that reported something, None before the first."""
    return connection.execute("select max(version) from ops.kpi_reported").fetchall()[0][0]
