"""Time the SQL of every KPI over a million work orders and more: `make bench-kpis ARGS="--orders 1000000 --from data/local"`.

The rows are those of a built warehouse, copied until there are enough of them: each copy has orders, and every so many copies
assets, cuts and a shift of some days of their own; organisations, sites, locations, types and teams stay. What a KPI's model
reads is written as tables; what is timed is what dbt compiled of it, every row kept. No source, no sync, no dbt.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import duckdb

from benchmarks.kpi_report import write
from dagster_project.settings import ROOT, load
from dagster_project.warehouse.duckdb import connect

ORDERS_PER_ASSET = 250  # of a plant whose assets see an order every other day, over a year and a half
ORDER_STEP, ASSET_STEP, CUT_STEP = 10**10, 10**9, 10**7
MEMORY = "8GB"
ASSETS = "count(distinct asset_id) from {}intermediate.int_cuts"
SIZES = ("count(*) from intermediate.int_work_orders", ASSETS.format(""), "count(*) from intermediate.int_cuts")

SITE_WEEKS = "scope_type = 'site' and period_grain = 'week'"


@dataclass(frozen=True, slots=True)
class Cost:
    """What one statement took, the medians of some runs, and the rows it gave."""

    wall_seconds: float
    cpu_seconds: float  # of all threads: on a busy machine the only figure that means anything
    rows: int


@dataclass(frozen=True, slots=True)
class Timed:
    """One KPI: for every site and week, and for all scopes and grains."""

    kpi: str
    site_weeks: Cost
    whole: Cost


@dataclass(frozen=True, slots=True)
class Trial:
    """All KPIs over so many work orders."""

    work_orders: int
    assets: int
    cuts: int
    kpis: list[Timed]


def main(arguments: list[str]) -> int:
    """Measure each size, print it, and write it to docs/performance.md unless told not to."""
    given = _parser().parse_args(arguments)
    source = (given.source or load().data_dir).resolve()
    trials = [trial(source, given.scratch / f"{orders}", orders, given.runs, given.only) for orders in given.orders]
    write(trials, dry=given.dry)
    return 0


def trial(source: Path, folder: Path, orders: int, runs: int, only: Sequence[str]) -> Trial:
    """Copy the rows of a warehouse until there are so many orders, and time every KPI over them."""
    project = Project(source, only)
    folder.mkdir(parents=True, exist_ok=True)
    with connect(grown(project, folder, orders), MEMORY) as connection:
        counts = [_one(connection, f"select {what}") for what in SIZES]
        _say(f"{counts[0]:,} work orders, {counts[1]:,} assets, {counts[2]:,} cuts")
        for relation, sql in project.views():
            connection.execute(f"create or replace view {relation} as\n{sql}")
        timed = []
        for name in project.kpis:
            sql = project.sql(name)
            site_weeks = cost(connection, f"select * from ({sql}) as kpi where {SITE_WEEKS}", runs)
            timed.append(Timed(name.removeprefix("kpi_"), site_weeks, cost(connection, sql, runs)))
            _say(_line(timed[-1]))
        return Trial(*counts, timed)


class Project:
    """What dbt compiled of the models in its last build, and the warehouse it was built in."""

    def __init__(self, folder: Path, only: Sequence[str] = ()) -> None:
        self.warehouse = folder / "warehouse.duckdb"
        manifest = json.loads((folder / "dbt" / "manifest.json").read_text(encoding="utf-8"))["nodes"].values()
        self._models = {node["name"]: node for node in manifest if node["resource_type"] == "model"}
        self._compiled = folder / "dbt" / "compiled"
        known = sorted(name for name, node in self._models.items() if "formula" in node["config"].get("meta", {}))
        self.kpis = [name for name in known if not only or name in only]

    def sql(self, name: str) -> str:
        """Return what was compiled of a model, with the instants of that build."""
        node = self._models[name]
        return (self._compiled / node["package_name"] / node["original_file_path"]).read_text(encoding="utf-8")

    def relation(self, name: str) -> str:
        """Return schema and name of a model."""
        return f"{self._models[name]['schema']}.{name}"

    def inputs(self) -> list[str]:
        """Return the models, not KPIs themselves, that the KPIs read, with those that say how large it all is."""
        wanted = {parent for name in self.kpis for parent in self._parents(name)} | {"int_work_orders", "int_cuts"}
        return sorted(name for name in wanted if name not in self.kpis)

    def views(self) -> Iterator[tuple[str, str]]:
        """Return relation and SQL of the KPIs, each after those it reads."""
        left = dict.fromkeys(self.kpis)
        while left:
            ready = [name for name in left if not set(self._parents(name)) & set(left)]
            for name in ready:
                del left[name]
                yield self.relation(name), self.sql(name)

    def _parents(self, name: str) -> list[str]:
        return [one.split(".")[-1] for one in self._models[name]["depends_on"]["nodes"] if one.startswith("model.")]


def grown(project: Project, folder: Path, orders: int) -> Path:
    """Write a warehouse of the same tables with so many orders, and return it; one that is there already is used again."""
    path = folder / "warehouse.duckdb"
    if path.exists():
        return path
    aside = folder / "warehouse_aside.duckdb"
    aside.unlink(missing_ok=True)
    with connect(aside, MEMORY) as connection:
        connection.execute(f"attach '{project.warehouse}' as warehouse (read_only)")  # the name by which its views know it
        has = _one(connection, "select count(*) from warehouse.intermediate.int_work_orders")
        assets = _one(connection, f"select {ASSETS.format('warehouse.')}")
        copies = -(-orders // has)
        groups = max(1, min(copies, orders // ORDERS_PER_ASSET // assets))
        for name in project.inputs():
            schema, table = project.relation(name).split(".")
            connection.execute(f"create schema if not exists {schema}")
            connection.execute(f"create table {schema}.{table} as {_copied(connection, schema, table, copies, groups)}")
        connection.execute("detach warehouse")
    aside.rename(path)
    return path


def _copied(connection: duckdb.DuckDBPyConnection, schema: str, table: str, copies: int, groups: int) -> str:
    """Return the selection of a table's copies: one for each copy of the orders, or one for each group of assets, or the table."""
    columns = [name for name, *_ in connection.execute(f"describe warehouse.{schema}.{table}").fetchall()]
    if "work_order_id" in columns or "work_request_id" in columns:
        times = copies
    elif {"asset_id", "cut_id"} & set(columns):
        times = groups
    else:
        return f"from warehouse.{schema}.{table}"
    order, asset = f"c.copy * {ORDER_STEP}", f"(c.copy % {groups}) * {ASSET_STEP}"
    steps = {name: f"{name} + {order}" for name in ("work_order_id", "work_request_id", "predecessor_id", "parent_id")}
    steps |= {name: f"{name} + {asset}" for name in ("asset_id", "parent_asset_id")}
    steps["cut_id"] = f"cut_id + (c.copy % {groups}) * {CUT_STEP}"
    if table == "int_cut_scopes":
        own = f"cast(cast(scope_id as bigint) + {asset} as varchar)"
        steps["scope_id"] = f"case when scope_type = 'asset' then {own} else scope_id end"
    changed = ", ".join(f"{expression} as {name}" for name, expression in steps.items() if name in columns)
    return f"select * replace ({changed}) from warehouse.{schema}.{table}, range({times}) c(copy)"


