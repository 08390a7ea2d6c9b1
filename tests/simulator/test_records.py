"""What a read by id shows, what deletion leaves, and which changes move updatedAt."""

from collections.abc import Iterable
from datetime import timedelta

import pytest

from simulator import plant
from simulator.api import Simulator
from simulator.catalogue import COLLECTIONS
from simulator.history import Version
from simulator.options import Options
from simulator.world import World
from tests.simulator.asking import Client, ids, instant

NOT_FOUND = (404, {"error": "Not Found."})


def _last_of_each_instant(world: World) -> Iterable[Version]:
    # an order that is closed and gets its successor at the same instant has two versions with one updatedAt
    return {(version.id, version.at): version for version in world.versions("work_orders")}.values()


@pytest.mark.parametrize("collection", [each for each in COLLECTIONS if each.item], ids=lambda each: each.path)
def test_a_read_by_id_gives_one_record_under_its_key(client, collection):
    row = client.rows(collection.path, limit=1)[0]
    answer = client.get(f"{collection.path}/{row['id']}")
    assert list(answer) == [collection.item]
    assert answer[collection.item]["id"] == row["id"]


def test_a_single_work_order_shows_what_its_list_row_does_not(client):
    row = client.rows("workorders", limit=1, expand="assignees")[0]
    single = client.get(f"workorders/{row['id']}")["workOrder"]
    assert single["assigneeIds"] == [each["id"] for each in row["assignees"] if each["type"] == "USER"]
    assert single["isParent"] is False
    assert set(single["progress"]) == {"openCount", "inProgressCount", "onHoldCount", "doneCount"}
    assert not {"categories", "timeItems", "expenditures", "parts", "assignees", "extraFields"} & set(single)


def test_a_single_work_order_expands_what_it_is_asked_for(client):
    number = client.rows("workorders", limit=1)[0]["id"]
    single = client.get(f"workorders/{number}", expand=["time_items", "estimated_time", "asset"])["workOrder"]
    assert "timeItems" in single
    assert client.refusal(f"workorders/{number}", expand="categories")[0] == 400
    assert client.refusal(f"workorders/{number}", sort="updatedAt") == (400, {"error": "'sort' is not a valid query parameter"})


def test_the_address_of_an_attachment_changes_at_every_read(client):
    number = next(row["id"] for row in client.walk("workorders", limit=200) if row["id"] % 5 == 0)
    addresses = {client.get(f"workorders/{number}")["workOrder"]["attachments"][0]["url"] for _ in range(3)}
    assert len(addresses) == 3


def test_a_work_order_is_also_found_by_its_number_in_the_organisation(client):
    row = client.rows("workorders", limit=1)[0]
    assert client.get(f"workorders/{row['sequentialId']}", useSequentialId="true")["workOrder"]["id"] == row["id"]
    assert client.refusal("workorders/99999999", useSequentialId="true") == NOT_FOUND


def test_a_single_asset_names_its_children(client):
    child = next(row for row in client.walk("assets", limit=200) if row["parentId"])
    assert child["id"] in client.get(f"assets/{child['parentId']}")["asset"]["childrenIds"]


def test_a_deleted_order_leaves_the_lists_and_is_not_found(mine, world):
    number = mine.rows("workorders", limit=1)[0]["id"]
    world.delete("work_orders", 101, number)
    assert number not in ids(mine.walk("workorders", limit=200, show_upcoming="true"))
    assert mine.refusal(f"workorders/{number}") == NOT_FOUND


def test_a_deleted_order_can_be_switched_to_answer_with_its_deletion(world):
    mine = Client(Simulator(world, Options(deleted_get="deleted_at")))
    number = mine.rows("workorders", limit=1)[0]["id"]
    world.delete("work_orders", 101, number)
    assert "deletedAt" in mine.get(f"workorders/{number}")["workOrder"]


def test_a_user_who_left_is_gone_from_the_list_and_marked_when_read(mine, world):
    number = mine.rows("users", limit=1)[0]["id"]
    assert mine.get(f"users/{number}")["user"]["removedFromOrganization"] is False
    world.delete("users", 101, number)
    assert number not in ids(mine.walk("users", limit=200))
    assert mine.get(f"users/{number}")["user"]["removedFromOrganization"] is True


