"""Run the contestants through the same days, kills and schema events, and write docs/side-by-side.md.

`make bench-peers ARGS="--only dlt plain --days 5"`. What was measured is kept in DATA_DIR/peers: a part that is there is not run again
unless --again says so. The document is written from what the usual course has measured so far; a part that was not run says so.
"""

import argparse
import sys
import time

from benchmarks.peers import contest, report
from benchmarks.peers.contest import Course, WrongCount, excused
from benchmarks.peers.contestants import CONTESTANTS, Contestant, NotInstalled, install
from benchmarks.peers.kills import kills
from benchmarks.peers.results import Result, Results
from benchmarks.peers.schema_events import schema_events
from dagster_project.settings import ROOT, load

DOCUMENT = ROOT / "docs" / "side-by-side.md"
MARKER = "<!-- measured -->\n"
PARTS = ("days", "kills", "events")
KILLS = 50


def main(arguments: list[str]) -> int:
    """Run what is asked for and not there yet, print the tables, and write them when the course is the usual one."""
    given = _parser().parse_args(arguments)
    chosen = [one for one in CONTESTANTS if not given.only or one.name in given.only]
    course = Course(given.days, given.scale, given.syncs_a_day, given.seed)
    results = Results(load().data_dir / "peers", course)
    for contestant in chosen:
        measure(contestant, course, results, given.parts, given.kills, is_again=given.again)
    entries = [(one, results.of(one)) for one in CONTESTANTS]
    text = "\n".join(report.document(course, [entry for entry in entries if entry[0] in chosen])) + "\n"
    print(text)
    if course == Course():
        whole = "\n".join(report.document(course, entries)) + "\n"
        before = DOCUMENT.read_text(encoding="utf-8").partition(MARKER)[0]
        DOCUMENT.write_text(before + MARKER + "\n" + whole, encoding="utf-8")
    return 0


def measure(  # noqa: PLR0917
    contestant: Contestant, course: Course, results: Results, parts: list[str], count: int, is_again: bool
) -> None:
    """Run the parts that are missing, each kept when it is done; who cannot be run is excused, with the reason."""
    found = results.of(contestant)
    missing = [part for part in parts if is_again or not _has(found, part)]
    if not missing:
        return
    try:
        install(contestant)
        contest.check_first_load(contestant, course)
        for part in missing:
            _run(part, found, contestant, course, count)
            results.keep(found)
    except (NotInstalled, WrongCount) as error:
        _say(f"{contestant.name} cannot be run: {error}")
        found.standing = excused(contestant, str(error))
        results.keep(found)


def _has(found: Result, part: str) -> bool:
    return {"days": found.standing, "kills": found.kills, "events": found.events}[part] is not None


def _run(part: str, found: Result, contestant: Contestant, course: Course, count: int) -> None:
    match part:
        case "days":
            found.standing = contest.contest(contestant, course, _say)
        case "kills":
            found.kills = kills(contestant, course, count, _say)
        case _:
            found.events = schema_events(contestant, course, _say)


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    usual = Course()
    parser = argparse.ArgumentParser(prog="make bench-peers", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=[one.name for one in CONTESTANTS], help="these contestants alone")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="these parts alone")
    parser.add_argument("--days", type=int, default=usual.days)
    parser.add_argument("--scale", type=float, default=usual.scale, help="times 20,000 work orders")
    parser.add_argument("--syncs-a-day", type=int, default=usual.syncs_a_day)
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--again", action="store_true", help="measure what was measured already")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
