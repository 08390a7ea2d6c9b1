"""What happens to a company while somebody reads it, at the worst moments: the same for every reader of the same seed."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from simulator.instants import DAY, HOUR, MINUTE, SECOND, iso
from simulator.world import World

BURST = 2 * MINUTE  # after a reading begins: a third of it falls into the first four seconds, which is three pages
BURST_EVENTS, QUIET_EVENTS = 40, 20  # in a burst, and spread over the rest of the time to the next reading
BULK_ROWS, BULK_EVERY = 260, 5  # one edit of more rows than a page holds, all with one stamp; before every so many readings
BULK_BEFORE = 20 * MINUTE
RECENT = 14 * DAY
FIRST_ID = 900_000_001

_WEIGHTS = {
    "touch_order": 24, "create_order": 10, "log_labour": 12, "delete_order": 6, "restore_order": 5, "commit_late": 12,
    "touch_asset": 14, "create_asset": 4, "delete_asset": 4, "restore_asset": 3, "move_location": 6,
}  # fmt: skip


class Turmoil:
    """Edits, late commits, silent labour, deletions and restorations, as events of the world's own clock.

    A victim is drawn when its event happens, from the world as it stands then: since the world is a function of time alone, every
    reader lives through the same history, however many requests it makes. Only records of its own are deleted: the company counts
    on its own to be there.
    """

    def __init__(self, world: World, organisation_id: int, seed: int) -> None:
        self.world, self.organisation_id, self.seed = world, organisation_id, seed
        self.rng = Random(f"turmoil {seed}")  # noqa: S311  repeatable, not secret
        self.mine: dict[str, list[int]] = {"work_orders": [], "assets": []}
        self.gone: dict[str, list[int]] = {"work_orders": [], "assets": []}
        self.next_id = FIRST_ID
        self.readings = 0

    def settle(self, orders: int = 400, assets: int = 450) -> None:
        """Add the records that may be deleted, created over the last year; so many assets that their list has pages."""
        for table, count in (("work_orders", orders), ("assets", assets)):
            for _ in range(count):
                self.create(table, self.world.now - self.rng.randrange(365 * DAY))

    def plan(self, start: int, end: int) -> None:
        """Schedule what happens from the beginning of one reading to that of the next (milliseconds since 1970)."""
        self.readings += 1
        plan = Random(f"plan {self.seed} {self.readings}")  # noqa: S311  its own: events of the last plan may still be to come
        for happening in self._drawn(plan, BURST_EVENTS):
            self.world.schedule(start + int(BURST * plan.random() ** 3), happening)
        for happening in self._drawn(plan, QUIET_EVENTS):
            self.world.schedule(plan.randrange(start + BURST, end), happening)
        if self.readings % BULK_EVERY == 0:
            for table in ("work_orders", "assets"):
                self.world.schedule(end - plan.randrange(SECOND, BULK_BEFORE), self._edit_in_bulk, table)

    def edit_any(self, table: str) -> None:
        """Edit one record, any."""
        self.edit(table, self._any(table))

    def edit(self, table: str, number: int) -> None:
        """Change the title of an order or the name of an asset as of now; nothing when it is gone."""
        if self.world.get(table, self.organisation_id, number) is None:
            return
        field = "name" if table == "assets" else "title"
        self.world.change(table, self.organisation_id, number, **{field: f"edited {self.rng.randrange(10**6)}"})

    def create(self, table: str, created: int) -> None:
        """Add a record that may be deleted, created at that instant (milliseconds since 1970)."""
        number, self.next_id = self.next_id, self.next_id + 1
        at = iso(created)
        head: dict[str, Any] = {"id": number, "organizationId": self.organisation_id, "createdAt": at, "updatedAt": at, "creatorId": 1}
        order, asset = {"title": f"job {number}", "sequentialId": number}, {"name": f"machine {number}"}
        body = _ORDER | order if table == "work_orders" else _ASSET | asset
        self.world.add(table, self.organisation_id, head | body)
        self.mine[table].append(number)

    def _drawn(self, plan: Random, count: int) -> list[Callable[[], None]]:
        return [getattr(self, f"_{name}") for name in plan.choices(list(_WEIGHTS), list(_WEIGHTS.values()), k=count)]

    def _touch_order(self) -> None:
        self.edit_any("work_orders")

    def _touch_asset(self) -> None:
        self.edit_any("assets")

    def _move_location(self) -> None:
        number = self._any("locations")
        name = self._record("locations", number)["name"].split(" (")[0]
        self.world.change("locations", self.organisation_id, number, name=f"{name} ({self.rng.randrange(1000)})")

    def _create_order(self) -> None:
        self.create("work_orders", self.world.now)

    def _create_asset(self) -> None:
        self.create("assets", self.world.now)

    def _log_labour(self) -> None:
        """Time is logged, mostly on what is open or was done lately; updatedAt does not move."""
        since = iso(self.world.now - RECENT)
        tries = [self._any("work_orders") for _ in range(20)]
        lively = [number for number in tries if _is_lively(self._record("work_orders", number), since)]
        number = (lively if self.rng.random() < 0.9 and lively else tries)[0]
        seconds = 60 * self.rng.randrange(5, 240)
        item = {"type": "TIME", "costPerUnit": 3600, "quantity": seconds / 3600, "rowTotal": seconds, "durationTotal": seconds, "userId": 1}
        items = [*self._record("work_orders", number).get("timeItems", []), item]
        self.world.whisper("work_orders", self.organisation_id, number, timeItems=items)

    def _delete_order(self) -> None:
        self._delete("work_orders")

    def _delete_asset(self) -> None:
        self._delete("assets")

    def _restore_order(self) -> None:
        self._restore("work_orders")

    def _restore_asset(self) -> None:
        self._restore("assets")

    def _commit_late(self) -> None:
        """A slow transaction: stamped now, seen later; a third are overtaken by another edit, so that updatedAt goes back."""
        number, stamp, draw = self._any("work_orders"), iso(self.world.now), self.rng.random()
        span = (10 * SECOND, 10 * MINUTE) if draw < 0.8 else (10 * MINUTE, 150 * MINUTE) if draw < 0.97 else (4 * HOUR, 12 * HOUR)
        delay = self.rng.randrange(*span)
        self.world.schedule(self.world.now + delay, self._commit, number, stamp)
        if self.rng.random() < 1 / 3:
            self.world.schedule(self.world.now + delay // 2, self.edit, "work_orders", number)

    def _commit(self, number: int, stamp: str) -> None:
        if self.world.get("work_orders", self.organisation_id, number) is not None:
            fields = {"title": f"late {self.rng.randrange(10**6)}", "updatedAt": stamp}
            self.world.whisper("work_orders", self.organisation_id, number, **fields)

    def _edit_in_bulk(self, table: str) -> None:
        rows = self._ids(table)
        for number in self.rng.sample(rows, min(BULK_ROWS, len(rows))):
            self.edit(table, number)

    def _delete(self, table: str) -> None:
        if self.mine[table]:
            number = self.mine[table].pop(self.rng.randrange(len(self.mine[table])))
            self.world.delete(table, self.organisation_id, number)
            self.gone[table].append(number)

    def _restore(self, table: str) -> None:
        """What was deleted is back: as it was, edited, or as a new record under the old id."""
        if not self.gone[table]:
            return
        number = self.gone[table].pop(self.rng.randrange(len(self.gone[table])))
        at = iso(self.world.now)
        fields = self.rng.choices(({}, {"updatedAt": at}, {"updatedAt": at, "createdAt": at}), (45, 45, 10))[0]
        self.world.restore(table, self.organisation_id, number, **fields)
        self.mine[table].append(number)

    def _any(self, table: str) -> int:
        return self.rng.choice(self._ids(table))

    def _ids(self, table: str) -> list[int]:
        return list(self.world.table(table, self.organisation_id).rows.encoded)

    def _record(self, table: str, number: int) -> dict[str, Any]:
        return self.world.get(table, self.organisation_id, number) or {}


_ORDER = {
    "status": "OPEN", "priority": "LOW", "type": "REACTIVE", "partStatus": "NO_PARTS", "vendorIds": [], "teamIds": [], "assignees": [],
    "categories": [], "parts": [], "timeItems": [], "expenditures": [], "extraFields": {},
}  # fmt: skip
_ASSET = {
    "description": None, "parentId": None, "criticalityId": None, "locationId": None, "serialNumber": None, "teamIds": [],
    "assetTypes": ["Pump"], "extraFields": {}, "vendorIds": [], "manufacturer": "Acme", "model": "M1",
}  # fmt: skip


def instants(first: int, days: int, readings_a_day: int) -> Sequence[int]:
    """Return when the readings of so many days begin, and the end of the last day (milliseconds since 1970)."""
    step = DAY // readings_a_day
    return [first + number * step for number in range(days * readings_a_day + 1)]


def _is_lively(record: dict[str, Any], since: str) -> bool:
    return record["status"] in {"OPEN", "IN_PROGRESS", "ON_HOLD"} or record.get("completedAt", "") > since
