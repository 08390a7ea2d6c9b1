"""BigQuery's stand-in, which speaks its interface: the same models over the same rows, and a plant read and published through it."""

from datetime import UTC
from pathlib import Path

import duckdb
import pytest

from dagster_project import models, publish, settings
from dagster_project.warehouse.arrow import ArrowStream
from dagster_project.warehouse.bigquery import BigQueryWarehouse
from dagster_project.warehouse.layout import tables
from dagster_project.warehouse.open import open_warehouse
from simulator import plant
from simulator.api import Simulator
from tests.bigquery import transpiled
from tests.bigquery.conftest import DAYS, SCALE, Read, read
from tests.bigquery.emulator import Emulator
from tests.dbt.conftest import Marts
from tests.golden import plant as golden_plant

pytestmark = pytest.mark.dbt


def there(emulator: Emulator, project: str) -> dict[str, str]:
    return {
        "warehouse": "bigquery", "bigquery_project": project, "bigquery_dataset_prefix": "a_", "bigquery_endpoint": emulator.url,
    }  # fmt: skip


def fetched(warehouse: BigQueryWarehouse, names: list[str], path: Path) -> Path:
    """Tables of BigQuery as a DuckDB file."""
    with duckdb.connect(str(path)) as connection:
        connection.execute("set timezone = 'UTC'; create schema marts")
        for name in names:
            connection.register("given", ArrowStream(warehouse.query(f"select * from {name}")))
            connection.execute(f"create table {name} as from given")
            connection.unregister("given")
    return path


@pytest.mark.slow
def test_every_mart_of_the_orders_made_by_hand_is_the_same_on_the_stand_in(
    golden: Marts, emulator: Emulator, marts: list[str], tmp_path: Path
) -> None:
    given = settings.load(data_dir=tmp_path, **there(emulator, "golden"))
    with open_warehouse(given) as warehouse:
        for name, rows in golden_plant.frames().items():
            if rows.height:
                warehouse.jobs.load(name, rows, {column: dtype for column, dtype in tables()[name].items() if column in rows.columns})  # ty: ignore
        models.build(given, golden_plant.AS_OF, golden_plant.AS_OF)
        found = fetched(warehouse, marts, tmp_path / "marts.duckdb")  # ty: ignore
    assert transpiled.differences(golden.settings.warehouse_path, found, marts) == {}


def published(one: Read) -> Path:
    path = publish.current(one.settings.published_dir)
    assert path
    return path


@pytest.mark.slow
def test_readers_get_the_same_file_from_either_warehouse(on_duckdb: Read, emulator: Emulator, marts: list[str], tmp_path: Path) -> None:
    on_bigquery = read(tmp_path, Simulator(plant.build(seed=7, scale=SCALE)), DAYS, **there(emulator, "plant"))
    assert on_bigquery.known_at.astimezone(UTC) == on_duckdb.known_at
    names = [*marts, "ops.kpi_reported"]
    assert transpiled.differences(published(on_duckdb), published(on_bigquery), names, left_out=frozenset({"run_id"})) == {}
