"""The part of docs/performance.md that says what the SQL of the KPIs costs."""

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from statistics import median
from typing import TYPE_CHECKING

from dagster_project.settings import ROOT

if TYPE_CHECKING:
    from benchmarks.kpis import Cost, Timed, Trial

DOCUMENT = ROOT / "docs" / "performance.md"
START, END = "<!-- kpi sql -->\n", "<!-- end of kpi sql -->"
SLOWEST = 10


def write(trials: Sequence["Trial"], *, dry: bool) -> None:
    """Print the tables, and put them in the place of the last ones."""
    measured = text(trials)
    print(measured)
    if not dry:
        before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(START)
        DOCUMENT.write_text(f"{before}{START}\n{measured}\n{END}{rest.partition(END)[2]}", encoding="utf-8")


def text(trials: Sequence["Trial"]) -> str:
    """Return the tables in Markdown."""
    machine = f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, duckdb {version('duckdb')}"
    header = f"Run on {datetime.now(UTC):%Y-%m-%d}; {machine}.\n"
    return "\n".join([header, _sizes(trials), *(_slowest(one) for one in trials)])


def _sizes(trials: Sequence["Trial"]) -> str:
    lines = [
        "| Work orders | Assets | Cuts | What of each KPI | KPIs | Median CPU ms | 90 % within | Slowest | All together CPU s | Rows |",
        "|---:|---:|---:|---|---:|---:|---:|---:|---:|---:|",
    ]
    for trial in trials:
        for what, costs in (
            ("every site and week", [each.site_weeks for each in trial.kpis]),
            ("all scopes and grains", [each.whole for each in trial.kpis]),
        ):
            cells = [f"{trial.work_orders:,}", f"{trial.assets:,}", f"{trial.cuts:,}", what, f"{len(costs)}", *_times(costs)]
            lines.append(f"| {' | '.join([*cells, f'{sum(each.rows for each in costs):,}'])} |")
    return "\n".join(lines) + "\n"


def _times(costs: Sequence["Cost"]) -> list[str]:
    times = sorted(each.cpu_seconds for each in costs)
    shown = [median(times), times[int(0.9 * (len(times) - 1))], times[-1]]
    return [*(f"{1000 * seconds:,.0f}" for seconds in shown), f"{sum(times):.1f}"]


def _slowest(trial: "Trial") -> str:
    header = ["| KPI | Sites and weeks, CPU ms | All, CPU ms | Rows |", "|---|---:|---:|---:|"]
    slowest = sorted(trial.kpis, key=lambda each: -each.whole.cpu_seconds)[:SLOWEST]
    return "\n".join([f"The slowest at {trial.work_orders:,} work orders:\n", *header, *map(_row, slowest)]) + "\n"


def _row(timed: "Timed") -> str:
    shown = [f"{1000 * one.cpu_seconds:,.0f}" for one in (timed.site_weeks, timed.whole)]
    return f"| `{timed.kpi}` | {shown[0]} | {shown[1]} | {timed.whole.rows:,} |"
