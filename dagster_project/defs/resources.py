"""What the assets share during one run: the open warehouse, and a client for each organisation."""

from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

import dagster as dg
from pydantic import PrivateAttr

from dagster_project import organisation_run, organisations, refresh, settings
from dagster_project.maintainx.client import MaintainX
from dagster_project.maintainx.errors import MaintainXError
from dagster_project.maintainx.redaction import guard_logs
from dagster_project.organisation_run import OrganisationRun, RefreshReport
from dagster_project.organisations import Source
from dagster_project.settings import MissingToken
from dagster_project.warehouse.duckdb import DuckDBWarehouse
from dagster_project.warehouse.open import open_warehouse

ORGANISATIONS = dg.DynamicPartitionsDefinition(name="organisations")
ONE_RUN = dg.BackfillPolicy.single_run()
OWNERS = ["team:maintenance-analytics"]
WRITER = "warehouse"  # the pool of everything that writes; one at a time
WAIT_SECONDS = 600  # an overlapping run, or one from the console, is no reason to fail: the second one starts when it ends
Context = dg.AssetExecutionContext | dg.AssetCheckExecutionContext


class WarehouseResource(dg.ConfigurableResource):
    """The warehouse, open and locked from the run's first step to its last: no other writer comes between two steps."""

    _opened: DuckDBWarehouse | None = PrivateAttr(default=None)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Generator["WarehouseResource"]:
        """Open the warehouse for a run.

        Raises:
            WarehouseBusy: another process writes to it, and still does after WAREHOUSE_WAIT seconds (600 when not set).
            LostWarehouse, OtherSource: see `refresh.check_warehouse`.
        """
        found = settings.load()
        patient = found if found.warehouse_wait is not None else found.model_copy(update={"warehouse_wait": WAIT_SECONDS})
        with open_warehouse(patient, context.log.info if context.log else print) as self._opened:
            refresh.check_warehouse(found, self._opened)
            yield self

    @property
    def opened(self) -> DuckDBWarehouse:
        """Return the open warehouse."""
        if self._opened is None:
            raise RuntimeError("the warehouse is open only while a run goes on")
        return self._opened


class MaintainXResource(dg.ConfigurableResource):
    """The organisations of this run and one client for each, made when first asked for and closed with the run."""

    _run: dg.DagsterRun | None = PrivateAttr(default=None)
    _log: dg.DagsterLogManager | None = PrivateAttr(default=None)
    _open: ExitStack = PrivateAttr(default_factory=ExitStack)
    _sources: dict[int, Source] = PrivateAttr(default_factory=dict)
    _clients: dict[int, MaintainX] = PrivateAttr(default_factory=dict)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Generator["MaintainXResource"]:
        """Keep the clients of a run open while it goes on."""
        self._run, self._log = context.run, context.log
        with ExitStack() as self._open:
            yield self

    def sources(self) -> dict[int, Source]:
        """Return the organisations to read, by id; the source is asked once a run."""
        if not self._sources:
            found = organisations.organisations(settings.load(), self._say)
            self._sources = {source.organisation_id: source for source in found}
        return self._sources

    def part(self, organisation_id: int, warehouse: DuckDBWarehouse) -> OrganisationRun | None:
        """Return an organisation's part of this run, begun at the first call; None once it has failed.

        What fails here (no token, a token that is refused, no answer) is written to ops.runs and fails the check
        `organisation_fresh`; the other organisations go on.
        """
        begun = runs_of(warehouse, self._run_id, organisation_id)
        if begun and begun[0]["status"] == "failed":
            return None
        try:
            source = self._source(organisation_id)
            client = self._client(source)
            now = begun[0]["started_at"] if begun else client.now()
        except (MaintainXError, MissingToken, UnknownOrganisation) as error:
            self.fail(organisation_id, warehouse, error)
            return None
        part = organisation_run.part_of(source, client, warehouse, RefreshReport(self._run_id), now)
        if not begun:
            organisation_run.begin(part, self._kind, datetime.now(UTC))
        return part

    def finish(self, organisation_id: int, warehouse: DuckDBWarehouse) -> str | None:
        """Write how an organisation's part of this run ended, and return why it failed, None when it did not."""
        part = self.part(organisation_id, warehouse)
        if part is not None:
            started = runs_of(warehouse, self._run_id, organisation_id)[0]["wall_started_at"]
            try:
                organisation_run.finish(part, self._kind, started)
            except (MaintainXError, MissingToken) as error:
                self.fail(organisation_id, warehouse, error)
        row = runs_of(warehouse, self._run_id, organisation_id)[0]
        return row["error"] if row["status"] == "failed" else None  # what is stale alone stops nothing

    def fail(self, organisation_id: int, warehouse: DuckDBWarehouse, error: Exception) -> None:
        """Write that an organisation's part of this run failed, and why."""
        why = f"{type(error).__name__}: {error}"
        if self._log:
            self._log.warning(f"organisation {organisation_id} failed, the others go on: {why}")
        key = {"run_id": self._run_id, "organisation_id": organisation_id}
        row = {"kind": self._kind, "status": "failed", "wall_finished_at": datetime.now(UTC), "error": why}
        before = runs_of(warehouse, self._run_id, organisation_id) or [key | {"wall_started_at": datetime.now(UTC)}]
        warehouse.replace("runs", [before[0] | row], key)

    @property
    def _run_id(self) -> str:
        if self._run is None:
            raise RuntimeError("the organisations are read only while a run goes on")
        return self._run.run_id

    @property
    def _kind(self) -> str:
        return "reconcile" if self._run and self._run.job_name == "reconcile" else "refresh"

    def _say(self, text: str) -> None:
        if self._log:
            self._log.info(text.strip())

    def _source(self, organisation_id: int) -> Source:
        if organisation_id not in self.sources():
            known = ", ".join(map(str, self.sources()))
            raise UnknownOrganisation(f"organisation {organisation_id} is not among those to read ({known}): see sites.toml and the token")
        return self.sources()[organisation_id]

    def _client(self, source: Source) -> MaintainX:
        if source.organisation_id not in self._clients:
            self._clients[source.organisation_id] = self._open.enter_context(source.connect())
        return self._clients[source.organisation_id]


