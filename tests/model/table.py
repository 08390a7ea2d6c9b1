"""Prints which algorithm breaks which promise under which fault, and after how many histories: `python -m tests.model.table [n]`."""

import sys
from collections.abc import Callable

from tests.model.kinds import KINDS
from tests.model.machine import Kind, killed
from tests.model.naive import ALGORITHMS, Algorithm
from tests.model.source import Source


def verdict(algorithm: Callable[[Source], Algorithm], drawn: Kind, executions: int) -> str:
    """Return what broke, and after how many histories; `-` when nothing did."""
    tally = killed(algorithm, drawn, executions)
    return f"{tally.found.kind} {tally.executions}" if tally.found else "-"


def main(executions: int) -> None:
    """Print the table."""
    print(f"| first failure in {executions} histories | {' | '.join(KINDS)} |")
    print(f"|---{'|---' * len(KINDS)}|")
    for name, algorithm in ALGORITHMS.items():
        cells = [verdict(algorithm, drawn, executions) for drawn in KINDS.values()]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
