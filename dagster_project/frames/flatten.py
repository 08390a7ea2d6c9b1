"""Typed records → frames: one of versions, one per child table."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

import msgspec
import polars as pl

from dagster_project.frames.checking import pandera
from dagster_project.frames.contract import VERSION, ChildTable, Contract, Pick
from dagster_project.frames.schemas import Record

T = TypeVar("T")
SMALLEST, LARGEST = -(2**63), 2**63 - 1  # that a column holds


class Version(msgspec.Struct):
    """One version of one record, before it is appended to the log."""

    organisation_id: int
    id: int
    version_number: int
    content_hash: int
    raw_hash: int
    shape_version: str
    cause: str
    run_id: str
    observed_at: datetime
    is_deleted: bool
    record: Record
    values: tuple  # of the contract's columns
    children: dict[str, list[tuple]]  # by child table
    payload: str
    raw: bytes
    keys: frozenset[str] = frozenset()


class Unfit(ValueError):
    """A value that no column can hold: names the field and the value."""

    def __init__(self, field: str, value: object):
        super().__init__(f"{field}: {value!r} does not fit its column")
        self.field, self.value = field, value


def values_of(contract: Contract, record: Record) -> tuple[tuple, dict[str, list[tuple]]]:
    """Return the record's columns, and the rows of its child tables.

    Raises:
        Unfit: a number beyond 64 bits, an instant beyond the calendar, or an id that is no number.
    """
    values = _values(record, contract.pick, contract.columns)
    children = {
        child.name: [_values(entry, contract.picks[child.name], child.columns) for entry in _entries(record, child)]
        for child in contract.children
    }
    return values, children


def _values(owner: object, pick: Pick, names: Iterable[str]) -> tuple:
    """Return the values of an object's fields, all at once where each fits as it is, as nearly all do."""
    values = pick(owner)
    return values if _fits(values) else tuple(_fit(owner, name) for name in names)


def _fits(values: tuple) -> bool:
    for value in values:
        kind = type(value)
        if (kind is int and not SMALLEST <= value <= LARGEST) or (kind is datetime and value.tzinfo is not UTC):
            return False
    return True


def _fit(owner: object, name: str) -> object:
    value = getattr(owner, name)
    if isinstance(value, int) and not SMALLEST <= value <= LARGEST:
        raise Unfit(name, value)
    try:
        return utc(value)
    except OverflowError:
        raise Unfit(name, value) from None


def _entries(record: Record, child: ChildTable) -> list:
    try:
        return getattr(record, child.rows)
    except (ValueError, OverflowError) as error:
        raise Unfit(child.name, str(error)) from None


def versions_frame(contract: Contract, versions: Sequence[Version]) -> pl.DataFrame:
    """Return the rows of `raw.<table>`: one per version, columns and order of `contract.schema`."""
    keys = {name: [getattr(version, name) for version in versions] for name in VERSION}
    values = {name: [version.values[position] for version in versions] for position, name in enumerate(contract.columns)}
    payloads = {"payload": [version.payload for version in versions]}
    return pl.DataFrame({**keys, **values, **payloads}, schema=contract.schema, strict=True)


def child_frame(child: ChildTable, versions: Sequence[Version]) -> pl.DataFrame:
    """Return the rows of one child table: one per entry and version, in the record's order."""
    rows = [
        (version.organisation_id, version.id, version.version_number, position, *entry)
        for version in versions
        for position, entry in enumerate(version.children[child.name])
    ]
    return pl.DataFrame(rows, schema=child.schema, orient="row", strict=True)


def broken_rules(contract: Contract, frame: pl.DataFrame) -> dict[int, str]:
    """Return the rule each broken row breaks, by its position in the frame; empty when all is well.

    Raises:
        pandera.errors.SchemaErrors: the frame itself is not of the contract's shape (a fault of ours, not of a row).
    """
    try:
        contract.checks.validate(frame, lazy=True)
    except pandera().errors.SchemaErrors as error:
        cases = error.failure_cases
        rows = cases.filter(pl.col("index").is_not_null() & pl.col("check").is_in(_rule_names(contract)))
        if rows.height < cases.height:
            raise
        return dict(zip(rows["index"].to_list(), rows["check"].to_list(), strict=True))
    return {}


def unknown_values(contract: Contract, versions: Iterable[Version]) -> list[tuple[str, str]]:
    """Return each (field, value) of an enum that the contract has not seen before; the rows keep it."""
    known = contract.record.known_values
    seen = {(name, getattr(version.record, name)) for version in versions for name in known}
    return sorted((name, value) for name, value in seen if value is not None and value not in known[name])


def utc(value: T) -> T:
    """Return an instant in UTC, whatever its offset; anything else as it is."""
    if isinstance(value, datetime) and value.tzinfo is not UTC:
        return value.astimezone(UTC)
    return value


def _rule_names(contract: Contract) -> list[str]:
    return [str(check.name) for check in contract.rules]
