"""The connection to MaintainX: who we say we are, and what httpx must not do."""

import ssl
from functools import cache
from importlib.metadata import PackageNotFoundError, version

import httpx

from dagster_project.maintainx.deadline import Deadline, obey
from dagster_project.maintainx.errors import Unauthorized
from dagster_project.maintainx.redaction import hide, quiet_http_logs

SILENCE_SECONDS = 30.0  # between two reads
OWN_MACHINE = ("all://localhost", "all://127.0.0.1", "all://[::1]")  # never through a proxy, whatever HTTP_PROXY says


def connect(headers: dict[str, str], deadline: Deadline, longest: float, transport: httpx.BaseTransport | None = None) -> httpx.Client:
    """Return an HTTP client that follows no redirect (the token would go with it), keeps to the deadline and logs no address.

    Args:
        headers: sent with each request.
        deadline: of each exchange as a whole.
        longest: the seconds that an exchange may take.
        transport: in place of the network (tests).
    """
    quiet_http_logs()
    http = httpx.Client(
        headers=headers,
        timeout=min(SILENCE_SECONDS, longest),
        follow_redirects=False,
        transport=transport,
        mounts=dict.fromkeys(OWN_MACHINE),
        verify=_trust(),
    )
    obey(http, deadline)
    return http


@cache
def _trust() -> ssl.SSLContext:
    """Return the certificates we trust, loaded once: a refresh opens several clients, and 25 ms each went into this."""
    return httpx.create_ssl_context()


def checked_url(url: str) -> str:
    """Return the address without a slash at its end.

    Raises:
        ValueError: it is no plain http(s) address.
    """
    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL:
        raise ValueError("MAINTAINX_URL is no address: write it as https://api.getmaintainx.com/v1") from None
    if parts.scheme not in {"http", "https"} or not parts.host or parts.userinfo or parts.query or parts.fragment:
        raise ValueError("MAINTAINX_URL must be a plain address such as https://api.getmaintainx.com/v1")
    return str(parts).rstrip("/")


def user_agent() -> str:
    """Return how we present ourselves to MaintainX."""
    try:
        return f"maintainx-analytics/{version('maintainx-analytics')}"
    except PackageNotFoundError:  # run from a bare checkout
        return "maintainx-analytics/0"


def headers_of(token: str, organisation_id: int | None, token_variable: str) -> dict[str, str]:
    """Return what every request carries.

    Raises:
        Unauthorized: no token could look like this one.
    """
    token = token.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise Unauthorized(f"{token_variable} holds no token: it is empty, or has characters that no token has", path="")
    hide(token)
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": user_agent()}
    return headers if organisation_id is None else {**headers, "x-organization-id": str(organisation_id)}
