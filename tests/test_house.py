"""The rules of the house: who imports what, who reads clocks and variables, names, locks, configuration."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from dagster_project import sites
from dagster_project.settings import ROOT, Settings, load

PACKAGES = ("dagster_project", "dashboards", "simulator")
OUTSIDE = ("benchmarks", "docs")
EDGE = ("dagster_project/settings.py", "dagster_project/cli.py", "dagster_project/defs/", "benchmarks/", "dashboards/screenshots.py")
# a failpoint must work in any process, whatever its settings are
VARIABLES = (*EDGE, "dagster_project/failpoint.py")
# the job writes down the time on the wall beside the source's, and computes with the source's alone; a lease runs out by the wall's
CLOCKS = (*EDGE, "dagster_project/organisation_run.py", "dagster_project/warehouse/lease.py", "dashboards/app.py")
# library → where it may be imported; a name that ends in a slash is a folder
LIBRARIES = {
    "dagster": ("dagster_project/definitions.py", "dagster_project/defs/"),
    "dagster_dbt": ("dagster_project/defs/",),
    "dagster_graphql": (),
    "streamlit": ("dashboards/",),
    "altair": ("dashboards/",),
    "starlette": ("dagster_project/receiver.py", "simulator/", "benchmarks/"),
    "uvicorn": ("dagster_project/receiver.py", "simulator/", "benchmarks/"),
    "duckdb": ("dagster_project/warehouse/", "dashboards/data.py", "benchmarks/"),
    "google": ("dagster_project/warehouse/",),
    "dbt": ("dagster_project/models/", "dagster_project/defs/"),
    "typer": ("dagster_project/cli.py",),
    "hypothesis": (),
    "pytest": (),
}
FORBIDDEN_NAMES = re.compile(r"(^|_)(utils?|helpers?|common|manager|misc|df2)(_|$)", re.IGNORECASE)
READS_VARIABLES = {"os.environ", "os.getenv", "os.putenv"}
READS_CLOCK = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns"}
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^ ;\\]+)", re.MULTILINE)


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def allowed(path: Path, places: tuple[str, ...]) -> bool:
    return any(relative(path) == place or (place.endswith("/") and relative(path).startswith(place)) for place in places)


def at_the_edge(path: Path, places: tuple[str, ...] = EDGE) -> bool:
    return allowed(path, places) or path.name == "__main__.py"


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def attributes(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            yield ".".join(ast.unparse(node).split(".")[-2:])


def definitions(path: Path) -> Iterator[str]:
    yield path.stem
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield re.sub(r"(?<=[a-z])(?=[A-Z])", "_", node.name)


def pins(lock: str) -> dict[str, str]:
    return {canonicalize_name(name): version for name, version in PIN.findall((ROOT / lock).read_text(encoding="utf-8"))}


def declared(extra: str | None = None) -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["optional-dependencies"][extra] if extra else project["dependencies"]


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_is_imported_only_where_it_belongs(library: str) -> None:
    importers = [path for path in sources(*PACKAGES, *OUTSIDE) if any(name.split(".")[0] == library for name in imports(path))]
    assert [relative(path) for path in importers if not allowed(path, LIBRARIES[library])] == []


def test_the_layers_hold() -> None:
    linter = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert linter.returncode == 0, linter.stdout


def test_only_the_edge_reads_the_environment() -> None:
    readers = [
        relative(path)
        for path in sources(*PACKAGES, *OUTSIDE)
        if READS_VARIABLES & set(attributes(path)) and not at_the_edge(path, VARIABLES)
    ]
    assert readers == []


def test_only_the_edge_reads_the_clock() -> None:
    readers = [
        relative(path) for path in sources(*PACKAGES, *OUTSIDE) if READS_CLOCK & set(attributes(path)) and not at_the_edge(path, CLOCKS)
    ]
    assert readers == []


def test_no_name_says_nothing() -> None:
    named = [f"{relative(path)}: {name}" for path in sources(*PACKAGES, *OUTSIDE, "tests") for name in definitions(path)]
    assert [name for name in named if FORBIDDEN_NAMES.search(name.rpartition(" ")[2])] == []


def test_nothing_is_left_to_do() -> None:
    texts = [path for path in sources(*PACKAGES, *OUTSIDE, "tests") if path != Path(__file__)] + sorted((ROOT / "dbt").rglob("*.sql"))
    left = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")
    assert [relative(path) for path in texts if left.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_every_pin_of_a_lock_has_a_hash_and_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=[a-z0-9])", "\n".join(line for line in text.splitlines() if not line.startswith("#")))
    assert [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block] == []
    assert re.findall(r"https?://|file:|git\+|--(?:extra-)?index|--find-links", text) == []


@pytest.mark.parametrize(
    ("lock", "extra"), [("requirements.lock", None), ("requirements-dev.lock", None), ("requirements-dev.lock", "dev")]
)
def test_a_lock_holds_every_declared_dependency(lock: str, extra: str | None) -> None:
    locked = pins(lock)
    wanted = [Requirement(text) for text in declared(extra)]
    assert [
        str(each) for each in wanted if not each.specifier.contains(locked.get(canonicalize_name(each.name), "0"), prereleases=True)
    ] == []


def test_both_locks_agree() -> None:
    tools = pins("requirements-dev.lock")
    assert {name: version for name, version in pins("requirements.lock").items() if tools.get(name) != version} == {}


def test_no_lock_that_records_addresses_is_kept() -> None:
    assert [name for name in ("uv.lock", "pylock.toml", "poetry.lock", "Pipfile.lock") if (ROOT / name).exists()] == []


def test_the_example_names_exactly_the_variables_that_are_read() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    named = {line.partition("=")[0] for line in lines if line and not line.startswith("#")}
    assert named == {name.upper() for name in Settings.model_fields}


def test_the_example_gives_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATA_DIR")
    defaults = load()
    (tmp_path / "copy.env").write_text((ROOT / ".env.example").read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setenv("ENV_FILE", str(tmp_path / "copy.env"))
    assert load() == defaults


def test_the_sites_of_the_demo_are_the_simulated_plant() -> None:
    organisations = sites.load(ROOT / "data/demo/sites.toml")
    assert {each.organisation_id: [site.site_id for site in each.sites] for each in organisations} == {
        101: ["austin", "porto"],
        102: ["pune"],
    }


def test_dagster_names_the_code_location_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["dg"]["project"]
    assert f"location_name: {project['code_location_name']}" in (ROOT / "workspace.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("script", [".ci/bootstrap", ".ci/run"])
def test_a_script_can_be_run_and_is_well_formed(script: str) -> None:
    path = ROOT / script
    shell = "bash" if "bash" in path.read_text(encoding="utf-8").splitlines()[0] else "sh"
    assert os.access(path, os.X_OK)
    assert subprocess.run([shell, "-n", path], capture_output=True, text=True).stderr == ""


def test_every_command_is_phony_and_explained() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = set(re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[0].split())
    targets = set(re.findall(r"^([a-z-]+):(?!=)", makefile, re.MULTILINE))
    assert targets == phony == set(re.findall(r"^([a-z-]+):.*## .", makefile, re.MULTILINE))


def test_no_secret_is_written_down() -> None:
    token = re.compile(r"eyJ[A-Za-z0-9_-]{20,}\.|AKIA[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE KEY")
    texts = [path for path in (*sources(*PACKAGES, *OUTSIDE, "tests"), *ROOT.glob("*.*"), *(ROOT / "docs").iterdir()) if path.is_file()]
    assert [relative(path) for path in texts if token.search(path.read_text(encoding="utf-8", errors="replace"))] == []
