"""What goes wrong when it is asked to."""

import json

import httpx
import pytest

from simulator.faults import BadScript
from simulator.instants import iso
from simulator.options import Options
from simulator.transport import transport
from tests.simulator.asking import Client, ids


def set_faults(client: Client, *entries: dict) -> None:
    client.simulator.faults.load(list(entries))


@pytest.mark.parametrize(
    ("action", "status", "body"),
    [
        ("429", 429, {"error": "Too many requests. Please retry in 1 seconds"}),
        ("500", 500, {"error": "Internal server error."}),
        ("forbidden", 403, {"errors": [{"error": "User don't have the right permissions"}]}),
        ("not_found", 404, {"error": "Not Found."}),
        ("unauthorized", 401, None),
    ],
)
def test_a_refusal_on_demand_looks_like_a_real_one_and_passes(mine, action, status, body):
    set_faults(mine, {"action": action, "match": {"path": "teams"}})
    assert mine.refusal("teams") == (status, body)
    assert mine.ask("teams").status == 200


def test_a_429_on_demand_says_when_to_come_back(mine):
    set_faults(mine, {"action": "429", "seconds": 17})
    headers = mine.ask("teams").headers
    assert (headers["X-Rate-Limit-Remaining"], headers["X-Rate-Limit-Reset"]) == ("0", "17")


def test_a_502_is_a_page_for_people(mine):
    set_faults(mine, {"action": "502"})
    response = mine.ask("teams")
    assert (response.status, response.headers["Content-Type"]) == (502, "text/html")


def test_a_fault_strikes_the_nth_request_as_often_as_told(mine):
    set_faults(mine, {"action": "500", "match": {"path": "users", "nth": 3}, "times": 2})
    assert [mine.ask("users").status for _ in range(6)] == [200, 200, 500, 500, 200, 200]
    assert mine.ask("teams").status == 200


def test_a_fault_without_an_end_strikes_until_it_is_cleared(mine):
    set_faults(mine, {"action": "500", "times": None})
    assert {mine.ask("users").status for _ in range(5)} == {500}
    mine.simulator.faults.clear()
    assert mine.ask("users").status == 200


def test_a_fault_strikes_one_page_of_a_walk(mine):
    set_faults(mine, {"action": "500", "match": {"path": "parts", "page": 2}})
    first = mine.get("parts", limit=50)
    assert mine.ask("parts", limit=50, cursor=first["nextCursor"]).status == 500
    assert mine.ask("parts", limit=50, cursor=first["nextCursor"]).status == 200


def test_a_fault_strikes_one_organisation(simulator):
    simulator.faults.load([{"action": "500", "match": {"organisation": 102}, "times": None}])
    assert Client(simulator, "demo-101").ask("users").status == 200
    assert Client(simulator, "demo-102").ask("users").status == 500


def test_truncated_json_comes_with_status_200(mine):
    set_faults(mine, {"action": "truncated"})
    response = mine.ask("workorders")
    assert response.status == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(response.body)


def test_an_expired_cursor_strikes_only_requests_with_a_cursor(mine):
    set_faults(mine, {"action": "expired_cursor"})
    page = mine.get("workorders", limit=5)
    assert mine.refusal("workorders", limit=5, cursor=page["nextCursor"]) == (400, {"error": "Invalid cursor"})
    assert mine.ask("workorders", limit=5, cursor=page["nextCursor"]).status == 200


def test_a_skewed_clock_shows_in_the_date_alone(mine):
    set_faults(mine, {"action": "clock_skew", "seconds": -3600})
    assert mine.ask("teams").headers["Date"] == "Mon, 16 Nov 2026 05:00:00 GMT"
    assert mine.ask("teams").headers["Date"] == "Mon, 16 Nov 2026 06:00:00 GMT"


def test_the_world_moves_on_between_two_pages(mine, world):
    set_faults(mine, {"action": "mutate", "match": {"path": "workorders", "page": 2}, "advance": {"hours": 6}})
    before = world.now
    first = mine.get("workorders", limit=50)
    assert world.now == before
    mine.get("workorders", limit=50, cursor=first["nextCursor"])
    assert world.now == before + 6 * 3600 * 1000


