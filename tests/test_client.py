"""The API client: what it reads, what it retries, and what it never takes for an answer."""

import gzip
import json
import logging
import math
import traceback
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx
import pytest

from dagster_project.maintainx import answers, client
from dagster_project.maintainx.client import MaintainX, Page, organisations
from dagster_project.maintainx.errors import (
    BadRequest,
    EndlessWalk,
    Forbidden,
    MaintainXError,
    NotFound,
    ProtocolError,
    RateLimited,
    Unauthorized,
    Unavailable,
)
from dagster_project.maintainx.pacing import Budget
from simulator import plant
from simulator.api import Simulator
from simulator.options import Options
from simulator.transport import transport
from tests.scripted import DATE, E_MAIL, SIX, TOKEN, Chunks, Script, answer, orders, read

# What is read


def test_a_page_holds_each_record_as_maintainx_wrote_it():
    body = b'{"nextCursor":null,"workOrders":[{"id": 1,  "x":1.50e3},{"id":9007199254740993,"t":"\\ud83d\\ude00 \xf0\x9f\x98\x80"}]}'
    (page,) = read(Script(answer(body)))
    assert page == Page([b'{"id": 1,  "x":1.50e3}', b'{"id":9007199254740993,"t":"\\ud83d\\ude00 \xf0\x9f\x98\x80"}'], None, SIX, len(body))


def test_a10_pages_follow_the_cursor_alone_whatever_address_the_answer_names():
    script = Script(orders(1, 2, cursor="a|b"), orders(3, cursor="c"), orders())
    assert [record for page in read(script) for record in page.records] == [b'{"id": 1}', b'{"id": 2}', b'{"id": 3}']
    first = [("updatedAt[gte]", "2026-01-01T00:00:00.000Z"), ("limit", "200")]
    assert [request.url.params.multi_items() for request in script.asked] == [first, [*first, ("cursor", "a|b")], [*first, ("cursor", "c")]]
    assert {request.url.host for request in script.asked} == {"api.example.org"}


def test_a_parameter_may_be_repeated():
    script = Script(orders())
    with script.client() as source:
        source.page("/workorders", "workOrders", [("expand", "assignees"), ("expand", "parts")])
    assert str(script.asked[0].url) == "https://api.example.org/v1/workorders?expand=assignees&expand=parts"


def test_b7_a_short_or_empty_page_with_a_cursor_is_not_the_end():
    script = Script(orders(1, cursor="a"), orders(cursor="b"), orders(2))
    assert [len(page.records) for page in read(script)] == [1, 0, 1]


