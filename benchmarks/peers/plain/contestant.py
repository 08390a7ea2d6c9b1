"""The loop that most people write: ask for what changed since the last run's clock, follow the cursor, upsert by id, save the clock."""

import json
import sqlite3
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rows import ASSETS_QUERY, EPOCH, ORDERS_QUERY, arguments, show  # ty: ignore[import-not-found]

LISTS = {"work_orders": ("workorders", "workOrders", ORDERS_QUERY), "assets": ("assets", "assets", ASSETS_QUERY)}
TRIES = 5


def get(url: str, token: str) -> dict:
    """Return one page; failures are tried again, twice as late each time."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})  # noqa: S310
    for attempt in range(TRIES):
        try:
            with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
                return json.load(response)
        except (OSError, ValueError) as error:
            is_ours = isinstance(error, urllib.error.HTTPError) and error.code < 500 and error.code != 429
            if is_ours or attempt == TRIES - 1:
                raise
            time.sleep(2**attempt)
    raise AssertionError


def sync(url: str, token: str, database: sqlite3.Connection, now: str) -> None:
    """Read what changed since the last run."""
    database.execute("create table if not exists records (name text, id integer, content text, primary key (name, id))")
    database.execute("create table if not exists runs (last_sync text)")
    since = database.execute("select max(last_sync) from runs").fetchone()[0] or EPOCH
    for name, (path, items, query) in LISTS.items():
        cursor = None
        while True:
            more = [("cursor", cursor)] if cursor else []
            page = get(f"{url}/{path}?{urlencode([*query, ('updatedAt[gte]', since), *more])}", token)
            rows = [(name, record["id"], json.dumps(record)) for record in page[items]]
            database.executemany("insert or replace into records values (?, ?, ?)", rows)
            database.commit()
            cursor = page.get("nextCursor")
            if not cursor:
                break
    database.execute("insert into runs values (?)", (now,))
    database.commit()


def stored(database: sqlite3.Connection, name: str) -> list[tuple]:
    """Return the rows of one list as they are to be shown."""
    found = []
    for record_id, content in database.execute("select id, content from records where name = ?", (name,)):
        record = json.loads(content)
        shown = record.get("title", record.get("name")), record.get("status") if name == "work_orders" else None, record.get("priority")
        found.append((record_id, record["updatedAt"], *shown, record.get("timeItems"), record.get("sequentialId"), record.get("riskScore")))
    return found


def main() -> None:
    """Sync once, or show the rows."""
    given = arguments()
    database = sqlite3.connect(given.folder / "data.sqlite")
    if given.what == "sync":
        sync(given.url, given.token, database, given.now)
        return
    for name in LISTS:
        show(name, stored(database, name))


if __name__ == "__main__":
    main()
