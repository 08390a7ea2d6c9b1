"""Every page in every state, without a browser."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dagster_project.warehouse import notice
from dashboards import screenshots, views
from tests.dashboards.marts_builder import HOSTILE_TITLE, build_published

PAGES = screenshots.page_names()
NORTHFIELD = {"organisation": "Northfield Foods"}
Open = Callable[..., AppTest]
Publish = Callable[[str], Path]


def elements(app: AppTest, kind: str) -> list[Any]:
    return list(app.get(kind))


def html(app: AppTest) -> str:
    return "\n".join(element.body for element in elements(app, "html"))


def words(app: AppTest) -> str:
    native = [element.value for kind in ("title", "markdown", "code", "text") for element in elements(app, kind)]
    return "\n".join([unescape(html(app)), *native]).replace("\u00a0", " ")


def charts(app: AppTest) -> list:
    return [element.proto for element in elements(app, "vega_lite_chart")]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_states_its_finding_where_it_applies_and_how_fresh_it_is(page: str, opened: Open, publish_state: Publish) -> None:
    publish_state("data")
    app = opened(page, **NORTHFIELD)
    assert not app.exception
    head = elements(app, "html")[0].body
    assert head.count("<h1>") == 1
    assert "Northfield Foods" in head
    assert "data to 00:00 CST, Mon 16 Nov 2026" in head
    assert "None" not in head
    assert "nan" not in words(app).lower().split()


@pytest.mark.parametrize("page", PAGES)
def test_every_chart_says_its_finding_and_has_a_table_with_a_download_behind_it(page: str, opened: Open, publish_state: Publish) -> None:
    publish_state("data")
    app = opened(page, **NORTHFIELD)
    drawn = charts(app)
    assert drawn
    assert all(len(chart.alt) > 20 for chart in drawn)
    figures = [chart for chart in drawn if ", the last " not in chart.alt]
    assert [expander.label for expander in app.expander] == ["Table and CSV"] * len(figures)
    assert len(app.get("download_button")) == len(app.dataframe) >= len(figures)


def test_g5_while_no_new_version_can_be_made_each_page_shows_the_one_before_and_says_why(opened: Open, publish_state: Publish) -> None:
    folder = publish_state("data")
    notice.put(
        folder, "What was read up to 06:00 could not be published: test unique_id failed. These are the figures of the version before."
    )
    app = opened(PAGES[0], **NORTHFIELD)
    assert [warning.value for warning in app.warning] == [(notice.read(folder) or "").replace("_", r"\_")]
    assert "data to 00:00 CST, Mon 16 Nov 2026" in html(app)
    notice.take_down(folder)
    assert not opened(PAGES[0], **NORTHFIELD).warning


@pytest.mark.parametrize("page", PAGES)
def test_before_the_first_publication_a_page_names_the_command(page: str, opened: Open) -> None:
    app = opened(page)
    assert not app.exception
    assert app.code[0].value == "make demo"


@pytest.mark.parametrize("page", PAGES)
def test_empty_marts_are_a_state_not_an_error(page: str, opened: Open, publish_state: Publish) -> None:
    publish_state("empty")
    app = opened(page)
    assert not app.exception
    assert "No KPI has been computed yet" in words(app)


@pytest.mark.parametrize("page", PAGES)
def test_a_kpi_without_a_value_says_why_in_words(page: str, opened: Open, publish_state: Publish) -> None:
    publish_state("null")
    app = opened(page, **NORTHFIELD)
    assert not app.exception
    said = words(app)
    assert not any(code in said for code in ("nothing_completed", "no_repair_evidence", "nothing_due", "not_observed_yet", "no_crew_hours"))
    expected = {
        "overview": "no repair has a root-cause report",
        "time_to_repair": "no repair has a root-cause report",
        "pm_compliance": "nothing was due",
        "backlog": "the source had not been read completely then",
        "data_health": "1 skipped",
    }
    assert expected[page] in said


@pytest.mark.parametrize("page", PAGES)
def test_each_site_and_grain_draws(page: str, opened: Open, publish_state: Publish) -> None:
    publish_state("data")
    for filters in ({"site": "Porto"}, {"periods": "Months"}, {"site": "Austin", "period": "W30 2026"}, {"period": "W47 2026"}):
        app = opened(page, **NORTHFIELD, **filters)
        assert not app.exception, filters
        assert elements(app, "html")[0].body.count("<h1>") == 1


def test_data_health_counts_what_the_work_orders_lack(opened: Open, publish_state: Publish) -> None:
    publish_state("data")
    app = opened("data_health", **NORTHFIELD)
    tables = [table.value for table in app.dataframe]
    lacking = next(table for table in tables if "what_is_missing" in table.columns)
    gaps = lacking.set_index(["organisation", "what_is_missing"])
    assert {what for _, what in gaps.index} == {"a known asset", "a due date, of preventive orders", "an estimate, of open orders",
                                                "logged time, of completed repairs"}  # fmt: skip
    orphans = gaps.xs("a known asset", level="what_is_missing")
    assert orphans["orders"].sum() == 80
    assert orphans["of_orders"].sum() == 4000
    assert 0.01 < orphans["missing_share"].min() <= orphans["missing_share"].max() < 0.03


def test_data_health_tells_what_a_sweep_found_what_came_late_and_which_figures_are_old(opened: Open, publish_state: Publish) -> None:
    publish_state("data")
    app = opened("data_health", **NORTHFIELD)
    said = words(app)
    assert "Labour and costs last swept. Northfield Foods: " in said
    assert "14 of 812 orders changed" in said
    assert "matched for Northfield Foods" in said
    assert "history takes 45 days at this share" in said
    assert "1 record came to light later than a reading looks back" in said
    assert "Of 1 the figures keep the last good version (stale since)" in said
    held = next(table.value for table in app.dataframe if "stale_since" in table.value.columns)
    assert held["stale_since"].notna().sum() == 1


def test_the_url_chooses_organisation_site_and_period(opened: Open, publish_state: Publish) -> None:
    publish_state("data")
    app = opened("overview", organisation="Northfield Foods", site="Porto", periods="Months", period="Sep 2026")
    assert "Northfield Foods · Porto · Sep 2026" in words(app)
    assert "WET" in words(app), "a site's own clock"


def test_an_unknown_site_in_the_url_falls_back_to_all_of_them(opened: Open, publish_state: Publish) -> None:
    publish_state("data")
    app = opened("overview", **NORTHFIELD, site="Atlantis")
    assert not app.exception
    assert "Northfield Foods · All sites" in words(app)


def test_another_organisation_or_grain_resets_the_filter_below_it(opened: Open, publish_state: Publish) -> None:
    publish_state("data")
    app = opened("overview", **NORTHFIELD, site="Porto", period="W40 2026")
    app.selectbox(key="organisation").set_value("Deccan Packaging").run()
    assert "Deccan Packaging · All sites · W40" in words(app)
    app.segmented_control(key="periods").set_value("Months").run()
    assert "Deccan Packaging · All sites · Oct 2026" in words(app)


def test_without_a_choice_the_last_full_period_is_shown(opened: Open, publish_state: Publish) -> None:
    publish_state("data")
    assert "W46, 9\u201315 Nov 2026" in words(opened("overview", **NORTHFIELD))


def test_late_data_is_marked_with_its_hours(opened: Open, tmp_path: Path) -> None:
    build_published(tmp_path / "data" / "published", wall=datetime.now(UTC) - timedelta(hours=31, minutes=5))
    assert "7 h late" in words(opened("overview", **NORTHFIELD))


def test_fresh_data_has_no_mark(opened: Open, tmp_path: Path) -> None:
    build_published(tmp_path / "data" / "published", wall=datetime.now(UTC) - timedelta(hours=2))
    assert "late</span>" not in html(opened("overview", **NORTHFIELD))


def test_a_new_version_is_shown_by_the_page_that_is_open(opened: Open, tmp_path: Path) -> None:
    published = tmp_path / "data" / "published"
    build_published(published, null_kpis=True)
    app = opened("overview", **NORTHFIELD)
    assert "No measure has a value" in words(app)
    build_published(published, version="000002_20261116T070000Z")
    assert "No measure has a value" not in words(app.run())


def test_a_file_that_cannot_be_read_is_named_without_a_traceback(opened: Open, publish_state: Publish) -> None:
    path = next(publish_state("data").glob("*/*.duckdb"))
    path.write_bytes(b"not a database" * 1000)
    app = opened("overview")
    assert not app.exception
    assert "The published data cannot be read" in words(app)
    assert str(path.parent.parent) not in words(app)


def test_i1_the_text_of_a_record_is_shown_and_never_interpreted(opened: Open, tmp_path: Path) -> None:
    path = build_published(tmp_path / "data" / "published")
    _name_every_site(path, HOSTILE_TITLE)
    for page in PAGES:
        app = opened(page, **NORTHFIELD)
        assert not app.exception
        assert "<script" not in html(app)
        assert not any(HOSTILE_TITLE in element.value for element in app.markdown)
    assert HOSTILE_TITLE in unescape(html(opened("overview", **NORTHFIELD)))


def _name_every_site(path: Path, name: str) -> None:
    import duckdb  # noqa: PLC0415

    with duckdb.connect(str(path)) as connection:
        connection.execute("update ops.sites set site_name = ? where site_id = 'austin'", [name])
        connection.execute("update marts.work_orders set title = ?, site_name = ?", [name, name])
        connection.execute("update marts.dim_assets set asset_name = ?", [name])


@pytest.mark.parametrize("view", views.all_views(), ids=views.name)
def test_a_view_names_itself_and_answers_a_question(view) -> None:
    assert view.TITLE
    assert view.ICON.startswith(":material/")
    assert callable(view.render)
    assert view.__doc__.rstrip().endswith("?")


def test_the_pages_have_an_order_without_ties() -> None:
    orders = [view.ORDER for view in views.all_views()]
    assert orders == sorted(set(orders))
    assert orders[0] == 1


def test_the_dashboard_keeps_to_this_machine_and_tells_nobody() -> None:
    import tomllib  # noqa: PLC0415

    config = tomllib.loads((screenshots.APP.parent.parent / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert config["server"]["address"] == "127.0.0.1"
    assert config["browser"]["gatherUsageStats"] is False
    assert config["client"]["showErrorDetails"] == "none"
    assert config["client"]["disableDataExport"] is True, "the built-in export is not safe against formulas"
    assert os.environ["STREAMLIT_BROWSER_GATHER_USAGE_STATS"] == "false"


def test_a_mean_over_a_part_of_the_repairs_says_of_how_many(opened: Open, publish_state: Publish) -> None:
    publish_state("data")
    head = unescape(elements(opened("time_to_repair", **NORTHFIELD), "html")[0].body)
    assert "repairs with evidence took" in head
