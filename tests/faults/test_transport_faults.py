"""What goes wrong between us and MaintainX: rate limits, failures, cut and endless answers, answers that are none."""

import gzip
import json
import socket
import ssl
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dagster_project.maintainx import answers
from dagster_project.maintainx.client import MaintainX
from dagster_project.maintainx.errors import (
    BadRequest,
    Forbidden,
    ProtocolError,
    RateLimited,
    Unauthorized,
    Unavailable,
)
from dagster_project.sync import Breaker
from simulator.api import Simulator
from simulator.options import Options
from simulator.transport import transport
from tests.faults.plant_builder import Plant
from tests.scripted import DATE, GOOD, TOKEN, Script, Server, answer, drip, http, orders, read, reset

LOCATIONS = range(1, 31)
HTML = "<!doctype html><html><body>Bad Gateway</body></html>"


def whole_and_right(plant: Plant, table: str = "work_orders") -> None:
    """The log holds what the source shows, each record once."""
    assert plant.log(table) == plant.truth(table)
    versions = f"select count(*) - count(distinct (id, version_number)) from raw.{table} where organisation_id = ?"
    assert plant.warehouse.query(versions, [plant.organisation]).item() == 0


# A1, A2: rate limits

RESETS: dict[str, dict[str, str | None]] = {
    "no headers": dict.fromkeys(("X-Rate-Limit-Limit", "X-Rate-Limit-Remaining", "X-Rate-Limit-Reset")),
    "reset 0": {"X-Rate-Limit-Reset": "0"},
    "reset negative": {"X-Rate-Limit-Reset": "-30"},
    "reset in 30 years": {"X-Rate-Limit-Reset": "1000000000"},
    "reset is text": {"X-Rate-Limit-Reset": "soon"},
    "retry-after a date": {"X-Rate-Limit-Reset": None, "Retry-After": "Mon, 16 Nov 2026 06:00:09 GMT"},
}


@pytest.mark.parametrize(("headers", "times"), list(zip(RESETS.values(), [1, 20, 1, 20, 5, 20], strict=True)), ids=RESETS)
def test_a1_a_storm_of_429_loses_nothing_and_no_wait_is_longer_than_two_minutes(plant, headers, times):
    slept: list[float] = []
    sleep = plant.sleep
    plant.sleep = lambda seconds: (slept.append(seconds), sleep(seconds))
    plant.simulator.faults.add("respond", details={"status": 429, "headers": headers}, times=times, path="/workorders", nth=4)
    plant.sync()
    whole_and_right(plant)
    assert len(slept) >= times
    assert all(0 < seconds <= 120 for seconds in slept)
    assert len(set(slept)) > 1 or times == 1 or max(slept) == 120, "no jitter"
    assert plant.simulator.statuses[429] == times


@pytest.mark.parametrize("headers", [RESETS["no headers"], RESETS["reset in 30 years"]], ids=["no headers", "reset in 30 years"])
def test_a1_500_answers_429_end_the_run_in_an_error_and_the_next_run_goes_on(plant, headers):
    plant.simulator.faults.add("respond", details={"status": 429, "headers": headers}, times=500, path="/workorders", nth=4)
    with pytest.raises(RateLimited, match="RATE_SHARE"):
        plant.sync()
    assert plant.simulator.statuses[429] <= 8 * 30, "thirty tries of each slice at most"
    assert plant.seconds <= 8 * 30 * 120
    plant.simulator.faults.clear()
    plant.sync()
    whole_and_right(plant)


def test_a2_a_429_on_one_page_repeats_that_page_alone(plant):
    plant.simulator.faults.add("429", path="/workorders", nth=3)
    with plant.source() as source:
        pages = list(source.pages("/workorders", "workOrders", [("limit", "7"), ("show_upcoming", "true")]))
    assert sum(len(page.records) for page in pages) == 40
    assert [status for _, _, status in plant.simulator.log] == [200, 200, 429, 200, 200, 200, 200]


