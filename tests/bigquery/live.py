"""The same in a real project: run by `make bigquery-live` where a credential is, and never by the other tests.

It makes datasets of its own (BIGQUERY_DATASET_PREFIX is not used), and removes them at the end, whatever happened.
"""

import os
from collections.abc import Generator
from pathlib import Path
from uuid import uuid4

import pytest
from google.cloud import bigquery

from dagster_project.warehouse.bigquery_jobs import DATASETS
from simulator import plant
from simulator.api import Simulator
from tests.bigquery import transpiled
from tests.bigquery.conftest import DAYS, SCALE, Read, read
from tests.bigquery.test_emulator import published

PROJECT, LOCATION = os.environ.get("BIGQUERY_PROJECT", ""), os.environ.get("BIGQUERY_LOCATION", "EU")


@pytest.fixture(scope="module")
def on_bigquery(tmp_path_factory: pytest.TempPathFactory) -> Generator[Read]:
    prefix = f"smoke_{uuid4().hex[:8]}_"
    there = {"warehouse": "bigquery", "bigquery_project": PROJECT, "bigquery_location": LOCATION, "bigquery_dataset_prefix": prefix}
    try:
        yield read(tmp_path_factory.mktemp("live"), Simulator(plant.build(seed=7, scale=SCALE)), DAYS, **there)
    finally:
        client = bigquery.Client(project=PROJECT, location=LOCATION)
        for name in DATASETS:
            client.delete_dataset(f"{PROJECT}.{prefix}{name}", delete_contents=True, not_found_ok=True)


def test_a_real_project_gives_readers_the_same_marts_as_duckdb(on_duckdb: Read, on_bigquery: Read, marts: list[str]) -> None:
    there: Path = published(on_bigquery)
    assert transpiled.differences(published(on_duckdb), there, marts, left_out=frozenset({"run_id"})) == {}
