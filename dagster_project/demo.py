"""The whole job on the embedded simulator, told step by step, ending in a table of KPIs."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

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
        console.print(line, markup=False)

    with embedded.running(settings) as started:
        console.print(
            f"MaintainX is played by {embedded.address(settings)}{'' if started else ', which ran already'}; data in {settings.data_dir}"
        )
        if publish.current(settings.published_dir):
            _a_day_later(settings, console)
        report = refresh.refresh(settings, say)
    published = publish.current(settings.published_dir)
    if published:
        _show(console, published)
    return int(bool(report.failed))


def _a_day_later(settings: Settings, console: Console) -> None:
    answer = embedded.advance(settings, DAYS_A_RUN)
    now, changes = datetime.fromisoformat(answer["now"]), sum(answer["changes"].values())
    console.print(f"A day passes in the plant: it is {now:%A %d %B %Y %H:%M} UTC now, and {changes:,} things have happened")


def _show(console: Console, published: Path) -> None:
    effort = figures.last_run(published)
    console.print(
        f"\nRead {effort.fetched:,} records in {effort.requests:,} requests; {effort.versions:,} of them were new or had changed"
        + (f"; {effort.quarantined:,} are in quarantine" if effort.quarantined else "")
    )
    console.print(kpi_table(figures.last_closed_month(published)))
    console.print("\nWhat to do next")
    for command, about in NEXT_STEPS:
        console.print(f"  {command:<15} {about}")


def kpi_table(rows: Iterable[dict]) -> Table:
    """Return the rows of `figures.last_closed_month` as a table with one line per KPI and one column per site."""
    rows = list(rows)
    site_names = list(dict.fromkeys(row["site_name"] for row in rows))
    month = f"{rows[0]['period_start_on']:%B %Y}" if rows else "No month is over yet"
    table = Table("KPI", *site_names, title=month, title_justify="left", show_lines=False)
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
