"""Preventive work: tasks that recur, the orders they bring forth ahead of time, and how punctually those are done."""

from dataclasses import dataclass, field
from math import pi, sin
from typing import Any

from simulator.company import TASKS
from simulator.downtime import Downtime
from simulator.instants import DAY, HOUR, MINUTE, iso, weekday
from simulator.orders import Order, Orders
from simulator.people import Crew, Machine, Stage

# days between two, weight, how it is written
RHYTHMS: tuple[tuple[int, int, dict[str, Any]], ...] = (
    (7, 42, {"type": "WEEKLY", "interval": 1}),
    (14, 18, {"type": "WEEKLY", "interval": 2}),
    (30, 28, {"type": "MONTHLY", "interval": 1}),
    (91, 12, {"type": "MONTHLY", "interval": 3}),
)
_HORIZONS = {7: 14, 14: 21, 30: 35, 91: 42}  # days that orders exist before they are due, by days between two
_ESTIMATES = (900, 1800, 2700, 3600, 5400, 7200, 14400)  # seconds
DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")


@dataclass(slots=True)
class Task:
    """One preventive task on one machine."""

    id: int
    crew: Crew
    machine: Machine
    title: str
    category: str
    recurrence: dict[str, Any]
    days: int  # between two due days
    horizon_days: int  # orders exist this long before they are due; 0: the next is made when the last is closed
    lead_days: int  # an order shows in the inbox this long before it is due
    estimate: int | None  # seconds
    is_full_day: bool
    is_floating: bool
    stops_machine: bool
    is_plan: bool
    next_day: int  # local day of the next due date
    last_id: int | None = None
    open_orders: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Routine:
    """A task of a given rhythm."""

    title: str
    days: int  # between two due days
    recurrence: dict[str, Any]
    horizon_days: int = 0


