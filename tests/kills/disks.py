"""A small disk that a test may fill."""

import os
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Disk:
    """A disk of its own, where it is mounted."""

    folder: Path

    def fill(self, left: int) -> None:
        """Fill the disk until so many bytes are free."""
        self.free()
        room = shutil.disk_usage(self.folder).free - left
        with self.ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(room, 1))

    def free(self) -> None:
        """Give the space back."""
        self.ballast.unlink(missing_ok=True)

    @property
    def ballast(self) -> Path:
        """Return the file that takes the space."""
        return self.folder / "ballast"


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Generator[Disk]:
    """Give a disk of that size, in memory, while the block runs; a test is skipped where nothing may be mounted."""
    folder.mkdir()
    as_root = [] if os.geteuid() == 0 else ["sudo", "--non-interactive"]
    options = f"size={megabytes}m,uid={os.geteuid()}"
    if _failed([*as_root, "mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]):
        pytest.skip("no disk may be mounted here: run as root (docker run --privileged)")
    try:
        yield Disk(folder)
    finally:
        subprocess.run([*as_root, "umount", str(folder)], check=True)


def _failed(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True).returncode != 0
    except FileNotFoundError:
        return True
