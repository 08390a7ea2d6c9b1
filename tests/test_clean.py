"""What was made at run time goes, what we did not make stays, and a backup goes only when that is said."""

from pathlib import Path

import pytest

from dagster_project.clean import clean, kept
from dagster_project.settings import Settings, load
from dagster_project.warehouse.base import WarehouseBusy
from dagster_project.warehouse.open import open_warehouse


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = load(data_dir=tmp_path)
    for folder in (settings.published_dir, settings.simulator_dir, settings.log_dir, settings.backup_dir / "000001", tmp_path / "mine"):
        folder.mkdir(parents=True)
    with open_warehouse(settings):
        (tmp_path / "notes.txt").touch()
    return settings


def names(settings: Settings) -> set[str]:
    return {path.name for path in settings.data_dir.iterdir()}


def test_only_what_we_made_is_removed_and_named(settings: Settings) -> None:
    removed = {path.name for path in clean(settings)}
    assert removed == {"published", "simulator", "logs", "warehouse.duckdb", "warehouse.lease", "warehouse.lock"}
    assert names(settings) == {"backups", "mine", "notes.txt"}
    assert [path.name for path in kept(settings)] == ["000001"]


def test_backups_are_removed_only_on_request(settings: Settings) -> None:
    assert settings.backup_dir in clean(settings, backups=True)
    assert names(settings) == {"mine", "notes.txt"}


def test_nothing_is_removed_under_a_process_that_writes(settings: Settings) -> None:
    with open_warehouse(settings), pytest.raises(WarehouseBusy, match="is being written by process"):
        clean(settings)
    assert settings.published_dir.exists()


def test_cleaning_twice_removes_nothing_more(settings: Settings) -> None:
    clean(settings)
    assert clean(settings) == []
