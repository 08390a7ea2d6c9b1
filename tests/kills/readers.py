"""What readers of the published folder must always find: one whole version, the one that CURRENT names."""

import hashlib
import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from dagster_project.publish import current


def unwhole(published: Path) -> list[str]:
    """Return what is wrong with the version that readers are told to read: it must be there, and be what its manifest says."""
    path = current(published)
    if path is None:
        return ["readers find no version"]
    manifest = json.loads((path.parent / "manifest.json").read_text(encoding="utf-8"))
    is_same = hashlib.sha256(path.read_bytes()).hexdigest() == manifest["sha256"]
    return [] if is_same else [f"{path} is not what its manifest says"]


def left_over(published: Path) -> list[str]:
    """Return what a killed publication left aside and the next one did not remove."""
    return [f"{path.name} was left" for path in published.iterdir() if path.name.startswith(".tmp")]


@contextmanager
def reader(published: Path) -> Generator[list[str]]:
    """Read the current version again and again while the block runs, as a dashboard does, and give what went wrong."""
    wrong: list[str] = []
    stop = threading.Event()

    def look() -> None:
        while not stop.wait(0.02):
            path = current(published)
            try:
                if path is None:
                    wrong.append("a reader found no version")
                    continue
                wanted = json.loads((path.parent / "manifest.json").read_text(encoding="utf-8"))["tables"]
                with duckdb.connect(str(path), read_only=True) as connection:
                    for name in ("marts.kpis", "ops.kpi_reported", "ops.runs"):
                        [(rows,)] = connection.execute(f"select count(*) from {name}").fetchall()
                        if rows != wanted[name]["rows"]:
                            wrong.append(f"a reader saw {rows} rows of {name} in {path}, not {wanted[name]['rows']}")
            except (duckdb.Error, OSError) as error:
                wrong.append(f"a reader met {error!r}")

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield wrong
    finally:
        stop.set()
        thread.join()
