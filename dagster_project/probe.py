"""`maintainx probe`: asks a customer's MaintainX what nobody outside knows, reading only, and keeps the answers beside the warehouse."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from dagster_project.maintainx import capabilities
from dagster_project.maintainx.capabilities import Capabilities
from dagster_project.maintainx.client import MaintainX
from dagster_project.maintainx.errors import MaintainXError, OutOfRequests, RateLimited, Unauthorized, Unavailable
from dagster_project.maintainx.inquiry import Inquiry, Log, Question, Unanswered
from dagster_project.maintainx.questions import NOT_ASKED, QUESTIONS
from dagster_project.organisations import Source
from dagster_project.settings import Settings
from dagster_project.warehouse.base import DamagedWarehouse, WarehouseBusy
from dagster_project.warehouse.open import open_warehouse

MOST_REQUESTS = 40  # of one organisation, with the one that listed it and retries
HOPELESS = (Unauthorized, RateLimited, Unavailable)
LATE = """
    with versions as (
        select run_id, organisation_id, updated_at, cause,
            lag(updated_at) over (partition by organisation_id, id order by version_number) as before
        from raw.work_orders where organisation_id = ? and not is_deleted
    )
    select epoch(r.watermark_from - v.updated_at) as late_seconds
    from versions v join ops.endpoint_runs r using (run_id, organisation_id)
    where r.endpoint = 'work_orders' and r.kind = 'sync' and r.watermark_from is not null
        and v.cause in ('first', 'change') and (v.before is null or v.before <> v.updated_at)
"""  # a change that kept its stamp (labour, costs) is none that came late


@dataclass(frozen=True, slots=True)
class Finding:
    """One question, its answer, and what that changes; without an answer, why there is none."""

    question: str
    answer: str | None
    remark: str


@dataclass(slots=True)
class Report:
    """What a probe found out about one organisation."""

    organisation_id: int
    found: Capabilities
    file: Path
    requests: int
    findings: list[Finding] = field(default_factory=list)

    def as_table(self) -> Table:
        """Return the answers as a table for the console."""
        table = Table(title=f"Organisation {self.organisation_id}, {self.requests} requests", title_justify="left", box=SIMPLE_HEAD)
        for name in ("Question", "Answer", "What it changes, or why there is no answer"):
            table.add_column(name, overflow="fold")
        for one in self.findings:
            table.add_row(Text(one.question), Text(one.answer or "—"), Text(one.remark))
        return table


def probe(source: Source) -> Report:
    """Ask one organisation's MaintainX every question and write its capability file; sends nothing but GET, at most forty of them.

    Raises:
        MissingToken: there is no token.
        Unauthorized, RateLimited, Unavailable: nothing could be asked; an earlier file stays.
    """
    with source.connect(most_requests=MOST_REQUESTS - 1, knows=Capabilities()) as client:
        ask = Inquiry(client, read_log(source.settings, source.organisation_id))
        findings = [answered(question, ask) for question in QUESTIONS]
        findings += [Finding(text, None, f"not asked: {why}") for text, why in NOT_ASKED.items()]
        found = _capabilities(source.organisation_id, client, ask, findings)
        requests = client.requests + 1
    path = capabilities.save(source.settings.data_dir, found)
    return Report(source.organisation_id, found, path, requests, findings)


def answered(question: Question, ask: Inquiry) -> Finding:
    """Return what an organisation answers to one question."""
    try:
        return Finding(question.text, question.answer(ask), question.changes)
    except HOPELESS:
        raise
    except Unanswered as error:
        return Finding(question.text, None, str(error))
    except OutOfRequests:
        return Finding(question.text, None, f"the {MOST_REQUESTS} requests of a probe were used up")
    except MaintainXError as error:
        return Finding(question.text, None, f"{type(error).__name__}: {error}")


def read_log(settings: Settings, organisation_id: int) -> Log:
    """Return what our own log tells; an empty one where there is none yet, or another process writes to it."""
    if not settings.warehouse_path.exists():
        return Log(why_not="there is no log yet: run `make refresh` for some days, then ask again")
    try:
        with open_warehouse(settings, lambda _: None) as warehouse:
            gone = warehouse.query(
                "select max(id) from raw.work_orders_latest where organisation_id = ? and is_deleted", [organisation_id]
            ).item()
            seconds = warehouse.query(LATE, [organisation_id])["late_seconds"].to_list()
    except (WarehouseBusy, DamagedWarehouse) as error:
        return Log(why_not=f"the log cannot be read now: {error}")
    return Log(gone, len(seconds), [late for late in seconds if late > 0])


def _capabilities(organisation_id: int, client: MaintainX, ask: Inquiry, findings: Sequence[Finding]) -> Capabilities:
    answers = {one.question: one.answer for one in findings if one.answer is not None}
    about = {"organisation_id": organisation_id, "probed_at": client.now(), "answers": answers}
    return msgspec.convert(ask.found | about, Capabilities)
