"""A skipped test is listed with its reason, and is a failure where nothing may be skipped."""

import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).with_name("conftest.py")
TESTS = """
import pytest

def test_that_runs(): ...

def test_without_a_browser():
    pytest.skip("no Chromium: apt-get install chromium")

@pytest.mark.shared_data
def test_without_the_recorded_data(shared_data): ...
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/conftest.py").write_text(CONFTEST.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "tests/test_three.py").write_text(TESTS, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text(
        f"[pytest]\naddopts = -q\npythonpath = {CONFTEST.parent.parent}\nmarkers = shared_data\n", encoding="utf-8"
    )
    return tmp_path


def run(project: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options]
    return subprocess.run(command, cwd=project, capture_output=True, text=True)


def test_what_was_skipped_is_listed_with_its_reason(project: Path) -> None:
    finished = run(project)
    assert finished.returncode == 0
    assert "skipped 1: no Chromium: apt-get install chromium" in finished.stdout
    assert finished.stdout.splitlines()[-1].startswith("1 passed, 2 skipped in ")


def test_a_skip_is_a_failure_when_nothing_may_be_skipped(project: Path) -> None:
    finished = run(project, "--strict-skips")
    assert finished.returncode == 1
    assert "STRICT=1, nothing may be skipped: no Chromium" in finished.stdout


def test_missing_recorded_data_is_never_a_failure(project: Path) -> None:
    assert "1 failed, 1 passed, 1 skipped" in run(project, "--strict-skips").stdout.splitlines()[-1]
