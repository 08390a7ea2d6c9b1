"""The quarantine's commands: what is set aside is listed, tried again, or given up, and never lost on the way."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from dagster_project import quarantine
from dagster_project.cli import app
from dagster_project.frames.records import rejected
from dagster_project.ingest import take
from dagster_project.quarantine import Replayed, UnknownEntry
from dagster_project.settings import Settings
from dagster_project.warehouse.duckdb import DuckDBWarehouse
from dagster_project.warehouse.open import open_warehouse
from tests.small_world import DECCAN, NORTHFIELD, NOW, order, raw, reading, stored

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


def read(warehouse: DuckDBWarehouse, *records: dict[str, Any] | bytes, hours: int = 0, run_id: str = "run-1") -> None:
    """Let a run have read records, so many hours after NOW."""
    given = reading(run_id=run_id, now=NOW + timedelta(hours=hours))
    warehouse.commit(take(given, [one if isinstance(one, bytes) else raw(one) for one in records], warehouse).commit)


def refused_by_an_older_program(warehouse: DuckDBWarehouse, record: dict[str, Any], hours: int = 0, **more: Any) -> None:
    """Put a record into quarantine that this program's contract accepts."""
    entry = rejected(raw(record), "type", "Expected `int`, got `str` - at `$.novel`", "novel", "x", record["id"])
    seen = {"first_seen_at": NOW + timedelta(hours=hours), "last_seen_at": NOW + timedelta(hours=hours), "times_seen": 1, "status": "open"}
    about = {"organisation_id": NORTHFIELD, "endpoint": "work_orders", "run_id": "run-1"}
    fields = {name: getattr(entry, name) for name in entry.__struct_fields__}
    warehouse.insert("quarantine", [{**about, **seen, **fields, **more}])


def statuses(warehouse: DuckDBWarehouse) -> list[tuple]:
    return stored(warehouse, "ops.quarantine", "record_id, reason_code, status")


def titles(warehouse: DuckDBWarehouse) -> list[tuple]:
    return stored(warehouse, "raw.work_orders", "id, version_number, cause, title")


def maintainx(settings: Settings, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["quarantine", *arguments], env={"DATA_DIR": str(settings.data_dir), "COLUMNS": "200"})


# list


def test_an_entry_says_what_is_wrong_and_since_when_the_last_good_version_is_out_of_date(settings):
    with open_warehouse(settings) as warehouse:
        read(warehouse, order(1))
        read(warehouse, order(1, title=5), order(2, title=7), hours=1)
        found = quarantine.entries(warehouse)
        assert found.select("record_id", "reason_code", "field", "value", "last_seen_at", "stale_since").rows() == [
            (1, "type", "title", "5", LATER, LATER),
            (2, "type", "title", "7", LATER, None),
        ]
        assert found["entry"].str.len_chars().to_list() == [8, 8]
        read(warehouse, order(1, title=6), hours=2)
        assert quarantine.entries(warehouse)["entry"].to_list() == found["entry"].to_list()


def test_entries_are_chosen_by_endpoint_reason_and_organisation(settings):
    with open_warehouse(settings) as warehouse:
        read(warehouse, order(1, title=5), b"{", order(3, id=None))
        assert quarantine.entries(warehouse, endpoint="assets").height == 0
        assert quarantine.entries(warehouse, reason="out_of_range").height == 0
        assert quarantine.entries(warehouse, organisation_id=DECCAN).height == 0
        assert quarantine.entries(warehouse, "work_orders", "type", NORTHFIELD)["record_id"].to_list() == [1]
        assert quarantine.entries(warehouse).height == 3


def test_the_console_lists_entries_as_a_table_and_as_json(settings):
    with open_warehouse(settings) as warehouse:
        read(warehouse, order(1))
        read(warehouse, order(1, title=5), hours=1)
    table = maintainx(settings, "list").output
    words = ("1 in quarantine", f"{NORTHFIELD} work_orders 1 ", "type in title: 5", "2026-11-16 07:00")
    assert [word for word in words if word not in table] == []
    rows = json.loads(maintainx(settings, "list", "--json").output)
    assert [(row["record_id"], row["stale_since"], json.loads(row["raw_json"])["title"]) for row in rows] == [(1, str(LATER), 5)]
    assert maintainx(settings, "list", "--endpoint", "assets").output == "nothing is in quarantine by these filters\n"


def test_the_console_prints_what_the_source_said_as_text(settings):
    with open_warehouse(settings) as warehouse:
        read(warehouse, order(1, title=["[red]x[/red]"]))
    assert "[red]x[/red]" in maintainx(settings, "list").output


# replay


def test_what_fits_by_now_joins_the_log_with_its_children_and_leaves_quarantine(settings):
    with open_warehouse(settings) as warehouse:
        read(warehouse, order(1), order(2))
        refused_by_an_older_program(warehouse, order(1, title="New", categories=["Safety"], updatedAt="2026-11-15T00:00:00Z"))
        refused_by_an_older_program(warehouse, order(3, title="Never seen"))
        read(warehouse, order(4, title=5))
    assert quarantine.replay(settings, "replay-1") == Replayed(tried=3, healed=2, refused=1)
    with open_warehouse(settings) as warehouse:
        assert titles(warehouse) == [
            (1, 1, "first", "Order 1"), (1, 2, "change", "New"), (2, 1, "first", "Order 2"), (3, 1, "first", "Never seen")
        ]  # fmt: skip
        assert stored(warehouse, "raw.work_order_categories", "id, version_number, label") == [(1, 2, "Safety")]
        assert statuses(warehouse) == [(1, "type", "replayed"), (3, "type", "replayed"), (4, "type", "open")]
        assert stored(warehouse, "ops.quarantine", "record_id, times_seen, run_id") == [(1, 1, "run-1"), (3, 1, "run-1"), (4, 1, "run-1")]
        assert stored(warehouse, "ops.runs", "run_id, kind, status, known_from") == [("replay-1", "replay", "finished", None)]
    assert quarantine.replay(settings, "replay-2") == Replayed(tried=1, refused=1)


