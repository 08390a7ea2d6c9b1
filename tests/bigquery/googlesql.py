"""Type-checks SQL as BigQuery would, without BigQuery: Google's own analyser, and two rules of the engine that it leaves out.

Runs in .venv-bigquery alone. Standard input: {"project": …, "tables": {"dataset.table": {column: type}}, "statements": [{"name": …,
"sql": …, "makes": "dataset.table" or null, "reads": ["dataset.table", …]}, …]}, each statement after those it reads. Standard output:
{"errors": {name: what is wrong}, "tables": …}, the tables with those that the statements make.
"""

import ctypes
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import wasmtime
from google.protobuf.message import Message
from zetasql.api import CatalogBuilder, TableBuilder
from zetasql.core import wasm_client
from zetasql.core.exceptions import ZetaSQLError
from zetasql.core.local_service import ZetaSqlLocalService
from zetasql.types import AnalyzerOptions, LanguageOptions, SimpleCatalog, Type, TypeKind, ZetaSQLBuiltinFunctionOptions
from zetasql.types.proto_model import (
    AnalyzeRequest,
    AnalyzeResponse,
    LanguageFeature,
    ParameterMode,
    ProductMode,
    ResolvedNodeKind,
    ResolvedWindowFrameEnums,
)

KINDS = {
    "INT64": TypeKind.TYPE_INT64, "FLOAT64": TypeKind.TYPE_DOUBLE, "STRING": TypeKind.TYPE_STRING, "BOOL": TypeKind.TYPE_BOOL,
    "TIMESTAMP": TypeKind.TYPE_TIMESTAMP, "DATE": TypeKind.TYPE_DATE, "NUMERIC": TypeKind.TYPE_NUMERIC, "DATETIME": TypeKind.TYPE_DATETIME,
}  # fmt: skip
RANGE = int(ResolvedWindowFrameEnums.FrameUnit.RANGE)
LEAVES = {"zetasql.TypeProto", "zetasql.FunctionSignatureProto", "zetasql.ParseLocationRangeProto"}  # nothing to find in them
NAMES = {kind: name for name, kind in KINDS.items()}
ALIASES = {"INT64": ("int", "smallint", "integer", "bigint", "tinyint", "byteint"), "BOOL": ("boolean",), "NUMERIC": ("decimal",)}
STATEMENTS = (
    "QUERY", "INSERT", "UPDATE", "DELETE", "MERGE", "BEGIN", "COMMIT", "DROP", "CREATE_TABLE_AS_SELECT", "CREATE_SNAPSHOT_TABLE",
)  # fmt: skip
# what the language has and BigQuery has not
ABSENT = (
    "AGGREGATE_FILTERING", "LATERAL_JOIN", "MULTILEVEL_AGGREGATION", "MULTILEVEL_AGGREGATION_ON_UDAS", "BARE_ARRAY_ACCESS", "REPEAT",
    "LIMIT_OFFSET_EXPRESSIONS", "CONCAT_MIXED_TYPES", "TIMESTAMP_NANOS", "TIMESTAMP_PICOS", "ARRAY_ORDERING",
    "WITH_RECURSIVE_DEPTH_MODIFIER", "NULLIFZERO_ZEROIFNULL", "UUID_TYPE", "CAST_DIFFERENT_ARRAY_TYPES", "EXPERIMENTAL_MODULES",
    "FOR_UPDATE", "INSERT_ON_CONFLICT_CLAUSE",
)  # fmt: skip


class KeptModule:
    """The analyser's WebAssembly as machine code, kept in the environment: compiling it takes 18 s of CPU."""

    @staticmethod
    def from_file(engine: wasmtime.Engine, path: str) -> wasmtime.Module:
        """The compiled module."""
        kept = Path(sys.prefix, "zetasql.cwasm")
        if not kept.exists():
            aside = kept.with_suffix(f".{os.getpid()}")
            aside.write_bytes(bytes(wasmtime.Module.from_file(engine, path).serialize()))
            aside.replace(kept)
        return wasmtime.Module.deserialize_file(engine, str(kept))


wasm_client.Module = KeptModule


def read_bytes(self: wasm_client.WasmClient, start: int, size: int) -> bytes:
    """What the analyser's memory holds; zetasql's own way takes it byte by byte."""
    return ctypes.string_at(ctypes.addressof(self.memory.data_ptr().contents) + start, size)


wasm_client.WasmClient.read_bytes = read_bytes


def language() -> LanguageOptions:
    """The language as BigQuery speaks it."""
    options = LanguageOptions.maximum_features()
    options.product_mode = ProductMode.PRODUCT_EXTERNAL
    absent = {int(LanguageFeature[f"FEATURE_{name}"]) for name in ABSENT}
    options.supported_statement_kinds = [ResolvedNodeKind[f"RESOLVED_{kind}_STMT"] for kind in STATEMENTS]
    options.enabled_language_features = [one for one in options.enabled_language_features if int(one) not in absent]
    return options


LANGUAGE = language()
OPTIONS = AnalyzerOptions(language_options=LANGUAGE, parameter_mode=ParameterMode.PARAMETER_POSITIONAL, allow_undeclared_parameters=True)


def catalog(project: str, tables: dict[str, dict[str, str]]) -> SimpleCatalog:
    """The tables, as project.dataset.table."""
    root = CatalogBuilder("root").with_builtin_functions(ZetaSQLBuiltinFunctionOptions(language_options=LANGUAGE)).build()
    root.named_type = [
        SimpleCatalog.NamedType(name=alias, type=Type(type_kind=KINDS[name])) for name, aliases in ALIASES.items() for alias in aliases
    ]
    datasets: dict[str, SimpleCatalog] = {}
    for name, columns in tables.items():
        dataset, _, table = name.partition(".")
        builder = TableBuilder(table)
        for column, kind in columns.items():
            builder.add_column(column, KINDS[kind])
        datasets.setdefault(dataset, SimpleCatalog(name=dataset, table=[])).table.append(builder.build())
    # a dataset stands for itself, too: the project is then the one that asks
    root.catalog = [SimpleCatalog(name=project, table=[], catalog=list(datasets.values())), *datasets.values()]
    return root