class UnknownOrganisation(Exception):
    """A partition names an organisation that neither sites.toml nor the token knows: names it and the known ones."""


def runs_of(warehouse: DuckDBWarehouse, run_id: str, organisation_id: int) -> list[dict]:
    """Return the row of ops.runs of an organisation's part of a run; none before it has begun."""
    rows = warehouse.query("select * from ops.runs where run_id = ? and organisation_id = ?", [run_id, organisation_id])
    return rows.to_dicts()


def chosen_partitions(context: Context) -> list[str]:
    """Return the partitions that the run was launched with; none when it was launched without.

    Read off the run's tags: the run's assets without partitions want to know them, too.
    """
    running = context.op_execution_context
    tags = running.run.tags
    if "dagster/partition" in tags:
        return [tags["dagster/partition"]]
    if "dagster/asset_partition_range_start" not in tags:
        return []
    keys = running.instance.get_dynamic_partitions(str(ORGANISATIONS.name))
    start, end = tags["dagster/asset_partition_range_start"], tags["dagster/asset_partition_range_end"]
    return list(keys[keys.index(start) : keys.index(end) + 1])


def organisations_of(context: Context, maintainx: MaintainXResource) -> list[int]:
    """Return the organisations of this run: its partitions, or all when it was launched without any."""
    return [int(key) for key in chosen_partitions(context)] or list(maintainx.sources())


def record(context: dg.AssetExecutionContext, organisation_id: int, metadata: dict) -> None:
    """Let the asset's event of this organisation carry the metadata.

    In a run with partitions Dagster writes one event for each of them; in a run without, this one is written here.
    """
    if chosen_partitions(context):
        context.add_asset_metadata(metadata, partition_key=str(organisation_id))
    else:
        context.log_event(dg.AssetMaterialization(context.asset_key, partition=str(organisation_id), metadata=metadata))


def failed_organisations(warehouse: DuckDBWarehouse, run_id: str, organisations: Sequence[int]) -> dict[int, str]:
    """Return which of the organisations failed in a run, and why."""
    rows = {one: runs_of(warehouse, run_id, one) for one in organisations}
    return {one: found[0]["error"] or "failed" for one, found in rows.items() if found and found[0]["status"] == "failed"}


@dg.definitions
def resources() -> dg.Definitions:
    """Return the resources of every asset; from here on no log of this process shows a secret."""
    guard_logs()
    return dg.Definitions(resources={"warehouse": WarehouseResource(), "maintainx": MaintainXResource()})