def test_a_replay_never_puts_something_old_over_something_newer(settings):
    with open_warehouse(settings) as warehouse:
        read(warehouse, order(1, title="Newest", updatedAt="2026-11-15T12:00:00Z"), order(2, title="Read later"), order(3))
        refused_by_an_older_program(warehouse, order(1, title="Older", updatedAt="2026-11-15T00:00:00Z"))
        refused_by_an_older_program(warehouse, order(2, title="Seen before"), hours=-5)
        refused_by_an_older_program(warehouse, order(3), hours=1)
        before = titles(warehouse)
    assert quarantine.replay(settings, "replay-1") == Replayed(tried=3, overtaken=3)
    with open_warehouse(settings) as warehouse:
        assert titles(warehouse) == before
        assert {row[-1] for row in statuses(warehouse)} == {"replayed"}


def test_a_record_that_was_kept_in_part_waits_to_be_read_again(settings):
    twice = raw(order(1)).replace(b'"title"', b'"title":"first","title"')
    no_text = raw(order(2)).replace(b"Order 2", b"Order \xff")
    with open_warehouse(settings) as warehouse:
        read(warehouse, twice, no_text)
        assert sorted(row[1] for row in statuses(warehouse)) == ["duplicate_key", "unreadable"]
    assert quarantine.replay(settings, "replay-1") == Replayed(tried=2, kept_in_part=2)
    with open_warehouse(settings) as warehouse:
        assert titles(warehouse) == []


def test_of_several_entries_of_one_record_the_newest_counts_and_all_are_settled(settings):
    with open_warehouse(settings) as warehouse:
        refused_by_an_older_program(warehouse, order(1, title="Older"), reason_code="out_of_range")
        refused_by_an_older_program(warehouse, order(1, title="Newer"), hours=1)
    assert quarantine.replay(settings, "replay-1").healed == 1
    with open_warehouse(settings) as warehouse:
        assert titles(warehouse) == [(1, 1, "first", "Newer")]
        assert {row[-1] for row in statuses(warehouse)} == {"replayed"}


def test_the_console_says_what_a_replay_did(settings):
    with open_warehouse(settings) as warehouse:
        refused_by_an_older_program(warehouse, order(1))
    said = "1 tried: 1 healed, 0 replaced by something newer, 0 still refused; the figures count them from the next `make refresh` on\n"
    assert maintainx(settings, "replay", "--endpoint", "work_orders").output == said
    assert maintainx(settings, "replay").output == "nothing is in quarantine\n"


# discard


def test_what_is_given_up_stays_so_with_its_reason_until_its_content_is_another(settings):
    with open_warehouse(settings) as warehouse:
        read(warehouse, order(1, title=5))
        entry = quarantine.entries(warehouse)["entry"][0]
    done = maintainx(settings, "discard", entry, "--reason", "test order of the vendor")
    assert (done.exit_code, done.output) == (0, "1 discarded, and written to ops.audit\n")
    with open_warehouse(settings) as warehouse:
        assert statuses(warehouse) == [(1, "type", "discarded")]
        assert stored(warehouse, "ops.audit", "organisation_id, endpoint, action, detail") == [
            (NORTHFIELD, "work_orders", "discard", f"{entry}: record 1, type, last seen 2026-11-16 06:00 UTC: test order of the vendor")
        ]
        read(warehouse, order(1, title=5), hours=1)
        assert statuses(warehouse) == [(1, "type", "discarded")]
        read(warehouse, order(1, title=6), hours=2)
        assert statuses(warehouse) == [(1, "type", "open")]


def test_a_record_without_an_id_can_be_given_up_too(settings):
    with open_warehouse(settings) as warehouse:
        read(warehouse, b"{", order(3, id=None))
        names = quarantine.entries(warehouse)["entry"].to_list()
    assert quarantine.discard(settings, [*names, names[0]], "broken export") == 2
    with open_warehouse(settings) as warehouse:
        assert {row[-1] for row in statuses(warehouse)} == {"discarded"}


def test_nothing_is_given_up_without_a_reason(settings):
    done = maintainx(settings, "discard", "12345678", "--reason", " ")
    assert (done.exit_code, "say why" in done.output) == (2, True)


def test_an_entry_that_is_not_there_is_named_and_nothing_is_given_up(settings):
    with open_warehouse(settings) as warehouse:
        read(warehouse, order(1, title=5))
        entry = quarantine.entries(warehouse)["entry"][0]
    with pytest.raises(UnknownEntry, match="named 12345678: see `make quarantine`"):
        quarantine.discard(settings, [entry, "12345678"], "x")
    with open_warehouse(settings) as warehouse:
        assert statuses(warehouse) == [(1, "type", "open")]
        assert stored(warehouse, "ops.audit") == []
