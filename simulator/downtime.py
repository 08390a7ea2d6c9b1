"""When machines stand still: the status intervals of assets, and how people enter, back-date and correct them."""

from typing import Any

from simulator.instants import DAY, HOUR, MINUTE, iso, parse
from simulator.people import Crew, Machine, Stage


class Downtime:
    """The status log of all assets. Every tracked machine has one open interval at any time."""

    def __init__(self, stage: Stage) -> None:
        self.world, self.numbers, self.rng, self.options = stage.world, stage.numbers, stage.rng, stage.options

    def track(self, crew: Crew, machine: Machine) -> None:
        """Begin the log of a machine that somebody keeps track of."""
        if machine.is_tracked:
            self.set(crew, machine, "ONLINE", None, self.world.now)

    def set(self, crew: Crew, machine: Machine, status: str, downtime_type: str | None, since: int) -> int | None:
        """End the interval that runs and begin another at `since`, which is earlier than now when it is entered after the fact.

        Returns its id, None for a machine that is not tracked or gone.
        """
        if not machine.is_tracked or machine.id not in crew.machines:
            return None
        org = crew.organisation_id
        if machine.status_id is not None and (open_one := self.world.get("asset_statuses", org, machine.status_id)) is not None:
            ended = max(iso(since), open_one["startedAt"])
            self.world.change("asset_statuses", org, machine.status_id, endedAt=ended, updaterId=self.rng.choice(crew.technicians))
        machine.status_id = self._insert(crew, machine, status, downtime_type, since=since, until=None)
        interval = {"id": machine.status_id, "status": status, "startedAt": iso(since)}
        move = self.world.change if self.options.asset_moves_with_status else self.world.whisper
        move("assets", org, machine.id, status=interval | ({"downtimeType": downtime_type} if downtime_type else {}))
        return machine.status_id

    def fail(self, crew: Crew, machine: Machine, since: int) -> int | None:
        """The machine stops unplanned; few enter no type, few enter the same stop twice."""
        kind = None if self.rng.random() < 0.05 else "UNPLANNED"
        status_id = self.set(crew, machine, "OFFLINE", kind, since)
        if status_id is not None and self.rng.random() < 0.04:
            begin = since - round(self.rng.uniform(0, 2) * HOUR)
            self.world.schedule(self.world.now + 5 * HOUR, self._enter_again, crew, machine, begin, self.world.now + 4 * HOUR)
        return status_id

    def restore(self, crew: Crew, machine: Machine, status_id: int | None, since: int) -> None:
        """The machine runs again, if the stop `status_id` is still what holds it; now and then its times are corrected later."""
        if status_id is None or machine.status_id != status_id:
            return
        self.set(crew, machine, "ONLINE", None, since)
        if self.rng.random() < 0.06:
            self.world.schedule(self.world.now + round(self.rng.uniform(0.1, 12) * DAY), self._correct, crew, status_id)

    def ignore(self, crew: Crew, machine: Machine, days: float) -> None:
        """The machine is out of use for some days, which count neither as up nor as down."""
        status_id = self.set(crew, machine, "IGNORE", None, self.world.now)
        self.world.schedule(self.world.now + round(days * DAY), self._use_again, crew, machine, status_id)

    def _use_again(self, crew: Crew, machine: Machine, status_id: int | None) -> None:
        if status_id is not None and machine.status_id == status_id:
            self.set(crew, machine, "ONLINE", None, self.world.now)

    def _enter_again(self, crew: Crew, machine: Machine, since: int, until: int) -> None:
        if machine.id in crew.machines:
            number = self._insert(crew, machine, "OFFLINE", "UNPLANNED", since=since, until=until)
            if self.rng.random() < 0.2:
                self.world.schedule(self.world.now + DAY, self._remove, crew, number)

    def _correct(self, crew: Crew, status_id: int) -> None:
        org = crew.organisation_id
        interval = self.world.get("asset_statuses", org, status_id)
        if interval is not None:
            earlier = iso(max(parse(interval["startedAt"]) - self.rng.randrange(1, 240) * MINUTE, 0))
            self.world.change("asset_statuses", org, status_id, startedAt=earlier, updaterId=self.rng.choice(crew.technicians))

    def _remove(self, crew: Crew, status_id: int) -> None:
        self.world.delete("asset_statuses", crew.organisation_id, status_id)

    def _insert(self, crew: Crew, machine: Machine, status: str, downtime_type: str | None, *, since: int, until: int | None) -> int:
        number, now = self.numbers.next("asset_statuses"), iso(self.world.now)
        record: dict[str, Any] = {
            "id": number, "assetId": machine.id, "status": status, "downtimeType": downtime_type, "startedAt": iso(since),
            "endedAt": None if until is None else iso(until), "organizationId": crew.organisation_id,
            "creatorId": self.rng.choice(crew.technicians), "createdAt": now, "updatedAt": now,
            "description": "Entered later" if since < self.world.now else None,
        }  # fmt: skip
        self.world.add("asset_statuses", crew.organisation_id, record)
        return number