def test_comments_times_and_costs_do_not_move_updated_at_but_a_change_of_status_does(world):
    silent = {"timeItems", "expenditures", "lastMessageSentAt"}
    seen, kinds = {}, set()
    for version in _last_of_each_instant(world):
        before = seen.get(version.id)
        if version.record and before:
            changed = {key for key in {*version.record, *before} if version.record.get(key) != before.get(key)}
            kinds |= changed
            assert ("updatedAt" in changed) != (changed <= silent)
        seen[version.id] = version.record
    assert kinds >= {"timeItems", "lastMessageSentAt", "status", "dueDate", "nextId"}


def test_a_re_opened_order_is_completed_again_at_a_later_instant(standing_world):
    completions, reopened = {}, set()
    for version in standing_world.versions("work_orders"):
        if version.record is None:
            continue
        known = completions.setdefault(version.id, [])
        if version.record["status"] == "DONE" and version.record["completedAt"] not in known:
            known.append(version.record["completedAt"])
        if version.record["status"] == "OPEN" and known:
            reopened.add(version.id)
    twice = {number: known for number, known in completions.items() if len(known) > 1}
    assert twice
    assert set(twice) <= reopened
    assert all(known == sorted(known) for known in twice.values())


def test_the_orders_of_one_task_form_a_chain(client):
    everything = {row["id"]: row for row in client.walk("workorders", limit=200, show_upcoming="true")}
    linked = [row for row in everything.values() if row.get("nextId") in everything]
    assert linked
    for row in linked:
        following = everything[row["nextId"]]
        assert following["previousId"] == row["id"]
        assert (following["title"], following["type"]) == (row["title"], "PREVENTIVE")


def test_closing_a_recurring_order_creates_the_next(world):
    closed_at, created_with = {}, 0
    for version in world.versions("work_orders"):
        if version.record is None:
            continue
        if version.record["status"] in {"DONE", "SKIPPED", "CANCELED"}:
            closed_at.setdefault(version.id, version.at)
        elif version.at == closed_at.get(version.record.get("previousId")):
            created_with += 1
    assert created_with > 20


@pytest.mark.parametrize("moves", [True, False])
def test_whether_a_change_of_status_moves_the_asset_is_a_switch(moves):
    options = Options(asset_moves_with_status=moves)
    world = plant.build(scale=0.01, options=options)
    statuses = {}
    for version in world.versions("assets"):
        before = statuses.get(version.id, version.record)
        if version.record and version.at > instant(before["createdAt"]) and version.record.get("status") != before.get("status"):
            assert (instant(version.record["updatedAt"]) == version.at) == moves
        statuses[version.id] = version.record or before


def test_cancelled_orders_have_a_completion_instant_only_when_switched():
    for switch in (False, True):
        world = plant.build(scale=0.03, options=Options(completed_at_on_cancel=switch))
        rows = [version.record for version in world.versions("work_orders") if version.record and version.record["status"] == "CANCELED"]
        assert {("completedAt" in row) for row in rows} == {switch}


def test_a_lagging_list_shows_changes_late_that_a_read_by_id_shows_at_once(world):
    mine = Client(Simulator(world, Options(list_lag_seconds=7200)))
    order = mine.rows("workorders", limit=1, statuses="OPEN")[0]
    world.now += 1
    world.change("work_orders", 101, order["id"], title="Changed")
    assert mine.get(f"workorders/{order['id']}")["workOrder"]["title"] == "Changed"
    assert mine.rows("workorders", title="Changed") == []
    world.now += 7200 * 1000
    assert ids(mine.rows("workorders", title="Changed")) == [order["id"]]


def test_a_lagging_list_is_never_later_than_its_lag(world):
    plain, late = Client(Simulator(world)), Client(Simulator(world, Options(list_lag_seconds=3600)))
    world.advance(timedelta(hours=30))
    before = plain.walk("workorders", limit=200, sort="updatedAt", show_upcoming="true")
    assert len(late.walk("workorders", limit=200, sort="updatedAt", show_upcoming="true")) <= len(before)
    world.now += 3600 * 1000 + 1
    assert late.walk("workorders", limit=200, sort="updatedAt", show_upcoming="true") == before
