"""What was introduced late: daily rounds, a plan of several machines, planned jobs, and closing many orders in one go."""

from random import Random

from simulator.downtime import Downtime
from simulator.instants import DAY, HOUR, SECOND, iso, parse
from simulator.orders import Orders
from simulator.people import Crew, Stage
from simulator.preventive import Preventive, Routine, Task

ROUND = Routine("Round at", 1, {"type": "DAILY"})
GREASE = Routine("Grease", 3, {"type": "WEEKLY", "interval": 1, "days": ["MONDAY", "THURSDAY"]})
FLUSH = Routine("Flush", 10, {"type": "PERIODICALLY", "interval": 10 * 86_400})
GUARDS = Routine("Test guards of", 30, {"type": "MONTHLY", "interval": 1, "day": 15}, horizon_days=10)


class Routines:
    """Work of a chance of its own: whatever is added here, all else happens as before."""

    def __init__(self, stage: Stage, crews: list[Crew]) -> None:
        self.world = stage.world
        self.rng = Random(f"routines {stage.world.seed}")
        self.crews = crews
        own = Stage(stage.world, stage.numbers, self.rng, stage.options)
        self.orders = Orders(own)
        self.preventive = Preventive(own, self.orders, Downtime(own))

    def begin(self) -> None:
        """Introduce the routines at each site."""
        for crew in self.crews:
            machines = self.rng.sample(list(crew.machines.values()), 3)
            (task,) = self.preventive.routine(crew, machines[:1], ROUND)
            self._tomorrow(task)
            self.preventive.routine(crew, machines[1:2], GREASE)
            self.preventive.routine(crew, machines[2:], FLUSH)
            self.preventive.routine(crew, machines[:2], GUARDS)
            self._fortnight(crew)

    def _fortnight(self, crew: Crew) -> None:
        self.world.schedule(self.world.now + 14 * DAY, self._fortnight, crew)
        self.world.schedule(self.world.now + round(self.rng.uniform(1, 5) * DAY), self._plan_job, crew)
        self.world.schedule(self.world.now + round(self.rng.uniform(1, 9) * DAY), self._close_in_one_go, crew)

    def _tomorrow(self, task: Task) -> None:
        early = task.crew.zone.midnight(task.crew.zone.day(self.world.now) + 1) + 5 * HOUR
        self.world.schedule(early, self._postpone, task)

    def _postpone(self, task: Task) -> None:
        """Early in the day one round in two is put off to the next."""
        self._tomorrow(task)
        for number in task.open_orders:
            record = self.world.get("work_orders", task.crew.organisation_id, number)
            if record is not None and self.rng.random() < 0.5:
                self.world.change("work_orders", task.crew.organisation_id, number, dueDate=iso(parse(record["dueDate"]) + DAY))

    def _plan_job(self, crew: Crew) -> None:
        """A job with a date, an estimate and parts laid out before anybody begins."""
        rng, now, machine = self.rng, self.world.now, crew.any_machine(self.rng)
        part = self.world.get("parts", crew.organisation_id, rng.choice(crew.parts))
        fields = ("id", "name", "description", "area", "unitCost", "availableQuantity", "minimumQuantity", "barcode")
        parts = [] if part is None else [{**{key: part[key] for key in fields}, "quantityUsed": 1, "copyOnRecurring": "Default"}]
        order = self.orders.create(
            crew, f"Overhaul {machine.name}", "OTHER", machine.id, startDate=iso(now + 2 * DAY), dueDate=iso(now + 4 * DAY),
            dueDateIsFullDay=False, estimatedTime=14_400, parts=parts, partStatus="KITTED" if parts else "NO_PARTS",
        )  # fmt: skip
        done = now + round(rng.uniform(2, 4) * DAY)
        self.orders.labour(order, done, 4.0, 0.2)
        self.world.schedule(done, self.orders.complete, order)

    def _close_in_one_go(self, crew: Crew) -> None:
        """Somebody ticks off a list at the end of a shift, one order after the other."""
        person, done = self.rng.choice(crew.technicians), self.world.now + 6 * HOUR
        for position in range(self.rng.randrange(5, 8)):
            order = self.orders.create(crew, f"Walk-round {position + 1}", "OTHER", crew.any_machine(self.rng).id)
            order.people = [person]
            self.world.schedule(done + position * self.rng.randrange(4, 16) * SECOND, self.orders.complete, order)
