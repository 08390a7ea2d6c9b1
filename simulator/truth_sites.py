"""The sites of an organisation as the oracle is told them, and which site a record belongs to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True, slots=True)
class Site:
    """One plant inside an organisation."""

    id: str
    organisation_id: int
    time_zone: str = "UTC"
    root_location_id: int | None = None  # None: the only site of its organisation, owner of everything
    crew_hours_per_week: float | None = None
    shifts: tuple[tuple[int, int, int], ...] = ()  # ISO weekday, first and last second of its clock; none: round the clock
    holidays: tuple[date, ...] = ()  # no shift begins on them


@dataclass(frozen=True, slots=True)
class Organisation:
    """What one token reads, with its sites; without any it is itself one site."""

    id: int
    time_zone: str = "UTC"  # full-day due dates are written in it
    sites: tuple[Site, ...] = ()


def sites_of(organisation: Organisation) -> tuple[Site, ...]:
    """Return the sites that share out every record of the organisation: its own and, where roots are named, `<id>-unassigned`."""
    if not organisation.sites:
        return (Site(str(organisation.id), organisation.id, organisation.time_zone),)
    if [site.root_location_id for site in organisation.sites] == [None]:
        return organisation.sites
    return (*organisation.sites, Site(_unassigned(organisation), organisation.id, organisation.time_zone))


class SiteFinder:
    """Finds the site of a record by the tree of locations."""

    def __init__(self, organisation: Organisation, locations: Iterable[Mapping[str, Any]]) -> None:
        sites = sites_of(organisation)
        self._owner = sites[0].id if len(sites) == 1 else _unassigned(organisation)
        self._roots = {site.root_location_id: site.id for site in sites if site.root_location_id is not None}
        self._parents = {location["id"]: location.get("parentId") for location in locations}

    def site_of(self, *location_ids: int | None) -> str:
        """Return the site above the first of the locations that has one, else the unassigned site.

        A site is above a location when its root is the location or an ancestor of it. A location that is unknown, deleted,
        under no root or in a circle has none.
        """
        for location_id in location_ids:
            if site := self.above(location_id):
                return site
        return self._owner

    def knows(self, location_id: int | None) -> bool:
        """Return whether the location exists."""
        return location_id in self._parents

    def with_ancestors(self, location_id: int | None) -> list[int]:
        """Return the location and all above it, nearest first; none of one that is unknown, and a circle ends where it closes."""
        found: list[int] = []
        while location_id is not None and location_id in self._parents and location_id not in found:
            found.append(location_id)
            location_id = self._parents[location_id]
        return found

    def above(self, location_id: int | None) -> str | None:
        """Return the site whose root is the location or its nearest ancestor, None if there is none."""
        return next((self._roots[each] for each in self.with_ancestors(location_id) if each in self._roots), None)


def _unassigned(organisation: Organisation) -> str:
    return f"{organisation.id}-unassigned"
