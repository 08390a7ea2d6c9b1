"""Build the dbt project over hand-made rows, and read what came out."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project import models
from dagster_project.settings import Settings
from tests.dbt.raw_builder import RawBuilder

PARTS = ("value", "numerator", "denominator", "n", "coverage_share", "basis", "reason", "window_state")
Scope = tuple[str, str]  # scope_type, scope_id


@dataclass(frozen=True)
class Marts:
    """The models of one build."""

    settings: Settings
    report: models.ModelReport

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of a query over the built warehouse."""
        with duckdb.connect(str(self.settings.warehouse_path), read_only=True) as connection:
            connection.execute("set timezone = 'UTC'")
            return connection.execute(sql, list(values)).fetchall()

    def kpi(
        self, kpi: str, organisation_id: int, start: str, grain: str = "month", site: str | None = None, *, scope: Scope | None = None
    ) -> dict[str, Any]:
        """The parts of one KPI row, those that are NULL left out; of the organisation unless a site or another scope is named."""
        where = "kpi = ? and organisation_id = ? and scope_type = ? and scope_id = ? and period_start_on = ? and period_grain = ?"
        named = (kpi, organisation_id, *_scope(organisation_id, site, scope), start, grain)
        (row,) = self.rows(f"select {', '.join(PARTS)} from marts.kpis where {where}", *named)
        return {name: part for name, part in zip(PARTS, row, strict=True) if part is not None}

    def values(
        self, kpi: str, organisation_id: int, grain: str = "month", site: str | None = None, *, scope: Scope | None = None
    ) -> dict[str, Any]:
        """Value or reason of a KPI by the first day of its periods."""
        where = "kpi = ? and organisation_id = ? and scope_type = ? and scope_id = ? and period_grain = ?"
        named = (kpi, organisation_id, *_scope(organisation_id, site, scope), grain)
        rows = self.rows(f"select period_start_on, value, reason from marts.kpis where {where}", *named)
        return {f"{start}": reason if value is None else value for start, value, reason in sorted(rows)}


def _scope(organisation_id: int, site: str | None, scope: Scope | None) -> Scope:
    return scope or (("site", site) if site else ("organisation", str(organisation_id)))


Build = Callable[..., Marts]


@pytest.fixture(scope="session")
def dbt_target_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for the parsed project, so that it is parsed once."""
    return tmp_path_factory.mktemp("dbt")


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory, dbt_target_dir: Path) -> Build:
    """Write the rows into a warehouse of their own and build all models over it, data tests included."""

    class AtTarget(Settings):
        @property
        def dbt_target_dir(self) -> Path:
            return dbt_target_dir

    def built(raw: RawBuilder, as_of: datetime, known_at: datetime | None = None, **options: Any) -> Marts:
        settings = AtTarget(data_dir=tmp_path_factory.mktemp("warehouse"), duckdb_memory_limit="1GB")
        raw.write(settings.warehouse_path)
        return Marts(settings, models.build(settings, as_of, known_at or as_of, **options))

    return built