def test_only_a_token_of_several_organisations_sends_the_organisation():
    alone, several = Script(orders()), Script(orders())
    read(alone)
    read(several, organisation_id=102)
    assert "x-organization-id" not in alone.asked[0].headers
    assert several.asked[0].headers["x-organization-id"] == "102"
    assert several.asked[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert several.asked[0].headers["user-agent"].startswith("maintainx-analytics/")
    assert {request.method for request in several.asked} == {"GET"}


def test_now_is_the_date_of_the_first_answer_and_stays_it():
    later = answer({"workOrders": []}, Date="Tue, 17 Nov 2026 09:30:00 GMT")
    script = Script(orders(1, cursor="a"), later)
    with script.client() as source:
        first, second = source.pages("/workorders", "workOrders")
        assert (source.now(), first.served_at, second.served_at) == (SIX, SIX, datetime(2026, 11, 17, 9, 30, tzinfo=UTC))


def test_now_asks_once_when_nothing_was_read_yet():
    script = Script(answer({"error": "Not Found."}, 404))
    with script.client() as source:
        assert source.now() == source.now() == SIX
    assert [request.url.path for request in script.asked] == ["/v1/organizations"]


def test_a_record_that_is_gone_is_none_and_one_that_is_there_is_an_object():
    script = Script(answer({"workOrder": {"id": 7}}), answer({"error": "Not Found."}, 404))
    with script.client() as source:
        assert source.get("/workorders/7") == {"workOrder": {"id": 7}}
        assert source.get("/workorders/8") is None


def test_a_404_that_is_not_in_maintainx_words_does_not_mean_that_a_record_is_gone():
    with Script(answer(b"<html>404</html>", 404)).client() as source, pytest.raises(ProtocolError, match="404"):
        source.get("/workorders/8")


def test_organisations_are_all_pages_or_none_where_maintainx_does_not_tell():
    with Script(
        answer({"organizations": [{"id": 101}], "nextCursor": "a"}), answer({"organizations": [{"id": 102, "timeZone": "UTC"}]})
    ).client() as source:
        assert organisations(source) == [{"id": 101}, {"id": 102, "timeZone": "UTC"}]
    for status in (403, 404):
        with Script(answer({"error": "Not Found."}, status)).client() as source:
            assert organisations(source) == []


def test_traffic_counts_what_was_sent_and_received():
    script = Script(answer(b"", 500), orders(1))
    with script.client() as source:
        page = source.page("/workorders", "workOrders")
        traffic = source.traffic()
    assert (traffic.requests, traffic.retries, traffic.waits, traffic.waited_seconds, traffic.bytes) == (2, 1, 1, 0.5, page.bytes)
    assert source.requests == 2


# What is tried again


@pytest.mark.parametrize("status", [408, 425, 500, 502, 503, 504])
def test_a3_a_burst_of_ten_failures_costs_nothing_but_time(status):
    script = Script(*[answer(b"<html>Bad Gateway</html>", status)] * 10, orders(1))
    assert [page.records for page in read(script)] == [[b'{"id": 1}']]
    assert script.slept == [0.5, 1, 2, 4, 8, 16, 30, 30, 30, 30]
    assert script.said[0] == f"another try, as GET /workorders failed: status {status}"


def test_a3_a_failure_that_says_when_to_return_is_believed_up_to_two_minutes():
    script = Script(
        answer(b"", 503, Retry_After="7"),
        answer(b"", 503, Retry_After="86400"),
        answer(b"", 503, Retry_After="Mon, 16 Nov 2026 07:00:00 GMT"),
        orders(),
    )
    read(script)
    assert script.slept == [7, 120, 120]


def test_a3_a_failure_that_lasts_ends_in_an_error_after_a_known_number_of_tries():
    script = Script(answer(b"", 502))
    with pytest.raises(Unavailable, match="GET /workorders failed: status 502") as caught:
        read(script)
    assert (len(script.asked), caught.value.status, caught.value.path) == (12, 502, "/workorders")


def test_a5_a_server_that_never_answered_at_all_is_given_up_soon():
    script = Script(httpx.ConnectError("[Errno -2] Name or service not known"))
    with pytest.raises(Unavailable, match="Name or service not known"):
        read(script)
    assert (len(script.asked), sum(script.slept)) == (4, 3.5)


def test_a1_a_storm_of_twenty_429_is_waited_out_window_by_window():
    storm = answer({"error": "Too many requests"}, 429, X_Rate_Limit_Limit="100", X_Rate_Limit_Remaining="0", X_Rate_Limit_Reset="60")
    script = Script(*[storm] * 20, orders(1))
    assert len(read(script)) == 1
    assert script.slept == [62.0] * 20
    assert script.said == ["the rate limit of MaintainX"] * 20


def test_a1_a_429_without_headers_says_in_words_how_long_it_lasts():
    script = Script(answer({"error": "Too many requests. Please retry in 10 seconds"}, 429), answer(b"", 429), orders(1))
    read(script)
    assert script.slept == [12, 1 + 2]


@pytest.mark.parametrize("reset", ["1000000000", "-5", "soon"])
def test_a1_a_429_with_a_senseless_reset_never_waits_longer_than_two_minutes(reset):
    script = Script(*[answer(b"", 429, X_Rate_Limit_Reset=reset)] * 5, orders(1))
    read(script)
    assert all(0 < seconds <= 120 for seconds in script.slept)


def test_a1_a_storm_of_429_without_end_ends_in_an_error_after_thirty_tries():
    script = Script(answer(b"", 429, X_Rate_Limit_Reset="30"))
    with pytest.raises(RateLimited, match="RATE_SHARE"):
        read(script)
    assert len(script.asked) == 30


@pytest.mark.parametrize(
    "failure", [httpx.ReadTimeout("slow"), httpx.ReadError("reset"), httpx.RemoteProtocolError("cut"), httpx.ConnectError("refused")]
)
def test_a5_a_cut_connection_is_tried_again_from_the_same_cursor(failure):
    script = Script(orders(1, cursor="a"), failure, failure, orders(2))
    assert [page.records for page in read(script)] == [[b'{"id": 1}'], [b'{"id": 2}']]
    assert [request.url.params.get("cursor") for request in script.asked] == [None, "a", "a", "a"]


@pytest.mark.parametrize("body", [b"", b"  ", b'{"workOrders":[{"id":1},{"id', b"<html>Sign in</html>", b'{"workOrders":[{"t":"\xff"'])
def test_a8_a_body_that_is_no_json_is_tried_again_and_then_an_error(body):
    assert [page.records for page in read(Script(answer(body), answer(body), orders(1)))] == [[b'{"id": 1}']]
    script = Script(answer(body))
    with pytest.raises(ProtocolError, match="MAINTAINX_URL"):
        read(script)
    assert len(script.asked) == 5


# What is never tried again


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        (401, b"", Unauthorized, "MAINTAINX_TOKEN"),
        (403, {"errors": [{"error": "User don't have the right permissions"}]}, Forbidden, "right permissions"),
        (404, {"error": "Not Found."}, NotFound, "Not Found"),
        (400, {"error": "'status' is not a valid query parameter"}, BadRequest, "'status' is not a valid"),
        (400, {"errors": [{"error": "must be <= 200", "fieldPath": "limit", "fieldValue": 250}]}, BadRequest, "limit must be <= 200"),
        (413, b"", BadRequest, "no reason given"),
        (302, b"", ProtocolError, "redirect"),
        (204, b"", ProtocolError, "status 204"),
    ],
)
def test_a4_a_refusal_is_an_error_of_its_own_at_once_and_never_tried_again(status, body, error, words):
    script = Script(answer(body, status, Location="https://evil.example/"))
    with pytest.raises(error, match=words) as caught:
        read(script)
    assert (len(script.asked), caught.value.status, script.slept) == (1, status, [])


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"null",
        b"[]",
        b"7",
        b'"x"',
        b'{"errors":[{"error":"x"}]}',
        b'{"workorders":[]}',
        b'{"workOrders":null}',
        b'{"workOrders":{}}',
        b'{"workOrders":[],"nextCursor":7}',
        b'{"workOrders":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"x":NaN}',
        b"[NaN]",
    ],
)
def test_a8_json_that_is_no_page_of_the_list_is_never_the_end_of_the_data(body):
    script = Script(answer(body))
    with pytest.raises(ProtocolError):
        read(script)
    assert len(script.asked) == 1


