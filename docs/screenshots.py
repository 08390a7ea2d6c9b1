"""Photograph every dashboard page and Dagster's asset graph into DATA_DIR/screenshots: `make screenshots`.

Reads what is published in DATA_DIR; run `make demo` first. Needs a Chromium: CHROME_PATH, else the first one on PATH.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import sync_playwright

from dagster_project import programs, publish, up
from dagster_project.settings import Settings, load
from dashboards import screenshots

WIDTH, HEIGHT = 1920, 1200
# picture → address in Dagster, and the key that is pressed there: Alt+e unfolds the groups of the graph
DAGSTER = {"dagster_groups": ("/asset-groups", ""), "dagster_assets": ("/asset-groups", "Alt+e"), "dagster_runs": ("/runs", "")}


def main() -> int:
    """Take all pictures and say where they are."""
    settings = load()
    if publish.current(settings.published_dir) is None:
        print(f"nothing is published in {settings.published_dir}: run `make demo` first", file=sys.stderr)
        return 1
    children = [programs.start(program) for program in up.services(settings) if program.answers_at]
    try:
        for child in children:
            programs.wait_until_answers(child)
        for path in _pictures(settings, settings.data_dir / "screenshots"):
            print(path)
    finally:
        programs.stop(children)
    return 0


def _pictures(settings: Settings, folder: Path) -> Iterator[Path]:
    yield from screenshots.photograph(f"http://127.0.0.1:{settings.dashboard_port}", folder, screenshots.page_names())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=screenshots.browser_path(), args=screenshots.FLAGS)
        for name, (address, key) in DAGSTER.items():
            page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
            page.goto(f"http://127.0.0.1:{settings.dagster_port}{address}")
            page.wait_for_load_state("networkidle")
            if key:
                page.keyboard.press(key)
            page.wait_for_timeout(4000)  # the graph is laid out by a worker
            page.screenshot(path=folder / f"{name}.png")
            yield folder / f"{name}.png"
        browser.close()


if __name__ == "__main__":
    sys.exit(main())
