"""The probe: each answer turns with the switch behind it, forty requests are enough, and what it found is acted on."""

import json
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dagster_project import cli, organisations, probe, reconcile, refresh, settings, sync
from dagster_project.maintainx import capabilities, questions, walk_questions
from dagster_project.maintainx.capabilities import BadCapabilities, Capabilities
from dagster_project.maintainx.client import MaintainX
from dagster_project.maintainx.endpoints import BY_TABLE
from dagster_project.maintainx.errors import BadRequest, Forbidden, Unauthorized
from dagster_project.maintainx.inquiry import NONSENSE, Inquiry, Log
from dagster_project.maintainx.questions import NOT_ASKED, QUESTIONS
from dagster_project.organisations import Source
from dagster_project.probe import Report
from dagster_project.sites import Organisation
from dagster_project.sync import Run
from simulator import plant
from simulator.api import Simulator
from simulator.options import Options
from simulator.options import read as read_options
from simulator.transport import transport
from simulator.world import World
from tests.small_world import NORTHFIELD, asset, company, order, status

QUESTION = {name: question.text for name, found in vars(questions).items() for question in QUESTIONS if question.answer is found}


@cache
def world(**switches: str) -> World:
    """A small plant; its switches are those that change records, not answers."""
    return plant.build(scale=0.05, options=read_options(switches, ()))


def source(simulator: Simulator, folder: Path) -> Source:
    """Return the simulator's first organisation, read with a key of its own."""
    found = settings.load(maintainx_url="http://mx/v1", maintainx_token=f"demo-{NORTHFIELD}", data_dir=folder)
    return Source(found, Organisation(NORTHFIELD), False, transport(simulator))


def probed(folder: Path, of: World | None = None, **switches: Any) -> Report:
    """Return what a probe finds out about a plant with these switches."""
    return probe.probe(source(Simulator(of or world(), Options(**switches)), folder))


def answer(report: Report, name: str) -> str | None:
    return next(one.answer for one in report.findings if one.question == QUESTION[name])


@pytest.fixture(autouse=True)
def budgets_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test's simulator is another MaintainX: what one has announced is not true of the next."""
    monkeypatch.setattr(organisations, "_BUDGETS", {})


FLIPS: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "largest page, refused": ("largest_page", {"largest_page": 100}, "200", "100"),
    "largest page, cut": ("largest_page", {"largest_page": 25, "over_limit": "cut"}, "200", "25"),
    "order": ("order_honoured", {"is_sort_honoured": False}, "yes", "no"),
    "filter": ("filter_honoured", {"is_filter_honoured": False}, "yes, inclusive", "no: older rows are shown"),
    "resolution": (
        "resolution",
        {"filter_resolution_ms": 1000},
        "stamps: milliseconds; filter: milliseconds",
        "stamps: milliseconds; filter: whole seconds",
    ),
    "unknown parameter": (
        "unknown_parameters",
        {"unknown_parameter": "ignored", "unknown_custom_field": "empty"},
        "work_orders: refused (400); assets: refused (400)",
        "work_orders: ignored; assets: an empty page",
    ),
    "nulls": (
        "nulls",
        {"null_order": "last"},
        "ascending: nulls last, or none; descending: nulls first",
        "ascending: nulls last, or none; descending: nulls last, or none",
    ),
    "ties": (
        "ties",
        {"ties": "ascending"},
        "ascending: ids ascending; descending: ids descending",
        "ascending: ids ascending; descending: ids ascending",
    ),
    "upcoming": ("upcoming", {"hides_upcoming": False}, "hidden unless show_upcoming=true", "shown always"),
    "rate limit": ("rate_limit", {"rate_limit": 100}, "100000 requests a minute", "100 requests a minute"),
}


@pytest.mark.parametrize(("name", "switches", "usual", "other"), list(FLIPS.values()), ids=FLIPS)
def test_each_answer_turns_with_its_switch(tmp_path, name, switches, usual, other):
    assert answer(usual_report(tmp_path), name) == usual
    assert answer(probed(tmp_path / "other", **switches), name) == other


@cache
def usual_report(folder: Path) -> Report:
    return probed(folder)


def test_default_orders_turn_with_their_switch(tmp_path):
    usual, other = usual_report(tmp_path), probed(tmp_path, default_sorts={"assets": "-createdAt"})
    assert "work_orders -createdAt" in (answer(usual, "default_orders") or "")
    assert "assets -createdAt" in (answer(other, "default_orders") or "")
    assert "work_orders id" in (answer(other, "default_orders") or "")


def test_what_only_the_live_list_knows_is_known(tmp_path):
    assert "team_ids" in usual_report(tmp_path).found.expands["/workorders"]
    assert "team_ids" not in probed(tmp_path, team_ids_expand=False).found.expands["/workorders"]


