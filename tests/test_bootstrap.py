"""The bootstrap: clear words where it cannot work, nothing to do where nothing changed."""

import subprocess
import sys
from pathlib import Path

import pytest

from dagster_project.settings import ROOT

TOOLS = ("sh", "cat", "rm", "touch", "sed")


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """Return a folder with the system's tools and no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in TOOLS:
        (folder / name).symlink_to(next(path for path in (Path("/bin") / name, Path("/usr/bin") / name) if path.exists()))
    return folder


def python(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


def bootstrap(tools: Path, venv: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([ROOT / ".ci/bootstrap", venv], cwd=ROOT, env={"PATH": str(tools)}, capture_output=True, text=True)


def test_a_python_that_is_too_old_is_named_with_what_to_do(tools: Path, tmp_path: Path) -> None:
    python(tools, "python3", 'case "$1" in --version) echo "Python 3.9.2" ;; *) exit 1 ;; esac')
    finished = bootstrap(tools, tmp_path / "venv")
    assert finished.returncode == 1
    assert finished.stderr.splitlines()[0] == "This needs Python 3.11 or newer; python3 here is: Python 3.9.2."
    assert "apt-get install python3" in finished.stderr
    assert not (tmp_path / "venv").exists()


def test_without_any_python_it_says_so(tools: Path, tmp_path: Path) -> None:
    finished = bootstrap(tools, tmp_path / "venv")
    assert finished.returncode == 1
    assert finished.stderr.startswith("This needs Python 3.11 or newer; python3 here is: ")


def test_a_python_without_ensurepip_is_named_with_the_package_to_install(tools: Path, tmp_path: Path) -> None:
    python(tools, "python3", f'case "$2" in *ensurepip*) exit 1 ;; *) exec {sys.executable} "$@" ;; esac')
    finished = bootstrap(tools, tmp_path / "venv")
    assert finished.returncode == 1
    assert "apt-get install python3-venv" in finished.stderr


def test_nothing_is_installed_again_when_nothing_changed(tools: Path, tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    python(venv / "bin", "python", f'[ "$2" != pip ] || echo "$@" >>{tmp_path}/installed; [ "$2" = pip ] || exec {sys.executable} "$@"')
    python(venv / "bin", "uv", f'echo "$@" >>{tmp_path}/installed')
    python(tools, "python3", f'exec {sys.executable} "$@"')
    first, second = bootstrap(tools, venv), bootstrap(tools, venv)
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    installed = (tmp_path / "installed").read_text(encoding="utf-8").splitlines()
    assert len([line for line in installed if "pip sync --quiet --require-hashes" in line]) == 1
    assert "Installing" in first.stderr
    assert second.stderr == ""
