"""From one Struct per endpoint to everything that derives from it: columns, child tables, Polars and pandera schemas."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, get_args, get_origin, get_type_hints

import msgspec
import polars as pl

from dagster_project.frames.checking import pandera
from dagster_project.frames.schemas import RECORDS, Child, Record

if TYPE_CHECKING:
    import pandera.polars as pa

Pick = Callable[[object], tuple]
INSTANT = pl.Datetime("us", "UTC")
KEY: dict[str, pl.DataType] = {"organisation_id": pl.Int64(), "id": pl.Int64(), "version_number": pl.Int32()}
VERSION: dict[str, pl.DataType] = {
    **KEY,
    "content_hash": pl.Int64(),
    "raw_hash": pl.Int64(),
    "shape_version": pl.String(),
    "cause": pl.String(),
    "run_id": pl.String(),
    "observed_at": INSTANT,
    "is_deleted": pl.Boolean(),
}
CHILD: dict[str, pl.DataType] = {**KEY, "position": pl.Int32()}
_DTYPES: dict[type, pl.DataType] = {int: pl.Int64(), str: pl.String(), float: pl.Float64(), bool: pl.Boolean(), datetime: INSTANT}


@dataclass(frozen=True, slots=True)
class ChildTable:
    """A child table: the record's property that lists its rows, and its own columns."""

    name: str
    rows: str
    columns: Mapping[str, pl.DataType]

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """Return the table's columns: the parent's version key, position, then its own."""
        return {**CHILD, **self.columns}


@dataclass(frozen=True, eq=False)
class Contract:
    """What a row of one endpoint must be, and the tables it becomes."""

    table: str
    record: type[Record]
    columns: Mapping[str, pl.DataType]
    children: tuple[ChildTable, ...]
    known_keys: frozenset[str]

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """Return the columns of `raw.<table>`, in order."""
        return {**VERSION, **self.columns, "payload": pl.String()}

    @cached_property
    def decoder(self) -> msgspec.json.Decoder[Record]:
        """Return the strict reader of one record."""
        return msgspec.json.Decoder(self.record)

    @cached_property
    def pick(self) -> Pick:
        """Return what takes the record's columns from it."""
        return picker(self.columns)

    @cached_property
    def picks(self) -> dict[str, Pick]:
        """Return what takes the columns of each child table from an entry of it."""
        return {child.name: picker(child.columns) for child in self.children}

    @cached_property
    def rules(self) -> "list[pa.Check]":
        """Return the rules that look at more than one column."""
        return rules(self.table, self.columns)

    @cached_property
    def checks(self) -> "pa.DataFrameSchema":
        """Return the pandera schema of one batch of versions: types, unique keys and the rules across columns."""
        pa = pandera()
        return pa.DataFrameSchema(
            {name: pa.Column(dtype, nullable=name not in VERSION) for name, dtype in self.schema.items()},
            checks=self.rules,
            unique=list(KEY),
            strict=True,
        )


def picker(names: Iterable[str]) -> Pick:
    """Return a function that gives the values of several fields of an object."""
    asked = list(names)
    if len(asked) > 1:
        return attrgetter(*asked)
    return lambda owner: tuple(getattr(owner, name) for name in asked)


def rules(table: str, columns: Mapping[str, pl.DataType]) -> "list[pa.Check]":
    """Return the rules that look at more than one column; a check's name is the reason code of the quarantine."""
    found = []
    if "updated_at" in columns:
        found.append(_rule("future_updated_at", pl.col("updated_at") <= pl.col("observed_at") + pl.duration(days=1)))
    if table == "asset_statuses":
        found.append(_rule("ended_before_started", pl.col("ended_at") >= pl.col("started_at")))
    return found


def _rule(name: str, expression: pl.Expr) -> "pa.Check":
    return pandera().Check(lambda data: data.lazyframe.select(expression.fill_null(value=True).alias(name)), name=name, error=name)


@cache
def contract(table: str) -> Contract:
    """Return the contract of an endpoint by the name of its raw table."""
    record = RECORDS[table]
    columns: dict[str, pl.DataType] = {}
    children: list[ChildTable] = []
    for name, hint in {**_field_hints(record), **_property_hints(record)}.items():
        if (child := _child(hint)) is not None:
            children.append(ChildTable(child.table, name, _scalars(_field_hints(child))))
        elif (dtype := _dtype(hint)) is not None and name != "id" and not name.startswith("own_"):
            columns[name] = dtype
    keys = frozenset(field.encode_name for field in msgspec.structs.fields(record)) | record.nested_keys
    return Contract(table, record, columns, tuple(children), keys)


def _field_hints(record: type[msgspec.Struct]) -> dict[str, object]:
    hints = get_type_hints(record)
    return {field.name: hints[field.name] for field in msgspec.structs.fields(record)}


def _property_hints(record: type[Record]) -> dict[str, object]:
    found = {name: value for kind in reversed(record.__mro__) for name, value in vars(kind).items() if isinstance(value, property)}
    return {name: get_type_hints(value.fget)["return"] for name, value in found.items()}


def _scalars(hints: Mapping[str, object]) -> dict[str, pl.DataType]:
    return {name: dtype for name, hint in hints.items() if (dtype := _dtype(hint)) is not None}


def _dtype(hint: object) -> pl.DataType | None:
    kinds = [kind for kind in (get_args(hint) or (hint,)) if kind is not type(None)]
    return _DTYPES.get(kinds[0]) if len(kinds) == 1 and isinstance(kinds[0], type) else None


def _child(hint: object) -> type[Child] | None:
    kinds = get_args(hint) if get_origin(hint) is list else ()
    return kinds[0] if kinds and isinstance(kinds[0], type) and issubclass(kinds[0], Child) else None
