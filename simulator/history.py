"""How the simulator remembers: every change of every record is a version."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Version:
    """One record as it stood from one instant on, until its next version."""

    organisation_id: int
    table: str  # the plural name of the collection, in snake case: work_orders, asset_statuses, …
    id: int
    at: datetime  # when the change happened, in UTC
    record: dict[str, Any] | None  # the full list row with every expand; None: deleted
