"""What must not be shown is taken out of every text that leaves the program: tokens, e-mails, query strings."""

import logging
import re
from collections.abc import Callable

HIDDEN = "<hidden>"
SHORTEST_SECRET = 12  # characters; a shorter one is a demo's word, and would be cut out of every sentence
NOISY = ("httpx", "httpcore", "urllib3", "hpack", "h11")  # they log whole addresses, and headers when asked for more

_PATTERNS = (
    (re.compile(r"(\bhttps?://)[^\s/@\"'<>]+@", re.IGNORECASE), r"\1<user>@"),
    (re.compile(r"((?:\bhttps?:/|\B)/[^\s?\"'<>]*)\?[^\s\"'<>]+", re.IGNORECASE), r"\1?<query>"),
    (re.compile(r"[^\s@\"'<>=?&/:(]+(?:@|%40)[^\s@\"'<>&)]+"), "<e-mail>"),
    (re.compile(r"(\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]+)*"), HIDDEN),  # a JSON web token
    (re.compile(r"\bmx_[0-9A-Fa-f-]{16,}(?:_[0-9A-Fa-f-]{16,})?"), HIDDEN),  # the secret of a webhook
)
_secrets: set[str] = set()


def hide(secret: str) -> None:
    """Take this text out of everything that is redacted from now on, in this process."""
    if len(secret) >= SHORTEST_SECRET:
        _secrets.add(secret)


def redact(text: str) -> str:
    """Return the text without known secrets, tokens, e-mail addresses and query strings."""
    for secret in _secrets:
        text = text.replace(secret, HIDDEN)
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text


def guard_logs() -> None:
    """Redact every log record of this process, whoever writes it, and keep HTTP libraries from logging addresses."""
    quiet_http_logs()
    if not isinstance(logging.getLogRecordFactory(), _Redacting):
        logging.setLogRecordFactory(_Redacting(logging.getLogRecordFactory()))


def quiet_http_logs() -> None:
    """Keep HTTP libraries from logging addresses: their query strings may hold e-mails."""
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)


class _Redacting:
    """Makes log records whose message is redacted when they are made: no handler sees it as it was."""

    def __init__(self, make: Callable[..., logging.LogRecord]) -> None:
        self._make = make

    def __call__(self, *args: object, **more: object) -> logging.LogRecord:
        record = self._make(*args, **more)
        message = _message(record)
        redacted = redact(message)
        if redacted != message:
            record.msg, record.args = redacted, ()
        return record


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError):  # its handler will say that the arguments do not fit
        return str(record.msg)
