"""What the simulator remembers between two starts: a seed, a scale and a clock, from which all else is made again."""

import os
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import msgspec

_FILE = "simulator.json"


@dataclass(frozen=True, slots=True)
class Saved:
    """One line of a life: which world, and how far it has come."""

    seed: int
    scale: float
    now: datetime
    load: str | None = None  # the folder of recorded lists, when it serves those

    def is_of(self, seed: int, scale: float, load: str | None) -> bool:
        """Tell whether this is the same world."""
        return (self.seed, self.scale, self.load) == (seed, scale, load)


def read(folder: Path) -> Saved | None:
    """Return what was saved in the folder, None when nothing was.

    Raises:
        msgspec.ValidationError: the file is not what `write` wrote.
    """
    path = folder / _FILE
    return msgspec.json.decode(path.read_bytes(), type=Saved) if path.exists() else None


def write(folder: Path, saved: Saved) -> None:
    """Save; a reader sees the old file or the new one, never half of one."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{_FILE}.{os.getpid()}"
    draft.write_bytes(msgspec.json.encode(asdict(saved)))
    draft.replace(folder / _FILE)
