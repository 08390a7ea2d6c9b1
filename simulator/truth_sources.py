"""The records of one organisation at one instant, as the oracle's readers are given them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from simulator.truth_calendar import micros
from simulator.truth_history import Record, Seen
from simulator.truth_places import AssetPlace, Place, Places
from simulator.truth_sites import Organisation, SiteFinder, sites_of


@dataclass
class Sources:
    """What was seen of one organisation; `states` has all states of each record, that of a deleted one without a record last."""

    organisation: Organisation
    states: Mapping[str, Mapping[int, Sequence[Seen]]]  # by table and id
    as_of: int

    def histories(self, table: str) -> dict[int, list[Seen]]:
        """Return the states of each record that still exists, those in which it was deleted for a while left out."""
        living = {key: history for key, history in self.states.get(table, {}).items() if history[-1].record is not None}
        return {key: [seen for seen in history if seen.record is not None] for key, history in living.items()}

    def latest(self, table: str) -> dict[int, Record]:
        """Return each record that still exists, as it is now."""
        return {key: history[-1].record or {} for key, history in self.histories(table).items()}

    @cached_property
    def finder(self) -> SiteFinder:
        """What finds the site of a location."""
        return SiteFinder(self.organisation, self.latest("locations").values())

    @cached_property
    def places(self) -> Places:
        """What finds the place of a record."""
        return Places(self.finder, self.states.get("assets", {}), self.latest("teams").values())

    @cached_property
    def zones(self) -> dict[str, str]:
        """The time zone of each site."""
        return {site.id: site.time_zone for site in sites_of(self.organisation)}


Readers = Mapping[str, Callable[[Sources], Iterable[Any]]]  # by name: gives records that have a `place`


@dataclass(frozen=True, slots=True)
class Placed:
    """A record as it is, and where it belongs."""

    record: Record
    place: Place


def asset_places(sources: Sources) -> list[AssetPlace]:
    """Return every stay of every asset that was ever seen."""
    return [stay for stays in sources.places.of_assets.values() for stay in stays]


def statuses(sources: Sources) -> list[Placed]:
    """Return the entries of the status history, each where its asset stood when it began."""
    found = [record for record in sources.latest("asset_statuses").values() if record.get("assetId") is not None]
    return [Placed(record, status_place(sources, record)) for record in found]


def status_place(sources: Sources, status: Record) -> Place:
    """Return where the asset of an entry of the status history stood when it began."""
    return sources.places.place(None, status["assetId"], micros(status["startedAt"]) if status.get("startedAt") else None)


def work_requests(sources: Sources) -> list[Placed]:
    """Return the work requests, each by its own location, else by where its asset stood when it was made."""
    return [
        Placed(record, sources.places.place(record.get("locationId"), record.get("assetId"), micros(record["createdAt"])))
        for record in sources.latest("work_requests").values()
    ]
