"""The same rows give the same marts in BigQuery's SQL as in DuckDB's, row for row."""

from pathlib import Path

import pytest

from tests.bigquery import transpiled
from tests.bigquery.compiling import Compiled
from tests.bigquery.conftest import Read

pytestmark = pytest.mark.dbt


@pytest.fixture(scope="module")
def translated(on_duckdb: Read, statements: list[Compiled], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The marts that BigQuery's SQL makes, translated and run over the same log."""
    path = tmp_path_factory.mktemp("transpiled") / "marts.duckdb"
    transpiled.run(on_duckdb.settings.warehouse_path, statements, path)
    return path


def test_every_mart_is_the_same_in_both_dialects(on_duckdb: Read, translated: Path, statements: list[Compiled]) -> None:
    marts = [one.makes for one in statements if one.makes and one.makes.startswith("marts.")]
    assert transpiled.differences(on_duckdb.settings.warehouse_path, translated, marts) == {}


@pytest.mark.parametrize(
    "planted",
    [("kpi_created", "isoweek", "week"), ("kpi_lead_time", "nullif(cast(denominator", "nullif(1 + cast(denominator")],
    ids=["a week from Sunday on", "a ratio by another number"],
)
def test_another_meaning_is_found(translated: Path, statements: list[Compiled], tmp_path: Path, planted: tuple[str, str, str]) -> None:
    model, said, meant = planted
    (right,) = (one for one in statements if one.name == model)
    wrong = Compiled(right.name, right.sql.replace(said, meant), right.makes, right.reads)
    assert wrong.sql != right.sql
    transpiled.run(translated, [wrong], tmp_path / "wrong.duckdb")
    assert transpiled.differences(translated, tmp_path / "wrong.duckdb", [f"{right.makes}"])