def test_an_optional_list_whose_document_names_what_is_asked_of_it_is_not_asked(tmp_path, monkeypatch):
    asked, known = [], []
    for is_hidden in (False, True):
        simulator = Simulator(world())
        if is_hidden:
            monkeypatch.setattr(questions, "_document", lambda _: {})
        known.append(probe.probe(source(simulator, tmp_path)).found.sorts["/parts"])
        asked.append([path for path, query, _ in simulator.log if ("sort", NONSENSE) in query])
    assert known[0] == known[1]
    assert asked == [["assets", "workorders"], ["assets", "assetstatuses", "parts", "purchaseorders", "workorders"]]


@pytest.mark.parametrize(
    ("moved", "said"), [("2026-10-01T06:00:00.000Z", "no"), ("2026-11-11T06:00:00.000Z", "yes, or it was changed since")]
)
@pytest.mark.parametrize(("asset_id", "asked"), [(7, 0), (60, 1)], ids=["read with its list", "beyond the first page"])
def test_an_asset_moved_by_its_status_is_asked_for_only_where_no_list_shows_it(tmp_path, moved, said, asset_id, asked):
    small = company(
        assets=[asset(n, updatedAt=moved) for n in range(1, 61)], asset_statuses=[status(assetId=asset_id)], work_orders=[order()]
    )
    simulator = Simulator(small)
    assert answer(probe.probe(source(simulator, tmp_path)), "asset_moves") == said
    assert [path for path, *_ in simulator.log].count(f"assets/{asset_id}") == asked


def test_a_cancelled_order_may_have_a_completion(tmp_path):
    with_completion = probed(tmp_path, world(completed_at_on_cancel="true"))
    assert answer(with_completion, "cancelled") == "completedAt is set; together with SKIPPED: an empty page"
    assert answer(usual_report(tmp_path), "cancelled") == "completedAt is not set; together with SKIPPED: an empty page"


def many_assets() -> World:
    return company(
        assets=[{"id": n, "name": f"Asset {n}", "createdAt": ISO, "updatedAt": ISO} for n in range(1, 61)], work_orders=[order()]
    )


ISO = "2026-10-01T06:00:00.000Z"


def test_an_offset_list_may_have_a_deepest_row(tmp_path):
    deep, shallow = probed(tmp_path, many_assets()), probed(tmp_path, many_assets(), largest_offset=10_000)
    assert answer(deep, "deep_offsets") == "1,000,000 rows in: an empty page"
    assert answer(shallow, "deep_offsets") == "1,000,000 rows in: refused (400)"
    assert answer(deep, "cursors") == "assets: offset"


CURSORS = {
    "2026-08-31T18:00:05.998Z|118": "keyset", "MjAyNi0wOC0zMVQxODowMDowNS45OThafDE=": "keyset", "b2Zmc2V0OjUw": "offset", "50": "offset",
    "8f14e45f-ceea": "opaque", "!!": "opaque",
}  # fmt: skip


@pytest.mark.parametrize(("cursor", "kind"), list(CURSORS.items()), ids=CURSORS)
def test_a_cursor_is_told_by_what_it_is_made_of(cursor, kind):
    assert walk_questions.cursor_kind(cursor) == kind


@pytest.mark.parametrize(
    ("deleted_get", "said", "kept"), [("not_found", "404", "not_found"), ("deleted_at", "200 with deletedAt", "deleted_at")]
)
def test_a_deleted_id_answers_as_its_switch_says(deleted_get, said, kept):
    small = company(work_orders=[order(n) for n in range(1, 6)])
    small.delete("work_orders", NORTHFIELD, 3)
    simulator = Simulator(small, Options(deleted_get=deleted_get))
    with MaintainX("http://mx/v1", f"demo-{NORTHFIELD}", transport=transport(simulator)) as client:
        ask = Inquiry(client, Log(deleted_order=3))
        assert (questions.deleted(ask), ask.found) == (said, {"deleted": kept})
        assert questions.deleted(Inquiry(client, Log(deleted_order=4))) == "the order is there again"


def test_what_the_log_knows_of_deletions_and_late_changes_is_used(tmp_path):
    small = company(work_orders=[order(n) for n in range(1, 40)])
    simulator = Simulator(small)
    here = source(simulator, tmp_path)
    read_work_orders(here)
    small.advance(timedelta(hours=2))
    small.change("work_orders", NORTHFIELD, 5, title="in time")
    read_work_orders(here)
    small.whisper("work_orders", NORTHFIELD, 6, title="late", updatedAt="2026-11-16T07:00:00.000Z")
    small.delete("work_orders", NORTHFIELD, 7)
    read_work_orders(here, is_full=True)
    report = probe.probe(here)
    assert answer(report, "deleted") == "404"
    assert answer(report, "late_commits") == "1 of 2 changes; the latest by 3,600 s"


def read_work_orders(here: Source, is_full: bool = False) -> None:
    with probe.open_warehouse(here.settings) as warehouse, here.connect() as client:
        run = Run(refresh.new_run_id(), NORTHFIELD, client.now())
        sync.sync(BY_TABLE["work_orders"], client, warehouse, run)
        if is_full:
            reconcile.reconcile(BY_TABLE["work_orders"], client, warehouse, run, is_full)


