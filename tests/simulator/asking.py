"""A short way to ask a simulator."""

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from simulator.api import Simulator
from simulator.responses import Response


class Client:
    """Asks a simulator as a program would, as the user of organisation 101 unless told otherwise."""

    def __init__(self, simulator: Simulator, user: str | None = "demo-101", **headers: str) -> None:
        self.simulator = simulator
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if user is not None:
            self.headers["Authorization"] = f"Bearer {user}"

    def ask(self, path: str, *pairs: tuple[str, Any], method: str = "GET", **parameters: Any) -> Response:
        query = [*pairs, *((name, each) for name, value in parameters.items() for each in (value if isinstance(value, list) else [value]))]
        return self.simulator.respond(method, f"/v1/{path}", [(name, str(value)) for name, value in query], self.headers)

    def get(self, path: str, *pairs: tuple[str, Any], **parameters: Any) -> dict[str, Any]:
        response = self.ask(path, *pairs, **parameters)
        assert response.status == 200, response.body
        return json.loads(response.body)

    def refusal(self, path: str, *pairs: tuple[str, Any], **parameters: Any) -> tuple[int, Any]:
        response = self.ask(path, *pairs, **parameters)
        return response.status, json.loads(response.body) if response.body else None

    def rows(self, path: str, *pairs: tuple[str, Any], **parameters: Any) -> list[dict[str, Any]]:
        page = self.get(path, *pairs, **parameters)
        return page[next(iter(page))]

    def walk(
        self, path: str, *pairs: tuple[str, Any], between: Callable[[], object] = lambda: None, **parameters: Any
    ) -> list[dict[str, Any]]:
        found, cursor = [], None
        while True:
            page = self.get(path, *pairs, *([("cursor", cursor)] if cursor else []), **parameters)
            found += page[next(iter(page))]
            cursor = page["nextCursor"]
            if cursor is None:
                return found
            between()


def ids(rows: Iterable[dict[str, Any]]) -> list[int]:
    return [row["id"] for row in rows]


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
