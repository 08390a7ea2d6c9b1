"""Which organisations there are, how each is reached, and what part of a token's requests each may use."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

import polars as pl

from dagster_project import sites
from dagster_project.frames.records import owner_of
from dagster_project.maintainx import capabilities
from dagster_project.maintainx import client as maintainx
from dagster_project.maintainx.capabilities import Capabilities
from dagster_project.maintainx.errors import Forbidden, MaintainXError, ProtocolError
from dagster_project.maintainx.pacing import Budget
from dagster_project.settings import MissingToken, Settings
from dagster_project.sites import Organisation
from dagster_project.warehouse.base import Warehouse

if TYPE_CHECKING:
    import httpx

Say = Callable[[str], None]
DOCUMENTED_LIMIT = 100  # requests a minute for each user, until a response has announced it
MINUTES_A_DAY = 24 * 60
SITE_TABLES = ("sites", "kpi_targets", "site_hours", "site_holidays")


@dataclass(frozen=True, slots=True)
class Source:
    """One organisation and how to reach it."""

    settings: Settings
    organisation: Organisation
    sends_header: bool
    transport: "httpx.BaseTransport | None" = None
    say: Say = field(default=lambda _: None)
    others: tuple[int, ...] = ()  # what its token reads, when this organisation is not among it
    shared_by: int = 1  # organisations that are read with its token

    @property
    def organisation_id(self) -> int:
        """Return the organisation's id."""
        return self.organisation.organisation_id

    def reconciling_requests(self) -> int:
        """Return how many requests of a day comparisons with the source may use: RECONCILE_SHARE of what the token's limit allows."""
        token = self.settings.token(self.organisation.token_variable).get_secret_value()
        limit = budget(self.settings, token).announced_limit or DOCUMENTED_LIMIT
        return int(limit * MINUTES_A_DAY * self.settings.reconcile_share / self.shared_by)

    def connect(self, most_requests: int | None = None, knows: Capabilities | None = None) -> maintainx.MaintainX:
        """Return a client to use with `with`; all clients of one token share its rate budget.

        It knows what a probe found out about this MaintainX (unless `knows` says otherwise), and sends nothing more after `most_requests`.

        Raises:
            MissingToken: the variable that sites.toml names is not set.
            BadCapabilities: what a probe wrote cannot be read.
            Forbidden: its token is another organisation's, whose records must not be taken for this one's.
        """
        variable = self.organisation.token_variable
        if self.others:
            what = f"the token in {variable} reads organisation {', '.join(map(str, self.others))} and not {self.organisation_id}"
            raise Forbidden(f"{what}: nothing was read; check the id in sites.toml, and the token", path="/organizations")
        token = self.settings.token(variable).get_secret_value()
        found = capabilities.load(self.settings.data_dir, self.organisation_id) if knows is None else knows
        return maintainx.MaintainX(
            self.settings.maintainx_url, token, self.organisation_id if self.sends_header else None, budget(self.settings, token),
            transport=self.transport, token_variable=variable, most_requests=most_requests, capabilities=found,
            on_wait=lambda seconds, why: self.say(f"waiting {seconds:.0f} s: {why}"),
        )  # fmt: skip


_BUDGETS: dict[tuple[str, str], Budget] = {}
_BUDGETS_LOCK = threading.Lock()


def budget(settings: Settings, token: str) -> Budget:
    """Return this process's one rate budget for a token."""
    with _BUDGETS_LOCK:
        return _BUDGETS.setdefault((settings.maintainx_url, token), Budget(share=settings.rate_share))


def organisations(settings: Settings, say: Say = print, transport: "httpx.BaseTransport | None" = None) -> list[Source]:
    """Return the organisations to read: those of sites.toml, else those that the token may read.

    The organisation header is sent only with a token that reads more than one. A token that cannot be used leaves its
    organisations in the list: reading them fails, and says so.
    """
    declared = sites.load(settings.sites_file)
    variables = list(dict.fromkeys(one.token_variable for one in declared)) or ["MAINTAINX_TOKEN"]
    found: list[Source] = []
    for variable in variables:
        mine = [one for one in declared if one.token_variable == variable]
        asker = Source(settings, Organisation(0, variable), False, transport, say)
        records = _readable(asker, is_required=not declared)
        wanted = mine or [Organisation(record["id"]) for record in records.values()] or [_unnamed(asker)]
        sends_header = max(len(wanted), len(records)) > 1
        for one in wanted:
            others = () if one.organisation_id in records else tuple(sorted(records))
            complete = sites.complete(one, records.get(one.organisation_id))
            found.append(Source(settings, complete, sends_header, transport, say, others, len(wanted)))
    return found


def write_sites(warehouse: Warehouse, sources: Sequence[Source]) -> None:
    """Rewrite ops.sites, kpi_targets, site_hours and site_holidays from sites.toml and the API, so that models read them like any table.

    An organisation that is no longer named keeps its sites: its records are in the log, and every record has a site.
    """
    named = [source.organisation_id for source in sources]
    rows, targets, hours, holidays = (
        warehouse.query(f"select * from ops.{table}").filter(~pl.col("organisation_id").is_in(named)).to_dicts() for table in SITE_TABLES
    )
    for organisation in (source.organisation for source in sources):
        for site in organisation.sites:
            rows.append(
                {
                    "organisation_id": organisation.organisation_id, "organisation_name": organisation.name, "site_id": site.site_id,
                    "site_name": site.name, "root_location_id": site.root_location_id, "time_zone": site.time_zone,
                    "organisation_time_zone": organisation.time_zone, "currency": organisation.currency,
                    "crew_hours_per_week": site.crew_hours_per_week, "is_unassigned": site.is_unassigned,
                }
            )  # fmt: skip
            targets += [
                {"organisation_id": organisation.organisation_id, "site_id": site.site_id, "kpi": kpi, "target": target}
                for kpi, target in sorted(site.targets.items())
            ]
            owner = {"organisation_id": organisation.organisation_id, "site_id": site.site_id}
            hours += [owner | asdict(shift) for shift in site.shifts]
            holidays += [owner | {"holiday_on": day} for day in site.holidays]
    for table, content in zip(SITE_TABLES, (rows, targets, hours, holidays), strict=True):
        warehouse.replace(table, content, {})


def _readable(asker: Source, is_required: bool) -> dict[int, dict]:
    """Return the organisations that a token may read, by id; none when it cannot tell."""
    try:
        with asker.connect() as client:
            return {record["id"]: record for record in maintainx.organisations(client)}
    except (MaintainXError, MissingToken) as error:
        if is_required:
            raise
        asker.say(f"the organisations of {asker.organisation.token_variable} cannot be listed: {error}")
        return {}


def _unnamed(asker: Source) -> Organisation:
    """Return the one organisation of a token that may not list any: its id stands in its records.

    Raises:
        ProtocolError: it has neither orders, assets nor locations yet, so nothing tells its id.
    """
    with asker.connect() as client:
        for path, items, params in (
            ("/workorders", "workOrders", [("show_upcoming", "true")]),
            ("/assets", "assets", []),
            ("/locations", "locations", []),
        ):
            page = client.page(path, items, [*params, ("limit", "1")])
            if owners := [owner for raw in page.records if (owner := owner_of(raw))]:
                return replace(asker.organisation, organisation_id=owners[0])
    message = "MaintainX does not list the token's organisations, and no record tells which one it is: name it in sites.toml (SITES_FILE)"
    raise ProtocolError(message, path="/organizations")
