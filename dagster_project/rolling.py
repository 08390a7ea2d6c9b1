"""How much of history today's comparison reads: as much as its share of the token's requests pays for."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

import polars as pl

from dagster_project.labour import LIVE_STATUSES
from dagster_project.warehouse.base import Warehouse

PAGE_ROWS = 200
RECENT_DAYS = 30  # what changed since then is compared every day
MOST_DAYS = 30  # in which all of history should have been compared once
A_DAY = timedelta(hours=23)  # nightly, with room for a run that starts a little early


@dataclass(frozen=True, slots=True)
class Plan:
    """What one comparison reads: everything, or what is open, what is recent, and a part of history by createdAt."""

    is_whole: bool
    requests: int  # that it costs, absentees not counted
    since: datetime | None = None  # of the part, inclusive; None: from the beginning
    until: datetime | None = None  # inclusive; None: to the end
    days: int = 1  # in which all of history is compared at this pace

    @property
    def shortfall(self) -> str | None:
        """Return in words that the share does not pay for all of history within a month; None when it does."""
        if self.days <= MOST_DAYS:
            return None
        return f"at RECONCILE_SHARE all of history is compared in {self.days} days, not in {MOST_DAYS}: raise it to find deletions sooner"


def plan(known: pl.DataFrame, now: datetime, reached: datetime | None, allowed: int, page_rows: int | None = None) -> Plan:
    """Return what to read today.

    Args:
        known: the live records of the log, as `Warehouse.live` gives them.
        now: the source's clock.
        reached: the createdAt up to which history was compared before; None starts over.
        allowed: requests that are left for today.
        page_rows: records that one request brings; None: 200.
    """
    page_rows = page_rows or PAGE_ROWS
    whole = pages(known.height, page_rows)
    if whole <= allowed:
        return Plan(is_whole=True, requests=whole)
    is_live, is_recent = pl.col("status").is_in(LIVE_STATUSES), pl.col("updated_at") >= now - timedelta(days=RECENT_DAYS)
    always = sum(pages(known.filter(which).height, page_rows) for which in (is_live, is_recent))
    part = max(1, allowed - always)
    until = end_of_part(known["created_at"], reached, part * page_rows)
    return Plan(is_whole=False, requests=always + part, since=reached, until=until, days=ceil(whole / part))


def end_of_part(created: pl.Series, since: datetime | None, rows: int) -> datetime | None:
    """Return the createdAt that ends a part of so many rows; None when it reaches the end.

    A part ends later than it begins, however many rows share one instant: else it would never move on.
    """
    ahead = created.drop_nulls().sort()
    if since is not None:
        ahead = ahead.filter(ahead >= since)
    if rows >= ahead.len():
        return None
    until = ahead[rows - 1]
    if since is None or until > since:
        return until
    later = ahead.filter(ahead > since)
    return later[0] if later.len() else None


def pages(rows: int, page_rows: int) -> int:
    """Return the requests that reading so many rows costs."""
    return rows // page_rows + 1


def spent(warehouse: Warehouse, organisation_id: int, now: datetime) -> int:
    """Return the requests that an organisation's comparisons have cost since yesterday's."""
    rows = warehouse.query(
        "select sum(requests) as n from ops.reconciliation where organisation_id = ? and reconciled_at > ? "
        "and reconciled_at <= ? and scope <> 'first_load'",
        [organisation_id, now - A_DAY, now],
    )
    return int(rows["n"].item() or 0)
