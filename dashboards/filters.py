"""What the reader looks at: organisation, site and period, chosen in the sidebar and kept in the URL."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import streamlit as st
from streamlit.navigation.page import StreamlitPage

from dashboards import data
from dashboards.format import period_name, period_span

ALL_SITES = "All sites"
LATEST = "Last full period"
GRAINS = {"Weeks": "week", "Months": "month"}
SHOWN = {"week": 26, "month": 13}  # periods in a trend: half a year, or a year and the month a year ago


@dataclass(frozen=True, slots=True)
class Period:
    """One ISO week or month."""

    start: date
    end: date  # its last day
    is_open: bool


@dataclass(frozen=True, slots=True)
class Selection:
    """What the reader chose, and the names around it."""

    version: str
    organisation_id: int
    organisation_name: str
    sites: Mapping[str, str]  # id → name of all sites of the organisation, the chosen one or not
    unassigned: frozenset[str]  # those of them that stand for records of no site
    site_id: str | None  # None: all of them
    zone: ZoneInfo  # of the site, else of the organisation
    grain: str
    periods: tuple[Period, ...]  # the newest first
    index: int  # of the chosen one
    now: datetime
    as_of: datetime  # the instant at which the KPIs were evaluated, on the source's clock
    pages: Mapping[str, StreamlitPage] = field(default_factory=dict)

    @property
    def period(self) -> Period:
        """The chosen period."""
        return self.periods[self.index]

    @property
    def before(self) -> Period | None:
        """The period before it."""
        return self.periods[self.index + 1] if self.index + 1 < len(self.periods) else None

    @property
    def shown(self) -> tuple[Period, ...]:
        """The periods of a trend in order of time: up to the chosen one, and the open one when that follows it."""
        first = 0 if self.index == 1 and self.periods[0].is_open else self.index
        return self.periods[first : self.index + SHOWN[self.grain]][::-1]

    @property
    def site_ids(self) -> list[str]:
        """The sites in view."""
        return [self.site_id] if self.site_id else list(self.sites)

    @property
    def has_sites(self) -> bool:
        """Whether there is more than one site to compare."""
        return len(self.sites) - len(self.unassigned) > 1

    @property
    def scope_id(self) -> str:
        """The scope of `marts.kpis` in view."""
        return self.site_id or str(self.organisation_id)

    @property
    def place(self) -> str:
        """The name of what is in view."""
        return self.sites[self.site_id] if self.site_id else self.organisation_name

    @property
    def span(self) -> str:
        """The chosen period in words: `W46, 9-15 Nov 2026`."""
        return period_span(self.period.start, self.period.end, self.grain) + (" so far" if self.period.is_open else "")

    def kpis(self) -> Mapping[tuple[str, str], pl.DataFrame]:
        """The rows of each KPI and scope of the organisation at the chosen grain."""
        return data.kpis(self.version, self.organisation_id, self.grain)


def choose(version: str, now: datetime, pages: Mapping[str, StreamlitPage]) -> Selection | None:
    """Draw the filters and return what they say; None when no organisation has a KPI yet."""
    organisations = data.organisations(version)
    if organisations.is_empty():
        return None
    with st.sidebar:
        organisation = _choose_organisation(organisations)
        organisation_id = int(organisation["organisation_id"])
        places = data.sites(version, organisation_id)
        site_id = _choose_site(places)
        grain = _choose_grain()
        periods = _periods(version, organisation_id, grain)
        index = _choose_period(periods, grain)
    if index is None:
        return None
    zones = {row["site_id"]: row["time_zone"] for row in places.iter_rows(named=True)}
    return Selection(
        version=version,
        organisation_id=organisation_id,
        organisation_name=str(organisation["organisation_name"]),
        sites=dict(places.select("site_id", "site_name").iter_rows()),
        unassigned=frozenset(places.filter("is_unassigned")["site_id"]),
        site_id=site_id,
        zone=ZoneInfo(zones[site_id] if site_id else str(organisation["time_zone"])),
        grain=grain,
        periods=periods,
        index=index,
        now=now,
        as_of=_as_of(version, organisation_id) or now,
        pages=pages,
    )


def _choose_organisation(organisations: pl.DataFrame) -> dict[str, Any]:
    rows = _named_uniquely(organisations, "organisation_name", "organisation_id")
    name = st.selectbox("Organisation", list(rows), key="organisation", bind="query-params", on_change=_reset, args=("site", ALL_SITES))
    return rows[name]


def _choose_site(places: pl.DataFrame) -> str | None:
    rows = _named_uniquely(places, "site_name", "site_id")
    name = st.selectbox("Site", [ALL_SITES, *rows], key="site", bind="query-params")
    return None if name == ALL_SITES else str(rows[name]["site_id"])


def _choose_grain() -> str:
    first, *_ = names = list(GRAINS)
    reset = ("period", LATEST)
    name = st.segmented_control(
        "Periods", names, default=first, required=True, key="periods", bind="query-params", on_change=_reset, args=reset
    )
    return GRAINS[name or first]


def _choose_period(periods: tuple[Period, ...], grain: str) -> int | None:
    """Return the index of the period; the first choice, that of a URL without one, follows the data to each newly closed period."""
    if not periods:
        return None
    names = {period_name(period.start, grain): index for index, period in enumerate(periods)}
    name = st.selectbox("Period", [LATEST, *names], key="period", bind="query-params")
    last_full = next((index for index, period in enumerate(periods) if not period.is_open), 0)
    return names.get(name, last_full)


def _reset(key: str, first: str) -> None:
    """Let a filter fall back to its first choice, in the URL too, when the one above it changed."""
    st.session_state[key] = first


def _as_of(version: str, organisation_id: int) -> datetime | None:
    return dict(data.freshness(version).select("organisation_id", "as_of").iter_rows()).get(organisation_id)


def _named_uniquely(frame: pl.DataFrame, name: str, identifier: str) -> dict[str, dict[str, Any]]:
    rows = list(frame.iter_rows(named=True))
    names = [row[name] for row in rows]
    return {row[name] if names.count(row[name]) == 1 else f"{row[name]} ({row[identifier]})": row for row in rows}


def _periods(version: str, organisation_id: int, grain: str) -> tuple[Period, ...]:
    rows = data.periods(version, organisation_id, grain).iter_rows(named=True)
    return tuple(Period(row["period_start_on"], row["period_end_on"], row["is_open"]) for row in rows)
