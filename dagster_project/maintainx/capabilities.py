"""What one customer's MaintainX was found to do (`maintainx probe`), as a file beside the warehouse; without it, what we assume."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import msgspec

from dagster_project.maintainx.errors import MaintainXError


class BadCapabilities(MaintainXError):
    """The capability file cannot be read: names it, says why and what to do."""


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """The answers that the program acts on; None and empty mean: never asked, or not to be answered."""

    organisation_id: int | None = None
    probed_at: datetime | None = None  # by the source's clock
    largest_page: int | None = None  # a larger limit is refused or cut
    expands: dict[str, list[str]] = {}  # path → the tokens that its list knows
    sorts: dict[str, list[str]] = {}  # path → the sort keys that its list knows
    missing: list[str] = []  # paths of lists that the plan or the token's user lacks
    resolution_ms: int | None = None  # of updatedAt, and of the filter on it: the coarser of the two
    rate_limit: int | None = None  # requests a window, as announced
    deleted: str | None = None  # what a deleted id answers: not_found or deleted_at
    is_filter_honoured: bool | None = None
    is_sort_honoured: bool | None = None
    answers: dict[str, str] = {}  # question → answer, in words

    def unknown_expands(self, path: str, wanted: Iterable[str]) -> list[str]:
        """Return which of the wanted expands the list is known not to know."""
        known = self.expands.get(path)
        return [] if known is None else [token for token in wanted if token not in known]


def file_of(folder: Path, organisation_id: int) -> Path:
    """Return the path of an organisation's capability file; `folder` is DATA_DIR."""
    return folder / "capabilities" / f"{organisation_id}.json"


def load(folder: Path, organisation_id: int) -> Capabilities:
    """Return what a probe found out about an organisation, or what we assume when there was none.

    Raises:
        BadCapabilities: there is a file, but it is not one that a probe writes.
    """
    path = file_of(folder, organisation_id)
    if not path.exists():
        return Capabilities()
    try:
        return msgspec.json.decode(path.read_bytes(), type=Capabilities)
    except (msgspec.DecodeError, OSError) as error:
        raise BadCapabilities(f"{path}: {error}. Run `make probe` again, or remove the file", path=str(path)) from None


def save(folder: Path, found: Capabilities) -> Path:
    """Write the capability file of an organisation, whole or not at all, and return its path."""
    path = file_of(folder, found.organisation_id or 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".new")
    aside.write_bytes(msgspec.json.format(msgspec.json.encode(found, order="sorted")) + b"\n")
    return aside.replace(path)
