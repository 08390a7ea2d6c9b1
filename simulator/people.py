"""What a plant consists of before anything happens: places, people, suppliers, parts and machines."""

from dataclasses import dataclass, field
from itertools import accumulate
from random import Random

from simulator.company import (
    AREAS,
    ASSET_FIELDS,
    BUILDINGS,
    CATEGORIES,
    CRITICALITIES,
    FIRST_NAMES,
    LAST_NAMES,
    LOCATION_FIELDS,
    MACHINES,
    ORGANISATIONS,
    PARTS,
    TEAMS,
    VENDORS,
    Organisation,
    Site,
)  # fmt: skip
from simulator.instants import DAY, Zone, iso
from simulator.options import Options
from simulator.world import World


@dataclass(slots=True)
class Machine:
    """What the plant knows of one asset beyond its record."""

    id: int
    name: str
    location_id: int
    is_tracked: bool  # somebody records when it is down
    failure_weight: float
    is_leaf: bool = True
    status_id: int | None = None  # of the interval that runs now


@dataclass(slots=True)
class Crew:
    """One site at work: who and what is there."""

    site: Site
    zone: Zone
    organisation_zone: Zone
    locations: list[int] = field(default_factory=list)
    machines: dict[int, Machine] = field(default_factory=dict)
    technicians: list[int] = field(default_factory=list)
    requesters: list[int] = field(default_factory=list)
    teams: list[int] = field(default_factory=list)
    parts: list[int] = field(default_factory=list)
    _draw: tuple[list[Machine], list[float]] | None = None

    def add(self, machine: Machine) -> None:
        """A machine is installed."""
        self.machines[machine.id] = machine
        self._draw = None

    def remove(self, machine: Machine) -> None:
        """A machine is scrapped."""
        del self.machines[machine.id]
        self._draw = None

    def any_machine(self, rng: Random) -> Machine:
        """Return a machine, each as likely as the next."""
        return rng.choice(self._drawn()[0])

    def failing_machine(self, rng: Random) -> Machine:
        """Return a machine, the bad actors more often."""
        machines, weights = self._drawn()
        return rng.choices(machines, cum_weights=weights)[0]

    def _drawn(self) -> tuple[list[Machine], list[float]]:
        # kept between draws: at scale 50 a site has thousands of machines and a failure every few minutes
        if self._draw is None:
            self._draw = list(self.machines.values()), list(accumulate(each.failure_weight for each in self.machines.values()))
        return self._draw

    @property
    def organisation_id(self) -> int:
        """The organisation that the site belongs to."""
        return self.site.organisation_id


class Numbers:
    """Ids, global and ascending per kind, and the numbers of work orders per organisation."""

    _STARTS = (
        ("locations", 5_200), ("users", 9_001), ("teams", 701), ("categories", 401), ("vendors", 801), ("parts", 20_001),
        ("assets", 30_001), ("asset_criticalities", 301), ("purchase_orders", 90_001),
        ("asset_statuses", 600_001), ("meters", 40_001), ("maintenance_plans", 50_001), ("work_orders", 120_000_001),
        ("work_requests", 13_000_001), ("rca_reports", 70_001),
    )  # fmt: skip

    def __init__(self) -> None:
        self._next = dict(self._STARTS)

    def next(self, kind: str) -> int:
        """Return the next id of a table, or the next number of a series of one's own."""
        number = self._next.setdefault(kind, 1)
        self._next[kind] = number + 1
        return number


@dataclass(slots=True)
class Stage:
    """What everything that happens needs: the world, the numbers it gives out, its chance and its switches."""

    world: World
    numbers: Numbers
    rng: Random
    options: Options


