"""The demo: a first run that reads everything, a second that reads what changed, and a table of every KPI of every site."""

import re
from collections.abc import Generator
from datetime import date
from io import StringIO

import duckdb
import pytest
from rich.console import Console

from dagster_project import embedded, programs, publish
from dagster_project.demo import cell, demo, kpi_table, told
from dagster_project.settings import ROOT, Settings, load
from dagster_project.warehouse.figures import Effort
from tests.ports import unused

QUIET = {"reason", "missing", "ghost", "stale", "healed", "from_value", "moved_days", "occurred_after", "occurred_by", "waiting"}
QUESTIONS = re.findall(r"```sql\n(.*?)```", (ROOT / "docs/sql-guide.md").read_text(encoding="utf-8"), re.DOTALL)
SMALL = "0.05"  # a thousand work orders: enough for every figure, quick to read


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Generator[Settings]:
    """Give settings whose simulator runs already, with a small plant."""
    settings = load(data_dir=tmp_path_factory.mktemp("demo"), simulator_port=unused(), maintainx_token=None)
    child = programs.start(embedded.program(settings, "--scale", SMALL))
    try:
        programs.wait_until_answers(child)
        yield settings
    finally:
        programs.stop([child])


@pytest.fixture(scope="module")
def runs(plant: Settings) -> list[str]:
    """Return what two runs of the demo printed, one after the other."""
    printed = []
    for _ in range(2):
        paper = StringIO()
        assert demo(plant, Console(file=paper, width=120, highlight=False)) == 0
        printed.append(paper.getvalue())
    return printed


def read(printed: str) -> tuple[int, int, int]:
    found = re.search(r"Read ([\d,]+) records in ([\d,]+) requests: ([\d,]+) were new", printed)
    assert found, printed
    records, requests, versions = (int(number.replace(",", "")) for number in found.groups())
    return records, requests, versions


@pytest.mark.dbt
def test_the_first_run_reads_everything_and_ends_with_a_table(runs: list[str]) -> None:
    records, _, versions = read(runs[0])
    assert 0.9 * records < versions <= records
    assert re.search(r"^ *PM compliance( +[\d.]+ %){3} *$", runs[0], re.MULTILINE)
    assert re.search(r"^ *Work orders completed( +\d+){3} *$", runs[0], re.MULTILINE)
    assert "make dashboard" in runs[0]


@pytest.mark.dbt
def test_a_later_run_is_a_day_on_and_reads_little(runs: list[str]) -> None:
    assert "A day passes in the plant: it is Tuesday 17 November 2026" in runs[1]
    (_, first_requests, first_versions), (_, requests, versions) = map(read, runs)
    assert 0 < versions < first_versions / 20
    assert requests < first_requests
    assert re.search(r"Compared [\d,]+ with the source in \d+ requests: \d+ differed", runs[1])


@pytest.mark.dbt
@pytest.mark.parametrize("question", QUESTIONS, ids=range(1, len(QUESTIONS) + 1))
def test_every_question_of_the_sql_guide_has_an_answer(question: str, plant: Settings, runs: list[str]) -> None:
    assert len(runs) == 2
    with duckdb.connect(str(publish.current(plant.published_dir)), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        answer = connection.sql(question).pl()
    assert answer.height > 0
    silent = [name for name in answer.columns if not any(answer[name].to_list())]
    assert set(silent) <= QUIET, "a column that is empty or 0 in every row asks for what is not there"


def test_the_sql_guide_answers_twenty_questions() -> None:
    assert len(QUESTIONS) == 20


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


def test_a_run_is_told_in_three_sentences() -> None:
    assert told(Effort(54, 3269, 240, 0, 35, 6143, 3, 5, 812, 9)) == (
        "Read 3,269 records in 54 requests: 240 were new or had changed. Swept 812 orders for labour in 5 requests: 9 had changed. "
        "Compared 6,143 with the source in 35 requests: 3 differed."
    )


def test_a_first_run_has_nothing_to_compare() -> None:
    assert (
        told(Effort(228, 29977, 28791, 2, 0, 0, 0))
        == "Read 29,977 records in 228 requests: 28,791 were new or had changed, 2 are in quarantine."
    )
