"""What changes about the company itself: people come and go, machines are moved, installed and scrapped, readings arrive."""

from simulator.downtime import Downtime
from simulator.instants import DAY, HOUR, iso
from simulator.people import Crew, Founder, Machine, Stage
from simulator.preventive import Preventive


class Changes:
    """The slow life of master data."""

    def __init__(self, stage: Stage, founder: Founder, preventive: Preventive, downtime: Downtime) -> None:
        self.world, self.numbers, self.rng = stage.world, stage.numbers, stage.rng
        self.founder = founder
        self.preventive = preventive
        self.downtime = downtime
        self._kinds = (
            (20, self._move_asset), (20, self._rename_location), (16, self._change_rate), (12, self._hire), (8, self._leave),
            (14, self._reshuffle_team), (14, self._price_part), (8, self._install), (2, self._scrap), (10, self._ignore),
        )  # fmt: skip

    def begin(self, crew: Crew) -> None:
        """Let the master data of a site begin to change, about thrice a week at scale 1."""
        self._next(crew)
        machines = [each for each in crew.machines.values() if each.is_leaf]
        for machine in machines[: max(2, round(len(machines) * 0.14))]:
            self._meter(crew, machine)

    def _next(self, crew: Crew) -> None:
        gap = self.rng.expovariate(0.45 * self.world.scale**0.5)
        self.world.schedule(self.world.now + round(gap * DAY), self._happen, crew)

    def _happen(self, crew: Crew) -> None:
        self._next(crew)
        self.rng.choices([change for _, change in self._kinds], [weight for weight, _ in self._kinds])[0](crew)

    def _move_asset(self, crew: Crew) -> None:
        machine = crew.any_machine(self.rng)
        machine.location_id = self.rng.choice(crew.locations)
        self.world.change("assets", crew.organisation_id, machine.id, locationId=machine.location_id)

    def _rename_location(self, crew: Crew) -> None:
        number = self.rng.choice(crew.locations)
        record = self.world.get("locations", crew.organisation_id, number)
        if record is not None:
            name = record["name"].split(" (")[0]
            self.world.change("locations", crew.organisation_id, number, name=f"{name} ({self.rng.choice(('old', 'new', 'east', 'west'))})")

    def _change_rate(self, crew: Crew) -> None:
        rate = crew.site.hourly_rate + 50 * self.rng.randrange(-8, 12)
        self.world.whisper("users", crew.organisation_id, self.rng.choice(crew.technicians), hourlyRate=rate)

    def _hire(self, crew: Crew) -> None:
        self.founder.user(crew)

    def _leave(self, crew: Crew) -> None:
        people = crew.technicians if len(crew.technicians) > 5 else crew.requesters
        if len(people) > 2:
            person = people.pop(self.rng.randrange(len(people)))
            self.world.delete("users", crew.organisation_id, person)
            for team in crew.teams:
                self._set_members(crew, team, [each for each in self._members(crew, team) if each["id"] != person])

    def _reshuffle_team(self, crew: Crew) -> None:
        team = self.rng.choice(crew.teams)
        joining = self.rng.choice(crew.technicians)
        members = self._members(crew, team)
        if joining not in {each["id"] for each in members}:
            members = [*members, self.founder.member(crew.organisation_id, joining, "MEMBER")]
        self._set_members(crew, team, members)

    def _members(self, crew: Crew, team: int) -> list[dict[str, object]]:
        record = self.world.get("teams", crew.organisation_id, team)
        return [] if record is None else record["members"]

    def _set_members(self, crew: Crew, team: int, members: list[dict[str, object]]) -> None:
        if members != self._members(crew, team):
            self.world.whisper("teams", crew.organisation_id, team, members=members)

    def _price_part(self, crew: Crew) -> None:
        self.world.change("parts", crew.organisation_id, self.rng.choice(crew.parts), unitCost=self.rng.randrange(100, 40_000))

    def _install(self, crew: Crew) -> None:
        machine = self.founder.machine(crew)
        self.downtime.track(crew, machine)
        self.preventive.add(crew, machine)

    def _scrap(self, crew: Crew) -> None:
        leaves = [each for each in crew.machines.values() if each.is_leaf]
        if len(leaves) < 4:
            return
        machine = self.rng.choice(leaves)
        crew.remove(machine)
        self.preventive.retire(crew, machine)
        self.world.delete("assets", crew.organisation_id, machine.id)

    def _ignore(self, crew: Crew) -> None:
        self.downtime.ignore(crew, crew.any_machine(self.rng), self.rng.uniform(3, 20))

    def _meter(self, crew: Crew, machine: Machine) -> None:
        rng, number, now = self.rng, self.numbers.next("meters"), iso(self.world.now)
        unit, is_sensor = rng.choice(("hours", "°C", "bar", "cycles")), rng.random() < 0.4
        self.world.add(
            "meters",
            crew.organisation_id,
            {
                "id": number, "name": f"{machine.name} {unit}", "unit": unit,
                "measurementType": "AUTOMATED_SENSOR" if is_sensor else "MANUAL", "assetId": machine.id,
                "locationId": machine.location_id, "creatorId": crew.technicians[0], "createdAt": now, "updatedAt": now,
            },
        )  # fmt: skip
        self._next_reading(crew, machine, number, 100.0)

    def _next_reading(self, crew: Crew, machine: Machine, meter_id: int, value: float) -> None:
        meter = self.world.get("meters", crew.organisation_id, meter_id)
        is_sensor = meter is not None and meter["measurementType"] == "AUTOMATED_SENSOR"
        gap = 12 * HOUR if is_sensor else round(self.rng.uniform(5, 9) * DAY)
        self.world.schedule(self.world.now + gap, self._read, crew, machine, meter_id, value)

    def _read(self, crew: Crew, machine: Machine, meter_id: int, value: float) -> None:
        if machine.id not in crew.machines:
            return
        value = round(value + self.rng.uniform(0, 12), 1)
        number, now = self.numbers.next("meter reading"), iso(self.world.now)
        reading = {"id": str(number), "meterId": meter_id, "value": value, "readingDate": now, "createdAt": now}
        self.world.whisper("meters", crew.organisation_id, meter_id, lastReading=reading)
        self._next_reading(crew, machine, meter_id, value)
