"""A plant read, modelled and published through BigQuery (its stand-in) gives readers the same file as through DuckDB."""

from pathlib import Path

import pytest

from dagster_project import publish
from simulator import plant
from simulator.api import Simulator
from tests.bigquery import transpiled
from tests.bigquery.compiling import Compiled
from tests.bigquery.conftest import DAYS, SCALE, Read, read
from tests.bigquery.emulator import Emulator

pytestmark = pytest.mark.dbt


@pytest.fixture(scope="module")
def on_bigquery(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Read:
    folder = tmp_path_factory.mktemp("bigquery")
    there = {"warehouse": "bigquery", "bigquery_project": "parity", "bigquery_dataset_prefix": "a_", "bigquery_endpoint": emulator.url}
    return read(folder, Simulator(plant.build(seed=7, scale=SCALE)), DAYS, **there)


def published(one: Read) -> Path:
    path = publish.current(one.settings.published_dir)
    assert path
    return path


def test_readers_get_the_same_marts_from_either_warehouse(on_duckdb: Read, on_bigquery: Read, statements: list[Compiled]) -> None:
    marts = sorted(one.makes for one in statements if one.makes and one.makes.startswith("marts."))
    assert on_bigquery.known_at == on_duckdb.known_at
    assert transpiled.differences(published(on_duckdb), published(on_bigquery), marts, left_out=frozenset({"run_id"})) == {}


def test_what_was_reported_went_back_to_bigquery(on_duckdb: Read, on_bigquery: Read) -> None:
    reported = ["ops.kpi_reported"]
    assert transpiled.differences(published(on_duckdb), published(on_bigquery), reported) == {}
