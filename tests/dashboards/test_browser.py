"""One journey a page in a real Chromium, and the states that only a browser shows."""

from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from dashboards import screenshots

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser
PAGES = screenshots.page_names()
OVERFLOW = "() => document.documentElement.scrollWidth - window.innerWidth"
WIDER_THAN_ITS_PLACE = """() => {
    const block = document.querySelector('[data-testid="stMainBlockContainer"]');
    const right = block.getBoundingClientRect().right + 1;
    return [...block.querySelectorAll('p, h1, h2, h3, li, a, button, canvas, svg')]
        .filter(part => part.getBoundingClientRect().width && part.getBoundingClientRect().right > right
            && !part.closest('[data-testid="stDataFrame"]'))
        .map(part => part.tagName + ': ' + part.textContent.slice(0, 60));
}"""


@pytest.fixture(scope="module")
def url(built: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    folder = built("data").parent
    with screenshots.served(DATA_DIR=str(folder), ENV_FILE=str(folder / "no.env")) as address:
        yield address


@pytest.fixture(scope="module")
def browser(chromium: str) -> Generator:
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=screenshots.FLAGS)
        yield running
        running.close()


def is_complaint(message) -> bool:
    """Streamlit looks for its own addresses below a page's first, where a 404 is the answer."""
    return message.type == "error" and "/_stcore/" not in message.location["url"]


def is_elsewhere(url: str) -> bool:
    return not url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:"))


def opened(browser, address: str, width: int, theme: str = "light"):
    page = browser.new_context(color_scheme=theme, viewport={"width": width, "height": 844}).new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if is_complaint(message) else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.append(f"asked elsewhere: {request.url}") if is_elsewhere(request.url) else None)
    page.goto(address)
    screenshots.wait_until_drawn(page)
    return page, complaints


@pytest.mark.parametrize("name", PAGES)
def test_a_page_draws_on_a_phone_and_its_filters_come_from_the_url_and_go_to_it(name: str, url: str, browser) -> None:
    filters = "?organisation=Northfield+Foods&site=Porto&periods=Months&period=Sep+2026"
    page, complaints = opened(browser, screenshots.address(url, name) + filters, 390)
    assert page.evaluate(OVERFLOW) <= 0
    assert page.evaluate(WIDER_THAN_ITS_PLACE) == []
    assert complaints == []
    if name != "data_health":
        assert "Northfield Foods · Porto" in page.locator(".mx-eyebrow").inner_text()

    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("radio", name="Weeks").click()
    page.wait_for_url(lambda address: "periods" not in address and "period=" not in address)
    assert "site=Porto" in page.url
    page.get_by_role("combobox", name="Site").click()
    page.get_by_role("option", name="Austin").click()
    page.wait_for_url(lambda address: "site=Austin" in address)
    screenshots.wait_until_drawn(page)
    page.reload()
    screenshots.wait_until_drawn(page)
    assert "site=Austin" in page.url
    assert complaints == []
    page.context.close()


def test_a_tile_opens_its_page_and_takes_the_filters_along(url: str, browser) -> None:
    page, complaints = opened(browser, f"{url}/?organisation=Northfield+Foods&site=Porto", 1440)
    page.get_by_role("link", name="Downtime over time").click()
    page.wait_for_url(lambda address: "/time_to_repair" in address)
    screenshots.wait_until_drawn(page)
    assert "Northfield Foods · Porto" in page.locator(".mx-eyebrow").inner_text()
    assert "measure=Mean+downtime" in page.url
    assert complaints == []
    page.context.close()


def test_every_control_is_reached_with_the_keyboard(url: str, browser) -> None:
    page, _ = opened(browser, f"{url}/?organisation=Northfield+Foods", 1440)
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("() => document.activeElement.innerText || document.activeElement.getAttribute('aria-label') || ''"))
    assert {"Overview", "Backlog"} <= {words.split("\n")[-1] for words in reached}
    assert any("What was late" in words for words in reached)
    assert any("Download CSV" in words for words in reached)
    page.context.close()


@pytest.mark.parametrize("theme", screenshots.THEMES)
def test_both_themes_have_contrast_enough_to_read(theme: str, url: str, browser) -> None:
    page, _ = opened(browser, f"{url}/?organisation=Northfield+Foods", 1440, theme)
    pairs = page.evaluate(
        """() => {
            const numbers = text => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
            const light = parts => parts.map(c => c / 255).map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
                .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
            const ground = light(numbers(getComputedStyle(document.querySelector('.stApp')).backgroundColor));
            return [...document.querySelectorAll('.mx-tile p, .mx-tile h3, .mx-head p, h1, h2, .mx-list span, .mx-list small')]
                .filter(part => part.innerText && !part.querySelector('.mx-mark')).map(part => {
                    const ink = light(numbers(getComputedStyle(part).color));
                    return [(Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05), part.innerText];
                });
        }"""
    )
    assert pairs
    assert [pair for pair in pairs if pair[0] < 4.5] == []
    page.context.close()


def test_an_open_page_follows_a_new_version(browser, tmp_path: Path) -> None:
    from tests.dashboards.marts_builder import build_published  # noqa: PLC0415

    with screenshots.served(DATA_DIR=str(tmp_path), ENV_FILE=str(tmp_path / "no.env")) as address:
        page, _ = opened(browser, address, 1440)
        assert "Nothing is published yet" in page.locator("h1").inner_text()
        build_published(tmp_path / "published")
        page.locator(".mx-head").wait_for(timeout=20_000)
        page.context.close()
