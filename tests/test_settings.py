"""Settings: the environment, then `.env`, then defaults."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from dagster_project import settings
from dagster_project.settings import ROOT, BadSettings, MissingToken, Settings, load


@pytest.fixture
def dotenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ENV_FILE", str(tmp_path / "test.env"))
    return tmp_path / "test.env"


def test_without_an_environment_the_defaults_hold(monkeypatch):
    monkeypatch.delenv("DATA_DIR")
    found = load().model_dump()
    assert found == {
        "maintainx_url": "https://api.getmaintainx.com/v1", "maintainx_token": None, "sites_file": None, "data_dir": ROOT / "data/local",
        "simulator_port": 8790, "dagster_port": 3070, "dashboard_port": 8570, "keep_personal_data": False, "duckdb_memory_limit": "2GB",
        "warehouse_wait": None, "rate_share": 0.8, "labour_every_hours": 1.0, "reconcile_share": 0.01,
        "warehouse": "duckdb",
        "bigquery_project": None, "bigquery_location": "EU", "bigquery_dataset_prefix": "", "bigquery_endpoint": None,
    }  # fmt: skip


def test_everything_made_at_run_time_lies_in_the_data_directory():
    found = load(data_dir=Path("/srv/plant"))
    places = {name: getattr(found, name) for name, value in vars(Settings).items() if isinstance(value, property)}
    assert {name: str(path) for name, path in places.items()} == {
        "warehouse_path": "/srv/plant/warehouse.duckdb", "published_dir": "/srv/plant/published", "backup_dir": "/srv/plant/backups",
        "dbt_target_dir": "/srv/plant/dbt", "dagster_home": "/srv/plant/dagster", "simulator_dir": "/srv/plant/simulator",
        "log_dir": "/srv/plant/logs", "export_dir": "/srv/plant/exports", "docs_dir": "/srv/plant/docs",
    }  # fmt: skip


def test_a_relative_path_is_read_from_the_projects_root(monkeypatch):
    monkeypatch.setenv("DATA_DIR", "somewhere/else")
    monkeypatch.setenv("SITES_FILE", "sites.toml")
    found = load()
    assert (found.data_dir, found.sites_file) == (ROOT / "somewhere/else", ROOT / "sites.toml")


def test_the_environment_wins_over_the_env_file_and_both_over_the_defaults(dotenv, monkeypatch):
    dotenv.write_text("RATE_SHARE=0.5\nDAGSTER_PORT=4000\n", encoding="utf-8")
    monkeypatch.setenv("DAGSTER_PORT", "5000")
    found = load()
    assert (found.rate_share, found.dagster_port, found.dashboard_port) == (0.5, 5000, 8570)


def test_what_the_caller_gives_wins_over_the_environment(monkeypatch):
    monkeypatch.setenv("SIMULATOR_PORT", "1234")
    assert load(simulator_port=4321).simulator_port == 4321


def test_an_empty_variable_counts_as_not_set(dotenv, monkeypatch):
    monkeypatch.delenv("DATA_DIR")
    dotenv.write_text("MAINTAINX_TOKEN=\nSITES_FILE=\nDATA_DIR=\nRATE_SHARE=\nSIMULATOR_PORT=\nMAINTAINX_URL=\n", encoding="utf-8")
    assert load() == Settings()


@pytest.mark.parametrize("share", ["0", "1.1", "-0.5", "most"])
def test_a_share_of_the_rate_limit_outside_0_to_1_is_refused(monkeypatch, share):
    monkeypatch.setenv("RATE_SHARE", share)
    with pytest.raises(BadSettings, match=f"^RATE_SHARE cannot be '{share}' .Input should be .*: change it in the environment or in "):
        load()


def test_settings_do_not_change_once_loaded():
    with pytest.raises(ValidationError, match="frozen"):
        setattr(load(), "rate_share", 1.0)  # noqa: B010  (plainly written, the type checker refuses it too)


def test_a_token_comes_from_the_environment_or_from_the_env_file(dotenv, monkeypatch):
    dotenv.write_text("MAINTAINX_TOKEN=file-token\nDECCAN_TOKEN=deccan-token\n", encoding="utf-8")
    monkeypatch.setenv("NORTHFIELD_TOKEN", "northfield-token")
    found = load()
    tokens = [found.token(), found.token("DECCAN_TOKEN"), found.token("NORTHFIELD_TOKEN")]
    assert [token.get_secret_value() for token in tokens] == ["file-token", "deccan-token", "northfield-token"]


@pytest.mark.parametrize("variable", ["MAINTAINX_TOKEN", "DECCAN_TOKEN"])
def test_a_missing_token_names_its_variable_and_where_to_get_one(variable):
    with pytest.raises(MissingToken, match=f"{variable} is not set: put an API key .*Integrations"):
        load().token(variable)


def test_a_token_is_never_shown(monkeypatch):
    monkeypatch.setenv("MAINTAINX_TOKEN", "canary-token")
    found = load()
    assert "canary-token" not in f"{found!r} {found} {found.model_dump()} {found.token()}"


def test_a_child_process_gets_this_environment_and_more(monkeypatch):
    monkeypatch.setenv("RATE_SHARE", "0.5")
    found = settings.environment(WAREHOUSE_PATH="/srv/w.duckdb")
    assert (found["RATE_SHARE"], found["WAREHOUSE_PATH"]) == ("0.5", "/srv/w.duckdb")