def walk(node: Message) -> Iterator[Message]:
    """The node and everything below it."""
    yield node
    for field, value in node.ListFields():
        if field.message_type and field.message_type.full_name not in LEAVES:
            for below in value if field.is_repeated else [value]:
                yield from walk(below)


def refused(statement: Message) -> set[str]:
    """What is good SQL and yet refused when BigQuery runs it."""
    found: set[str] = set()
    for node in walk(statement):
        kind = node.DESCRIPTOR.name
        if kind == "ResolvedJoinScanProto" and node.join_type and not _is_joined(node):
            found.add("an outer join without an equality of a column of one side with one of the other")
        elif kind == "ResolvedSubqueryExprProto" and node.parameter_list:
            found.add("a correlated subquery, which BigQuery runs only if it can make a join of it: write the join")
        elif kind == "ResolvedAnalyticFunctionGroupProto" and _is_ordered_range(node):
            found.add("NULLS LAST in a window without ROWS: refused in a RANGE frame, the default of a running sum")
    return found


def _is_joined(join: Message) -> bool:
    left, right = (_made(side) for side in (join.left_scan, join.right_scan))
    return any(_joins(call, left, right) for call in _conjuncts(join.join_expr))


def _made(scan: Message) -> set[int]:
    """The columns that a relation gives: a scan lists them at its innermost parent."""
    return {column.column_id for node in walk(scan) if node.DESCRIPTOR.name == "ResolvedScanProto" for column in node.column_list}


def _conjuncts(expression: Message) -> Iterator[Message]:
    """The function calls that must all hold."""
    for node in walk(expression):
        if node.DESCRIPTOR.name == "ResolvedFunctionCallBaseProto":
            if node.function.name == "ZetaSQL:$and":
                for argument in node.argument_list:
                    yield from _conjuncts(argument)
            else:
                yield node
            return


def _joins(call: Message, left: set[int], right: set[int]) -> bool:
    if call.function.name != "ZetaSQL:$equal":
        return False
    one, other = (_read(argument) for argument in call.argument_list)
    return bool(one and other) and ((one <= left and other <= right) or (one <= right and other <= left))


def _read(expression: Message) -> set[int]:
    return {node.column.column_id for node in walk(expression) if node.DESCRIPTOR.name == "ResolvedColumnRefProto"}


def _is_ordered_range(group: Message) -> bool:
    frames = [node for node in walk(group) if node.DESCRIPTOR.name == "ResolvedWindowFrameProto"]
    ordered = [node for node in walk(group.order_by) if node.DESCRIPTOR.name == "ResolvedOrderByItemProto"]
    return any(frame.frame_unit == RANGE for frame in frames) and any(item.null_order for item in ordered)


def analyse(service: ZetaSqlLocalService, catalog_id: int, sql: str) -> dict[str, str]:
    """The columns that a query gives; a statement gives none.

    Raises:
        ZetaSQLError, ValueError: what BigQuery would refuse.
    """
    request = AnalyzeRequest(sql_statement=sql, options=OPTIONS, registered_catalog_id=catalog_id)
    # the answer as it comes: made into Python objects, it takes three times as long
    answer = service.wasm_client.call_grpc_func("ZetaSqlLocalService_Analyze", request.to_proto(), AnalyzeResponse._PROTO_CLASS)
    if found := refused(answer.resolved_statement):
        raise ValueError("; ".join(sorted(found)))
    columns: dict[str, str] = {}
    for given in answer.resolved_statement.resolved_query_stmt_node.output_column_list:
        kind = TypeKind(given.column.type.type_kind)
        if given.name in columns or given.name.startswith("$"):
            raise ValueError(f"the column {given.name} has no name of its own")
        if kind not in NAMES:
            raise ValueError(f"the column {given.name} is a {kind.name}")
        columns[given.name] = NAMES[kind]
    return columns


def levels(statements: list[dict]) -> list[list[dict]]:
    """The statements in groups: each reads what earlier groups make."""
    level_of: dict[str, int] = {}
    grouped: dict[int, list[dict]] = {}
    for one in statements:
        level = 1 + max((level_of.get(table, 0) for table in one["reads"]), default=0)
        grouped.setdefault(level, []).append(one)
        if one["makes"]:
            level_of[one["makes"]] = level
    return [grouped[level] for level in sorted(grouped)]


def main() -> None:
    """Analyse what standard input holds."""
    asked = json.load(sys.stdin)
    tables, errors, service = asked["tables"], {}, ZetaSqlLocalService.get_instance()
    for level in levels(asked["statements"]):
        catalog_id = service.register_catalog(simple_catalog=catalog(asked["project"], tables)).registered_id
        for one in level:
            if lacking := [name for name in one["reads"] if name not in tables]:
                errors[one["name"]] = f"it reads what is not there: {', '.join(lacking)}"
                continue
            try:
                columns = analyse(service, catalog_id, one["sql"])
            except (ZetaSQLError, ValueError) as error:
                errors[one["name"]] = str(error)
                continue
            if one["makes"]:
                tables[one["makes"]] = columns
    json.dump({"errors": errors, "tables": tables}, sys.stdout)


if __name__ == "__main__":
    main()
