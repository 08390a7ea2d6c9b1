"""A MaintainX that answers what a test says: answer by answer in process, or byte by byte over a real socket."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import httpx

from dagster_project.maintainx.client import MaintainX, Page

DATE = {"Date": "Mon, 16 Nov 2026 06:00:00 GMT"}
SIX = datetime(2026, 11, 16, 6, tzinfo=UTC)
TOKEN = "secret-token-canary"
E_MAIL = "ann@example.org"


class Clock:
    """Monotonic seconds that pass only when someone sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Script:
    """Answers one request after the other from a list (the last one for ever) and keeps what was asked."""

    def __init__(self, *answers: httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []
        self.slept: list[float] = []
        self.said: list[str] = []
        self.now = 0.0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        answer = self.answers[min(len(self.asked), len(self.answers) - 1)]
        self.asked.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else answer(request)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def client(self, **more: Any) -> MaintainX:
        return MaintainX(
            "https://api.example.org/v1",
            TOKEN,
            transport=httpx.MockTransport(self),
            clock=lambda: self.now,
            sleep=self.sleep,
            jitter=lambda: 1.0,
            on_wait=lambda _seconds, why: self.said.append(why),
            **more,
        )


def answer(body: object = None, status: int = 200, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.Response(status, headers=DATE | {name.replace("_", "-"): value for name, value in headers.items()}, content=content)


def orders(*ids: int, cursor: str | None = None) -> httpx.Response:
    return answer({"workOrders": [{"id": id_} for id_ in ids], "nextCursor": cursor, "nextPageUrl": "https://evil.example/v1/workorders"})


def read(script: Script, **more: Any) -> list[Page]:
    with script.client(**more) as source:
        return list(source.pages("/workorders", "workOrders", [("updatedAt[gte]", "2026-01-01T00:00:00.000Z"), ("limit", "200")]))


class Chunks(httpx.SyncByteStream):
    """A body that arrives bit by bit, as from the network."""

    def __init__(self, *chunks: bytes) -> None:
        self.chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        yield from self.chunks


class Server:
    """A socket that answers each connection with the next of its answers: bytes to send, or a function of the socket."""

    def __init__(self, *answers: bytes | Callable[[socket.socket], Any], tls: ssl.SSLContext | None = None) -> None:
        self.answers, self.tls = list(answers), tls
        self.heard: list[bytes] = []
        self.connections = self.requests = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "Server":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with closing(self.listener):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                self._greet(connection)

    def _greet(self, connection: socket.socket) -> None:
        connection.settimeout(5)
        try:
            self._talk(self.tls.wrap_socket(connection, server_side=True) if self.tls else connection)
        except OSError:  # the client has had enough
            return

    def _talk(self, connection: socket.socket) -> None:
        while asked := _request(connection):
            self.heard.append(asked)
            answer = self.answers[min(self.requests, len(self.answers) - 1)]
            self.requests += 1
            if callable(answer):
                answer(connection)
                return
            connection.sendall(answer)
            if b"Connection: close" in answer:
                return

    @property
    def port(self) -> int:
        """The port it listens at."""
        return self.listener.getsockname()[1]

    @property
    def url(self) -> str:
        """The address of its API."""
        return f"http://127.0.0.1:{self.port}/v1"

    def client(self, seconds: float = 5.0) -> MaintainX:
        return MaintainX(self.url, TOKEN, exchange_seconds=seconds, sleep=lambda _seconds: None)


def _request(connection: socket.socket) -> bytes:
    asked = b""
    while not asked.endswith(b"\r\n\r\n"):
        more = connection.recv(65536)
        if not more:
            return b""
        asked += more
    return asked


def http(body: bytes, *headers: str, length: int | None = None) -> bytes:
    lines = [
        "HTTP/1.1 200 OK",
        "Date: Mon, 16 Nov 2026 06:00:00 GMT",
        f"Content-Length: {len(body) if length is None else length}",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


GOOD = b'{"workOrders":[{"id":1},{"id":2}],"nextCursor":null}'


def drip(data: bytes, size: int = 1, seconds: float = 0.02) -> Callable[[socket.socket], None]:
    def send(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for n in range(0, len(data), size):
            connection.sendall(data[n : n + size])
            time.sleep(seconds)

    return send


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    connection.close()
