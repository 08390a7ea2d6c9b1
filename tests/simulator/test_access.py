"""Who may read what, what refusals look like, and how many requests a minute allows."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.api import Simulator
from simulator.limits import Limiter
from simulator.options import Options
from tests.simulator.asking import Client, ids

MISSING = {"errors": [{"error": "Missing x-organization-id header."}]}
FORBIDDEN = {"errors": [{"error": "User don't have the right permissions"}]}


@pytest.mark.parametrize("token", [None, "wrong", ""])
def test_an_unknown_token_is_refused_without_a_body(standing_world, token):
    response = Client(Simulator(standing_world), token).ask("workorders")
    assert (response.status, response.body) == (401, b"")


def test_another_scheme_than_bearer_is_refused(standing_world):
    response = Simulator(standing_world).respond("GET", "/v1/workorders", [], {"Authorization": "Basic demo"})
    assert response.status == 401


def test_a_token_of_several_organisations_must_name_one(standing_world):
    everyone = Client(Simulator(standing_world), "demo")
    assert everyone.refusal("workorders") == (400, MISSING)
    assert everyone.refusal("workorders/120000001") == (400, MISSING)
    assert ids(everyone.rows("organizations")) == [101, 102]


@pytest.mark.parametrize("organisation", [101, 102])
def test_the_header_picks_the_organisation(standing_world, organisation):
    one = Client(Simulator(standing_world), "demo", x_organization_id=str(organisation))
    assert {row["organizationId"] for row in one.rows("workorders")} == {organisation}
    assert ids(one.rows("workorders")) == ids(Client(Simulator(standing_world), f"demo-{organisation}").rows("workorders"))


def test_an_organisation_of_somebody_else_is_forbidden(standing_world):
    stranger = Client(Simulator(standing_world), "demo-101", x_organization_id="102")
    assert stranger.refusal("workorders") == (403, FORBIDDEN)
    assert Client(Simulator(standing_world), "demo", x_organization_id="7").refusal("users") == (403, FORBIDDEN)


def test_an_unreadable_organisation_is_refused(standing_world):
    assert Client(Simulator(standing_world), "demo", x_organization_id="one").refusal("users")[0] == 400


def test_the_header_with_a_key_of_one_organisation_is_accepted_unless_switched(standing_world):
    assert Client(Simulator(standing_world), "demo-101", x_organization_id="101").rows("users")
    strict = Simulator(standing_world, Options(header_on_single_key="refused"))
    assert Client(strict, "demo-101", x_organization_id="101").refusal("users") == (401, None)


@pytest.mark.parametrize("path", ["assets", "locations", "parts"])
def test_some_lists_read_several_organisations_at_once(standing_world, path):
    both = Client(Simulator(standing_world), "demo", x_organization_ids="101,102").walk(path, limit=50)
    each = [Client(Simulator(standing_world), f"demo-{number}").walk(path, limit=200) for number in (101, 102)]
    assert ids(both) == sorted(ids(each[0]) + ids(each[1]))
    assert {row["organizationId"] for row in both} == {101, 102}


@pytest.mark.parametrize("path", ["workorders", "users", "teams", "meters"])
def test_the_other_lists_know_nothing_of_several_organisations(standing_world, path):
    assert Client(Simulator(standing_world), "demo", x_organization_ids="101,102").refusal(path) == (400, MISSING)


def test_both_organisation_headers_at_once_are_refused(standing_world):
    both = Client(Simulator(standing_world), "demo", x_organization_ids="101,102", x_organization_id="101")
    assert both.refusal("assets") == (400, {"errors": [{"error": "x-organization-id and x-organization-ids are exclusive."}]})


@pytest.mark.parametrize(
    "path", ["nonsense", "subscriptions", "meterreadings", "meters/40001/readings", "assetstatuses/600001", "workorders/1/2/3"]
)
def test_a_path_that_is_not_served_is_not_found(client, path):
    assert client.refusal(path) == (404, {"error": "Not Found."})


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_nothing_can_be_written(client, method):
    assert client.ask("workorders", method=method).status == 404


def test_a_record_of_another_organisation_is_not_found(standing_world, client):
    other = Client(Simulator(standing_world), "demo-102").rows("workorders", limit=1)[0]["id"]
    assert client.refusal(f"workorders/{other}") == (404, {"error": "Not Found."})


def test_an_id_that_is_no_number_is_refused(client):
    assert client.refusal("workorders/abc")[0] == 400


def test_every_answer_says_how_much_of_the_minute_is_left(switched):
    one = switched(rate_limit=100, clock=lambda: 12.0)
    headers = [one.ask(path).headers for path in ("workorders", "nonsense", "workorders?limit=0")]
    assert [each["X-Rate-Limit-Limit"] for each in headers] == ["100"] * 3
    assert [each["X-Rate-Limit-Remaining"] for each in headers] == ["99", "98", "97"]
    assert {each["X-Rate-Limit-Reset"] for each in headers} == {"48"}


def test_a_user_has_100_requests_in_a_window_and_then_waits_for_the_next(switched):
    now = [30.0]
    one = switched(rate_limit=100, clock=lambda: now[0])
    answers = [one.ask("teams") for _ in range(101)]
    assert [each.status for each in answers] == [200] * 100 + [429]
    assert json.loads(answers[-1].body) == {"error": "Too many requests. Please retry in 30 seconds"}
    assert answers[-1].headers["X-Rate-Limit-Remaining"] == "0"
    assert answers[-1].headers["X-Rate-Limit-Reset"] == "30"
    now[0] = 60.0
    assert one.ask("teams").status == 200


def test_the_windows_of_a_user_and_of_an_organisation_both_count(standing_world):
    simulator = Simulator(standing_world, Options(rate_limit=3, organisation_rate_limit=5), clock=lambda: 0.0)
    first, second = Client(simulator, "demo", x_organization_id="101"), Client(simulator, "demo-101")
    assert [first.ask("teams").status for _ in range(4)] == [200, 200, 200, 429]
    assert [second.ask("teams").status for _ in range(3)] == [200, 200, 429]
    assert Client(simulator, "demo-102").ask("teams").status == 200


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 30)), max_size=60))
def test_no_user_ever_passes_more_often_than_the_limit_within_a_window(steps):
    now, passed = 0.0, {}
    limiter = Limiter(5, 8, lambda: now)
    for user, wait in steps:
        now += wait
        verdict = limiter.take(user, 1)
        window = (user, now // 60)
        passed[window] = passed.get(window, 0) + verdict.is_allowed
        assert 0 <= verdict.remaining < verdict.limit
    assert all(count <= 5 for count in passed.values())


def test_the_date_of_an_answer_is_the_clock_of_the_world(mine, world):
    assert mine.ask("teams").headers["Date"] == "Mon, 16 Nov 2026 06:00:00 GMT"
    world.run_until(world.now + 90_000)
    assert mine.ask("teams").headers["Date"] == "Mon, 16 Nov 2026 06:01:30 GMT"
    assert mine.ask("teams", cursor="?").headers["Date"] == "Mon, 16 Nov 2026 06:01:30 GMT"
