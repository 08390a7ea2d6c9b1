"""Recorded lists in place of the simulated company: real rows, served as they are under one organisation."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from simulator.catalogue import BY_ITEMS
from simulator.instants import MINUTE, parse
from simulator.world import REQUIRED_NULLS, Record, World

ORGANISATION_ID = 1001
SUFFIX = ".ndjson.gz"
# what can move the clock: a due date may lie ahead of everything that happened
_HAPPENED = ("createdAt", "updatedAt", "completedAt", "startedAt", "endedAt", "lastMessageSentAt")


class BadRecording(ValueError):
    """The folder holds no lists that can be served: it says which file and line, and why."""


def load(folder: Path) -> World:
    """Return a world of the rows in `<envelope key>.ndjson.gz` files, its clock one minute after the newest instant in them.

    Each record has one version, at its updatedAt (of records without: at the oldest instant of all).

    Raises:
        BadRecording: there is no such file, its name is not the key of a list, or a line is not a record with an id.
    """
    files = sorted(folder.glob(f"*{SUFFIX}"))
    if not files:
        raise BadRecording(f"no *{SUFFIX} files in {folder}")
    rows = sorted((row for path in files for row in _rows(path)), key=lambda row: row[0])
    newest = max((parse(record[key]) for _, _, record in rows for key in _HAPPENED if key in record), default=0)
    oldest = min((at for at, _, _ in rows if at), default=0)
    world = World(oldest, is_recorded=True)
    world.add("organizations", ORGANISATION_ID, {"id": ORGANISATION_ID, "name": "Recorded", "timeZone": "UTC"})
    for at, table, record in rows:
        world.now = max(at, oldest)
        world.add(table, ORGANISATION_ID, record)
    world.now = newest + MINUTE
    return world


def _rows(path: Path) -> Iterator[tuple[int, str, Record]]:
    items = path.name.removesuffix(SUFFIX)
    if items not in BY_ITEMS:
        raise BadRecording(f"{path} is not named after a list: expected one of {', '.join(sorted(BY_ITEMS))}")
    table = BY_ITEMS[items].table
    for number, line in enumerate(gzip.decompress(path.read_bytes()).splitlines(), 1):
        try:
            record = msgspec.json.decode(line)
        except msgspec.DecodeError as error:
            raise BadRecording(f"{path}, line {number}: {error}") from error
        if not isinstance(record, dict) or not isinstance(record.get("id"), int):
            raise BadRecording(f"{path}, line {number}: not a record with an integer id")
        yield parse(record["updatedAt"]) if record.get("updatedAt") else 0, table, _without_nulls(table, record)


def _without_nulls(table: str, value: Any, *, is_nested: bool = False) -> Any:
    if isinstance(value, list):
        return [_without_nulls(table, each, is_nested=True) for each in value]
    if not isinstance(value, dict):
        return value
    # an embedded asset keeps the nulls that a row of assets keeps
    required = REQUIRED_NULLS["assets"] if is_nested else REQUIRED_NULLS.get(table, frozenset())
    kept = {
        key: _without_nulls(table, each, is_nested=True) if key in {"asset", "assignees", "timeItems"} else _drop(each)
        for key, each in value.items()
        if each is not None or key in required
    }
    missing = () if is_nested else (key for key in sorted(required) if key not in kept)
    return kept | dict.fromkeys(missing)


def _drop(value: Any) -> Any:
    return {key: each for key, each in value.items() if each is not None} if isinstance(value, dict) else value