def test_one_record_that_strict_json_forbids_does_not_cost_its_page():
    (page,) = read(Script(answer(b'\xef\xbb\xbf{"workOrders":[{"id":1},{"id":2,"x":NaN}],"nextCursor":""}')))
    assert page.records == [b'{"id": 1}', b'{"id": 2, "x": NaN}']


def test_an_answer_without_a_clock_is_an_error():
    with pytest.raises(ProtocolError, match="Date header"):
        read(Script(httpx.Response(200, content=b'{"workOrders":[]}')))


def test_b6_a_cursor_that_comes_again_ends_the_walk():
    for script in (
        Script(orders(1, cursor="a"), orders(2, cursor="a")),
        Script(orders(1, cursor="a"), orders(2, cursor="b"), orders(3, cursor="a")),
    ):
        with pytest.raises(EndlessWalk, match="cursor again"):
            read(script)
        assert len(script.asked) <= 3


def test_b6_a_page_that_comes_again_under_another_cursor_ends_the_walk():
    script = Script(orders(1, cursor="a"), orders(1, cursor="b"))
    with pytest.raises(EndlessWalk, match="same page"):
        read(script)
    assert len(script.asked) == 2


def test_b6_empty_pages_without_end_end_the_walk():
    counter = iter(range(1000))
    with pytest.raises(EndlessWalk):
        read(Script(lambda _request: orders(cursor=str(next(counter)))))


def test_b6_a_list_without_end_ends_the_walk(monkeypatch):
    monkeypatch.setattr(client, "MOST_PAGES", 5)
    counter = iter(range(1000))
    script = Script(lambda _request: orders(n := next(counter), cursor=str(n)))
    with pytest.raises(EndlessWalk, match="within 5 pages"):
        read(script)
    assert len(script.asked) <= 6


@pytest.mark.parametrize("zipped", [False, True])
def test_a9_a_body_beyond_the_cap_is_refused_and_never_held(monkeypatch, zipped):
    monkeypatch.setattr(answers, "LARGEST_BODY", 1000)
    body = b'{"workOrders":["' + b"x" * 2000 + b'"]}'
    body, headers = (gzip.compress(body), {"Content-Encoding": "gzip"}) if zipped else (body, {})
    with pytest.raises(ProtocolError, match="more than"):
        read(Script(lambda _request: httpx.Response(200, headers=DATE | headers, stream=Chunks(body))))