class Founder:
    """Writes the records that a company starts with into a world."""

    def __init__(self, stage: Stage) -> None:
        self.world, self.numbers, self.rng = stage.world, stage.numbers, stage.rng
        self.criticalities: dict[int, list[int]] = {}  # by organisation
        self.is_founding = True  # what exists from the start was created long before
        self.width = self.world.scale**0.5  # people and places grow slower than machines

    def organisation(self, organisation: Organisation) -> None:
        """Add the organisation with its categories, vendors and a store that belongs to no site."""
        org = organisation.id
        self.world.add(
            "organizations",
            org,
            {"id": org, "name": organisation.name, "timeZone": organisation.time_zone, "currency": organisation.currency},
        )
        for label in CATEGORIES:
            self.world.add("categories", org, {"id": self.numbers.next("categories"), "label": label, "description": f"{label} work"})
        for level, label in enumerate(CRITICALITIES, start=1):
            self._criticality(org, label, level)
        for name in VENDORS:
            fields = {"Account no.": f"V-{self.rng.randrange(10_000)}"}
            self.world.add("vendors", org, {"id": self.numbers.next("vendors"), "name": name, "extraFields": fields})
        self._location(org, "Remote depot", None, "Kilometre 18")

    def crew(self, site: Site) -> Crew:
        """Add everything of one site and return its crew."""
        zone = next(each.time_zone for each in ORGANISATIONS if each.id == site.organisation_id)
        crew = Crew(site, Zone(site.time_zone), Zone(zone))
        self._locations(crew)
        self._users(crew)
        self._teams(crew)
        self._parts(crew)
        while len(crew.machines) < max(4, round(site.assets * self.world.scale)):
            self.machine(crew)
        return crew

    def machine(self, crew: Crew) -> Machine:
        """Add one machine, at times with its components as children, and return it."""
        name, types, maker, weight, components = self.rng.choice(MACHINES)
        location = self.rng.choice(crew.locations)
        # a few bad actors: the weights are heavy-tailed
        label, bad_luck = f"{name} {len(crew.machines) + 1}", self.rng.paretovariate(1.6)
        machine = self._asset(crew, label, types, maker, location_id=location, parent_id=None, weight=weight * bad_luck)
        if components and self.rng.random() < 0.35:
            machine.is_leaf = False
            for component in components:
                label = f"{component} of {machine.name}"
                self._asset(crew, label, ("Component",), maker, location_id=location, parent_id=machine.id, weight=weight * 0.5)
        return machine

    def user(self, crew: Crew) -> int:
        """Add one person to the site and return the id."""
        rng, number = self.rng, self.numbers.next("users")
        first, last = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)
        is_technician = len(crew.technicians) <= len(crew.requesters)
        role = rng.choice(("MEMBER", "MEMBER", "ADMIN")) if is_technician else rng.choice(("REQUESTER", "REQUESTER", "OPERATOR"))
        self.world.add(
            "users",
            crew.organisation_id,
            {
                "id": number, "firstName": first, "lastName": last, "email": f"u{number}@{crew.site.id}.example",
                "phoneNumber": f"+1555{number:07}" if rng.random() < 0.6 else None, "authType": "NORMAL",
                "hourlyRate": crew.site.hourly_rate + 50 * rng.randrange(-8, 9) if rng.random() < 0.8 else None, "role": role,
                "extraFields": {"Badge": str(number)} if rng.random() < 0.5 else {},
            },
        )  # fmt: skip
        (crew.technicians if is_technician else crew.requesters).append(number)
        return number

    def member(self, organisation_id: int, user_id: int, role: str) -> dict[str, object]:
        """Return the row of a user as the member of a team."""
        user = self.world.get("users", organisation_id, user_id)
        names = {} if user is None else {"firstName": user["firstName"], "lastName": user["lastName"]}
        return {"id": user_id, **names, "teamRole": role}

    def _stamps(self) -> dict[str, str]:
        at = iso(self.world.now - (self.rng.randrange(400 * DAY) if self.is_founding else 0))
        return {"createdAt": at, "updatedAt": at}

    def _location(self, org: int, name: str, parent: int | None, address: str | None, number: int | None = None) -> int:
        number = number or self.numbers.next("locations")
        fields = {label: f"{label[:2].upper()}-{self.rng.randrange(100)}" for label in LOCATION_FIELDS if self.rng.random() < 0.4}
        record = {"id": number, "name": name, "address": address, "parentId": parent, **self._stamps(), "organizationId": org}
        self.world.add("locations", org, {**record, "extraFields": fields, "teamIds": [], "vendorIds": []})
        return number

    def _criticality(self, org: int, label: str, level: int) -> None:
        number = self.numbers.next("asset_criticalities")
        self.criticalities.setdefault(org, []).append(number)
        self.world.add("asset_criticalities", org, {"id": number, "label": label, "level": level})

    def _criticality_of(self, org: int, asset_id: int) -> int | None:
        # by chance of its own: nothing else of the plant depends on it
        chance = Random(f"criticality {self.world.seed} {asset_id}")
        return chance.choice(self.criticalities[org]) if chance.random() < 0.8 else None

    def _locations(self, crew: Crew) -> None:
        site = crew.site
        self._location(site.organisation_id, site.name, None, site.address, site.root_location_id)
        count = max(4, round(site.locations * self.width))
        halls = [
            self._location(site.organisation_id, f"{site.name} {name}", site.root_location_id, None)
            for name in BUILDINGS[: 2 + count // 10]
        ]
        crew.locations = list(halls)
        while len(crew.locations) + 1 < count:
            name = f"{self.rng.choice(AREAS)} {len(crew.locations)}"
            crew.locations.append(self._location(site.organisation_id, name, self.rng.choice(crew.locations), None))

    def _users(self, crew: Crew) -> None:
        for _ in range(max(6, round(crew.site.users * self.width))):
            self.user(crew)

    def _teams(self, crew: Crew) -> None:
        for name in TEAMS:
            people = sorted(self.rng.sample(crew.technicians, min(len(crew.technicians), self.rng.randrange(2, 8))))
            members = [self.member(crew.organisation_id, each, "ADMIN" if n == 0 else "MEMBER") for n, each in enumerate(people)]
            number = self.numbers.next("teams")
            self.world.add("teams", crew.organisation_id, {"id": number, "name": f"{crew.site.name} {name}", "members": members})
            crew.teams.append(number)

    def _parts(self, crew: Crew) -> None:
        for _ in range(max(5, round(crew.site.parts * self.width))):
            crew.parts.append(self._part(crew))

    def _part(self, crew: Crew) -> int:
        rng, number, stock = self.rng, self.numbers.next("parts"), self.rng.randrange(40)
        shelf = {
            "locationId": crew.site.root_location_id, "area": f"Shelf {rng.randrange(30)}", "availableQuantity": stock,
            "minimumQuantity": 3,
            "committedQuantities": {"reserved": 0, "kitted": 0, "staged": 0}, "assignedQuantity": 0,
        }  # fmt: skip
        self.world.add(
            "parts",
            crew.organisation_id,
            {
                "id": number, "name": f"{rng.choice(PARTS)} ({number})", "description": None, "barcode": f"P{number}", "locationId": None,
                "locations": [shelf], "area": shelf["area"], "unitCost": rng.randrange(100, 40_000) if rng.random() < 0.93 else None,
                "availableQuantity": stock, "inStockQuantity": stock, "minimumQuantity": 3, "orderedQuantity": 0, "reservedQuantity": 0,
                "assignedQuantity": 0, "committedQuantities": {"reserved": 0, "kitted": 0, "staged": 0}, "partTypes": ["Spare"],
                **self._stamps(), "organizationId": crew.organisation_id, "extraFields": {}, "vendors": [],
            },
        )  # fmt: skip
        return number

    def _asset(
        self, crew: Crew, name: str, types: tuple[str, ...], maker: str, *, location_id: int, parent_id: int | None, weight: float
    ) -> Machine:
        rng, number = self.rng, self.numbers.next("assets")
        fields = {label: str(rng.randrange(1000)) for label in ASSET_FIELDS if rng.random() < 0.3}
        self.world.add(
            "assets",
            crew.organisation_id,
            {
                "id": number, "name": name, "description": f"{name} by {maker}" if rng.random() < 0.5 else None, "parentId": parent_id,
                "criticalityId": self._criticality_of(crew.organisation_id, number), "locationId": location_id,
                "serialNumber": f"SN{number}" if rng.random() < 0.9 else None,
                **self._stamps(), "creatorId": rng.choice(crew.technicians), "organizationId": crew.organisation_id,
                "teamIds": [], "assetTypes": list(types), "extraFields": fields, "vendorIds": [], "manufacturer": maker,
                "model": f"M{rng.randrange(100, 999)}",
            },
        )  # fmt: skip
        machine = Machine(number, name, location_id, rng.random() < 0.7, weight)
        crew.add(machine)
        return machine
