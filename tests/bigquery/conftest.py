"""What the BigQuery tests share: what was modelled on DuckDB, dbt's SQL for BigQuery, and a stand-in that runs it."""

from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dagster_project import refresh, settings
from dagster_project.settings import ROOT, Settings
from simulator import plant
from simulator.api import Simulator
from simulator.transport import transport
from tests.bigquery.compiling import BIN, HINT, Compiled, Verdict, analysed, compiled
from tests.bigquery.emulator import Emulator, running
from tests.dbt.conftest import Build, Marts, build, dbt_target_dir
from tests.golden import plant as golden_plant
from tests.ports import unused

__all__ = ["build", "dbt_target_dir"]  # fixtures
SCALE, DAYS = 0.02, 1
SITES_FILE = ROOT / "data" / "demo" / "sites.toml"


@dataclass(frozen=True)
class Read:
    """A simulated plant that was read and published into a warehouse."""

    settings: Settings
    simulator: Simulator
    known_at: datetime


def read(folder: Path, simulator: Simulator, days: int, **options: object) -> Read:
    """Read a plant today and on each of the days that follow, then build and publish."""
    given = settings.load(
        maintainx_url="http://simulator/v1",
        maintainx_token="demo",
        data_dir=folder,
        sites_file=SITES_FILE,
        duckdb_memory_limit="1GB",
        **options,
    )
    for day in range(days + 1):
        simulator.world.advance(timedelta(days=1) if day else timedelta(0))
        report = refresh.refresh(given, lambda _: None, transport=transport(simulator))
        assert report.failed == {}
    assert report.published is not None
    return Read(given, simulator, report.published.known_at.astimezone(UTC))


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
def marts(statements: list[Compiled]) -> list[str]:
    """The tables that readers get, as schema.table."""
    return sorted(one.makes for one in statements if one.makes and one.makes.startswith("marts."))


@pytest.fixture(scope="session")
def golden(build: Build) -> Marts:
    """The orders made by hand, modelled on DuckDB."""
    return build(golden_plant.raw(), golden_plant.AS_OF)


@pytest.fixture(scope="session")
def on_duckdb(tmp_path_factory: pytest.TempPathFactory) -> Read:
    """A small plant in a DuckDB warehouse, read on two days."""
    return read(tmp_path_factory.mktemp("duckdb"), Simulator(plant.build(seed=7, scale=SCALE)), DAYS)


@pytest.fixture(scope="session")
def verdict(statements: list[Compiled]) -> Verdict:
    """What Google's analyser says of them."""
    return analysed(statements)


@pytest.fixture(scope="session")
def emulator(bigquery_tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[Emulator]:
    """A BigQuery stand-in that listens."""
    with running(tmp_path_factory.mktemp("emulator"), unused(), unused()) as found:
        yield found
