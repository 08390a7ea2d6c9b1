"""The life of a work order: created, worked on, held, completed, re-opened, cancelled, costed, deleted."""

from dataclasses import dataclass
from random import Random
from typing import Any

from simulator.company import ORDER_FIELDS
from simulator.instants import DAY, HOUR, MINUTE, SECOND, iso
from simulator.people import Crew, Stage
from simulator.world import Record

ACTIVE = ("OPEN", "IN_PROGRESS", "ON_HOLD")


@dataclass(slots=True)
class Order:
    """What the plant knows of one work order beyond its record."""

    id: int
    crew: Crew
    type: str | None
    asset_id: int | None
    people: list[int]
    due_at: int | None = None
    plan: Any = None  # the preventive task it came from
    on_completion: Any = None  # called with the order when it is first completed
    has_been_closed: bool = False


class Orders:
    """Everything that happens to work orders."""

    def __init__(self, stage: Stage) -> None:
        self.world, self.numbers, self.rng, self.options = stage.world, stage.numbers, stage.rng, stage.options
        self.storekeeper = Random(f"parts {stage.world.seed}")  # a chance of its own: what waits for parts moves nothing else

    def record(self, order: Order) -> Record | None:
        """Return the order's record as it stands, None when it was deleted."""
        return self.world.get("work_orders", order.crew.organisation_id, order.id)

    def create(self, crew: Crew, title: str, order_type: str | None, asset_id: int | None, **fields: Any) -> Order:
        """Add an order and return it; `fields` of the record override what is made up here."""
        rng, org = self.rng, crew.organisation_id
        order = Order(self.numbers.next("work_orders"), crew, order_type, asset_id, rng.sample(crew.technicians, 1 + (rng.random() < 0.15)))
        machine = crew.machines.get(asset_id) if asset_id else None
        location = machine.location_id if machine else rng.choice(crew.locations)
        stamp = iso(self.world.now)
        assignees = [{"type": "USER", "id": each} for each in order.people] if rng.random() < 0.7 else []
        team = rng.choice(crew.teams)
        if rng.random() < 0.4:
            assignees.append({"type": "TEAM", "id": team})
        record: Record = {
            "id": order.id, "sequentialId": self.numbers.next(f"order of {org}"), "title": title, "updatedAt": stamp, "status": "OPEN",
            "createdAt": stamp, "creatorId": rng.choice(crew.technicians),
            "customerId": 60_000 + rng.randrange(20) if rng.random() < 0.01 else None,
            "locationId": location if rng.random() > 0.04 else None, "assetId": asset_id, "organizationId": org, "partStatus": "NO_PARTS",
            "priority": rng.choices(("HIGH", "NONE", "MEDIUM", "LOW"), (74, 21, 3, 2))[0], "type": order_type,
            "vendorIds": [], "teamIds": [each["id"] for each in assignees if each["type"] == "TEAM"], "assignees": assignees,
            "categories": [], "parts": [], "timeItems": [], "expenditures": [], "extraFields": self._extra_fields(),
        } | fields  # fmt: skip
        if record["status"] == "OPEN" and self.storekeeper.random() < 0.12:
            record |= self._wait_for_parts(order)
        self.world.add("work_orders", org, record)
        self._gossip(order)
        return order

    def start(self, order: Order) -> None:
        """Somebody begins, or goes on after a hold."""
        if self._is(order, "OPEN", "ON_HOLD"):
            table = self.world.table("work_orders", order.crew.organisation_id)
            table.rows.started.setdefault(order.id, self.world.now)
            self._count(order, "inProgressCount")
            self.change(order, status="IN_PROGRESS")

    def hold(self, order: Order) -> None:
        """Work stops: a part or a window is missing."""
        if self._is(order, "IN_PROGRESS"):
            self._count(order, "onHoldCount")
            self.change(order, status="ON_HOLD")

    def complete(self, order: Order) -> None:
        """The order is marked as done, perhaps with parts, perhaps to be re-opened; the labour may be logged later."""
        if not self._is(order, *ACTIVE):
            return
        rng, org = self.rng, order.crew.organisation_id
        self._count(order, "doneCount")
        fields: dict[str, Any] = {"status": "DONE", "completedAt": iso(self.world.now), "completerId": order.people[0]}
        if order.type == "REACTIVE" and rng.random() < 0.22:
            fields |= self._parts_used(order)
        self.change(order, **fields)
        if order.has_been_closed:
            return
        self._close(order)
        if rng.random() < (0.025 if order.type == "REACTIVE" else 0.004):
            self.world.schedule(self.world.now + round(rng.uniform(2, 90) * HOUR), self.reopen, order)
        if rng.random() < 0.004:
            self.world.schedule(self.world.now + round(rng.uniform(1, 60) * DAY), self.delete, org, order.id)
        if rng.random() < (0.03 if order.type == "REACTIVE" else 0.0007):
            self.world.schedule(self.world.now + round(rng.uniform(0, 5) * DAY), self.spend, order)

    def reopen(self, order: Order) -> None:
        """A completed order turns out not to be; it is completed again, which rewrites completedAt."""
        record = self.record(order)
        if record is None or record["status"] != "DONE":
            return
        self.world.changes["work_orders re-opened"] += 1
        kept = {} if self.options.completed_at_kept_on_reopen else {"completedAt": None, "completerId": None}
        self.change(order, status="OPEN", **kept)
        self.world.schedule(self.world.now + round(self.rng.lognormvariate(2.0, 0.9) * HOUR), self.complete, order)

    def close_without_work(self, order: Order, status: str) -> None:
        """The order is cancelled or skipped."""
        if self._is(order, *ACTIVE):
            stamp = {"completedAt": iso(self.world.now)} if self.options.completed_at_on_cancel else {}
            self.change(order, status=status, **stamp)
            self._close(order)

    def push(self, order: Order, days: int) -> None:
        """The due date is moved to a later day."""
        record = self.record(order)
        if record is not None and record["status"] in ACTIVE and order.due_at is not None:
            zone = order.crew.organisation_zone
            day = zone.day(order.due_at)
            order.due_at += zone.midnight(day + days) - zone.midnight(day)
            self.change(order, dueDate=iso(order.due_at))

    def log_time(self, order: Order, seconds: int, person: int) -> None:
        """A time entry is added; updatedAt does not move."""
        record = self.record(order)
        if record is None:
            return
        user = self.world.get("users", order.crew.organisation_id, person)
        rate = (user or {}).get("hourlyRate") or order.crew.site.hourly_rate
        item = {
            "type": "TIME", "costPerUnit": rate, "quantity": round(seconds / 3600, 4), "rowTotal": round(rate * seconds / 3600),
            "durationTotal": seconds, "userId": person,
        }  # fmt: skip
        if self.rng.random() < 0.2:
            item["description"] = self.rng.choice(("Work", "Travel", "Inspection; 2 visits"))
        self.world.changes["work_orders labour added"] += 1
        self.world.whisper("work_orders", order.crew.organisation_id, order.id, timeItems=[*record["timeItems"], item])

    def labour(self, order: Order, done_at: int, hours: float, share_late: float) -> None:
        """Plan the time entries of an order: most while it is worked on, a share days after its completion."""
        for person in order.people:
            late = self.rng.random() < share_late
            at = done_at + (round(self.rng.uniform(0.5, 120) * HOUR) if late else -self.rng.randrange(1, 20) * MINUTE)
            seconds = max(120, round(hours * 3600 * self.rng.uniform(0.7, 1.3)) // 60 * 60)
            self.world.schedule(max(at, self.world.now), self.log_time, order, seconds, person)

    def spend(self, order: Order) -> None:
        """Money is spent on the order; updatedAt does not move."""
        record = self.record(order)
        if record is not None:
            cents = self.rng.randrange(2_000, 90_000)
            cost = {"type": "EXPENSE", "costPerUnit": cents, "quantity": 1, "rowTotal": cents, "durationTotal": 0}
            costs = [*record["expenditures"], cost | {"userId": order.people[0], "description": "Contractor"}]
            self.world.whisper("work_orders", order.crew.organisation_id, order.id, expenditures=costs)

    def kit(self, order: Order) -> None:
        """The parts that an order waits for have come and are laid out."""
        if self._is(order, *ACTIVE):
            self.change(order, partStatus="KITTED", partsAvailability="PARTS_AVAILABLE")

    def edit(self, order: Order) -> None:
        """Somebody corrects the order: updatedAt moves, its status does not."""
        rng = self.rng
        corrections: tuple[dict[str, Any], ...] = (
            {"priority": rng.choice(("LOW", "MEDIUM", "HIGH"))},
            {"description": rng.choice(("See photo", "Bring a ladder", "Ring before you come"))},
            {"assignees": [{"type": "USER", "id": rng.choice(order.crew.technicians)}], "teamIds": []},
            {"estimatedTime": rng.choice((1800, 3600, 7200))},
        )
        if self._is(order, *ACTIVE):
            self.change(order, **rng.choice(corrections))

    def comment(self, order: Order) -> None:
        """Somebody comments: lastMessageSentAt moves, updatedAt does not."""
        if self.record(order) is not None:
            self.world.whisper("work_orders", order.crew.organisation_id, order.id, lastMessageSentAt=iso(self.world.now))

    def delete(self, organisation_id: int, order_id: int) -> None:
        """The order is deleted."""
        if self.world.get("work_orders", organisation_id, order_id) is not None:
            self.world.delete("work_orders", organisation_id, order_id)

    def change(self, order: Order, **fields: Any) -> None:
        """Change fields of the record and move updatedAt."""
        self.world.change("work_orders", order.crew.organisation_id, order.id, **fields)

    def hide(self, order: Order, **fields: Any) -> None:
        """Note what only the single read or a filter knows of the order."""
        self.world.table("work_orders", order.crew.organisation_id).hidden.setdefault(order.id, {}).update(fields)

    def _is(self, order: Order, *statuses: str) -> bool:
        record = self.record(order)
        return record is not None and record["status"] in statuses

    def _count(self, order: Order, counter: str) -> None:
        hidden = self.world.table("work_orders", order.crew.organisation_id).hidden
        if counter == "doneCount" and order.id not in hidden and not order.has_been_closed:
            return  # once open, once done: what nearly all orders are need not be noted
        done = int(order.has_been_closed)
        noted = {"openCount": 1, "inProgressCount": 0, "onHoldCount": 0, "doneCount": done}
        hidden.setdefault(order.id, {}).setdefault("progress", noted)[counter] += 1

    def _close(self, order: Order) -> None:
        order.has_been_closed = True
        if order.on_completion is not None:
            order.on_completion(order)

    def _gossip(self, order: Order) -> None:
        if self.rng.random() < 0.06:
            self.world.schedule(self.world.now + round(self.rng.expovariate(1 / 40) * HOUR) + SECOND, self.edit, order)
        if self.rng.random() < 0.095:
            for _ in range(self.rng.choice((1, 1, 2, 3, 5))):
                self.world.schedule(self.world.now + round(self.rng.expovariate(1 / 30) * HOUR) + SECOND, self.comment, order)

    def _extra_fields(self) -> dict[str, str]:
        if self.rng.random() > 0.12:
            return {}
        return {label: f"{self.rng.randrange(1000)}" for label in self.rng.sample(ORDER_FIELDS, 2)}

    def _wait_for_parts(self, order: Order) -> dict[str, Any]:
        self.world.schedule(self.world.now + round(self.storekeeper.uniform(4, 400) * HOUR), self.kit, order)
        status, availability = self.storekeeper.choice((("ASSIGNED", "PARTS_UNAVAILABLE"), ("RESERVED", "PARTIAL_PARTS")))
        return {"partStatus": status, "partsAvailability": availability}

    def _parts_used(self, order: Order) -> dict[str, Any]:
        used = []
        for number in self.rng.sample(order.crew.parts, self.rng.choice((1, 1, 2))):
            part, quantity = self.world.get("parts", order.crew.organisation_id, number), self.rng.choice((1, 1, 2, 4))
            if part is not None:
                self._take(order.crew, part, quantity)
                fields = ("id", "name", "description", "area", "unitCost", "availableQuantity", "minimumQuantity", "barcode")
                used.append({**{key: part[key] for key in fields}, "quantityUsed": quantity, "copyOnRecurring": "Default"})
        return {"parts": used, "partStatus": "ISSUED" if used else "NO_PARTS", "partsAvailability": "PARTS_AVAILABLE"}

    def _take(self, crew: Crew, part: Record, quantity: int) -> None:
        # an empty shelf is filled up by an order that we do not model
        stock = part["inStockQuantity"] - quantity + (40 if part["inStockQuantity"] - quantity < 0 else 0)
        shelves = [{**part["locations"][0], "availableQuantity": stock}, *part["locations"][1:]]
        move = self.world.change if self.options.part_moves_with_stock else self.world.whisper
        move("parts", crew.organisation_id, part["id"], inStockQuantity=stock, availableQuantity=stock, locations=shelves)
