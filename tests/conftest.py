"""What every test gets: an environment of its own, an order from quick to slow, and an account of what was skipped."""

import os
import re
import shutil
from collections import Counter
from collections.abc import Generator
from pathlib import Path

import pytest

from dagster_project.settings import Settings
from tests.ports import unused

ROOT = Path(__file__).resolve().parent.parent
SHELLS = (
    "test_demo.py",
    "dbt",
    "bigquery",
    "defs",
    "dashboards",
    "test_portability.py",
    "test_end_to_end.py",
)  # slower: run after the core, in this order
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
STRICT = pytest.StashKey[bool]()
FAULT = re.compile(r"::test_[a-j]\d+d?_")  # named after a row of docs/faults.toml

os.environ |= {"DAGSTER_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1", "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--strict-skips", action="store_true", help="a skip is a failure, unless it lacks the data beside the project")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[STRICT] = config.getoption("--strict-skips")
    cache = getattr(config, "cache", None)  # none with -p no:cacheprovider
    if cache and not hasattr(config, "workerinput"):  # with several processes only the first one hears of all
        config.pluginmanager.register(Outcomes(cache))


class Outcomes:
    """Keeps how each case of a test named after a fault ended; docs/reliability.md is written from it."""

    def __init__(self, cache: pytest.Cache) -> None:
        self.cache, self.found = cache, {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if FAULT.search(report.nodeid) and (report.when == "call" or report.outcome != "passed"):
            self.found[report.nodeid] = report.outcome

    def pytest_sessionfinish(self) -> None:
        """Replace what an earlier run said of these tests, all their cases together."""
        mine = {node.partition("[")[0] for node in self.found}
        before = self.cache.get("reliability/outcomes", {})
        kept = {node: outcome for node, outcome in before.items() if node.partition("[")[0] not in mine}
        self.cache.set("reliability/outcomes", dict(sorted((kept | self.found).items())))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _shell(item.path))


def _shell(path: Path) -> int:
    part = path.relative_to(ROOT / "tests").parts[0] if path.is_relative_to(ROOT / "tests") else ""
    return SHELLS.index(part) + 1 if part in SHELLS else 0


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if item.config.stash[STRICT] and item.get_closest_marker("shared_data") is None:
        _fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if collector.config.stash[STRICT]:
        _fail_if_skipped(report)
    return report


def _fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail"):
        report.longrepr = f"STRICT=1, nothing may be skipped: {_reason(report)}"
        report.outcome = "failed"


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = Counter(_reason(report) for report in terminalreporter.getreports("skipped"))
    for reason, times in sorted(skipped.items()):
        terminalreporter.write_line(f"skipped {times}: {reason}")


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the developer's variables and `.env` out of the tests, and the tests out of `data/local`."""
    for name in (*Settings.model_fields, "dagster_home"):
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("ENV_FILE", str(tmp_path / "no.env"))
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of recorded data beside the project; the test needs the marker `shared_data` too."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"recorded data is not in {folder}; the project works without it")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of a Chromium: CHROME_PATH, else the first one found on PATH."""
    found = os.environ.get("CHROME_PATH") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if not found:
        pytest.skip("no Chromium on this machine: apt-get install chromium, or set CHROME_PATH")
    return found


@pytest.fixture
def unused_port() -> int:
    """Return a TCP port of 127.0.0.1 that nothing listens on."""
    return unused()