def test_a2_a_limit_that_drops_from_100_to_10_on_the_way_is_obeyed(plant):
    seconds = 0.0

    def sleep(more: float) -> None:
        nonlocal seconds
        seconds += more

    simulator = Simulator(plant.world, Options(rate_limit=100), clock=lambda: seconds)
    simulator.faults.add("mutate", callback=lambda: setattr(simulator._limiter, "per_user", 10), nth=13)
    client = MaintainX("http://mx/v1", f"demo-{plant.organisation}", transport=transport(simulator), clock=lambda: seconds, sleep=sleep)
    with client as source:
        pages = list(source.pages("/workorders", "workOrders", [("limit", "1"), ("show_upcoming", "true")]))
    assert len({json.loads(page.records[0])["id"] for page in pages}) == 40
    assert simulator.statuses[429] <= 1
    assert source.requests == 40 + simulator.statuses[429], "nothing was read again"


# What fails on their side: A3


@pytest.mark.parametrize(
    ("status", "retry_after"),
    [(500, None), (502, "never"), (503, "Mon, 16 Nov 2026 06:00:30 GMT"), (504, "3")],
    ids=["500", "502 never", "503 date", "504 seconds"],
)
def test_a3_a_burst_of_failures_with_html_bodies_loses_nothing(plant, status, retry_after):
    details = {"status": status, "body": HTML, "headers": {"Content-Type": "text/html", "Retry-After": retry_after}}
    plant.simulator.faults.add("respond", details=details, times=10, path="/workorders", nth=3)
    plant.sync()
    whole_and_right(plant)
    assert plant.simulator.statuses[status] == 10


def test_a3_a_retry_after_that_is_a_date_is_counted_from_the_clock_of_the_same_answer():
    at = format_datetime(datetime(2026, 11, 16, 6, tzinfo=UTC) + timedelta(seconds=45), usegmt=True)
    script = Script(answer(b"", 503, Retry_After=at), orders(1))
    read(script)
    assert script.slept == [45.0]


# What they refuse: A4


@pytest.mark.parametrize(
    ("status", "body", "error", "nth"),
    [
        (401, "", Unauthorized, 2),
        (403, {"errors": [{"error": "User don't have the right permissions"}]}, Forbidden, 2),
        (400, {"errors": [{"error": "Missing x-organization-id header."}]}, BadRequest, 1),
    ],
    ids=["401", "403", "400 organisation"],
)
def test_a4_a_refusal_in_the_middle_of_a_run_stops_at_once_and_deletes_nothing(plant, status, body, error, nth):
    plant.locations(LOCATIONS)
    plant.sync("locations")
    before = plant.log("locations")
    plant.simulator.faults.add("respond", details={"status": status, "body": body}, times=None, path="/locations", nth=nth)
    with pytest.raises(error):
        plant.sync("locations")
    assert plant.simulator.statuses[status] == 1
    assert plant.seconds == 0
    assert plant.log("locations") == before


def test_a4_a_token_of_several_organisations_that_sends_no_header_is_told_so_and_nothing_is_tried_again():
    from tests.small_world import company  # noqa: PLC0415  a second world, for this test alone

    simulator = Simulator(company())
    with MaintainX("http://mx/v1", "demo", transport=transport(simulator)) as source, pytest.raises(BadRequest, match="x-organization-id"):
        source.page("/workorders", "workOrders")
    assert simulator.statuses == {400: 1}


# A5, A6, A7: over a real socket

