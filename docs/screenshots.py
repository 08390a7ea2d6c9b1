"""Photograph every dashboard page and Dagster's asset graph into DATA_DIR/screenshots: `make screenshots`.

Reads what is published in DATA_DIR; run `make demo` first. Needs a Chromium: CHROME_PATH, else the first one on PATH.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from dagster_project import programs, publish, up
from dagster_project.settings import ROOT, Settings, load

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SCHEMES = ("light", "dark")
WIDTHS = {"wide": 1440, "narrow": 390}
HEIGHT = 900
FRONT = "overview"  # the page that has no address of its own
ADDRESSES = {"dagster-assets": "/asset-groups", "dagster-runs": "/runs"}


class NoBrowser(Exception):
    """There is no Chromium on this machine: install one, or name it in CHROME_PATH."""


def main() -> int:
    """Take all pictures and say where they are."""
    settings = load()
    if publish.current(settings.published_dir) is None:
        print(f"nothing is published in {settings.published_dir}: run `make demo` first", file=sys.stderr)
        return 1
    folder = settings.data_dir / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    children = [programs.start(program) for program in up.services(settings) if program.answers_at]
    try:
        for child in children:
            programs.wait_until_answers(child)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-dev-shm-usage"])
            for path in (*_dashboard(browser, settings, folder), *_dagster(browser, settings, folder)):
                print(path)
            browser.close()
    finally:
        programs.stop(children)
    return 0


def chromium() -> str:
    """Return the path of a Chromium.

    Raises:
        NoBrowser: none is on this machine.
    """
    found = os.environ.get("CHROME_PATH") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if not found:
        raise NoBrowser("no Chromium on this machine: apt-get install chromium, or set CHROME_PATH")
    return found


def _dashboard(browser: Browser, settings: Settings, folder: Path) -> Iterator[Path]:
    names = sorted(path.stem for path in (ROOT / "dashboards" / "views").glob("[a-z]*.py"))
    for name, scheme, (size, width) in product(names, SCHEMES, WIDTHS.items()):
        page = browser.new_page(viewport={"width": width, "height": HEIGHT}, color_scheme=scheme)
        page.goto(f"http://127.0.0.1:{settings.dashboard_port}/{'' if name == FRONT else name}")
        page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=60_000)
        page.wait_for_timeout(1500)  # charts draw after the script has ended
        _unroll(page, width)
        yield _taken(page, folder / f"{name}-{scheme}-{size}.png")


def _unroll(page: Page, width: int) -> None:
    """Make the window as high as the page, which scrolls inside a frame of its own."""
    height = page.evaluate("""document.querySelector('[data-testid="stMain"]').scrollHeight""")
    page.set_viewport_size({"width": width, "height": max(HEIGHT, height)})
    page.wait_for_timeout(500)


def _dagster(browser: Browser, settings: Settings, folder: Path) -> Iterator[Path]:
    for name, address in ADDRESSES.items():
        page = browser.new_page(viewport={"width": 1920, "height": 1200})
        page.goto(f"http://127.0.0.1:{settings.dagster_port}{address}")
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(4000)  # the graph is laid out by a worker
        yield _taken(page, folder / f"{name}.png")


def _taken(page: Page, path: Path) -> Path:
    page.screenshot(path=path)
    page.close()
    return path


if __name__ == "__main__":
    sys.exit(main())