class Preventive:
    """All preventive tasks of the company."""

    def __init__(self, stage: Stage, orders: Orders, downtime: Downtime) -> None:
        self.world, self.numbers, self.rng = stage.world, stage.numbers, stage.rng
        self.orders = orders
        self.downtime = downtime
        self.tasks: dict[int, list[Task]] = {}  # by asset

    def add(self, crew: Crew, machine: Machine) -> None:
        """Add a task to a machine and let it begin."""
        rng, now = self.rng, self.world.now
        days, _, rhythm = rng.choices(RHYTHMS, [weight for _, weight, _ in RHYTHMS])[0]
        verb, category = rng.choice(TASKS)
        is_plan, today = rng.random() < 0.65, crew.zone.day(now)
        first = self._working_day(today + 1 + rng.randrange(days))
        task = Task(
            id=self.numbers.next("maintenance_plans"),
            crew=crew,
            machine=machine,
            title=f"{verb} {machine.name}",
            category=category,
            recurrence=self._recurrence(rhythm, first),
            days=days,
            horizon_days=_HORIZONS[days] if is_plan else 0,
            lead_days=min(days // 2, 7),
            estimate=rng.choice(_ESTIMATES) if rng.random() < 0.72 else None,
            is_full_day=rng.random() < 0.7,
            is_floating=not is_plan and rng.random() < 0.5,
            stops_machine=rng.random() < 0.06,
            is_plan=is_plan,
            next_day=first,
        )
        self.tasks.setdefault(machine.id, []).append(task)
        if is_plan:
            self._write_plan(task, [machine])
        self._schedule(task)

    def routine(self, crew: Crew, machines: list[Machine], routine: Routine) -> list[Task]:
        """Add a routine and let it begin tomorrow; with a horizon it is one plan of all the machines. Return a task for each."""
        number, first = self.numbers.next("maintenance_plans"), crew.zone.day(self.world.now) + 1
        tasks = [
            Task(
                id=number, crew=crew, machine=machine, title=f"{routine.title} {machine.name}", category="Inspection",
                recurrence=routine.recurrence, days=routine.days, horizon_days=routine.horizon_days, lead_days=min(routine.days // 2, 7),
                estimate=900, is_full_day=False, is_floating=False, stops_machine=False, is_plan=routine.horizon_days > 0, next_day=first,
            )
            for machine in machines
        ]  # fmt: skip
        if routine.horizon_days:
            self._write_plan(tasks[0], machines)
        for task in tasks:
            self._schedule(task)
        return tasks

    def retire(self, crew: Crew, machine: Machine) -> None:
        """The machine is gone: its plans are archived, its open orders cancelled."""
        for task in self.tasks.pop(machine.id, []):
            if task.is_plan:
                self.world.change("maintenance_plans", crew.organisation_id, task.id, archivedAt=iso(self.world.now))
            for number in task.open_orders:
                order = Order(number, crew, "PREVENTIVE", machine.id, crew.technicians[:1])
                self.orders.close_without_work(order, "CANCELED")

    def _recurrence(self, rhythm: dict[str, Any], day: int) -> dict[str, Any]:
        if rhythm["type"] == "WEEKLY":
            return rhythm | {"days": [DAYS[weekday(day)]]}
        return rhythm | {"day": 1 + day % 28}

    def _working_day(self, day: int) -> int:
        return day + max(0, 7 - weekday(day)) if weekday(day) > 4 and self.rng.random() < 0.9 else day

    def _schedule(self, task: Task) -> None:
        # one batch a night and site; three orders share a stamp, as bulk writes do
        night = task.crew.zone.midnight(task.next_day - task.horizon_days) + 2 * HOUR
        self.world.schedule(night + task.id % 97 // 3, self._bring_forth, task)

    def _bring_forth(self, task: Task) -> None:
        crew, machine = task.crew, task.machine
        if machine.id not in crew.machines:
            return
        due = self._due_at(task)
        previous = task.last_id
        order = self.orders.create(
            crew, task.title, "PREVENTIVE", machine.id,
            dueDate=iso(due), dueDateIsFullDay=task.is_full_day, recurrenceInfo=task.recurrence, previousId=previous,
            startDate=iso(due - task.lead_days * DAY) if task.lead_days else None, estimatedTime=task.estimate, categories=[task.category],
        )  # fmt: skip
        order.due_at, order.plan, order.on_completion = due, task, self._closed
        if previous is not None and self.world.get("work_orders", crew.organisation_id, previous) is not None:
            self.world.change("work_orders", crew.organisation_id, previous, nextId=order.id)
        task.last_id = order.id
        task.open_orders.append(order.id)
        self._plan_life(task, order, task.next_day)
        if task.is_plan:
            task.next_day = self._working_day(task.next_day + task.days)
            self._schedule(task)
            self._rewrite_plan(task, due)

    def _due_at(self, task: Task) -> int:
        # a full day is stored as the midnight that starts it where the organisation is, wherever the site may be
        if task.is_full_day:
            return task.crew.organisation_zone.midnight(task.next_day)
        return task.crew.zone.midnight(task.next_day) + 17 * HOUR

    def _plan_life(self, task: Task, order: Order, day: int) -> None:
        rng, crew, now = self.rng, task.crew, self.world.now
        draw, tired = rng.random(), 0.035 if now < self._later_half else 0.012
        if draw < 0.02:
            self.world.schedule(self._office_hour(crew, day + 1), self.orders.close_without_work, order, "SKIPPED")
            return
        if draw < 0.032:
            self.world.schedule(self._office_hour(crew, day - rng.randrange(4)), self.orders.close_without_work, order, "CANCELED")
            return
        if task.is_plan and draw < 0.032 + tired:
            return  # never done: it stays in the queue for good
        is_late = rng.random() < crew.site.late_share * self._season(crew, day)
        done_day = day + (1 + int(rng.expovariate(1 / 4)) if is_late else -rng.randrange(min(task.lead_days, 3) + 1))
        done = max(crew.zone.midnight(done_day) + round(rng.triangular(6, 17 if not is_late else 21, 10) * HOUR), now + HOUR)
        hours = (task.estimate or 3600) / 3600 * rng.lognormvariate(0, 0.35)
        if is_late and rng.random() < 0.3:
            self._wait(crew, order, day)
        self._work(task, order, done, hours)
        if rng.random() < 0.05:
            self.world.schedule(self._office_hour(crew, day - rng.randrange(1, 4)), self.orders.push, order, rng.choice((1, 2, 3, 7)))

    def _wait(self, crew: Crew, order: Order, day: int) -> None:
        # begun in time, then put on hold for want of a part or of a window
        begun = self._office_hour(crew, day)
        self.world.schedule(begun, self.orders.start, order)
        self.world.schedule(begun + HOUR, self.orders.hold, order)

    def _season(self, crew: Crew, day: int) -> float:
        # each site has its bad months, and all get a little better over the years
        years = (self.world.now - self.world.started_at) / (365 * DAY)
        return 1.15 - 0.15 * min(years, 3) + 0.35 * sin(2 * pi * (day + crew.site.root_location_id * 37) / 365)

    def _office_hour(self, crew: Crew, day: int) -> int:
        return crew.zone.midnight(day) + self.rng.randrange(7 * HOUR, 18 * HOUR)

    @property
    def _later_half(self) -> int:
        # what was neglected lies mostly in the first months: the live queue is old
        return self.world.started_at + 200 * DAY

    def _work(self, task: Task, order: Order, done: int, hours: float) -> None:
        rng = self.rng
        begun = done - max(round(hours * HOUR), 5 * MINUTE)
        if rng.random() < 0.3:
            # some are begun days before they are done
            self.world.schedule(begun - (round(rng.uniform(4, 140) * HOUR) if rng.random() < 0.35 else 0), self.orders.start, order)
        if task.stops_machine:
            self.world.schedule(begun, self._stop, task, done)
        if rng.random() < task.crew.site.labour_share:
            self.orders.labour(order, done, hours, 0.2)
        self.world.schedule(done, self.orders.complete, order)

    def _stop(self, task: Task, until: int) -> None:
        running = task.machine.status_id
        interval = None if running is None else self.world.get("asset_statuses", task.crew.organisation_id, running)
        if interval is not None and interval["status"] == "ONLINE":
            status_id = self.downtime.set(task.crew, task.machine, "OFFLINE", "PLANNED", self.world.now)
            self.world.schedule(until, self._release, task, status_id)

    def _release(self, task: Task, status_id: int | None) -> None:
        self.downtime.restore(task.crew, task.machine, status_id, self.world.now)

    def _closed(self, order: Order) -> None:
        task: Task = order.plan
        if order.id in task.open_orders:
            task.open_orders.remove(order.id)
        if not task.is_plan and task.machine.id in task.crew.machines:
            today = task.crew.zone.day(self.world.now)
            after = today if task.is_floating else task.next_day
            task.next_day = max(self._working_day(after + task.days), today + 1)
            self._bring_forth(task)

    def _write_plan(self, task: Task, machines: list[Machine]) -> None:
        org, now = task.crew.organisation_id, iso(self.world.now)
        due = self._due_at(task)
        kind = "MONTH" if task.recurrence["type"] == "MONTHLY" else "WEEK"
        self.world.add(
            "maintenance_plans",
            org,
            {
                "id": task.id, "name": task.title, "organizationId": org, "startDate": iso(due), "workOrderStartDatePadding": None,
                "workOrderStartDateOffset": {"value": task.lead_days, "unit": "DAY"}, "workOrderStartDateFixedDay": None,
                "blueprintEstimatedTime": None if task.estimate is None else task.estimate // 60, "triggerType": "CALENDAR",
                "intervalStrategy": "FIXED", "recurrence": task.recurrence,
                "planningHorizon": {"value": 1 if kind == "MONTH" else 2, "unit": kind}, "workOrderBlueprintId": task.id + 1_000_000,
                "assets": [{"id": task.id + 2_000_000 + n, "assetId": machine.id} for n, machine in enumerate(machines)],
                "intervals": [{"id": task.id + 3_000_000, "interval": 1, "workOrderBlueprintId": task.id + 1_000_000}],
                "nextCycleOccurrence": 1,
                "nextScheduledWorkOrderDueDate": iso(due), "lastPlannedDueDate": None, "nextWorkOrderGenerationAt": None,
                "lastWorkOrderGeneratedAt": None, "creatorId": task.crew.technicians[0], "createdAt": now, "updatedAt": None,
                "archivedAt": None,
            },
        )  # fmt: skip

    def _rewrite_plan(self, task: Task, due: int) -> None:
        self.world.change(
            "maintenance_plans",
            task.crew.organisation_id,
            task.id,
            lastPlannedDueDate=iso(due),
            lastWorkOrderGeneratedAt=iso(self.world.now),
            nextScheduledWorkOrderDueDate=iso(self._due_at(task)),
            nextWorkOrderGenerationAt=iso(task.crew.zone.midnight(task.next_day - task.horizon_days) + 2 * HOUR),
        )
