"""What was measured, kept in a file per contestant and part, so that a long course can be run in pieces and told as one."""

import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from benchmarks.peers.contest import Course, Standing
from benchmarks.peers.contestants import Contestant
from benchmarks.peers.kills import Kills
from benchmarks.peers.schema_events import Verdict

Part = TypeVar("Part")


class Result(msgspec.Struct):
    """All of one contestant."""

    name: str
    versions: str
    measured_on: str
    machine: str
    standing: Standing | None = None
    kills: Kills | None = None
    events: list[Verdict] | None = None


class Results:
    """The results of one course."""

    def __init__(self, folder: Path, course: Course) -> None:
        name = f"{course.days}-days-{course.syncs_a_day}-syncs-scale-{course.scale:g}-seed-{course.seed}"
        self.folder = folder / name
        self.folder.mkdir(parents=True, exist_ok=True)

    def of(self, contestant: Contestant) -> Result:
        """Return what is known of a contestant; what other versions did does not count."""
        path = self.folder / f"{contestant.name}.json"
        if path.exists():
            found = msgspec.json.decode(path.read_bytes(), type=Result)
            if found.versions == contestant.versions():
                return found
        machine = f"{platform.machine()}, Python {platform.python_version()}"
        return Result(contestant.name, contestant.versions(), f"{datetime.now(UTC):%Y-%m-%d}", machine)

    def keep(self, result: Result) -> None:
        """Write what is known of a contestant."""
        result.measured_on = f"{datetime.now(UTC):%Y-%m-%d}"
        (self.folder / f"{result.name}.json").write_bytes(msgspec.json.format(msgspec.json.encode(result)))
