"""Photograph every page, light and dark, wide and narrow: python -m dashboards.screenshots --out DIR [--url URL] [--query QUERY]."""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from dashboards import views

APP = Path(__file__).parent / "app.py"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage"]
WIDTHS = {"wide": 1440, "narrow": 390}
THEMES = ("light", "dark")
HEIGHT = 900
START_SECONDS = 60
DRAW_MILLISECONDS = 30_000
SETTLED = """() => {
    const app = document.querySelector('[data-testid="stApp"]');
    return app && app.getAttribute('data-test-script-state') === 'notRunning'
        && document.querySelector('h1') && !document.querySelector('[data-testid="stSkeleton"], [data-testid="stAppSkeleton"]');
}"""
FULL_HEIGHT = """() => Math.max(...[...document.querySelectorAll('[data-testid="stMainBlockContainer"], [data-testid="stSidebarContent"]')]
    .map(part => part.scrollHeight)) + 40"""


class NoBrowser(Exception):
    """No Chromium on this machine: install one (apt-get install chromium) or set CHROME_PATH."""


def browser_path() -> str:
    """Return the path of a Chromium: CHROME_PATH, else the first one found on PATH.

    Raises:
        NoBrowser: there is none.
    """
    found = os.environ.get("CHROME_PATH") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if not found:
        raise NoBrowser("no Chromium on this machine: apt-get install chromium, or set CHROME_PATH")
    return found


def page_names() -> list[str]:
    """Return the pages' names in the URL, in order; the first is the one at the root."""
    return [views.name(view) for view in views.all_views()]


def address(url: str, name: str) -> str:
    """Return the address of a page."""
    return url if name == page_names()[0] else f"{url}/{name}"


def wait_until_drawn(page: Page) -> None:
    """Wait until the script has ended and the charts are on the screen."""
    page.wait_for_function(SETTLED, timeout=DRAW_MILLISECONDS)
    page.wait_for_timeout(1200)  # charts and tables load their code, then draw
    page.wait_for_function(SETTLED, timeout=DRAW_MILLISECONDS)


@contextmanager
def served(port: int | None = None, **variables: str) -> Generator[str]:
    """Run the dashboard for as long as the block lasts; yields its address."""
    port = port or _free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(APP), "--server.headless", "true", "--server.port", str(port)]
    with subprocess.Popen(command, cwd=APP.parent.parent, env=os.environ | variables, stdout=subprocess.DEVNULL) as process:
        try:
            _wait_until_healthy(f"http://127.0.0.1:{port}/_stcore/health", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_healthy(url: str, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310  our own address, on this machine
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    raise TimeoutError(f"the dashboard does not answer at {url}")


def photograph(url: str, out: Path, names: Iterable[str], query: str = "") -> Generator[Path]:
    """Write one picture a page, theme and width: `<page>_<theme>_<width>.png`; yields each file."""
    out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=FLAGS)
        for theme in THEMES:
            for width_name, width in WIDTHS.items():
                context = browser.new_context(color_scheme=theme, viewport={"width": width, "height": HEIGHT})
                for name in names:
                    path = out / f"{name}_{theme}_{width_name}.png"
                    _photograph(context.new_page(), address(url, name) + query, width, path)
                    yield path
                context.close()
        browser.close()


def _photograph(page: Page, url: str, width: int, path: Path) -> None:
    page.goto(url)
    wait_until_drawn(page)
    page.set_viewport_size({"width": width, "height": max(HEIGHT, int(page.evaluate(FULL_HEIGHT)))})
    page.wait_for_timeout(400)
    page.screenshot(path=path)
    page.close()


def main() -> None:
    """Photograph what the arguments name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--url", help="of a running dashboard; without it one is started on the published data")
    parser.add_argument("--query", default="", help="filters, as in the URL: ?site=Austin")
    parser.add_argument("--pages", nargs="*", default=page_names())
    given = parser.parse_args()
    if given.url:
        _print_each(photograph(given.url.rstrip("/"), given.out, given.pages, given.query))
        return
    with served() as url:
        _print_each(photograph(url, given.out, given.pages, given.query))


def _print_each(paths: Iterable[Path]) -> None:
    for path in paths:
        print(path)


if __name__ == "__main__":
    main()
