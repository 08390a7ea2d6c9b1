"""How a contestant is called, and what it shows of what it holds; needs nothing but the standard library."""

import argparse
import json
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ORDERS_QUERY = (
    ("limit", "200"), ("show_upcoming", "true"),
    *(("expand", name) for name in ("assignees", "categories", "parts", "time_items", "expenditures", "estimated_time", "vendor_ids",
                                    "extra_fields")),
)  # fmt: skip
ASSETS_QUERY = (("limit", "200"), *(("expand", name) for name in ("asset_types", "manufacturer", "model", "extra_fields")))
OVERLAP_SECONDS = 3 * 3600
EPOCH = "2000-01-01T00:00:00.000Z"


def arguments() -> argparse.Namespace:
    """Return what a contestant is called with."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("sync", "rows"), help="sync once, or show the rows")
    parser.add_argument("--url")
    parser.add_argument("--token")
    parser.add_argument("--folder", type=Path, required=True, help="what is kept from one sync to the next")
    parser.add_argument("--now", help="the source's clock, ISO 8601, for tools that would use this machine's")
    parser.add_argument("--full", action="store_true", help="read everything, for tools that replace their tables at night")
    return parser.parse_args()


def show(table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """Print rows of a table.

    Args:
        table: work_orders or assets.
        rows: id, updatedAt (text, datetime in UTC, or milliseconds since 1970), title or name, status, priority, time items (a list, or
            JSON text), sequentialId, riskScore (a field that appears one day; None where it has no place).
    """
    for record_id, updated, title, status, priority, items, number, risk in rows:
        entries = json.loads(items) if isinstance(items, str) else items or []
        labour = sum(int(entry.get("durationTotal") or 0) for entry in entries)
        line = {"table": table, "id": int(record_id), "updated": milliseconds(updated), "title": title, "status": status}
        more = {"priority": priority, "labour": labour, "number": number, "risk": risk}
        sys.stdout.write(json.dumps(line | more) + "\n")


def milliseconds(instant: Any) -> int:
    """Return an instant as milliseconds since 1970."""
    if isinstance(instant, int):
        return instant
    found = datetime.fromisoformat(instant) if isinstance(instant, str) else instant
    return round(found.replace(tzinfo=found.tzinfo or UTC).timestamp() * 1000)


def grouped(query: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return the parameters of a request with repeated names as a list."""
    found: dict[str, Any] = {}
    for name, value in query:
        found[name] = [*found[name], value] if isinstance(found.get(name), list) else [value] if name == "expand" else value
    return found
