"""What the BigQuery tests share: dbt's SQL for BigQuery, compiled once."""

from pathlib import Path

import pytest

from tests.bigquery.compiling import BIN, HINT, Compiled, Verdict, analysed, compiled


@pytest.fixture(scope="session")
def bigquery_tools() -> Path:
    """The environment with dbt's adapter and the analyser."""
    if not (BIN.parent / "ready").exists():
        pytest.skip(HINT)
    return BIN


@pytest.fixture(scope="session")
def statements(bigquery_tools: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Compiled]:
    """Every model and data test in BigQuery's SQL."""
    return compiled(tmp_path_factory.mktemp("bigquery"))


@pytest.fixture(scope="session")
def verdict(statements: list[Compiled]) -> Verdict:
    """What Google's analyser says of them."""
    return analysed(statements)
