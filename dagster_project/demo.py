"""The whole job on the embedded simulator, told step by step, ending in a table of KPIs."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table

from dagster_project import embedded, publish, refresh
from dagster_project.settings import Settings
from dagster_project.warehouse import figures

DAYS_A_RUN = 1  # how far the simulated plant moves on before each later run
NEXT_STEPS = (("make demo", "again: only what a simulated day changed"), ("make dashboard", "the figures in the browser"),
              ("make up", "with Dagster and its schedules"), ("make test", "prove it"))  # fmt: skip


def demo(settings: Settings, console: Console | None = None) -> int:
    """Run the job against the simulator, print what was read and the KPIs of the last closed month; return the exit status.

    The first run reads everything. Before each later one the simulator's clock moves on by a day, and only what changed is read.

    Raises:
        programs.ProgramDied, programs.NoAnswer: the simulator could not be started.
    """
    settings, console = embedded.embedded(settings), console or Console(highlight=False)

    def say(line: str) -> None:
        console.print(line, markup=False, soft_wrap=True)

    with embedded.running(settings) as started:
        say(f"MaintainX is played by {embedded.address(settings)}{'' if started else ', which ran already'}; data in {settings.data_dir}")
        if publish.current(settings.published_dir):
            say(_a_day_later(settings))
        report = refresh.refresh(settings, say)
    published = publish.current(settings.published_dir)
    if published:
        _show(console, published)
    return int(bool(report.failed))


def _a_day_later(settings: Settings) -> str:
    answer = embedded.advance(settings, days=DAYS_A_RUN)
    now, changes = datetime.fromisoformat(answer["now"]), sum(answer["changes"].values())
    return f"A day passes in the plant: it is {now:%A %d %B %Y %H:%M} UTC now, and {changes:,} things have happened"


def _show(console: Console, published: Path) -> None:
    console.print(f"\n{told(figures.last_run(published))}\n", soft_wrap=True)
    console.print(kpi_table(figures.last_closed_month(published)))
    console.print("What to do next")
    for command, about in NEXT_STEPS:
        console.print(f"  {command:<15} {about}")


def told(effort: figures.Effort) -> str:
    """Return in sentences what a run read, what it swept for labour and what it reconciled."""
    read = f"Read {effort.fetched:,} records in {effort.requests:,} requests: {effort.versions:,} were new or had changed"
    aside = f", {effort.quarantined:,} are in quarantine" if effort.quarantined else ""
    compared = (
        f" Compared {effort.reconciled:,} with the source in {effort.reconciling_requests:,} requests: {effort.differences:,} differed."
    )
    swept = f" Swept {effort.swept:,} orders for labour in {effort.sweeping_requests:,} requests: {effort.swept_versions:,} had changed."
    return f"{read}{aside}.{swept if effort.swept else ''}{compared if effort.reconciled else ''}"


def kpi_table(rows: Iterable[dict]) -> Table:
    """Return the rows of `figures.last_closed_month` as a table with one line per KPI and one column per site."""
    rows = list(rows)
    site_names = list(dict.fromkeys(row["site_name"] for row in rows))
    month = f"{rows[0]['period_start_on']:%B %Y}" if rows else "No month is over yet"
    table = Table(
        Column("KPI", no_wrap=True),
        *(Column(name, justify="right") for name in site_names),
        title=month,
        title_justify="left",
        box=SIMPLE_HEAD,
    )
    for label in dict.fromkeys(row["label"] for row in rows):
        cells = {row["site_name"]: cell(row) for row in rows if row["label"] == label}
        table.add_row(label, *(cells.get(name, "") for name in site_names))
    return table


def cell(row: dict) -> str:
    """Return a KPI as text: its value with its unit, or a dash and the reason in words."""
    value = row["value"]
    if value is None:
        return f"— ({row['reason'].replace('_', ' ')})"
    match row["unit"]:
        case "hours":
            return f"{value:,.1f} h"
        case "share":
            return f"{value:.1%}".replace("%", " %")
        case "crew_weeks":
            return f"{value:,.1f} weeks"
        case _:
            return f"{value:,.0f}"
