"""What lists answer: envelopes, limits, filters, expands, sort orders, pages."""

import json
from collections import Counter
from urllib.parse import parse_qsl, urlsplit

import pytest

from simulator.api import Simulator
from simulator.catalogue import COLLECTIONS
from simulator.instants import iso
from simulator.world import World
from tests.simulator.asking import Client, ids, instant

STORED = ["assignees", "categories", "parts", "time_items", "expenditures", "estimated_time", "vendor_ids", "team_ids", "extra_fields"]


@pytest.mark.parametrize("collection", COLLECTIONS, ids=lambda each: each.path)
def test_a_list_is_an_envelope_of_its_key_and_two_links(client, collection):
    page = client.get(collection.path, limit=200)
    assert list(page) == [collection.items, "nextCursor", "nextPageUrl"]


def test_the_last_page_has_null_links(client):
    page = client.get("teams", limit=200)
    assert (page["nextCursor"], page["nextPageUrl"]) == (None, None)


def test_the_next_page_url_is_a_path_that_asks_the_same_again(client):
    first = client.get("workorders", ("updatedAt[gte]", "2026-01-01T00:00:00.000Z"), limit=5, sort="updatedAt", statuses="DONE")
    parts = urlsplit(first["nextPageUrl"])
    assert parts.path == "/v1/workorders"
    assert not parts.netloc
    following = client.get("workorders", *parse_qsl(parts.query))
    assert ids(following["workOrders"]) == ids(client.rows("workorders", *parse_qsl(parts.query)))
    assert not set(ids(following["workOrders"])) & set(ids(first["workOrders"]))
    assert {row["status"] for row in following["workOrders"]} == {"DONE"}


@pytest.mark.parametrize("limit", [1, 50, 150, 200])
def test_a_limit_from_1_to_200_is_kept_exactly(client, limit):
    assert len(client.rows("workorders", limit=limit)) == limit


def test_the_default_limit_is_100(client):
    assert len(client.rows("workorders")) == 100


@pytest.mark.parametrize(
    ("limit", "message"), [(201, "must be <= 200"), (250, "must be <= 200"), (0, "must be >= 1"), (-3, "must be >= 1")]
)
def test_a_limit_out_of_bounds_is_refused_with_a_list_of_errors(client, limit, message):
    assert client.refusal("workorders", limit=limit) == (400, {"errors": [{"error": message, "fieldPath": "limit", "fieldValue": limit}]})


@pytest.mark.parametrize("path", ["workorders", "users", "assetstatuses", "workrequests", "maintenanceplans", "organizations"])
def test_an_unknown_parameter_is_refused(client, path):
    assert client.refusal(path, updatedAfter="x") == (400, {"error": "'updatedAfter' is not a valid query parameter"})


def test_the_singular_status_is_an_unknown_parameter(client):
    assert client.refusal("workorders", status="OPEN") == (400, {"error": "'status' is not a valid query parameter"})


@pytest.mark.parametrize("path", ["assets", "locations", "parts", "vendors"])
def test_an_unknown_parameter_of_some_lists_is_a_custom_field_that_nobody_has(client, switched, path):
    assert client.refusal(path, Nonsense="1") == (400, {"error": "'Nonsense' is not a valid query parameter"})
    assert switched(unknown_custom_field="empty").rows(path, Nonsense="1") == []


def test_assets_are_filtered_by_the_label_of_a_custom_field(client):
    everything = client.walk("assets", expand="extra_fields", limit=200)
    values = [row["extraFields"]["Voltage [V]"] for row in everything if "Voltage [V]" in row["extraFields"]][:2]
    found = client.rows("assets", ("Voltage [V]", values[0]), ("Voltage [V]", values[1]), limit=200, expand="extra_fields")
    assert ids(found) == [row["id"] for row in everything if row["extraFields"].get("Voltage [V]") in values]


@pytest.mark.parametrize(
    ("parameters", "token"), [({"expand": "timeItems"}, "timeItems"), ({"sort": "id"}, "id"), ({"statuses": "COMPLETED"}, "COMPLETED")]
)
def test_a_token_that_is_not_in_its_enumeration_fails_the_whole_page(client, parameters, token):
    status, body = client.refusal("workorders", **parameters)
    assert status == 400
    assert body["error"].startswith(f"'{token}' is not a member of ")