def test_a_zipped_body_is_unzipped_over_any_chunks():
    body = gzip.compress(b'{"workOrders":[{"id":1}]}')
    chunks = Chunks(*(body[n : n + 1] for n in range(len(body))))
    (page,) = read(Script(httpx.Response(200, headers=DATE | {"Content-Encoding": "gzip"}, stream=chunks)))
    assert (page.records, page.bytes) == ([b'{"id":1}'], 25)


def test_a_content_encoding_that_was_not_asked_for_is_refused():
    with pytest.raises(ProtocolError, match="zstd"):
        read(Script(httpx.Response(200, headers=DATE | {"Content-Encoding": "zstd"}, stream=Chunks(b"x"))))


# What nobody gets to see


@pytest.mark.parametrize(
    "last",
    [
        answer({"error": f"token {E_MAIL}"}, 400),
        answer({"error": f"{TOKEN} is not a token, and neither is Bearer {TOKEN}"}, 403),
        answer({"error": f"see https://mx.example/v1/users?email=ann&key={TOKEN}"}, 404),
        answer({"errors": [{"error": "no such user", "fieldPath": "email", "fieldValue": E_MAIL}]}, 400),
        answer({"error": "Invalid token"}, 401),
        answer(b"", 403),
        answer({"error": "Not Found."}, 404),
        answer(b"", 429),
        answer(b"", 500),
        answer(b"<html>", 200),
        answer({}),
        answer([]),
        answer(b"", 302, Location=f"https://evil.example/?email={E_MAIL}"),
        httpx.ReadTimeout("slow"),
    ],
)
def test_i4_no_error_log_or_word_holds_the_token_or_an_e_mail(last, caplog):
    caplog.set_level(logging.DEBUG)
    script = Script(last)
    with script.client() as source, pytest.raises(MaintainXError) as caught:
        list(source.pages("/users", "users", [("email", E_MAIL)]))
    seen = "".join([str(caught.value), repr(caught.value), repr(source), str(vars(caught.value)), caplog.text, *script.said])
    assert TOKEN not in seen
    assert E_MAIL not in seen
    assert (caught.value.__context__, caught.value.__cause__) == (None, None), "an earlier error holds the request, and with it the token"
    assert not any("request" in frame.f_locals or "headers" in frame.f_locals for frame, _ in traceback.walk_tb(caught.tb))


@pytest.mark.parametrize("token", ["", "   ", "two words", "naïve", "a\nb"])
def test_a_token_that_cannot_be_one_is_refused_before_anything_is_sent(token):
    with pytest.raises(Unauthorized, match="AUSTIN_TOKEN") as caught:
        MaintainX("https://api.example.org/v1", token, token_variable="AUSTIN_TOKEN")
    assert token.strip() == "" or token not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["api.getmaintainx.com", "ftp://x/v1", "https://user:pw@x/v1", "https:///v1", "https://x/v1?a=b", "http://x:port/v1", ""]
)
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(ValueError, match="MAINTAINX_URL"):
        MaintainX(url, TOKEN)


# Against the simulator


def test_a1_all_work_orders_are_read_at_the_real_limit_without_one_429():
    now = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    world = plant.build(scale=0.01)
    simulator = Simulator(world, Options(rate_limit=100), clock=lambda: now)
    with MaintainX("http://mx/v1", "demo", 101, transport=transport(simulator), clock=lambda: now, sleep=sleep) as source:
        pages = list(source.pages("/workorders", "workOrders", [("limit", "5"), ("show_upcoming", "true")]))
        orders = [json.loads(record)["id"] for page in pages for record in page.records]
        assert len(orders) == len(set(orders)) == len(world.table("work_orders", 101).rows.encoded)
        assert source.requests == math.ceil(len(orders) / 5) == simulator.requests["workorders"]
        assert source.now() == world.instant
    assert simulator.statuses == {200: source.requests}
    assert source.traffic().waits == (source.requests - 1) // 80


def test_a1_four_threads_share_one_budget_over_two_organisations():
    now = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    simulator = Simulator(plant.build(scale=0.01), Options(rate_limit=20), clock=lambda: now)
    budget = Budget(clock=lambda: now, sleep=sleep)
    sources = [MaintainX("http://mx/v1", "demo", each, budget, transport=transport(simulator)) for each in (101, 102)]
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(source.page, "/users", "users", [("limit", str(n))]) for source in sources for n in range(1, 61)]
    assert len([job.result() for job in jobs]) == 120
    assert simulator.statuses == {200: 120}
