"""The simulated company: a pure function of (seed, scale, instant), from its founding to any instant."""

from datetime import UTC, datetime, timedelta
from random import Random

from simulator.breakdowns import Breakdowns
from simulator.changes import Changes
from simulator.company import ORGANISATIONS, SITES
from simulator.downtime import Downtime
from simulator.instants import DAY, HOUR, from_datetime, iso
from simulator.options import Options
from simulator.orders import Orders
from simulator.overlaps import Overlaps
from simulator.people import Crew, Founder, Numbers, Stage
from simulator.preventive import Preventive
from simulator.purchases import Purchases
from simulator.routines import Routines
from simulator.world import World

DEMO_START = datetime(2026, 11, 16, 6, tzinfo=UTC)
HISTORY = timedelta(days=548)  # 18 months before the demo starts
FOUNDED = DEMO_START - HISTORY
ROUTINES_AFTER = HISTORY - timedelta(days=28)  # the last month before the demo has them
LARGEST_KEPT_SCALE = 2.5  # about 50,000 work orders: above, the versions of all records take too much memory


def build(seed: int = 7, scale: float = 1.0, now: datetime = DEMO_START, options: Options | None = None) -> World:
    """Return the company as it stands at `now`; letting it run on continues as if it had been built later.

    Args:
        seed: another seed, another company.
        scale: 1 is about 20,000 work orders by DEMO_START, 50 a million.
        now: an instant in UTC, not before FOUNDED.
        options: the switches that change what happens, not only how it is served.
    """
    world = World(from_datetime(FOUNDED), keep_versions=scale <= LARGEST_KEPT_SCALE, seed=seed, scale=scale)
    _found(world, Random(f"plant {seed}"), options or Options())
    world.run_until(from_datetime(now))
    return world


def _found(world: World, rng: Random, options: Options) -> None:
    stage = Stage(world, Numbers(), rng, options)
    founder, orders, downtime = Founder(stage), Orders(stage), Downtime(stage)
    preventive, breakdowns = Preventive(stage, orders, downtime), Breakdowns(stage, orders, downtime)
    changes = Changes(stage, founder, preventive, downtime)
    for organisation in ORGANISATIONS:
        founder.organisation(organisation)
    crews = [founder.crew(site) for site in SITES]
    founder.is_founding = False
    for crew in crews:
        for machine in crew.machines.values():
            downtime.track(crew, machine)
        for _ in range(max(2, round(crew.site.plans * world.scale))):
            preventive.add(crew, crew.any_machine(rng))
        breakdowns.begin(crew)
        changes.begin(crew)
    world.schedule(world.now + 170 * DAY, _import_history, stage, orders, crews[0])
    world.schedule(world.now + 200 * DAY, Overlaps(stage, crews).begin)
    world.schedule(world.now + 300 * DAY, Purchases(stage, crews).begin)
    world.schedule(from_datetime(FOUNDED + ROUTINES_AFTER), Routines(stage, [crews[0], crews[-1]]).begin)


def _import_history(stage: Stage, orders: Orders, crew: Crew) -> None:
    """Old orders are loaded from another system in one stroke: one stamp for all, no type, completed before they were created."""
    world, rng = stage.world, stage.rng
    for number in range(max(3, round(230 * world.scale))):
        completed = world.now - rng.randrange(1, 700) * DAY - rng.randrange(24) * HOUR
        is_backdated = number % 6 == 0
        orders.create(
            crew,
            f"Imported job {number + 1}",
            None,
            crew.any_machine(rng).id,
            status="DONE" if number % 40 else "OPEN",
            completedAt=iso(completed if is_backdated else world.now) if number % 40 else None,
            completerId=crew.technicians[0] if number % 40 else None,
            dueDate="2073-10-18T05:00:00.000Z" if number == 1 else None,
        )