def test_the_refusal_of_an_expand_names_all_tokens_in_order(client, switched):
    _, body = client.refusal("workorders", expand="x")
    known = body["error"].removeprefix("'x' is not a member of ").split(",")
    assert known[:3] == ["thumbnail", "assignees", "categories"]
    assert "team_ids" in known
    assert switched(team_ids_expand=False).refusal("workorders", expand="team_ids")[0] == 400


@pytest.mark.parametrize("name", ["updatedAt[gte]", "updatedAt[lte]", "createdAt[gte]", "createdAt[lte]"])
@pytest.mark.parametrize("path", ["workorders", "assets", "parts"])
def test_date_filters_are_inclusive_under_their_literal_names(client, path, name):
    everything = client.walk(path, *([("show_upcoming", "true")] if path == "workorders" else []), limit=200)
    field, side = name[:-5], name[-4:-1]
    border = sorted(row[field] for row in everything)[len(everything) // 2]
    found = client.walk(path, (name, border), *([("show_upcoming", "true")] if path == "workorders" else []), limit=200)
    expected = [row["id"] for row in everything if (row[field] >= border if side == "gte" else row[field] <= border)]
    assert sorted(ids(found)) == sorted(expected)


@pytest.mark.parametrize("path", ["users", "locations", "assetstatuses", "workrequests"])
def test_lists_without_date_filters_refuse_them(client, path):
    assert client.refusal(path, ("updatedAt[gte]", "2026-01-01T00:00:00.000Z"))[0] == 400


def test_an_unreadable_date_is_refused(client):
    assert client.refusal("workorders", ("updatedAt[gte]", "yesterday"))[0] == 400


def test_a_record_is_found_again_through_its_list_by_its_creation_instant(client):
    wanted = client.rows("workorders", limit=1, sort="createdAt")[0]
    found = client.rows(
        "workorders", ("createdAt[gte]", wanted["createdAt"]), ("createdAt[lte]", wanted["createdAt"]), show_upcoming="true"
    )
    assert wanted["id"] in ids(found)
    assert {row["createdAt"] for row in found} == {wanted["createdAt"]}


@pytest.mark.parametrize("path", ["workorders", "assets", "parts", "assetstatuses"])
@pytest.mark.parametrize("sign", ["", "-"])
def test_every_sort_key_of_a_list_sorts_it(client, path, sign):
    collection = next(each for each in COLLECTIONS if each.path == path)
    for name in set(collection.sorts) - {"startedAt"}:
        rows = client.walk(path, *([("show_upcoming", "true")] if path == "workorders" else []), sort=f"{sign}{name}", limit=200)
        keys = [(row.get(name, "9999"), row["id"]) for row in rows]
        assert keys == sorted(keys, reverse=sign == "-"), name


def test_nulls_sort_as_the_largest_value_unless_switched(client, switched):
    descending = client.rows("workorders", sort="-completedAt", limit=3)
    assert all("completedAt" not in row for row in descending)
    rows = switched(null_order="last").rows("workorders", sort="-completedAt", limit=3)
    assert all("completedAt" in row for row in rows)


def test_a_walk_with_nulls_last_meets_every_row_once(switched):
    one = switched(null_order="last", ties="ascending")
    found = ids(one.walk("workorders", sort="-completedAt", limit=37, show_upcoming="true"))
    assert sorted(found) == sorted(ids(one.walk("workorders", sort="updatedAt", limit=200, show_upcoming="true")))


def test_asset_statuses_come_newest_first_and_work_requests_by_last_change(client):
    assert ids(client.rows("assetstatuses")) == ids(client.rows("assetstatuses", sort="-createdAt"))
    changes = [row["updatedAt"] for row in client.rows("workrequests")]
    assert changes == sorted(changes, reverse=True)


def test_the_default_order_of_the_other_lists_is_switchable(switched):
    rows = switched(default_sorts={"work_orders": "updatedAt"}).rows("workorders")
    assert [row["updatedAt"] for row in rows] == sorted(row["updatedAt"] for row in rows)


def test_the_cursor_of_work_orders_is_the_sort_value_and_the_id(client):
    page = client.get("workorders", sort="-updatedAt", limit=7)
    last = page["workOrders"][-1]
    assert page["nextCursor"] == f"{last['updatedAt']}|{last['id']}"


@pytest.mark.parametrize("limit", [1, 7, 200])
def test_the_page_size_does_not_change_what_a_walk_finds(client, limit):
    since = ("updatedAt[gte]", "2026-10-20T00:00:00.000Z")
    whole = ids(client.walk("workorders", since, sort="updatedAt", limit=200, show_upcoming="true"))
    assert ids(client.walk("workorders", since, sort="updatedAt", limit=limit, show_upcoming="true")) == whole


def test_a_keyset_walk_loses_nothing_that_changes_while_it_goes_on(mine, world):
    before = ids(mine.walk("workorders", sort="updatedAt", limit=200, show_upcoming="true"))

    def touch() -> None:
        world.now += 1000
        world.change("work_orders", 101, before[0], title="Touched")

    found = ids(mine.walk("workorders", sort="updatedAt", limit=50, show_upcoming="true", between=touch))
    assert set(found) == set(before)
    assert found[-1] == before[0]


def test_more_orders_than_a_page_holds_can_share_one_instant(full_world):
    one = Client(Simulator(full_world))
    stamps = Counter(row["createdAt"] for row in one.walk("workorders", title="Imported job", limit=200))
    (stamp, count) = stamps.most_common(1)[0]
    assert count > 200
    tied = one.walk("workorders", ("createdAt[gte]", stamp), ("createdAt[lte]", stamp), sort="updatedAt", limit=200, show_upcoming="true")
    assert len(set(ids(tied))) == len(tied) == count


def test_an_offset_walk_loses_rows_when_rows_before_them_move(mine, world):
    before = ids(mine.walk("parts", sort="updatedAt", limit=200))

    def touch() -> None:
        world.now += 1000
        world.change("parts", 101, mine.rows("parts", sort="updatedAt", limit=1)[0]["id"], unitCost=1)

    found = ids(mine.walk("parts", sort="updatedAt", limit=50, between=touch))
    assert set(before) - set(found)


def test_an_offset_walk_skips_a_row_when_one_before_it_is_deleted(mine, world):
    before = ids(mine.walk("parts", limit=200))
    victims = iter(before)
    found = ids(mine.walk("parts", limit=100, between=lambda: world.delete("parts", 101, next(victims))))
    assert set(before) - set(found) >= {before[100]}


@pytest.mark.parametrize("path", ["workorders", "assets"])
def test_a_cursor_that_is_none_is_refused(client, path):
    assert client.refusal(path, cursor="garbage") == (400, {"error": "Invalid cursor"})


def test_offsets_can_be_given_a_maximum_depth(switched):
    one = switched(largest_offset=100)
    cursor = one.get("parts", limit=200)["nextCursor"]
    assert one.refusal("parts", cursor=cursor, limit=200)[0] == 400


def test_work_orders_that_start_in_the_future_show_only_when_asked_for(mine, world, simulator):
    shown, everything = ids(mine.walk("workorders", limit=200)), mine.walk("workorders", limit=200, show_upcoming="true")
    upcoming = [row for row in everything if row["id"] not in shown]
    assert upcoming
    assert all(instant(row["startDate"]) > world.instant for row in upcoming)
    assert all(instant(row["startDate"]) <= world.instant for row in everything if row["id"] in shown and "startDate" in row)


def test_an_upcoming_order_surfaces_with_an_old_updated_at_when_its_time_comes(mine, world):
    everything = mine.walk("workorders", limit=200, show_upcoming="true")
    order = min((row for row in everything if row.get("startDate", "") > iso(world.now)), key=lambda row: row["startDate"])
    watermark = world.now + 1
    world.now += int((instant(order["startDate"]) - world.instant).total_seconds() * 1000) + 1  # nothing happens but that time passes
    assert order["updatedAt"] < iso(watermark)
    assert order["id"] in ids(mine.walk("workorders", limit=200))
    assert mine.rows("workorders", ("updatedAt[gte]", iso(watermark))) == []


@pytest.mark.parametrize("others", [[], ["DONE"], ["OPEN", "IN_PROGRESS", "ON_HOLD", "DONE"]])
def test_cancelled_and_skipped_together_match_nothing(client, others):
    page = client.get("workorders", statuses=["CANCELED", "SKIPPED", *others])
    assert page == {"workOrders": [], "nextCursor": None, "nextPageUrl": None}
    assert client.rows("workorders", statuses="CANCELED")
    assert client.rows("workorders", statuses="SKIPPED")


def test_optional_nulls_are_left_out_and_required_ones_are_sent(client):
    orders = client.rows("workorders", limit=200, expand=STORED)
    assert None not in {value for row in orders for value in row.values() if not isinstance(value, (list, dict))}
    assets = client.rows("assets", limit=200)
    assert all({"description", "parentId", "criticalityId", "locationId", "serialNumber", "creatorId"} <= set(row) for row in assets)
    assert None in [row["parentId"] for row in assets]
    assert all("notes" in row and "archivedAt" in row for row in client.rows("rootcauseanalysisreports"))


def test_the_fields_of_an_expand_show_only_with_it(client):
    fields = {
        "assignees": "assignees", "categories": "categories", "parts": "parts", "time_items": "timeItems", "expenditures": "expenditures",
        "extra_fields": "extraFields", "vendor_ids": "vendorIds", "team_ids": "teamIds", "times": "times",
    }  # fmt: skip
    assert not set(fields.values()) & set(client.rows("workorders", limit=1)[0])
    for token, field in fields.items():
        shown = set(client.rows("workorders", limit=1, expand=token)[0])
        assert shown & set(fields.values()) == {field}


def test_a_list_row_carries_its_asset_id_and_its_recurrence_unasked_but_no_deletion(client):
    rows = client.walk("workorders", limit=200)
    assert {"assetId", "recurrenceInfo", "locationId", "organizationId", "customerId"} <= set().union(*rows)
    assert "deletedAt" not in set().union(*rows)
    assert "assigneeIds" not in set().union(*rows)


def test_estimates_show_only_when_expanded(client):
    assert all("estimatedTime" not in row for row in client.rows("workorders", limit=200))
    assert any("estimatedTime" in row for row in client.rows("workorders", limit=200, expand="estimated_time"))


def test_the_times_of_an_order_are_its_time_items_summed_per_user(client):
    rows = client.walk("workorders", limit=200, expand=["time_items", "times"])
    several = [row for row in rows if len(row["timeItems"]) > 1]
    assert several
    for row in several:
        assert sum(each["durationTotal"] for each in row["times"]) == sum(each["durationTotal"] for each in row["timeItems"])
        assert len({each["userId"] for each in row["times"]}) == len(row["times"])


def test_categories_are_labels_and_filter_by_label_or_id(client):
    label = "Lubrication"
    number = next(row["id"] for row in client.rows("categories") if row["label"] == label)
    by_label = client.walk("workorders", categories=label, limit=200, expand="categories")
    assert by_label
    assert all(label in row["categories"] for row in by_label)
    assert ids(by_label) == ids(client.walk("workorders", categories=number, limit=200))
    without = ids(client.walk("workorders", notCategories=label, limit=200))
    assert sorted([*ids(by_label), *without]) == sorted(ids(client.walk("workorders", limit=200)))


def test_filters_by_ids_and_their_negations_split_the_list(client):
    everything = client.walk("workorders", limit=200, expand=STORED)
    asset = next(row["assetId"] for row in everything if "assetId" in row)
    person = next(each["id"] for row in everything for each in row["assignees"] if each["type"] == "USER")
    team = next(each for row in everything for each in row["teamIds"])
    part = next(each["id"] for row in everything for each in row["parts"])
    assert set(ids(client.walk("workorders", assets=asset))) == {row["id"] for row in everything if row.get("assetId") == asset}
    assert len(client.walk("workorders", notAssets=asset)) == len(everything) - len(client.walk("workorders", assets=asset))
    assert set(ids(client.walk("workorders", assignees=person))) == {
        row["id"] for row in everything if {"type": "USER", "id": person} in row["assignees"]
    }
    assert set(ids(client.walk("workorders", teams=team))) == {row["id"] for row in everything if team in row["teamIds"]}
    assert set(ids(client.walk("workorders", parts=part))) == {row["id"] for row in everything if part in ids(row["parts"])}


def test_filters_by_text_and_by_enumeration_narrow_the_list(client):
    everything = client.walk("workorders", limit=200)
    assert set(ids(client.walk("workorders", title="CALIBRATE"))) == {row["id"] for row in everything if "Calibrate" in row["title"]}
    assert set(ids(client.walk("workorders", priorities=["LOW", "MEDIUM"]))) == {
        row["id"] for row in everything if row["priority"] in {"LOW", "MEDIUM"}
    }
    assert {row["partStatus"] for row in client.rows("workorders", partStatuses="ISSUED")} == {"ISSUED"}


def test_sub_work_orders_are_found_by_their_role_alone(client):
    parents = client.walk("workorders", parentSubWorkOrderTypes="PARENT", limit=200)
    children = client.walk("workorders", parentSubWorkOrderTypes="SUB_WORK_ORDER", limit=200)
    standalone = client.walk("workorders", parentSubWorkOrderTypes="STANDALONE", limit=200)
    assert len(children) == 2 * len(parents) > 0
    assert len(parents) + len(children) + len(standalone) == len(client.walk("workorders", limit=200))
    single = client.get(f"workorders/{children[0]['id']}")["workOrder"]
    assert single["parentId"] in ids(parents)
    assert "parentId" not in children[0]


def test_the_other_lists_have_their_own_filters(client):
    status = client.rows("assetstatuses", limit=1)[0]
    assert {row["assetId"] for row in client.rows("assetstatuses", assetId=status["assetId"])} == {status["assetId"]}
    assert {row["requestStatus"] for row in client.rows("workrequests", statuses="REJECTED")} == {"REJECTED"}
    assert all(row["name"].startswith("Austin") for row in client.rows("locations", name="Austin"))
    assert {row["measurementType"] for row in client.rows("meters", measurementType="MANUAL")} == {"MANUAL"}
    email = client.rows("users", limit=1)[0]["email"]
    assert [row["email"] for row in client.rows("users", email=email)] == [email]
    roles = {row["role"] for row in client.rows("users", onlyAssignable="true", expand="role", limit=200)}
    assert "REQUESTER" not in roles


def test_root_cause_reports_hide_the_archived_ones_unless_only_those_are_asked_for(mine, world):
    report = mine.rows("rootcauseanalysisreports")[0]
    world.change("rca_reports", 101, report["id"], archivedAt=iso(world.now))
    assert report["id"] not in ids(mine.walk("rootcauseanalysisreports", limit=200))
    assert report["id"] in ids(mine.walk("rootcauseanalysisreports", archived="true", limit=200))
    assert mine.rows("rootcauseanalysisreports", createdAfter=report["createdAt"], createdBefore=report["createdAt"]) == []


def test_assets_expand_their_status_only_when_asked(client):
    rows = client.rows("assets", limit=200, expand=["status", "asset_types"])
    tracked = [row for row in rows if "status" in row]
    assert tracked
    assert {row["status"]["status"] for row in tracked} <= {"ONLINE", "OFFLINE", "IGNORE"}
    assert all(row["assetTypes"] for row in rows)
    assert all("status" not in row for row in client.rows("assets", limit=200))


def test_the_members_of_a_team_are_a_list_of_their_own(client):
    team = client.rows("teams")[0]
    assert set(team) == {"id", "name"}
    members = client.walk(f"teams/{team['id']}/members", limit=2)
    assert client.get(f"teams/{team['id']}")["team"]["membersCount"] == len(members) > 0
    assert {row["teamRole"] for row in members} <= {"ADMIN", "MEMBER"}
    assert client.refusal("teams/999999/members") == (404, {"error": "Not Found."})


def test_users_carry_no_instants_of_change_but_their_last_visit_moves(mine, world):
    before = {row["id"]: row for row in mine.rows("users", limit=200)}
    assert all("updatedAt" not in row and "createdAt" not in row for row in before.values())
    assert any("hourlyRate" not in row for row in before.values())
    world.now += 86_400_000
    after = {row["id"]: row for row in mine.rows("users", limit=200)}
    assert all(after[number]["lastVisitedAt"] > before[number]["lastVisitedAt"] for number in before)


def test_a_full_row_is_served_as_it_was_stored(standing_world: World, client: Client):
    row = client.rows("workorders", limit=1, expand=STORED, sort="-updatedAt", show_upcoming="true")[0]
    assert standing_world.get("work_orders", 101, row["id"]) == row
    assert client.ask("workorders", limit=1, expand=STORED).body.count(b'"timeItems"') == 1


def test_the_document_of_the_api_names_the_paths_that_are_served(client):
    document = json.loads(client.ask("openapi.json").body)
    assert {path.split("/")[1] for path in document["paths"]} == {each.path for each in COLLECTIONS}
    assert all(list(methods) == ["get"] for methods in document["paths"].values())


@pytest.mark.parametrize("collection", [each for each in COLLECTIONS if each.expands], ids=lambda each: each.path)
def test_the_document_lists_the_parameters_that_are_understood(client, collection):
    document = json.loads(client.ask("openapi.json").body)
    declared = {}
    for each in document["paths"][f"/{collection.path}"]["get"]["parameters"]:
        found = document["components"]["parameters"][each["$ref"].split("/")[-1]] if "$ref" in each else each
        declared[found["name"]] = found
    assert declared["expand"]["schema"]["items"]["enum"] == list(collection.expands)
    assert set(collection.filters) <= set(declared)
    if collection.sorts:
        assert sorted(declared["sort"]["schema"]["enum"]) == sorted([*collection.sorts, *(f"-{each}" for each in collection.sorts)])
