"""What is bought: purchase orders are requested, approved and received."""

from random import Random

from simulator.instants import DAY, HOUR, iso
from simulator.people import Crew, Stage


class Purchases:
    """The purchase orders of each site, by a chance of their own: all else happens as before."""

    def __init__(self, stage: Stage, crews: list[Crew]) -> None:
        self.world, self.numbers, self.crews = stage.world, stage.numbers, crews
        self.rng = Random(f"purchases {stage.world.seed}")

    def begin(self) -> None:
        """Let each site buy something every few days, more often at a large scale."""
        for crew in self.crews:
            self._next(crew)

    def _next(self, crew: Crew) -> None:
        gap = self.rng.expovariate(0.3 * self.world.scale**0.5)
        self.world.schedule(self.world.now + round(gap * DAY), self._request, crew)

    def _request(self, crew: Crew) -> None:
        self._next(crew)
        number, now = self.numbers.next("purchase_orders"), iso(self.world.now)
        self.world.add("purchase_orders", crew.organisation_id, {"id": number, "status": "PENDING", "createdAt": now, "updatedAt": now})
        decided = self.world.now + round(self.rng.uniform(1, 60) * HOUR)
        if self.rng.random() < 0.1:
            self.world.schedule(decided, self._set, crew, number, "DECLINED")
            return
        received = decided + round(self.rng.uniform(2, 30) * DAY)
        self.world.schedule(decided, self._set, crew, number, "APPROVED")
        if self.rng.random() < 0.3:
            self.world.schedule((decided + received) // 2, self._set, crew, number, "PARTIALLY_FULFILLED")
        self.world.schedule(received, self._set, crew, number, "COMPLETED")

    def _set(self, crew: Crew, number: int, status: str) -> None:
        if self.world.get("purchase_orders", crew.organisation_id, number) is not None:
            self.world.change("purchase_orders", crew.organisation_id, number, status=status)