def test_forty_requests_are_enough_for_all_that_can_be_asked(tmp_path):
    simulator = Simulator(world())
    report = probe.probe(source(simulator, tmp_path))
    assert report.requests == simulator.requests.total() + 1 <= probe.MOST_REQUESTS - 2  # a deleted order and a deep offset: one each
    unanswered = [one.question for one in report.findings if one.answer is None]
    assert not any("used up" in one.remark for one in report.findings)
    assert len(unanswered) - len(NOT_ASKED) <= 3


def test_a_source_that_fails_on_the_way_gets_no_more_requests_than_that(tmp_path):
    simulator = Simulator(world())
    simulator.faults.add("500", times=9, nth=8)
    simulator.faults.add("502", times=9, nth=25)
    here = source(simulator, tmp_path)
    client = here.connect(most_requests=39, knows=Capabilities())
    client._sleep = lambda _seconds: None
    with client:
        found = [probe.answered(question, Inquiry(client, Log())) for question in QUESTIONS]
    assert client.requests == simulator.requests.total() == 39
    assert "the 40 requests of a probe were used up" in {one.remark for one in found}


def test_nothing_but_reading_is_asked_and_no_token_e_mail_or_record_is_kept(tmp_path):
    simulator = Simulator(world())
    report = probe.probe(source(simulator, tmp_path))
    kept = report.file.read_text()
    people = [json.loads(raw) for raw in world().table("users", NORTHFIELD).rows.encoded.values()]
    assert "demo-101" not in kept
    assert [each["email"] for each in people if each["email"] in kept] == []
    assert "@" not in kept
    assert set(json.loads(kept)) == set(Capabilities.__struct_fields__)


def test_a_token_that_is_refused_keeps_the_earlier_file(tmp_path):
    report = probed(tmp_path)
    before = report.file.read_bytes()
    simulator = Simulator(world())
    simulator.faults.add("unauthorized", times=None)
    with pytest.raises(Unauthorized):
        probe.probe(source(simulator, tmp_path))
    assert report.file.read_bytes() == before


# What is done with it


def test_a_list_that_the_plan_lacks_is_not_asked_for_again(tmp_path):
    simulator = Simulator(world())
    simulator.faults.add("forbidden", path="/meters", times=None)
    here = source(simulator, tmp_path)
    assert answer(probe.probe(here), "plan") == "15 of 16; not /meters"
    asked = simulator.requests["meters"]
    with here.connect() as client, pytest.raises(Forbidden, match="make probe"):
        client.page("/meters", "meters")
    assert simulator.requests["meters"] == asked


def test_an_expand_that_is_not_known_and_a_page_too_large_are_never_asked_for(tmp_path):
    simulator = Simulator(world(), Options(largest_page=50))
    here = source(simulator, tmp_path)
    probe.probe(here)
    found = capabilities.load(tmp_path, NORTHFIELD)
    found.expands["/workorders"].remove("expenditures")
    capabilities.save(tmp_path, found)
    simulator.log.clear()
    read_work_orders(here)
    asked = [query for path, query, _ in simulator.log if path == "workorders"]
    assert asked
    assert not any(("expand", "expenditures") in query for query in asked)
    assert max(int(dict(query).get("limit", 0)) for query in asked) == 50
    assert simulator.statuses[400] == 0 or not any(status == 400 for *_, status in simulator.log)


def test_a_file_that_no_probe_wrote_is_an_error_that_says_what_to_do(tmp_path):
    capabilities.save(tmp_path, Capabilities(organisation_id=NORTHFIELD, largest_page=100))
    assert capabilities.load(tmp_path, NORTHFIELD).largest_page == 100
    capabilities.file_of(tmp_path, NORTHFIELD).write_text('{"largest_page": "many"}')
    with pytest.raises(BadCapabilities, match="make probe"):
        capabilities.load(tmp_path, NORTHFIELD)
    assert capabilities.load(tmp_path, 5) == Capabilities()


def test_without_a_probe_the_documented_api_is_assumed(tmp_path):
    simulator = Simulator(world(), Options(largest_page=50))
    with source(simulator, tmp_path).connect() as client:
        assert (client.largest_page, client.capabilities) == (None, Capabilities())
        assert len(client.page("/workorders", "workOrders", [("limit", "200")]).records) == 50
        with pytest.raises(BadRequest):
            client.page("/workorders", "workOrders", [("limit", "x")])


def test_the_command_prints_every_question_and_names_the_file(tmp_path, monkeypatch):
    simulator = Simulator(world())
    monkeypatch.setattr(organisations, "organisations", lambda *_: [source(simulator, tmp_path)])
    monkeypatch.setenv("COLUMNS", "300")
    done = CliRunner().invoke(cli.app, ["probe"])
    assert done.exit_code == 0, done.output
    assert [text for text in [*QUESTION.values(), *NOT_ASKED] if text not in done.output] == []
    assert str(capabilities.file_of(tmp_path, NORTHFIELD)) in done.output.replace("\n", "")
