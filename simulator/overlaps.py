"""Stops that people enter over one another: planned work within a breakdown, a stop of no kind, time out of use."""

from random import Random
from typing import Any

from simulator.instants import DAY, HOUR, iso
from simulator.people import Crew, Machine, Stage

KINDS: tuple[tuple[str, str | None], ...] = (("OFFLINE", "UNPLANNED"), ("OFFLINE", "PLANNED"), ("OFFLINE", None), ("IGNORE", None))


class Overlaps:
    """Entries made after the fact, by a chance of their own: all else happens as before."""

    def __init__(self, stage: Stage, crews: list[Crew]) -> None:
        self.world, self.numbers, self.crews = stage.world, stage.numbers, crews
        self.rng = Random(f"overlaps {stage.world.seed}")

    def begin(self) -> None:
        """Let it happen at each site every other week."""
        for crew in self.crews:
            self._next(crew)

    def _next(self, crew: Crew) -> None:
        self.world.schedule(self.world.now + round(self.rng.uniform(4, 24) * DAY), self._enter, crew)

    def _enter(self, crew: Crew) -> None:
        self._next(crew)
        tracked = [machine for machine in crew.machines.values() if machine.is_tracked]
        machine, begun = self.rng.choice(tracked or [None]), self.world.now - round(self.rng.uniform(30, 60) * HOUR)
        if machine is None:
            return
        for kind in self.rng.sample(KINDS, 2):
            self._insert(crew, machine, kind, begun + round(self.rng.uniform(0, 8) * HOUR))

    def _insert(self, crew: Crew, machine: Machine, kind: tuple[str, str | None], start: int) -> None:
        now, end = iso(self.world.now), start + round(self.rng.uniform(4, 20) * HOUR)
        record: dict[str, Any] = {
            "id": self.numbers.next("asset_statuses"), "assetId": machine.id, "status": kind[0], "downtimeType": kind[1],
            "startedAt": iso(start), "endedAt": iso(end), "organizationId": crew.organisation_id,
            "creatorId": self.rng.choice(crew.technicians), "createdAt": now, "updatedAt": now, "description": "Entered later",
        }  # fmt: skip
        self.world.add("asset_statuses", crew.organisation_id, record)
