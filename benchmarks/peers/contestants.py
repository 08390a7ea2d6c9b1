"""Who takes part, in which environment, and how it is started."""

import hashlib
import re
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from dagster_project.settings import ROOT

HERE = Path(__file__).parent
ENVIRONMENTS = ROOT / ".venv-peers"


class NotInstalled(Exception):
    """A peer's environment could not be made: says what the installer said."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """One tool in one configuration; its folder below this one holds contestant.py and, for a peer, requirements.txt."""

    name: str
    label: str
    folder: str
    packages: tuple[str, ...] = ()  # whose versions are told
    reads_all_nightly: bool = False  # the last sync of a day reads everything and replaces what is there

    @property
    def script(self) -> Path:
        """Return the program that syncs and shows."""
        return HERE / self.folder / "contestant.py"

    @property
    def requirements(self) -> Path:
        """Return the file of pins; it does not exist where the project's own environment is used."""
        return HERE / self.folder / "requirements.txt"

    @property
    def python(self) -> Path:
        """Return the interpreter of its environment."""
        return ENVIRONMENTS / self.folder / "bin" / "python" if self.requirements.exists() else Path(sys.executable)

    def command(self, what: str, *options: str) -> list[str]:
        """Return the command for `sync` or `rows`."""
        return [str(self.python), str(self.script), what, *options]

    def versions(self) -> str:
        """Return what it was run with."""
        if not self.requirements.exists():
            return ", ".join(f"{name} {version(name)}" for name in self.packages) or "this repository"
        return ", ".join(f"{name} {number}" for name, number in pins(self.requirements).items() if name in self.packages)


CONTESTANTS = (
    Contestant("ours", "this project", "ours"),
    Contestant("dlt", "dlt rest_api, incremental", "dlt", ("dlt", "duckdb")),
    Contestant("dlt-nightly", "dlt rest_api, and a full replace each night", "dlt", ("dlt", "duckdb"), reads_all_nightly=True),
    Contestant("singer", "Singer SDK tap, target-duckdb", "singer", ("singer-sdk", "target-duckdb", "duckdb")),
    Contestant("airbyte", "Airbyte manifest, PyAirbyte, incremental", "airbyte", ("airbyte", "airbyte-cdk", "duckdb")),
    Contestant("plain", "the plain loop", "plain"),
)


def pins(requirements: Path) -> dict[str, str]:
    """Return package and version of each line of a requirements file."""
    return dict(re.findall(r"^([A-Za-z0-9_.-]+)==(\S+)$", requirements.read_text(encoding="utf-8"), re.MULTILINE))


def install(contestant: Contestant) -> None:
    """Make its environment, unless it is there with these very pins.

    Raises:
        NotInstalled: the installer failed.
    """
    if not contestant.requirements.exists():
        return
    folder = ENVIRONMENTS / contestant.folder
    stamp, wanted = folder / "pins", hashlib.sha256(contestant.requirements.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    uv = Path(sys.executable).parent / "uv"
    if uv.exists():
        _run(str(uv), "venv", "--quiet", "--clear", "--python", sys.executable, str(folder))
        _run(str(uv), "pip", "install", "--quiet", "--python", str(contestant.python), "-r", str(contestant.requirements))
    else:
        _run(sys.executable, "-m", "venv", "--clear", str(folder))
        _run(str(contestant.python), "-m", "pip", "install", "--quiet", "-r", str(contestant.requirements))
    stamp.write_text(wanted, encoding="utf-8")


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotInstalled(f"{' '.join(command[:4])} … ended with {done.returncode}: {done.stderr.strip()[-400:]}")
