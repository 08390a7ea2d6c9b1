"""The demo's table: every KPI of every site, and words where there is no figure."""

from datetime import date

import pytest
from rich.console import Console

from dagster_project.demo import cell, kpi_table, told
from dagster_project.warehouse.figures import Effort


def row(label: str = "Lead time", site_name: str = "Austin", unit: str = "hours", value: float | None = 4.2, reason: str = "") -> dict:
    figure = {"label": label, "site_name": site_name, "unit": unit, "value": value, "n": 3, "reason": reason or None}
    return {**figure, "period_start_on": date(2026, 10, 1)}


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        ("hours", 4.24, "4.2 h"),
        ("share", 0.8749, "87.5 %"),
        ("orders", 1204.0, "1,204"),
        ("crew_weeks", 3.21, "3.2 weeks"),
        ("orders", 0.0, "0"),
    ],
)
def test_a_figure_has_its_unit(unit: str, value: float, text: str) -> None:
    assert cell(row(unit=unit, value=value)) == text


def test_a_missing_figure_says_why_in_words() -> None:
    assert cell(row(value=None, reason="no_repair_evidence")) == "— (no repair evidence)"


def test_the_table_has_a_line_per_kpi_and_a_column_per_site() -> None:
    rows = [row(), row(site_name="Pune", value=7.0), row("PM share", "Pune", "share", 0.5)]
    console = Console(width=80, record=True, file=None)
    with console.capture() as captured:
        console.print(kpi_table(rows))
    lines = [" ".join(line.split()) for line in captured.get().splitlines() if line.strip() and "─" not in line]
    assert lines == ["October 2026", "KPI Austin Pune", "Lead time 4.2 h 7.0 h", "PM share 50.0 %"]


def test_before_the_first_month_is_over_the_table_says_so() -> None:
    console = Console(width=80)
    with console.capture() as captured:
        console.print(kpi_table([]))
    assert "No month is over yet" in " ".join(captured.get().split())


def test_a_run_is_told_in_two_sentences() -> None:
    assert told(Effort(54, 3269, 240, 0, 35, 6143, 3)) == (
        "Read 3,269 records in 54 requests: 240 were new or had changed. Compared 6,143 with the source in 35 requests: 3 differed."
    )


def test_a_first_run_has_nothing_to_compare() -> None:
    assert (
        told(Effort(228, 29977, 28791, 2, 0, 0, 0))
        == "Read 29,977 records in 228 requests: 28,791 were new or had changed, 2 are in quarantine."
    )
