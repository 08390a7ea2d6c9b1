"""The models' documentation: one page to browse, with what every column means and of which type it is."""

from pathlib import Path

import pytest

from dagster_project import models
from dagster_project.settings import Settings
from tests.dbt.conftest import Build
from tests.dbt.raw_builder import RawBuilder, utc

pytestmark = pytest.mark.dbt


def test_before_there_is_a_warehouse_the_page_shows_the_models_without_types(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    page = models.document(settings)
    assert page == tmp_path / "docs" / "index.html"
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert "model.maintainx_analytics.kpi_mttr" in text
    assert not settings.warehouse_path.exists()
    assert list(tmp_path.glob("tmp-docs-*")) == []


@pytest.mark.slow
def test_with_a_warehouse_every_column_has_its_type_and_the_parsed_project_stays_as_it_is(build: Build) -> None:
    raw = RawBuilder()
    raw.site()
    raw.run("run-1", "2026-04-15 12:00")
    raw.order(1, "2026-03-02 10:00")
    marts = build(raw, utc("2026-04-15 12:00"))
    before = (marts.settings.dbt_target_dir / "manifest.json").stat().st_mtime_ns
    text = models.document(marts.settings).read_text(encoding="utf-8")
    assert '"type": "TIMESTAMP WITH TIME ZONE"' in text
    assert (marts.settings.dbt_target_dir / "manifest.json").stat().st_mtime_ns == before
