"""The refusals of the API, each with its status and the shape of its body."""

from typing import Any


class Refused(Exception):
    """The request is answered with a status other than 200."""

    def __init__(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body
        self.headers = headers or {}


def bad_value(message: str) -> Refused:
    """400 with one message: unknown parameters and tokens, unreadable values."""
    return Refused(400, {"error": message})


def out_of_bounds(message: str, name: str, value: object) -> Refused:
    """400 with a list of errors: a value beyond its minimum or maximum."""
    return Refused(400, {"errors": [{"error": message, "fieldPath": name, "fieldValue": value}]})


def bad_header(message: str) -> Refused:
    """400 with a list of errors: the organisation headers."""
    return Refused(400, {"errors": [{"error": message}]})


def unauthorized() -> Refused:
    """401, without a body."""
    return Refused(401, None)


def forbidden() -> Refused:
    """403: the token may not read this."""
    return Refused(403, {"errors": [{"error": "User don't have the right permissions"}]})


def not_found() -> Refused:
    """404: deleted, never there, or of another organisation."""
    return Refused(404, {"error": "Not Found."})


def too_many_requests(seconds: int) -> Refused:
    """429: the window is used up for so many seconds."""
    return Refused(429, {"error": f"Too many requests. Please retry in {seconds} seconds"})
