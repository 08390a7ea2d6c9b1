"""Secrets and personal data planted in a simulated MaintainX, and a search for them in everything that a DATA_DIR holds."""

import json
import sqlite3
import threading
import zlib
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import duckdb
import uvicorn

from simulator import access
from simulator.api import Response, Simulator
from simulator.server import application
from simulator.world import World
from tests.small_world import DECCAN, NORTHFIELD, ago, company, labour, order, status

CANARIES = {
    "token": "canary-token-6f1e8a9b77c04d53",
    "other token": "canary-token-2b9d4c81e6aa47f0",
    "e-mail": "canary.mail@leak.example",
    "phone": "+15559876543",
    "rate": "77665533",
    "visit": "2026-11-11T11:11:11.111Z",
    "signature": "canarysignature5d41402abc4b2a76",
}
TOKENS = {CANARIES["token"]: access.Token("one", (NORTHFIELD,)), CANARIES["other token"]: access.Token("two", (DECCAN,))}
SIGNED_URL = f"https://files.example/photo.jpg?X-Amz-Signature={CANARIES['signature']}"
SQLITE = b"SQLite format 3\0"


def person(record_id: int, **fields: Any) -> dict[str, Any]:
    """Return a user with everything about him that must not be kept."""
    contact = {"email": CANARIES["e-mail"], "phoneNumber": CANARIES["phone"], "hourlyRate": int(CANARIES["rate"])}
    visit = {"lastVisitedAt": CANARIES["visit"], "thumbnail": {"url": SIGNED_URL}}
    return {"id": record_id, "firstName": "Ann", "lastName": "Lee", "role": "MEMBER", **contact, **visit, **fields}


def planted_order(record_id: int, **fields: Any) -> dict[str, Any]:
    """Return a completed repair with a person, a rate and a signed link in each place that can have one."""
    times = [{**labour(3600, 5000), "hourlyRate": int(CANARIES["rate"]), "user": person(7)}]
    inside = {"assignees": [{"type": "USER", "id": 7, "email": CANARIES["e-mail"]}], "attachments": [{"id": 1, "url": SIGNED_URL}]}
    done = {"status": "DONE", "type": "REACTIVE", "completedAt": ago(days=20), "creatorContactInfo": {"value": CANARIES["e-mail"]}}
    return order(record_id, organizationId=NORTHFIELD, timeItems=times, **inside, **done, **fields)


def planted() -> World:
    """Return a company of two organisations whose records hold every canary, some of them in rows that break the contract."""
    users = [person(7), person(8, firstName=7), person(9, email=[CANARIES["e-mail"]])]
    orders = [planted_order(n) for n in range(1, 8)] + [planted_order(8, description={"email": CANARIES["e-mail"]})]
    contact = {"type": "EMAIL", "value": CANARIES["e-mail"]}
    request = {"id": 1, "title": "Noise", "priority": "LOW", "requestStatus": "PENDING", "createdAt": ago(days=2), "updatedAt": ago(days=2)}
    vendor = {"id": 1, "name": "Belts Ltd", "email": CANARIES["e-mail"], "phoneNumber": CANARIES["phone"]}
    return company(
        users=users, work_orders=orders, work_requests=[{**request, "creatorContactInfo": contact}], vendors=[vendor],
        asset_statuses=[status(1, attachments=[{"url": SIGNED_URL}])],
    )  # fmt: skip


class Talkative(Simulator):
    """A MaintainX whose list of meters holds a row without an id, and which speaks of people when it refuses."""

    def respond(self, method: str, path: str, query: Any = (), headers: Any = None, body: bytes = b"") -> Response:
        answer = super().respond(method, path, query, headers, body)
        if path == "/v1/meters" and answer.status == 200:
            row = {"id": {"email": CANARIES["e-mail"]}, "name": "row without an id", "phoneNumber": CANARIES["phone"]}
            answer.body = json.dumps({"meters": [row], "nextCursor": None}).encode()
        return answer


@contextmanager
def served(simulator: Simulator) -> Generator[str]:
    """Serve a simulator of this process over HTTP and give its address, with /v1."""
    server = uvicorn.Server(uvicorn.Config(application(simulator), port=0, log_level="warning", date_header=False, server_header=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/v1"
    finally:
        server.should_exit = True
        thread.join(10)


def hits(text: str | bytes) -> list[str]:
    """Return the names of the canaries in a text."""
    raw = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    return [name for name, canary in CANARIES.items() if canary.encode() in raw]


def leaks(folder: Path) -> list[tuple[str, str]]:
    """Return where in the folder which canary stands: in the bytes of a file, and in what databases and Parquet say when asked."""
    found = []
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        said = {name for part in contents(path) for name in hits(part)}
        found += [(str(path.relative_to(folder)), name) for name in sorted(said)]
    return found


def contents(path: Path) -> Iterator[str | bytes]:
    """Yield a file's bytes, and every row of it in words when it is a database or Parquet."""
    raw = path.read_bytes()
    yield raw
    if raw.startswith(SQLITE):
        yield from sqlite_rows(path)
    elif raw[8:12] == b"DUCK":
        yield from duckdb_rows(path)
    elif raw[:4] == b"PAR1":
        with duckdb.connect() as connection:
            yield from map(repr, connection.execute("select * from read_parquet(?)", [str(path)]).fetchall())


def duckdb_rows(path: Path) -> Iterator[str]:
    """Yield every row of every table of a DuckDB file."""
    with duckdb.connect(str(path), read_only=True) as connection:
        tables = connection.execute("select table_catalog, table_schema, table_name from information_schema.tables").fetchall()
        for catalog, schema, table in tables:
            yield from map(repr, connection.execute(f'select * from "{catalog}"."{schema}"."{table}"').fetchall())


def sqlite_rows(path: Path) -> Iterator[str | bytes]:
    """Yield every value of every table of an SQLite file, unpacked where it is packed."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        for (table,) in connection.execute("select name from sqlite_master where type = 'table'").fetchall():
            for row in connection.execute(f'select * from "{table}"'):
                yield repr(row)
                yield from (unpacked(value) for value in row if isinstance(value, bytes))


def unpacked(value: bytes) -> bytes:
    """Return what a value was before zlib, or the value itself."""
    try:
        return zlib.decompress(value)
    except zlib.error:
        return value
