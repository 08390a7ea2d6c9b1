"""Where a record belongs, as the oracle sees it: its site, location, asset and teams, and the scopes that follow from them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from simulator.truth_calendar import micros
from simulator.truth_history import Record, Seen
from simulator.truth_sites import SiteFinder

BEGINNING = -(2**62)
ScopeKey = tuple[str, str]  # scope_type, scope_id


@dataclass(frozen=True, slots=True)
class Place:
    """What a record can be cut by."""

    site_id: str
    location_id: int | None = None
    asset_id: int | None = None
    team_ids: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class AssetPlace:
    """Where an asset stood from one instant to another."""

    asset_id: int
    place: Place
    valid_from: int
    valid_to: int | None  # None: it is the last one
    deleted_at: int | None  # when a reading found the asset deleted


class Places:
    """Finds the place of any record of one organisation."""

    def __init__(self, finder: SiteFinder, assets: Mapping[int, Sequence[Seen]], teams: Iterable[Record]) -> None:
        """Take the locations, every state of every asset (deleted ones too), and the teams that exist."""
        self._finder = finder
        self._labels = {asset_id: _labels(history) for asset_id, history in assets.items()}
        self._teams: dict[int, set[int]] = defaultdict(set)
        for team in teams:
            for member in team.get("members") or ():
                self._teams[member["id"]].add(team["id"])
        self.of_assets = {asset_id: self._stays(asset_id, history) for asset_id, history in assets.items()}

    def place(self, location_id: int | None, asset_id: int | None, at: int | None, team_ids: frozenset[int] = frozenset()) -> Place:
        """Return the place of a record: by its own location, else by its asset's at an instant; one under a site comes first."""
        stood_at = self._location_of(asset_id, at)
        candidates = [each for each in (location_id, stood_at) if self._finder.knows(each)]
        chosen = next((each for each in candidates if self._finder.above(each)), candidates[0] if candidates else None)
        return Place(self._finder.site_of(chosen), chosen, asset_id, team_ids)

    def teams_of(self, assignees: Iterable[Record]) -> frozenset[int]:
        """Return the teams among the assignees, and those that users among them are members of."""
        found: set[int] = set()
        for each in assignees:
            found |= {each["id"]} if each["type"] == "TEAM" else self._teams.get(each["id"], set())
        return frozenset(found)

    def scopes(self, place: Place) -> list[ScopeKey]:
        """Return the scopes finer than a site that a place belongs to."""
        found = [("location_subtree", str(each)) for each in self._finder.with_ancestors(place.location_id)]
        found += [("team", str(each)) for each in sorted(place.team_ids)]
        if place.asset_id is not None:
            found += [("asset", str(place.asset_id))]
            found += [("asset_type", label) for label in sorted(self._labels.get(place.asset_id, set()))]
        return found

    def _location_of(self, asset_id: int | None, at: int | None) -> int | None:
        if asset_id is None or at is None:
            return None
        stays = self.of_assets.get(asset_id, [])
        stay = next((each for each in stays if each.valid_from <= at and (each.valid_to is None or at < each.valid_to)), None)
        return stay.place.location_id if stay else None

    def _stays(self, asset_id: int, history: Sequence[Seen]) -> list[AssetPlace]:
        deleted_at = micros(history[-1].seen_at) if history[-1].record is None else None
        changes: list[tuple[int, Record]] = []
        for seen in history:
            record = seen.record
            if record is None or (changes and _standing(record) == _standing(changes[-1][1])):
                continue
            changed_at = seen.changed_at if seen.changed_at is not None else micros(seen.seen_at)
            changes.append((max(changed_at, changes[-1][0]) if changes else BEGINNING, record))
        ends = [start for start, _ in changes[1:]] + [None]
        return [
            AssetPlace(asset_id, self._stand(asset_id, record), start, end, deleted_at)
            for (start, record), end in zip(changes, ends, strict=True)
        ]

    def _stand(self, asset_id: int, record: Record) -> Place:
        location_id = record.get("locationId") if self._finder.knows(record.get("locationId")) else None
        return Place(self._finder.site_of(location_id), location_id, asset_id)


def _standing(record: Record) -> tuple[object, ...]:
    return (record.get("name"), record.get("parentId"), record.get("locationId"))


def _labels(history: Sequence[Seen]) -> set[str]:
    last = next((seen.record for seen in reversed(history) if seen.record is not None), None)
    return set((last or {}).get("assetTypes") or ())
