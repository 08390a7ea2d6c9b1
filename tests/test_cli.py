"""The console: what it says when there is nothing yet, when an argument is wrong, and what it loads to say so."""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dagster_project import cli
from dagster_project.settings import ROOT

HEAVY = ("dbt", "dagster", "pandas", "pandera", "pyarrow")
DATABASES = ("duckdb", "polars", "httpx")


def maintainx(folder: Path, *arguments: str, **variables: str) -> Result:
    environment = {"DATA_DIR": str(folder), "ENV_FILE": str(folder / "no.env"), "MAINTAINX_TOKEN": "", "COLUMNS": "200", **variables}
    return CliRunner().invoke(cli.app, [*arguments], env=environment)


def loaded(*arguments: str) -> set[str]:
    """Return the packages that a command has loaded when it ends."""
    code = "import sys\nfrom dagster_project.cli import app\ntry:\n    app()\nfinally:\n    print('\\n' + ' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True)
    return {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}


@pytest.mark.parametrize("command", [["quarantine", "list"], ["quarantine", "replay"], ["quarantine", "discard", "1", "--reason", "x"],
                                     ["replay"], ["replay", "--check"]], ids=" ".join)  # fmt: skip
def test_what_looks_into_a_warehouse_does_not_make_one(tmp_path, command):
    done = maintainx(tmp_path, *command)
    said = "run `make refresh`, which makes one, or `make restore` when there is a backup\n"
    assert (done.exit_code, done.output) == (1, f"error: there is no warehouse in {tmp_path} (DATA_DIR): {said}")
    assert list(tmp_path.iterdir()) == []


def test_a_backup_of_nothing_makes_nothing(tmp_path):
    done = maintainx(tmp_path, "backup")
    assert (done.exit_code, done.output) == (1, f"error: there is no warehouse in {tmp_path} (DATA_DIR): run `make refresh` first\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [["quarantine", "list", "--endpoint"], ["quarantine", "replay", "--endpoint"], ["replay", "--endpoint"],
                                     ["refresh", "--accept"], ["reconcile", "--accept"]], ids=" ".join)  # fmt: skip
def test_a_name_that_is_no_endpoints_is_refused_before_anything_is_done(tmp_path, command):
    done = maintainx(tmp_path, *command, "workorders")
    assert done.exit_code == 2
    assert "workorders is none of organizations, locations" in done.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["refresh", "reconcile", "probe"])
def test_without_a_token_the_variable_is_named_and_nothing_is_asked(tmp_path, command):
    done = maintainx(tmp_path, command)
    assert done.exit_code == 1
    assert done.output.startswith("error: MAINTAINX_TOKEN is not set: put an API key")


def test_a_setting_that_cannot_be_used_is_one_line(tmp_path):
    done = maintainx(tmp_path, "status", RATE_SHARE="most")
    assert done.exit_code == 1
    assert done.output.startswith("error: RATE_SHARE cannot be 'most' (")
    assert done.output.count("\n") == 1


def test_a_published_file_that_cannot_be_opened_is_one_line(tmp_path):
    version = tmp_path / "published" / "000001_20261116T060000Z"
    version.mkdir(parents=True)
    (version / "analytics.duckdb").write_bytes(b"no database")
    (version / "manifest.json").write_text(json.dumps({"sha256": "x"}))
    (tmp_path / "published" / "CURRENT").write_text(version.name)
    done = maintainx(tmp_path, "status")
    assert (done.exit_code, done.output.count("\n")) == (1, 1)
    assert done.output.startswith(f"error: {version / 'analytics.duckdb'} cannot be read: ")
    assert maintainx(tmp_path, "status", "--verify").output.startswith(f"error: {version / 'analytics.duckdb'} is not what was published")


def test_every_known_error_is_one_that_is_raised_there():
    found = [getattr(import_module(f"dagster_project.{module}"), name) for module, names in cli.KNOWN.items() for name in names]
    assert [error for error in found if not issubclass(error, Exception)] == []
    assert {*found} <= {*cli.known()}


def test_help_loads_no_database():
    assert loaded("refresh", "--help") & {*HEAVY, *DATABASES} == set()


def test_status_loads_neither_dbt_nor_dagster_nor_pandas(tmp_path, monkeypatch):
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    assert loaded("status") & {*HEAVY} == set()
