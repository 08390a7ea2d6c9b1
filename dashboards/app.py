"""The dashboard: navigation, filters kept in the URL, and a page that follows each new version of the published data."""

import logging
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from dashboards import data, filters, views

LOOK_EVERY_SECONDS = 5
SELECTION = "_selection"  # how the filters reach the page that is drawn
STYLE = Path(__file__).parent / "style.css"
ICON = str(STYLE.with_name("icon.svg"))  # our own: an icon by its name is fetched from another host


def main() -> None:
    """Draw the page that the URL names."""
    st.set_page_config(page_title="MaintainX analytics", page_icon=ICON, layout="wide")
    st.html(STYLE)
    version = data.published()
    pages = {views.name(view): _page(view) for view in views.all_views()}
    page = st.navigation(list(pages.values()))
    told = data.notice()
    _watch(version, told, st.context.theme.type)
    if version is None:
        first_run()
        return
    try:
        if told:
            st.warning(told.replace("_", r"\_"))
        _draw(version, page, pages)
    except data.Unreadable as error:
        unreadable(version, error)


def _page(view: ModuleType) -> StreamlitPage:
    def draw() -> None:
        view.render(st.session_state[SELECTION])

    return st.Page(draw, title=view.TITLE, icon=view.ICON, url_path=views.name(view), default=view.ORDER == 1)


def _draw(version: str, page: StreamlitPage, pages: dict[str, StreamlitPage]) -> None:
    selection = filters.choose(version, datetime.now(UTC), pages)
    if selection is None:
        nothing_yet()
        return
    st.session_state[SELECTION] = selection
    page.run()


@st.fragment(run_every=LOOK_EVERY_SECONDS)
def _watch(version: str | None, told: str | None, theme: str | None) -> None:
    """Draw the whole page anew when there is a new version or notice, or when the reader changed between light and dark."""
    if (data.published(), data.notice()) != (version, told) or st.context.theme.type != theme:
        st.rerun()


def first_run() -> None:
    """Say what to do when nothing has been published."""
    st.title("Nothing is published yet", anchor=False)
    st.markdown("Run the whole job once, on a simulated plant. This page shows the result as soon as it is there.")
    st.code("make demo", language="bash")
    st.markdown("With a MaintainX token in `.env` (see `.env.example`), the same job reads your organisation:")
    st.code("make refresh", language="bash")


def nothing_yet() -> None:
    """Say that what is published has no KPI."""
    st.title("No KPI has been computed yet", anchor=False)
    st.markdown("The published data holds no KPI of this organisation. The next complete run fills it.")
    st.code("make refresh", language="bash")


def unreadable(version: str, error: data.Unreadable) -> None:
    """Say which file could not be read, and what to do."""
    st.title("The published data cannot be read", anchor=False)
    st.text(f"Version {data.version_name(version)} could not be opened, or lacks a table.")
    st.markdown("Publish it anew; the full message is in the dashboard's log.")
    st.code("make refresh", language="bash")
    logging.getLogger(__name__).error("%s", error)


main()
