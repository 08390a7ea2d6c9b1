"""The side by side as text: the tables of docs/side-by-side.md."""

import os
from collections.abc import Iterator, Sequence
from statistics import median

from benchmarks.peers.contest import Course, Standing
from benchmarks.peers.contestants import Contestant
from benchmarks.peers.kills import Kills
from benchmarks.peers.results import Result
from benchmarks.peers.schema_events import EVENTS, Verdict

HEAD = (
    "| Contestant | Missing | Ghost | Stale | of which labour alone | Double | Wrong of an evening | Evenings with doubles "
    "| Requests | 429s | Syncs failed | Kills survived | Schema events survived | CPU s | Peak MB | Seconds a sync |"
)
_NOT_RUN = "not run"


def document(course: Course, entries: Sequence[tuple[Contestant, Result]]) -> Iterator[str]:
    """Yield the lines."""
    dates = sorted({result.measured_on for _, result in entries})
    machines = sorted({result.machine for _, result in entries})
    rows = max((result.standing.rows for _, result in entries if result.standing), default=0)
    yield (
        f"{course.days} simulated days, {course.syncs_a_day} syncs a day, seed {course.seed}, {rows:,} work orders and assets at the end; "
        f"measured on {' and '.join(dates)}, {os.cpu_count()} cores ({'; '.join(machines)})."
    )
    yield ""
    yield HEAD
    yield "|---|" + "---:|" * (HEAD.count("|") - 2)
    yield from (_line(contestant, result) for contestant, result in entries)
    yield ""
    yield "| Contestant | Run with |"
    yield "|---|---|"
    yield from (f"| {contestant.label} | {result.versions} |" for contestant, result in entries)
    yield ""
    yield "| Schema event | " + " | ".join(contestant.label for contestant, result in entries if result.events) + " |"
    yield "|---|" + "---|" * sum(bool(result.events) for _, result in entries)
    for number, event in enumerate(EVENTS):
        yield f"| {event.name} | " + " | ".join(_verdict(result.events[number]) for _, result in entries if result.events) + " |"
    if excuses := [f"- {one.label}: {result.standing.why}" for one, result in entries if result.standing and result.standing.why]:
        yield from ("", "Could not be run here:", "", *excuses)


def _line(contestant: Contestant, result: Result) -> str:
    cells = [*_standing(result.standing), _kills(result.kills), _events(result.events), *_costs(result.standing)]
    return f"| {contestant.label} | " + " | ".join(cells) + " |"


def _standing(standing: Standing | None) -> list[str]:
    if standing is None or standing.why:
        return [_NOT_RUN, *[""] * 9]
    final = standing.final
    wrong = [day.missing + day.ghost + day.stale + day.double for day in standing.daily]
    evenings = [round(median(wrong)), sum(day.double > 0 for day in standing.daily)] if wrong else [0, 0]
    rows = [final.missing, final.ghost, final.stale, final.stale_labour, final.double, *evenings, standing.requests, standing.refused]
    return [*(f"{each:,}" for each in rows), f"{standing.failed} of {standing.syncs}"]


def _costs(standing: Standing | None) -> list[str]:
    if standing is None or standing.why:
        return ["", "", ""]
    return [f"{standing.cpu_seconds:,.0f}", f"{standing.peak_megabytes:,.0f}", f"{standing.sync_seconds:.1f}"]


def _kills(kills: Kills | None) -> str:
    return _NOT_RUN if kills is None else f"{kills.survived} of {kills.struck}"


def _events(events: Sequence[Verdict] | None) -> str:
    return _NOT_RUN if events is None else f"{sum(each.is_survived for each in events)} of {len(events)}"


def _verdict(verdict: Verdict) -> str:
    what = verdict.what.replace("|", "/").replace("\n", " ")
    return what if verdict.is_survived else f"**{what}**"