CUTS: dict[str, tuple[str, Any]] = {
    "reset before headers": ("a5", reset),
    "reset within headers": ("a5", lambda connection: (connection.sendall(http(GOOD)[:70]), reset(connection))),
    "reset after headers": ("a5", lambda connection: (connection.sendall(http(GOOD)[: -len(GOOD)]), reset(connection))),
    "reset within the body": ("a5", lambda connection: (connection.sendall(http(GOOD)[:-10]), reset(connection))),
    "closed at once": ("a5", lambda connection: None),
    "no http": ("a5", b"\x16\x03\x01 garbage\r\n\r\nConnection: close"),
    "short content-length": ("a6", http(GOOD[:20], "Connection: close", length=len(GOOD))),
    "content-length too small": ("a6", http(GOOD, "Connection: close", length=20)),
    "chunked": ("a6", b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n" + GOOD[:20]),
    "without a length": ("a6", b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + GOOD[:20]),
    "gzip of the right length": ("a6", http(gzip.compress(GOOD)[:-9], "Content-Encoding: gzip", "Connection: close")),
    "damaged gzip": ("a6", http(b"no gzip at all", "Content-Encoding: gzip", "Connection: close")),
}


def cuts(row: str) -> pytest.MarkDecorator:
    chosen = {name: cut for name, (of, cut) in CUTS.items() if of == row}
    return pytest.mark.parametrize("cut", chosen.values(), ids=chosen)


def read_again_after(cut: bytes | Callable[[socket.socket], None]) -> None:
    with Server(cut, cut, http(GOOD, "Connection: close")) as server, server.client() as source:
        (page,) = source.pages("/workorders", "workOrders")
    assert page.records == [b'{"id":1}', b'{"id":2}']
    assert server.requests == 3


@cuts("a5")
def test_a5_a_connection_that_breaks_anywhere_is_tried_again(cut):
    read_again_after(cut)


@cuts("a6")
def test_a6_a_body_that_is_cut_is_read_again_and_never_half_used(cut):
    read_again_after(cut)


def test_a5_a_name_that_does_not_resolve_is_unavailable_after_four_tries(monkeypatch):
    asked = count()

    def resolve(*_: object, **__: object) -> None:
        next(asked)
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    client = MaintainX("https://mx.invalid/v1", TOKEN, sleep=lambda _seconds: None)
    with client as source, pytest.raises(Unavailable, match="Name or service not known"):
        source.page("/workorders", "workOrders")
    assert next(asked) == 4


def test_a5_nobody_listening_is_unavailable():
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    client = MaintainX(f"http://127.0.0.1:{port}/v1", TOKEN, sleep=lambda _seconds: None)
    with client as source, pytest.raises(Unavailable, match="refused"):
        source.page("/workorders", "workOrders")


def test_a5_a_server_that_speaks_no_tls_is_unavailable_and_hears_no_token():
    with Server(lambda connection: None) as server:
        client = MaintainX(f"https://127.0.0.1:{server.port}/v1", TOKEN, exchange_seconds=0.1, sleep=lambda _seconds: None)
        with client as source, pytest.raises(Unavailable):
            source.page("/workorders", "workOrders")
    assert TOKEN.encode() not in b"".join(server.heard)


def test_a5_a_certificate_that_nobody_vouches_for_is_refused_before_the_token_is_sent(tmp_path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own_certificate(tmp_path))
    with Server(http(GOOD, "Connection: close"), tls=context) as server:
        client = MaintainX(f"https://127.0.0.1:{server.port}/v1", TOKEN, sleep=lambda _seconds: None)
        with client as source, pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
            source.page("/workorders", "workOrders")
    assert (server.connections, server.requests) == (4, 0)


def own_certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that its owner signed himself, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    day = datetime(2026, 11, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    certificate = builder.not_valid_before(day).not_valid_after(day + timedelta(days=36500)).sign(key, hashes.SHA256())
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "own.pem"
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


SLOW: dict[str, Callable[[socket.socket], Any]] = {
    "dripping whole": drip(http(GOOD)),
    "dripping headers": drip(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 500),
    "100 Continue for ever": drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 100, size=25),
    "dripping chunks": drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * 500, size=6),
    "idle": lambda _connection: time.sleep(0.45),
}


@pytest.mark.parametrize("slow", SLOW.values(), ids=SLOW)
def test_a7_a_server_that_drips_or_idles_does_not_outlast_the_deadline(slow):
    with Server(slow, http(GOOD, "Connection: close")) as server, server.client(seconds=0.3) as source:
        start = time.monotonic()
        assert len(source.page("/workorders", "workOrders").records) == 2
        assert time.monotonic() - start < 5
    assert server.requests == 2


def test_a7_the_deadline_of_a_minute_counts_all_reads_together():
    ticks = count()
    with Server(drip(http(GOOD), seconds=0.001), http(GOOD, "Connection: close")) as server:
        client = MaintainX(server.url, TOKEN, clock=lambda: next(ticks) * 5.0, sleep=lambda _seconds: None)
        with client as source:
            assert len(source.page("/workorders", "workOrders").records) == 2
    assert server.requests == 2


