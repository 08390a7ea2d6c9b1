"""What a contestant holds, as it shows it, and how that differs from the truth."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.peers.contestants import Contestant
from benchmarks.peers.source import Plant, Row
from dagster_project.settings import ROOT

Key = tuple[str, int]


@dataclass(slots=True)
class Holding:
    """The rows of one contestant."""

    rows: dict[Key, Row] = field(default_factory=dict)
    shown: dict[Key, dict] = field(default_factory=dict)
    set_aside: dict[Key, str] = field(default_factory=dict)  # refused rows that are kept apart, with the reason
    double: int = 0


@dataclass(frozen=True, slots=True)
class Differences:
    """How a holding differs from the truth."""

    missing: int = 0
    ghost: int = 0
    stale: int = 0
    stale_labour: int = 0  # of the stale: those in which nothing but the logged time is wrong
    double: int = 0

    @property
    def wrong(self) -> int:
        """Return the rows that are not as the source has them."""
        return self.missing + self.ghost + self.stale + self.double


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of a contestant's process: this one's, without what would point it elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MAINTAINX_", "DATA_DIR", "PYTHONPATH"))}
    return kept | {"HOME": str(folder), "PYTHONWARNINGS": "ignore", "PYTHONUNBUFFERED": "1", "ENV_FILE": str(folder / "none")}


def holding(contestant: Contestant, folder: Path) -> Holding:
    """Have a contestant show its rows; one that never came to hold anything holds nothing."""
    command = contestant.command("rows", "--folder", str(folder))
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment(folder))
    found = Holding()
    for line in done.stdout.splitlines() if not done.returncode else ():
        shown = json.loads(line)
        key = shown["table"], shown["id"]
        if "set_aside" in shown:
            found.set_aside[key] = shown["set_aside"]
            continue
        found.double += key in found.rows
        found.shown[key] = shown
        found.rows[key] = Row(shown["updated"], shown["title"], shown["status"], shown["priority"], shown["labour"])
    return found


def compare(plant: Plant, held: Holding) -> Differences:
    """Return how the rows differ from what the source has now."""
    return differences(plant.truth(), held.rows, held.double)


def differences(truth: Mapping[Key, Row], rows: Mapping[Key, Row], double: int = 0) -> Differences:
    """Return how rows differ from the truth."""
    both = truth.keys() & rows.keys()
    stale = [key for key in both if truth[key] != rows[key]]
    labour = sum(truth[key] == rows[key]._replace(labour=truth[key].labour) for key in stale)
    return Differences(len(truth.keys() - rows.keys()), len(rows.keys() - truth.keys()), len(stale), labour, double)
