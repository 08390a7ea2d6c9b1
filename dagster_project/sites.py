"""sites.toml → organisations and their sites; without it, one site for each organisation the API names."""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dagster_project import operating_hours
from dagster_project.operating_hours import BadHours, Shift

Parsed = TypeVar("Parsed")
SITE_KEYS = {"id", "name", "root_location_id", "time_zone", "crew_hours_per_week", "targets", "operating_hours", "holidays"}


class BadSites(Exception):
    """sites.toml cannot be used: names the file, the entry, the field and the value."""


@dataclass(frozen=True, slots=True)
class Site:
    """A plant inside one organisation; `site_id` is unique over all organisations."""

    site_id: str
    name: str
    time_zone: str
    root_location_id: int | None = None
    crew_hours_per_week: float | None = None
    targets: dict[str, float] = field(default_factory=dict)
    is_unassigned: bool = False
    shifts: tuple[Shift, ...] = ()  # when it runs; none: round the clock
    holidays: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True)
class Organisation:
    """What one token reads; fields left out of sites.toml are None until the API has answered."""

    organisation_id: int
    token_variable: str = "MAINTAINX_TOKEN"  # noqa: S105 (the name of a variable)
    name: str | None = None
    time_zone: str | None = None
    currency: str | None = None
    sites: tuple[Site, ...] = ()


def load(path: Path | None) -> tuple[Organisation, ...]:
    """Return the organisations of sites.toml in its order; none when `path` is None.

    Raises:
        BadSites: unreadable file, unknown key, wrong type, unknown time zone, or an id used twice.
    """
    if path is None:
        return ()
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise BadSites(f"{path}: {error}") from None
    _known_keys(str(path), document, {"organisations"})
    found = tuple(_organisation(path, entry) for entry in document.get("organisations", []))
    _unique(path, "organisations.id", [organisation.organisation_id for organisation in found])
    _unique(path, "sites.id", [site.site_id for organisation in found for site in organisation.sites])
    for organisation in found:
        roots = [site.root_location_id for site in organisation.sites]
        _unique(path, f"organisations[id={organisation.organisation_id}]: root_location_id", roots)
    return found


def complete(organisation: Organisation, record: dict | None) -> Organisation:
    """Return the organisation with what the API says (name, time zone, currency) and with its final list of sites.

    The sites always sum to the organisation: without any it is one site; with a root location, what lies
    under none of the roots belongs to the site `<organisation_id>-unassigned`.
    """
    record = record or {}
    known = replace(
        organisation,
        name=organisation.name or record.get("name") or f"Organisation {organisation.organisation_id}",
        time_zone=organisation.time_zone or _zone(record.get("timeZone")) or "UTC",
        currency=organisation.currency or record.get("currency"),
    )
    return replace(known, sites=_final_sites(known))


def _final_sites(organisation: Organisation) -> tuple[Site, ...]:
    zone, name = organisation.time_zone or "UTC", organisation.name or ""
    if not organisation.sites:
        return (Site(str(organisation.organisation_id), name, zone),)
    if len(organisation.sites) == 1 and organisation.sites[0].root_location_id is None:
        return organisation.sites
    return (*organisation.sites, Site(f"{organisation.organisation_id}-unassigned", "Unassigned", zone, is_unassigned=True))


def _organisation(path: Path, entry: dict) -> Organisation:
    where = f"{path}: organisations[id={entry.get('id')!r}]"
    _known_keys(where, entry, {"id", "token_variable", "name", "time_zone", "currency", "sites"})
    if not _is_id(entry.get("id")):
        raise BadSites(f"{where}: id must be the organisation's integer id in MaintainX")
    _check_texts(where, entry, "token_variable", "name", "currency")
    _check_zone(where, entry.get("time_zone"))
    sites = tuple(_site(where, site) for site in entry.get("sites", []))
    if len(sites) > 1 and any(site.root_location_id is None for site in sites):
        raise BadSites(f"{where}: with several sites each needs a root_location_id")
    options = {key: entry[key] for key in ("token_variable", "name", "time_zone", "currency") if key in entry}
    return Organisation(organisation_id=entry["id"], sites=sites, **options)


def _site(where: str, entry: dict) -> Site:
    where = f"{where}: sites[id={entry.get('id')!r}]"
    _known_keys(where, entry, SITE_KEYS)
    _check_texts(where, {"id": None, "time_zone": None, **entry}, "id", "time_zone", "name")
    _check_zone(where, entry["time_zone"])
    root = entry.get("root_location_id")
    if root is not None and not _is_id(root):
        raise BadSites(f"{where}: root_location_id must be a location's integer id, not {root!r}")
    hours = entry.get("crew_hours_per_week")
    if hours is not None and (not _is_number(hours) or hours <= 0):
        raise BadSites(f"{where}: crew_hours_per_week must be a number above 0, not {hours!r}")
    targets = entry.get("targets", {})
    for kpi, target in targets.items():
        if not _is_number(target):
            raise BadSites(f"{where}: target of {kpi} must be a number, not {target!r}")
    return Site(
        entry["id"], entry.get("name", entry["id"]), entry["time_zone"], root, hours and float(hours),
        {kpi: float(target) for kpi, target in targets.items()},
        shifts=_parsed(where, operating_hours.shifts, entry.get("operating_hours")),
        holidays=_holidays(where, entry),
    )  # fmt: skip


def _holidays(where: str, entry: dict) -> tuple[date, ...]:
    if "holidays" in entry and "operating_hours" not in entry:
        raise BadSites(f"{where}: holidays need operating_hours; without them the site runs round the clock, not {entry['holidays']!r}")
    return _parsed(where, operating_hours.holidays, entry.get("holidays"))


def _parsed(where: str, parse: Callable[[object], tuple[Parsed, ...]], value: object) -> tuple[Parsed, ...]:
    try:
        return () if value is None else parse(value)
    except BadHours as error:
        raise BadSites(f"{where}: {error}") from None


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_texts(where: str, entry: dict, *keys: str) -> None:
    for key in keys:
        if key in entry and (not isinstance(entry[key], str) or not entry[key]):
            raise BadSites(f"{where}: {key} must be text, not {entry[key]!r}")


def _known_keys(where: str, entry: dict, known: set[str]) -> None:
    if unknown := sorted(entry.keys() - known):
        raise BadSites(f"{where}: unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}")


def _unique(path: Path, what: str, values: list) -> None:
    if twice := [value for value in values if value is not None and values.count(value) > 1]:
        raise BadSites(f"{path}: {what} {twice[0]!r} stands twice")


def _check_zone(where: str, name: str | None) -> None:
    if name is not None and _zone(name) is None:
        raise BadSites(f"{where}: time_zone {name!r} is not an IANA zone such as 'Europe/Lisbon'")


def _zone(name: object) -> str | None:
    if not isinstance(name, str) or not name:
        return None
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None
    return name