def test_a_record_is_changed_or_deleted_between_two_pages(mine):
    rows = mine.rows("parts", limit=3)
    place = {"table": "parts", "organisation": 101}
    changes = [
        {**place, "id": rows[0]["id"], "fields": {"name": "Renamed"}},
        {**place, "id": rows[1]["id"], "delete": True},
        {**place, "id": rows[2]["id"], "fields": {"orderedQuantity": 9}, "silent": True},
    ]
    set_faults(mine, {"action": "mutate", "match": {"path": "parts"}, "changes": changes})
    after = {row["id"]: row for row in mine.rows("parts", limit=3)}
    assert after[rows[0]["id"]]["name"] == "Renamed"
    assert rows[1]["id"] not in after
    assert after[rows[2]["id"]] == {**rows[2], "orderedQuantity": 9}


def test_a_callback_runs_between_two_pages(mine):
    called = []
    mine.simulator.faults.add("mutate", callback=lambda: called.append("now"), path="users", page=2)
    mine.walk("users", limit=2)
    assert called == ["now"]


def test_a_lagging_answer_shows_an_earlier_state_once(mine, world):
    order = mine.rows("workorders", limit=1, statuses="OPEN")[0]
    world.now += 1
    world.change("work_orders", 101, order["id"], title="Changed")
    set_faults(mine, {"action": "lag", "seconds": 10_000_000})
    assert mine.rows("workorders", title="Changed") == []
    assert ids(mine.rows("workorders", title="Changed")) == [order["id"]]


def test_an_answer_can_be_empty_frozen_patched_or_anything(mine):
    set_faults(mine, {"action": "empty"})
    assert mine.get("workorders") == {"workOrders": [], "nextCursor": None, "nextPageUrl": None}
    page = mine.get("workorders", limit=5)
    set_faults(mine, {"action": "repeated_cursor"})
    assert mine.get("workorders", limit=5, cursor=page["nextCursor"])["nextCursor"] == page["nextCursor"]
    number = page["workOrders"][0]["id"]
    set_faults(mine, {"action": "patch", "rows": {str(number): {"status": "ARCHIVED"}}})
    assert mine.rows("workorders", limit=1)[0]["status"] == "ARCHIVED"
    set_faults(mine, {"action": "respond", "status": 200, "body": "<html>"})
    assert mine.ask("workorders").body == b"<html>"


@pytest.mark.parametrize("script", [{}, ["x"], [{"action": "explode"}], [{"action": "500", "match": {"colour": 1}}]])
def test_an_unreadable_script_is_named(simulator, script):
    with pytest.raises(BadScript):
        simulator.faults.load(script)


def test_the_faults_that_struck_are_counted(mine):
    set_faults(mine, {"action": "500", "times": 2})
    mine.ask("users"), mine.ask("users"), mine.ask("users")
    assert mine.simulator.faults.struck == {"500": 2}
    assert mine.simulator.statuses == {500: 2, 200: 1}
    assert mine.simulator.requests == {"users": 3}


def test_a_client_in_process_times_out_and_loses_its_connection(simulator):
    client = httpx.Client(
        transport=transport(simulator), base_url="http://simulator/v1", timeout=5, headers={"Authorization": "Bearer demo-101"}
    )
    assert client.get("/teams").json()["teams"]
    simulator.faults.load([{"action": "timeout"}])
    with pytest.raises(httpx.ReadTimeout):
        client.get("/teams")
    simulator.faults.load([{"action": "cut"}])
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/teams")
    simulator.faults.load([{"action": "slow", "seconds": 3}])
    assert client.get("/teams", params={"limit": 1}).status_code == 200


def test_the_query_reaches_the_simulator_in_process_as_it_was_sent(simulator, world):
    client = httpx.Client(transport=transport(simulator), base_url="http://simulator/v1", headers={"Authorization": "Bearer demo-101"})
    parameters = {"updatedAt[gte]": iso(world.now - 86_400_000), "expand": ["assignees", "time_items"], "show_upcoming": "true"}
    rows = client.get("/workorders", params=parameters).json()["workOrders"]
    assert rows
    assert all("timeItems" in row and row["updatedAt"] >= iso(world.now - 86_400_000) for row in rows)


def test_the_options_say_what_is_assumed():
    assert Options().list_lag_seconds == 0
    assert Options().deleted_get == "not_found"
