"""A soak of random kills: `python -m tests.kills.soak [kills] [seed]` kills readings at random instants and compares what they recover to.

Ends with 1 unless every recovery equals a fresh full sync and a reading that nobody interrupted.
"""

import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.kills.stages import AT_ONCE, Stage, stages

DEFAULTS = (500, 1)  # kills, seed
MOST_IN_A_ROW = 3


def rounds(chance: random.Random, found: list[Stage], kills: int) -> list[tuple[Stage, int, int]]:
    """Return the rounds: on which stage, how many deaths in a row, and the round's own seed."""
    drawn: list[tuple[Stage, int, int]] = []
    while kills:
        times = min(kills, chance.randint(1, MOST_IN_A_ROW))
        drawn.append((chance.choice(found), times, chance.randrange(2**32)))
        kills -= times
    return drawn


def soak(folder: Path, found: list[Stage], kills: int, seed: int, progress: bool = True) -> tuple[int, list[str]]:
    """Kill so many times, recover after each round, and return the number of recoveries and what is wrong."""
    wanted = rounds(random.Random(seed), found, kills)
    wrong: list[str] = []
    killed, started = 0, time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        running = {
            pool.submit(stage.killed_at_random, folder / str(number), random.Random(own_seed), times): (number, times)
            for number, (stage, times, own_seed) in enumerate(wanted)
        }
        for recovered, done in enumerate(as_completed(running), 1):
            number, times = running[done]
            wrong += [f"round {number}: {problem}" for problem in done.result()]
            killed += times
            if progress:
                told = f"{killed} of {kills} kills, {recovered} recoveries, {len(wrong)} differences"
                print(f"\r{told}, {time.monotonic() - started:.0f} s", end="", file=sys.stderr, flush=True)
    return len(wanted), wrong


def main(arguments: list[str]) -> int:
    """Print what became of the kills, and return the exit status."""
    kills, seed = (int(given) for given in [*arguments, *map(str, DEFAULTS[len(arguments) :])])
    with TemporaryDirectory(prefix="soak-kills-") as folder, stages(Path(folder) / "stages") as found:
        recoveries, wrong = soak(Path(folder), found, kills, seed)
    bad = len({problem.partition(":")[0] for problem in wrong})
    print(f"\n{kills} kills (seed {seed}), {recoveries} recoveries, digests equal {recoveries - bad} of {recoveries}")
    for problem in wrong:
        print(problem)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