def cost(connection: duckdb.DuckDBPyConnection, sql: str, runs: int) -> Cost:
    """Run a query some times, every row kept."""
    wall, cpu = [], []
    for _ in range(runs):
        started, used = time.perf_counter(), time.process_time()
        connection.execute(f"create or replace temp table timed as\n{sql}")
        wall.append(time.perf_counter() - started)
        cpu.append(time.process_time() - used)
    return Cost(median(wall), median(cpu), _one(connection, "select count(*) from timed"))


def _line(timed: Timed) -> str:
    costs = [f"{one.cpu_seconds * 1000:.0f} ms of CPU ({one.wall_seconds * 1000:.0f} ms)" for one in (timed.site_weeks, timed.whole)]
    return f"{timed.kpi}: sites and weeks {costs[0]}, whole {costs[1]}, {timed.whole.rows:,} rows"


def _one(connection: duckdb.DuckDBPyConnection, sql: str) -> Any:
    return connection.execute(sql).fetchall()[0][0]


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench-kpis", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, nargs="+", default=[1_000_000], help="work orders of each trial")
    parser.add_argument("--from", dest="source", type=Path, help="DATA_DIR of a built warehouse; by default that of the settings")
    parser.add_argument("--scratch", type=Path, default=ROOT / "data" / "local" / "tmp-kpis", help="where the copies lie")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", nargs="*", default=[], help="models (kpi_mttr …) instead of all")
    parser.add_argument("--dry", action="store_true", help="print, do not write")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
