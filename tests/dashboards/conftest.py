"""Published folders for the pages: built once, linked into each test's own DATA_DIR."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from dagster_project import settings
from dashboards import screenshots
from tests.dashboards.marts_builder import build_published

APP = screenshots.APP
STATES: dict[str, dict[str, Any]] = {"data": {}, "empty": {"empty": True}, "null": {"null_kpis": True}}


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return the folder of versions in a state: data, empty, null."""
    made: dict[str, Path] = {}

    def folder(state: str) -> Path:
        if state not in made:
            made[state] = tmp_path_factory.mktemp(state) / "published"
            build_published(made[state], **STATES[state])
        return made[state]

    return folder


@pytest.fixture
def publish_state(built: Callable[[str], Path]) -> Callable[[str], Path]:
    """Publish a state into this test's DATA_DIR; returns its folder of versions."""

    def publish(state: str) -> Path:
        return Path(shutil.copytree(built(state), settings.load().published_dir, dirs_exist_ok=True))

    return publish


@pytest.fixture
def opened() -> Callable[..., AppTest]:
    """Open a page with filters, as a URL would."""

    def page(name: str, **filters: str) -> AppTest:
        app = AppTest.from_file(APP, default_timeout=60)
        app.query_params |= filters
        if name != screenshots.page_names()[0]:
            app._page_hash = calc_hash(name)
        return app.run()

    return page
