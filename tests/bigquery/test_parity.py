"""The same rows give the same marts in BigQuery's SQL as in DuckDB's, row for row."""

from pathlib import Path

import pytest

from simulator import plant
from simulator.api import Simulator
from tests.bigquery import transpiled
from tests.bigquery.compiling import Compiled, at
from tests.bigquery.conftest import Read, read
from tests.dbt.conftest import Marts
from tests.golden import plant as golden_plant

pytestmark = pytest.mark.dbt


@pytest.fixture(scope="module")
def translated(golden: Marts, statements: list[Compiled], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What BigQuery's SQL, said in DuckDB's words, makes of the orders made by hand."""
    path = tmp_path_factory.mktemp("transpiled") / "translated.duckdb"
    transpiled.run(golden.settings.warehouse_path, at(statements, golden_plant.AS_OF), path)
    return path


def test_every_mart_of_the_orders_made_by_hand_is_the_same_in_both_dialects(golden: Marts, translated: Path, marts: list[str]) -> None:
    assert transpiled.differences(golden.settings.warehouse_path, translated, marts) == {}


@pytest.mark.slow
def test_every_mart_of_a_simulated_month_is_the_same_in_both_dialects(statements: list[Compiled], marts: list[str], tmp_path: Path) -> None:
    month: Read = read(tmp_path, Simulator(plant.build(seed=11, scale=0.1)), days=30)
    transpiled.run(month.settings.warehouse_path, at(statements, month.known_at), tmp_path / "translated.duckdb")
    assert transpiled.differences(month.settings.warehouse_path, tmp_path / "translated.duckdb", marts) == {}


@pytest.mark.parametrize(
    "planted",
    [("kpi_created", "isoweek", "week"), ("kpi_lead_time", "nullif(cast(denominator", "nullif(1 + cast(denominator")],
    ids=["a week from Sunday on", "a ratio by another number"],
)
def test_another_meaning_is_found(translated: Path, statements: list[Compiled], tmp_path: Path, planted: tuple[str, str, str]) -> None:
    model, said, meant = planted
    (right,) = (one for one in at(statements, golden_plant.AS_OF) if one.name == model)
    wrong = Compiled(right.name, right.sql.replace(said, meant), right.makes, right.reads)
    assert wrong.sql != right.sql
    transpiled.run(translated, [wrong], tmp_path / "wrong.duckdb")
    assert transpiled.differences(translated, tmp_path / "wrong.duckdb", [f"{right.makes}"])
