"""Failures: a machine stops, somebody reports it, somebody repairs it, now and then somebody asks why."""

from dataclasses import dataclass

from simulator.company import CAUSES, FAULTS, JOBS
from simulator.downtime import Downtime
from simulator.instants import DAY, HOUR, MINUTE, iso
from simulator.orders import Order, Orders
from simulator.people import Crew, Machine, Stage


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure, as far as anybody knows of it."""

    crew: Crew
    machine: Machine
    title: str
    category: str
    failed_at: int
    status_id: int | None  # the stop that was entered for it


class Breakdowns:
    """Reactive work, and the jobs that are neither reactive nor preventive."""

    def __init__(self, stage: Stage, orders: Orders, downtime: Downtime) -> None:
        self.world, self.numbers, self.rng = stage.world, stage.numbers, stage.rng
        self.orders = orders
        self.downtime = downtime

    def begin(self, crew: Crew) -> None:
        """Let the machines of a site begin to fail and the people to have ideas."""
        self._next_failure(crew)
        self._next_job(crew)

    def _next_failure(self, crew: Crew) -> None:
        gap = self.rng.expovariate(crew.site.failures_a_day * self.world.scale)
        self.world.schedule(self.world.now + round(gap * DAY), self._fail, crew)

    def _fail(self, crew: Crew) -> None:
        self._next_failure(crew)
        machine, (fault, category) = crew.failing_machine(self.rng), self.rng.choice(FAULTS)
        failed_at, status_id = self.world.now, None
        if self.rng.random() < 0.55:
            # most stops are entered when they happen, some hours later with the time put back
            since = failed_at - (round(self.rng.uniform(0.2, 3) * HOUR) if self.rng.random() < 0.25 else 0)
            status_id = self.downtime.fail(crew, machine, since)
        failure = Failure(crew, machine, f"{machine.name} {fault}", category, failed_at, status_id)
        if self.rng.random() < 0.86:
            self._request(failure)
        else:
            self._order(failure, None, None)

    def _request(self, failure: Failure) -> None:
        rng, crew, number, now = self.rng, failure.crew, self.numbers.next("work_requests"), iso(self.world.now)
        requester = rng.choice(crew.requesters)
        self.world.add(
            "work_requests",
            crew.organisation_id,
            {
                "id": number, "title": failure.title, "priority": rng.choice(("NONE", "LOW", "MEDIUM", "HIGH")), "requestStatus": "PENDING",
                "description": "Please look" if rng.random() < 0.4 else None, "assetId": failure.machine.id,
                "locationId": failure.machine.location_id, "creatorId": requester, "createdAt": now, "updatedAt": now, "extraFields": {},
                "creatorContactInfo": {"type": "EMAIL", "value": f"u{requester}@{crew.site.id}.example"} if rng.random() < 0.2 else None,
                "attachments": [],
            },
        )  # fmt: skip
        at = self.world.now + round(rng.lognormvariate(-0.5, 1.1) * HOUR)
        if failure.status_id is None and rng.random() < 0.14:
            self.world.schedule(at, self._settle, crew, number, "REJECTED")
        else:
            self.world.schedule(at, self._order, failure, requester, number)

    def _settle(self, crew: Crew, request_id: int, status: str) -> None:
        if self.world.get("work_requests", crew.organisation_id, request_id) is not None:
            self.world.change("work_requests", crew.organisation_id, request_id, requestStatus=status)

    def _order(self, failure: Failure, requester: int | None, request_id: int | None) -> None:
        rng, now, crew = self.rng, self.world.now, failure.crew
        due = now + rng.choice((1, 2, 7)) * DAY if rng.random() < 0.2 else None
        order = self.orders.create(
            crew, failure.title, "REACTIVE", failure.machine.id, categories=[failure.category], requesterId=requester,
            dueDate=None if due is None else iso(due), dueDateIsFullDay=None if due is None else False,
            estimatedTime=rng.choice((1800, 3600, 7200)) if rng.random() < 0.3 else None,
            vendorIds=[801 + rng.randrange(7)] if rng.random() < 0.03 and crew.organisation_id == 101 else [],
        )  # fmt: skip
        order.due_at = due
        if request_id is not None:
            self.world.change("work_requests", crew.organisation_id, request_id, requestStatus="APPROVED", workOrderId=order.id)
            order.on_completion = lambda _: self._settle(crew, request_id, "DONE")
        self._repair(failure, order)

    def _repair(self, failure: Failure, order: Order) -> None:
        rng, now, draw = self.rng, self.world.now, self.rng.random()
        if draw < 0.03:
            self.world.schedule(now + round(rng.uniform(0.2, 30) * HOUR), self._call_off, failure, order)
            return
        if draw < 0.038:
            return  # forgotten: open for good, and the machine down with it
        begun = now + round(rng.lognormvariate(1.2 if failure.status_id else 3.0, 1.0) * HOUR)
        hours = rng.lognormvariate(0.5, 0.8)
        repaired = begun + round(hours * HOUR)
        if rng.random() < 0.26:
            self.world.schedule(begun, self.orders.start, order)
            repaired += self._hold(order, begun, hours) if rng.random() < 0.35 else 0
        done = repaired + round(rng.expovariate(1 / 3) * HOUR) if rng.random() < 0.4 else repaired + 2 * MINUTE
        self.world.schedule(repaired, self._restore, failure)
        if rng.random() < 0.62:
            self.orders.labour(order, done, hours, 0.3)
        if rng.random() < 0.012:
            self._split(failure.crew, failure.machine, order, done)
        self.world.schedule(done, self.orders.complete, order)
        if rng.random() < (0.22 if failure.status_id else 0.04):
            asked = done + round(rng.uniform(0.2, 4) * DAY)
            self.world.schedule(asked, self._ask_why, failure, order, repaired, hours)

    def _hold(self, order: Order, begun: int, hours: float) -> int:
        held = begun + round(hours * HOUR * self.rng.uniform(0.1, 0.8))
        gap = round(self.rng.lognormvariate(4.6, 0.8) * HOUR)
        self.world.schedule(held, self.orders.hold, order)
        self.world.schedule(held + gap, self.orders.start, order)
        return gap

    def _restore(self, failure: Failure) -> None:
        self.downtime.restore(failure.crew, failure.machine, failure.status_id, self.world.now)

    def _call_off(self, failure: Failure, order: Order) -> None:
        self.orders.close_without_work(order, "CANCELED")
        self._restore(failure)

    def _split(self, crew: Crew, machine: Machine, parent: Order, done: int) -> None:
        self.orders.hide(parent, isParent=True)
        for step in ("Isolate", "Repair"):
            child = self.orders.create(crew, f"{step} {machine.name}", "REACTIVE", machine.id)
            self.orders.hide(child, parentId=parent.id)
            self.world.schedule(done - 5 * MINUTE, self.orders.complete, child)

    def _ask_why(self, failure: Failure, order: Order, repaired: int, hours: float) -> None:
        crew, number, now = failure.crew, self.numbers.next("rca_reports"), iso(self.world.now)
        org, failed_at = crew.organisation_id, failure.failed_at
        has_measured = self.rng.random() < 0.9
        self.world.add(
            "rca_reports",
            org,
            {
                "id": number, "organizationId": org, "status": "DRAFT", "mainAssetId": order.asset_id,
                "mainAssetStatusId": failure.status_id, "createdAt": now, "updatedAt": now, "completedAt": None,
                "incidentStartedAt": iso(failed_at), "incidentEndedAt": iso(repaired), "incidentDuration": (repaired - failed_at) // 1000,
                "repairTime": round(hours * 3600) if has_measured else None,
                "notes": {"text": self.rng.choice(CAUSES)}, "creatorId": self.rng.choice(crew.technicians), "updaterId": None,
                "archivedAt": None, "relatedAssetIds": [], "workOrderIds": [order.id], "problems": [],
            },
        )  # fmt: skip
        if self.rng.random() < 0.85:
            self.world.schedule(self.world.now + round(self.rng.uniform(1, 9) * DAY), self._answer, crew, number)

    def _answer(self, crew: Crew, number: int) -> None:
        now = iso(self.world.now)
        self.world.change("rca_reports", crew.organisation_id, number, status="DONE", completedAt=now, updaterId=crew.technicians[0])
        if self.rng.random() < 0.04:
            self.world.change("rca_reports", crew.organisation_id, number, archivedAt=now)

    def _next_job(self, crew: Crew) -> None:
        gap = self.rng.expovariate(crew.site.failures_a_day * 0.22 * self.world.scale)
        self.world.schedule(self.world.now + round(gap * DAY), self._do_job, crew)

    def _do_job(self, crew: Crew) -> None:
        self._next_job(crew)
        rng, now = self.rng, self.world.now
        machine = crew.any_machine(rng)
        is_count = rng.random() < 0.1
        order = self.orders.create(
            crew, "Cycle count" if is_count else f"{rng.choice(JOBS)} {machine.name}", "CYCLE_COUNT" if is_count else "OTHER",
            None if is_count or rng.random() < 0.3 else machine.id, categories=["Project"] if rng.random() < 0.6 else [],
            estimatedTime=rng.choice((3600, 14400, 28800)) if rng.random() < 0.5 else None,
        )  # fmt: skip
        if rng.random() < 0.9:
            done = now + round(rng.lognormvariate(4.3, 0.9) * HOUR)
            if rng.random() < 0.3:
                self.orders.labour(order, done, rng.lognormvariate(1, 0.6), 0.2)
            self.world.schedule(done, self.orders.complete, order)
