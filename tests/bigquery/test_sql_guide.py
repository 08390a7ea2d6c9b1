"""Every question of the SQL guide is also one for BigQuery: as it stands, or in the words that the guide gives for it."""

import re

import pytest

from tests.bigquery.compiling import PROJECT, ROOT, Compiled, Verdict, analysed

pytestmark = pytest.mark.dbt
GUIDE = (ROOT / "docs" / "sql-guide.md").read_text(encoding="utf-8")
SECTION = re.compile(r"^### (.+?)\n(.*?)(?=^##)", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"```sql( bigquery)?\n(.*?)```", re.DOTALL)


def questions() -> dict[str, str]:
    """The SQL for BigQuery by question."""
    found = {title: dict(BLOCK.findall(text)) for title, text in SECTION.findall(GUIDE)}
    return {title: blocks.get(" bigquery", blocks.get("", "")) for title, blocks in found.items()}


def asked(title: str, sql: str) -> Compiled:
    """A question with the project before each table."""
    reads = {f"{schema}.{table}" for schema, table in re.findall(r"\b(marts|ops)\.(\w+)", sql)}
    return Compiled(title, re.sub(r"\b(marts|ops)\.(\w+)", rf"{PROJECT}.\1.\2", sql), None, tuple(sorted(reads)))


@pytest.fixture(scope="module")
def refused(verdict: Verdict) -> dict[str, str]:
    """What the analyser refuses, by question."""
    return analysed([asked(title, sql) for title, sql in questions().items()], verdict.tables).errors


@pytest.mark.parametrize("title", questions())
def test_bigquery_understands(title: str, refused: dict[str, str]) -> None:
    assert title not in refused, refused.get(title)


def test_a_question_that_bigquery_would_not_understand_is_found(verdict: Verdict) -> None:
    sql = "select median(triage_seconds) as x from marts.fct_work_requests"
    assert "Function not found: median" in analysed([asked("a median", sql)], verdict.tables).errors["a median"]
