"""A total time limit for an exchange: httpx limits each read alone, and a server that drips never meets it."""

import ssl
import threading
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import Any

import httpcore
import httpx


class Deadline:
    """The instant by which this thread's exchange must be over."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._own = threading.local()

    @contextmanager
    def within(self, seconds: float) -> Generator[None]:
        """Let the exchange in the block take so many seconds in all."""
        self._own.at = self._clock() + seconds
        try:
            yield
        finally:
            del self._own.at

    def left(self, longest: float | None = None) -> float | None:
        """Return the seconds left, at most `longest`.

        Raises:
            httpcore.ReadTimeout: none are left.
        """
        at = getattr(self._own, "at", None)
        if at is None:
            return longest
        left = at - self._clock()
        if left <= 0:
            raise httpcore.ReadTimeout("the exchange took too long as a whole")
        return left if longest is None else min(left, longest)


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, self._deadline.left(timeout)), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    def __init__(self, backend: httpcore.NetworkBackend, deadline: Deadline) -> None:
        self._backend, self._deadline = backend, deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        stream = self._backend.connect_tcp(host, port, self._deadline.left(timeout), local_address, socket_options)
        return _Stream(stream, self._deadline)

    def sleep(self, seconds: float) -> None:
        self._backend.sleep(seconds)


def obey(client: httpx.Client, deadline: Deadline) -> None:
    """Make every connection of the client keep to the deadline, those through a proxy as well.

    httpx has no public place for a network backend; the tests with a dripping server fail if this one moves.
    """
    for transport in (client._transport, *client._mounts.values()):
        if isinstance(transport, httpx.HTTPTransport):
            pool: Any = transport._pool
            pool._network_backend = _Backend(pool._network_backend, deadline)
