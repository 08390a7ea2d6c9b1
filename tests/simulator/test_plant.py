"""The simulated company: the same for the same seed, whichever way its time was spent, and like a real one."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator import plant
from simulator.company import ORGANISATIONS, SITES
from simulator.instants import Zone, from_datetime, iso, parse, to_datetime
from simulator.world import TABLES, World
from tests.simulator.asking import instant

START = plant.FOUNDED + timedelta(days=120)  # a young company is quick to build


def picture(world: World) -> dict:
    return {
        (table, org): dict(world.table(table, org).rows.encoded)
        for table in TABLES
        for org in (101, 102)
        if world.table(table, org).rows.encoded
    }


def rows(world: World, table: str) -> list[dict]:
    return [msgspec.json.decode(each) for org in world.organisations for each in world.table(table, org).rows.encoded.values()]


@pytest.fixture(scope="module")
def full_orders(full_world: World) -> list[dict]:
    return rows(full_world, "work_orders")


def test_two_instances_of_one_seed_are_equal_in_every_version():
    one, other = plant.build(seed=3, scale=0.02, now=START), plant.build(seed=3, scale=0.02, now=START)
    assert picture(one) == picture(other)
    assert all(one.history(table) == other.history(table) for table in TABLES)


def test_another_seed_is_another_company():
    assert picture(plant.build(seed=3, scale=0.02, now=START)) != picture(plant.build(seed=4, scale=0.02, now=START))


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(1, 60 * 24 * 20), min_size=1, max_size=8))
def test_however_a_span_is_cut_the_world_is_the_same_at_its_end(minutes):
    cut = plant.build(scale=0.01, now=START)
    for each in minutes:
        cut.advance(timedelta(minutes=each))
    whole = plant.build(scale=0.01, now=START)
    whole.advance(timedelta(minutes=sum(minutes)))
    assert picture(cut) == picture(whole)


def test_ten_days_are_ten_times_one_day():
    slow, fast = plant.build(scale=0.05, now=START), plant.build(scale=0.05, now=START)
    counts = Counter()
    for _ in range(10):
        counts += slow.advance(timedelta(days=1))
    assert counts == fast.advance(timedelta(days=10))
    assert picture(slow) == picture(fast)


def test_a_world_built_later_is_the_world_that_was_advanced():
    advanced = plant.build(scale=0.02, now=START)
    advanced.advance(timedelta(days=33, hours=7))
    assert picture(advanced) == picture(plant.build(scale=0.02, now=START + timedelta(days=33, hours=7)))


def test_a_day_brings_new_updated_and_silently_changed_orders():
    world = plant.build(now=START)
    counts = world.advance(timedelta(days=30))
    expected = {"created", "updated", "deleted", "re-opened", "labour added", "changed silently"}
    assert {f"work_orders {each}" for each in expected} <= set(counts)


def test_versions_come_in_order_of_time_and_end_at_the_current_rows(world):
    for table in TABLES:
        latest, instants = {}, []
        for version in world.versions(table):
            latest[version.organisation_id, version.id] = version.record
            instants.append(version.at)
        assert instants == sorted(instants)
        current = {
            (org, row["id"]): row for org in (101, 102) for row in map(msgspec.json.decode, world.table(table, org).rows.encoded.values())
        }
        assert {key: record for key, record in latest.items() if record is not None} == current


def test_every_change_is_its_own_version(world):
    before = sum(1 for _ in world.versions("work_orders"))
    order = next(iter(world.table("work_orders", 101).rows.encoded))
    world.whisper("work_orders", 101, order, timeItems=[])
    world.change("work_orders", 101, order, title="Changed")
    world.delete("work_orders", 101, order)
    last = list(world.versions("work_orders"))[before:]
    assert [version.record is None for version in last] == [False, False, True]
    assert last[1].record["title"] == "Changed"
    assert last[1].record["updatedAt"] == iso(world.now)


def test_a_world_too_large_for_its_history_says_so():
    world = World(0, keep_versions=False, scale=50)
    with pytest.raises(RuntimeError, match="scale 50"):
        list(world.versions("work_orders"))


def test_a_world_of_any_size_tells_what_is_there_now(world):
    last = {(version.organisation_id, version.id): version.record for version in world.versions("assets")}
    now = {(version.organisation_id, version.id): version.record for version in world.current("assets")}
    assert now == {key: record for key, record in last.items() if record is not None}


def test_a_change_of_a_record_that_is_not_there_is_an_error(world):
    with pytest.raises(KeyError, match="does not exist"):
        world.change("work_orders", 101, 1, title="x")


def test_the_company_has_two_organisations_and_three_sites_in_three_zones(standing_world):
    assert [(row["id"], row["name"], row["timeZone"], row["currency"]) for row in rows(standing_world, "organizations")] == [
        (101, "Northfield Foods", "America/Chicago", "USD"),
        (102, "Deccan Packaging", "Asia/Kolkata", "INR"),
    ]
    roots = {row["id"]: row["name"] for row in rows(standing_world, "locations") if "parentId" not in row}
    assert roots.items() >= {5001: "Austin", 5002: "Porto", 5101: "Pune"}.items()
    assert len({site.time_zone for site in SITES}) == 3


def test_locations_and_assets_are_trees(standing_world):
    for table in ("locations", "assets"):
        parents = {row["id"]: row.get("parentId") for row in rows(standing_world, table)}
        depths = []
        for number in parents:
            path = [number]
            while (parent := parents.get(path[-1])) is not None:
                assert parent not in path
                path.append(parent)
            depths.append(len(path))
        assert max(depths) > 1


def test_full_days_are_due_at_the_midnight_of_the_organisation(full_orders):
    zones = {each.id: ZoneInfo(each.time_zone) for each in ORGANISATIONS}
    due = [row for row in full_orders if row.get("dueDateIsFullDay")]
    assert due
    for row in due:
        local = instant(row["dueDate"]).astimezone(zones[row["organizationId"]])
        assert (local.hour, local.minute) == (0, 0)


def test_upcoming_orders_exist_ahead_of_time(full_world, full_orders):
    upcoming = [row for row in full_orders if row.get("startDate", "") > iso(full_world.now)]
    assert upcoming
    assert {row["type"] for row in upcoming} == {"PREVENTIVE"}
    assert all(row["dueDate"] > row["startDate"] for row in upcoming)


def test_most_reactive_orders_go_straight_from_open_to_done(standing_world):
    statuses, types = {}, {}
    for version in standing_world.versions("work_orders"):
        if version.record is not None:
            statuses.setdefault(version.id, []).append(version.record["status"])
            types[version.id] = version.record.get("type")
    done = [seen for number, seen in statuses.items() if types[number] == "REACTIVE" and seen[-1] == "DONE"]
    straight = sum("IN_PROGRESS" not in seen for seen in done) / len(done)
    assert 0.65 < straight < 0.85
    assert any("ON_HOLD" in seen for seen in done)


def test_the_company_is_as_mixed_as_a_real_one(full_world, full_orders):
    orders = full_orders
    share = Counter(row.get("type") for row in orders)
    assert 0.80 < share["PREVENTIVE"] / len(orders) < 0.92
    half_a_year = iso(full_world.now - 183 * 86_400_000)
    cohort = [row for row in orders if row["createdAt"] > half_a_year and row.get("startDate", "") <= iso(full_world.now)]
    assert 0.88 < sum(row["status"] == "DONE" for row in cohort) / len(cohort) < 0.97
    assert {row["status"] for row in orders} == {"OPEN", "IN_PROGRESS", "ON_HOLD", "DONE", "CANCELED", "SKIPPED"}
    assert 0.15 < sum(bool(row["timeItems"]) for row in orders) / len(orders) < 0.27
    assert 0.06 < sum("lastMessageSentAt" in row for row in orders) / len(orders) < 0.13
    assert 0.68 < sum(row["priority"] == "HIGH" for row in orders) / len(orders) < 0.80
    assert 0.01 < sum("locationId" not in row for row in orders) / len(orders) < 0.07
    reactive = [row for row in orders if row.get("type") == "REACTIVE"]
    assert 0.78 < sum("requesterId" in row for row in reactive) / len(reactive) < 0.95
    assert any(row["expenditures"] for row in orders)
    assert any(row["parts"] for row in orders)
    assert {label for row in orders for label in row["extraFields"]} >= {'Root "cause"', "__proto__", "=SUM(A1)"}


def test_overdue_orders_are_old_since_nobody_closes_them(full_world, full_orders):
    active = [row for row in full_orders if row["status"] in {"OPEN", "IN_PROGRESS", "ON_HOLD"}]
    days = [(full_world.now - parse(row["dueDate"])) / 86_400_000 for row in active if row.get("dueDate", "9") < iso(full_world.now)]
    assert median(days) > 200


def test_imported_orders_share_one_stamp_have_no_type_and_some_end_before_they_begin(full_orders):
    imported = [row for row in full_orders if "type" not in row]
    assert len({row["createdAt"] for row in imported}) == 1
    assert any(row.get("completedAt", "9") < row["createdAt"] for row in imported)


def test_a_few_assets_cause_most_failures(full_orders):
    counts = sorted(Counter(row["assetId"] for row in full_orders if row.get("type") == "REACTIVE").values())
    assert sum(counts[-len(counts) // 5 :]) > 0.35 * sum(counts)


def test_some_orders_refer_to_an_asset_that_is_gone(full_world, full_orders):
    known = {row["id"] for row in rows(full_world, "assets")}
    assert any(row.get("assetId", next(iter(known))) not in known for row in full_orders)


def test_the_status_log_has_all_its_oddities(full_world):
    log = rows(full_world, "asset_statuses")
    assert {row["status"] for row in log} == {"ONLINE", "OFFLINE", "IGNORE"}
    assert {row.get("downtimeType") for row in log if row["status"] == "OFFLINE"} == {"PLANNED", "UNPLANNED", None}
    assert any("endedAt" not in row for row in log if row["status"] == "OFFLINE")
    assert any(row["startedAt"] < row["createdAt"] for row in log)
    assert all(row["startedAt"] <= row.get("endedAt", "9") for row in log)
    assert _overlaps(log)
    moved = Counter(version.id for version in full_world.versions("asset_statuses") if version.record)
    assert max(moved.values()) > 2


def _overlaps(log: list[dict]) -> int:
    by_asset: dict[int, list[tuple[str, str]]] = {}
    for row in log:
        if row["status"] == "OFFLINE":
            by_asset.setdefault(row["assetId"], []).append((row["startedAt"], row.get("endedAt", "9")))
    return sum(later[0] < earlier[1] for spans in by_asset.values() for earlier, later in pairwise(sorted(spans)))


def test_every_tracked_asset_has_exactly_one_interval_that_runs(standing_world):
    running = Counter(row["assetId"] for row in rows(standing_world, "asset_statuses") if "endedAt" not in row)
    assert set(running.values()) == {1}


def test_late_labour_comes_after_the_completion(standing_world):
    late = 0
    known = {}
    for version in standing_world.versions("work_orders"):
        before = known.get(version.id)
        if version.record and before and before["status"] == "DONE" and len(version.record["timeItems"]) > len(before["timeItems"]):
            late += 1
            assert version.record["updatedAt"] == before["updatedAt"]
        known[version.id] = version.record
    assert late > 10


def test_due_dates_are_pushed_and_reports_ask_why(standing_world):
    dues = {}
    for version in standing_world.versions("work_orders"):
        if version.record and "dueDate" in version.record:
            dues.setdefault(version.id, set()).add(version.record["dueDate"])
    assert any(len(each) > 1 for each in dues.values())
    reports = rows(standing_world, "rca_reports")
    assert {row["status"] for row in reports} == {"DONE", "DRAFT"}
    assert all(row["repairTime"] is None or row["repairTime"] > 0 for row in reports)
    assert all(len(row["workOrderIds"]) == 1 for row in reports)


def test_the_small_company_stands_in_for_the_large_one():
    ratio = len(rows(plant.build(scale=0.4, now=START), "work_orders")) / len(rows(plant.build(scale=0.1, now=START), "work_orders"))
    assert 3 < ratio < 5


@settings(deadline=None)
@given(st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_an_instant_survives_its_text(moment):
    at = from_datetime(moment)
    assert parse(iso(at)) == at
    assert iso(at) == to_datetime(at).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@settings(deadline=None)
@given(st.sampled_from(["America/Chicago", "Europe/Lisbon", "Asia/Kolkata", "Australia/Lord_Howe"]), st.integers(0, 4_000_000_000_000))
def test_a_local_day_holds_its_instants(name, at):
    zone = Zone(name)
    day = zone.day(at)
    assert zone.midnight(day) <= at < zone.midnight(day + 1)
    assert to_datetime(at).astimezone(ZoneInfo(name)).date().toordinal() - datetime(1970, 1, 1, tzinfo=UTC).toordinal() == day
