"""The answer to one request, before any socket has seen it."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Response:
    """What to send; a shell over HTTP waits for `delay_seconds` first, and closes the connection after `cut_at` bytes."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay_seconds: float = 0.0
    cut_at: int | None = None