def test_a7_the_deadline_holds_through_a_proxy(monkeypatch):
    with Server(drip(http(GOOD)), http(GOOD, "Connection: close")) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        with MaintainX("http://mx.invalid/v1", TOKEN, exchange_seconds=0.3, sleep=lambda _seconds: None) as source:
            assert len(source.page("/workorders", "workOrders").records) == 2
    assert proxy.requests == 2


def test_one_connection_serves_all_pages():
    more = http(b'{"workOrders":[{"id":0}],"nextCursor":"a"}')
    with Server(more, http(gzip.compress(GOOD), "Content-Encoding: gzip")) as server, server.client() as source:
        assert [len(page.records) for page in source.pages("/workorders", "workOrders")] == [1, 2]
    assert (server.connections, server.requests) == (1, 2)


def test_a_machine_that_uses_a_proxy_still_reaches_its_own_simulator(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with Server(http(GOOD, "Connection: close")) as server, server.client() as source:
        assert len(source.page("/workorders", "workOrders").records) == 2


# A8: answers that are no page

NO_PAGES = {
    "empty body": "", "empty object": {}, "errors": {"errors": [{"error": "x"}]}, "login page": "<html>Sign in</html>", "null": None,
    "list": [], "text": '"ok"', "missing key": {"nextCursor": None}, "null list": {"workOrders": None, "locations": None},
    "object for list": {"workOrders": {}, "locations": {}},
}  # fmt: skip


@pytest.mark.parametrize("table", ["work_orders", "locations"])
@pytest.mark.parametrize("body", NO_PAGES.values(), ids=NO_PAGES)
def test_a8_an_answer_that_is_no_page_is_an_error_and_neither_empties_nor_moves_anything(plant, body, table):
    plant.locations(LOCATIONS)
    plant.sync(table)
    plant.change(table, 7, **({"title": "changed"} if table == "work_orders" else {"name": "changed"}))
    before, watermark = plant.log(table), plant.watermark(table)
    path = "/workorders" if table == "work_orders" else "/locations"
    plant.simulator.faults.add("respond", details={"status": 200, "body": "null" if body is None else body}, times=None, path=path)
    with pytest.raises(ProtocolError):
        plant.sync(table)
    assert (plant.log(table), plant.watermark(table)) == (before, watermark)
    plant.simulator.faults.clear()
    plant.sync(table)
    whole_and_right(plant, table)


# A9: too much of everything

MEBIBYTE = 2**20


def peak_while(act: Callable[[], object]) -> int:
    """Return the most bytes that were held at once while `act` ran, beyond those before it."""
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


class Endless(httpx.SyncByteStream):
    """A body of megabytes without end that counts how many were taken."""

    def __init__(self, chunk: bytes, most: int) -> None:
        self.chunk, self.most, self.taken = chunk, most, 0

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(self.most):
            self.taken += 1
            yield self.chunk


def refused_as_too_large(body: Endless, **headers: str) -> None:
    with pytest.raises(ProtocolError, match="more than 64 MiB"):
        read(Script(lambda _request: httpx.Response(200, headers=DATE | headers, stream=body)))


def test_a9_a_body_of_300_mb_is_left_at_64_and_never_held():
    body = Endless(b" " * MEBIBYTE, 300)
    assert peak_while(lambda: refused_as_too_large(body)) < 160 * MEBIBYTE
    assert body.taken == 65


def test_a9_a_zip_bomb_is_left_at_64_mb():
    bomb = gzip.compress(b" " * (80 * MEBIBYTE), compresslevel=1)
    assert len(bomb) < MEBIBYTE
    body = Endless(bomb, 1)
    assert peak_while(lambda: refused_as_too_large(body, **{"Content-Encoding": "gzip"})) < 240 * MEBIBYTE


def test_a9_a_zip_bomb_in_an_error_answer_is_left_as_well(monkeypatch):
    monkeypatch.setattr(answers, "LARGEST_BODY", MEBIBYTE)
    bomb = gzip.compress(b" " * (8 * MEBIBYTE))
    stream = Endless(bomb, 1)
    with pytest.raises(ProtocolError, match="more than"):
        read(Script(lambda _request: httpx.Response(500, headers=DATE | {"Content-Encoding": "gzip"}, stream=stream)))


def test_a9_a_header_of_two_megabytes_is_no_answer_and_is_given_up():
    header = b"HTTP/1.1 200 OK\r\nX: " + b"x" * (2 * MEBIBYTE)
    with Server(header) as server, server.client() as source, pytest.raises(Unavailable):
        source.page("/workorders", "workOrders")
    assert server.requests == 4
    read_again_after(header)


@pytest.mark.parametrize("body", [b'{"workOrders":' + b"[" * 100_000 + b"]" * 100_000 + b"}", b"[" * 100_000], ids=["closed", "open"])
def test_a9_json_a_hundred_thousand_levels_deep_is_refused(body):
    with pytest.raises(ProtocolError):
        read(Script(answer(body)))


def test_a9_an_object_nested_beyond_measure_is_refused():
    body = b'{"workOrder":' + b'{"a":' * 5_000 + b"1" + b"}" * 5_000 + b"}"
    with Script(answer(body)).client() as source, pytest.raises(ProtocolError, match="nested too deeply"):
        source.get("/workorders/7")


# A10: another host


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a10_a_redirect_is_refused_and_no_other_host_hears_the_token(status):
    with Server(http(GOOD)) as elsewhere:
        location = f"Location: http://127.0.0.1:{elsewhere.port}/v1/workorders"
        redirect = http(b"", location, "Connection: close").replace(b"200 OK", f"{status} Moved".encode())
        with Server(redirect) as server, server.client() as source, pytest.raises(ProtocolError, match="redirect"):
            source.page("/workorders", "workOrders")
        assert (server.requests, elsewhere.connections) == (1, 0)


@pytest.mark.parametrize(
    "there", ["https://evil.example/v1/workorders?cursor=x", "//evil.example/v1/workorders", "/v1/users", "\\\\evil", ""]
)
def test_a10_the_address_of_the_next_page_is_never_called_wherever_it_points(there):
    first = answer({"workOrders": [{"id": 1}], "nextCursor": "https://evil.example/", "nextPageUrl": there})
    script = Script(first, orders(2))
    assert len(read(script)) == 2
    assert {(request.url.host, request.url.path) for request in script.asked} == {("api.example.org", "/v1/workorders")}
    assert script.asked[1].url.params["cursor"] == "https://evil.example/"


# A11: the same answer twice


@pytest.mark.parametrize("nth", [1, 3, 5])
@pytest.mark.parametrize("table", ["work_orders", "locations"])
def test_a11_a_page_whose_answer_was_lost_and_is_asked_for_again_is_stored_once(plant, nth, table):
    plant.locations(LOCATIONS)
    plant.simulator.faults.add("cut", path="/workorders" if table == "work_orders" else "/locations", nth=nth)
    plant.sync(table)
    whole_and_right(plant, table)
    assert all(len(plant.versions(id_, table)) == 1 for id_ in plant.truth(table))


# A12: the answer to somebody else


def foreign_page(plant: Plant, count_: int) -> dict[str, Any]:
    stranger = {"organizationId": plant.organisation + 500_000, "status": "OPEN", "createdAt": "2026-11-01T00:00:00.000Z"}
    rows = [{"id": 900 + n, "title": "theirs", "updatedAt": "2026-11-15T00:00:00.000Z", **stranger} for n in range(count_)]
    return {"workOrders": rows, "nextCursor": None}


def test_a12_one_row_of_another_organisation_goes_to_quarantine(plant):
    plant.simulator.faults.add("patch", details={"rows": {"20": {"organizationId": 77}}}, times=None, path="/workorders")
    plant.sync()
    assert [(id_, reason) for id_, reason, _, _ in plant.quarantine()] == [(20, "wrong_organisation")]
    assert plant.log() == {id_: row for id_, row in plant.truth().items() if id_ != 20}


def test_a12_an_answer_that_was_meant_for_another_organisation_stops_the_endpoint(plant):
    plant.sync()
    before, watermark = plant.log(), plant.watermark()
    plant.simulator.faults.add("respond", details={"body": foreign_page(plant, 5)}, times=None, path="/workorders")
    with pytest.raises(Breaker, match="every record belongs to organisation"):
        plant.sync()
    assert (plant.log(), plant.watermark()) == (before, watermark)
    assert {reason for _, reason, _, _ in plant.quarantine()} == {"wrong_organisation"}
