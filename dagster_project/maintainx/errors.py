"""What can go wrong between us and MaintainX.

MaintainXError
├── Unauthorized      401: the token is wrong, expired or revoked
├── Forbidden         403: the token's user may not read this, or the plan lacks it
├── NotFound          404: MaintainX has no such path (or hides it)
├── BadRequest        other 4xx: the request was refused, in the API's words
├── RateLimited       429, still, after waiting again and again
├── Unavailable       5xx, timeouts and cut connections, still, after all retries
├── ProtocolError     an answer that is not what MaintainX sends: never read as "no rows"
├── EndlessWalk       pages that repeat, or never end
├── OutOfRequests     the number of requests that the caller allowed is used up
└── BadCapabilities   the file of a probe cannot be read (capabilities.py)
"""

from dagster_project.maintainx.redaction import redact

LONGEST_QUOTE = 500  # characters of the API's own words that a message carries


class MaintainXError(Exception):
    """Reading MaintainX failed; says what, on which path, and what to do next.

    Never holds the token or a query string, which may hold e-mails.
    """

    def __init__(self, message: str, *, path: str, status: int | None = None) -> None:
        super().__init__(message)
        self.path = path
        self.status = status


class Unauthorized(MaintainXError):
    """The token was refused (401)."""


class Forbidden(MaintainXError):
    """The token's user may not read this path (403)."""


class NotFound(MaintainXError):
    """MaintainX does not know this path (404)."""


class BadRequest(MaintainXError):
    """MaintainX refused the request (another 4xx) and said why."""


class RateLimited(MaintainXError):
    """MaintainX still answered 429 after all the waiting."""


class Unavailable(MaintainXError):
    """MaintainX could not be reached, or failed, through all retries."""


class ProtocolError(MaintainXError):
    """MaintainX, or something in front of it, answered what its API never answers."""


class EndlessWalk(MaintainXError):
    """A list gave the same page or cursor again, or more pages than can be."""


class OutOfRequests(MaintainXError):
    """The client was given a number of requests, and has sent them."""


def bare(error: MaintainXError) -> MaintainXError:
    """Return the error without those that led to it: they hold the request, and with it the token."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def quoted(text: str) -> str:
    """Return what the API said, short enough for a message, without secrets, e-mail addresses and the last full stop."""
    text = " ".join(redact(text).split()).rstrip(".")
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}…"
