"""Measure and write docs/performance.md: `make bench ARGS="--scales 10000 100000 --modes full unchanged --runs 3"`.

Each size has one source in a process of its own. The modes follow each other in the order given, over one data folder, so an
incremental one needs a full one before it. Every run checks what was stored before its figures count.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence

from benchmarks import contenders, report
from benchmarks.measuring import Bench, bench, medians
from benchmarks.modes import MODES, Mode
from benchmarks.pacing import Paced, paced
from benchmarks.report import PeerRow, Row

LARGEST_REPEATED = 300_000  # work orders; above, one run of each mode says enough
WALKS = ((100, 0.8, 0.0), (100, 0.8, 1.5), (100, 1.0, 0.0), (100, 1.0, 1.5), (500, 0.8, 0.0), (500, 0.8, 1.5))


def main(arguments: list[str]) -> int:
    """Measure what is asked for, print it, and write it unless told not to."""
    given = _parser().parse_args(arguments)
    modes = [mode for mode in MODES if mode.name in given.modes]
    rows: list[Row] = []
    peers: list[PeerRow] = []
    for scale in given.scales:
        with bench(scale, given.port) as running:
            rows += _rows(running, modes, given.runs if scale <= LARGEST_REPEATED else 1)
            if "peers" in given.modes and scale == given.peers_at:
                peers += contenders.measured(running, given.peer_runs, _say)
    text = report.text(rows, peers, list(_walks()) if "pacing" in given.modes else [], given.runs)
    print(text)
    if not given.dry:
        report.write(text)
    return 0


def _rows(running: Bench, modes: Sequence[Mode], runs: int) -> Iterator[Row]:
    for mode in modes:
        found = []
        for number in range(runs):
            found.append(mode.measure(running))
            _say(f"{mode.name}, run {number + 1} of {runs}: {found[-1]}")
        yield Row(mode, medians(found), running.floor() if mode.reads_all else None)


def _walks() -> Iterator[Paced]:
    for limit, share, latency in WALKS:
        yield paced(limit, share, latency, requests=1_000)


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    names = [*(mode.name for mode in MODES), "peers", "pacing"]
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scales", type=int, nargs="+", default=[10_000, 100_000, 1_000_000], help="work orders, about")
    parser.add_argument("--modes", nargs="+", choices=names, default=names, metavar="MODE", help=f"of {', '.join(names)}")
    parser.add_argument("--runs", type=int, default=5, help="of which the median is taken")
    parser.add_argument("--peers-at", type=int, default=100_000, help="the scale at which other tools are measured")
    parser.add_argument("--peer-runs", type=int, default=3)
    parser.add_argument("--port", type=int, default=8791)
    parser.add_argument("--dry", action="store_true", help="print, and leave docs/performance.md as it is")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
