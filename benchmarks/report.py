"""The measured part of docs/performance.md."""

import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

from benchmarks.measuring import Measurement
from benchmarks.modes import Mode
from benchmarks.pacing import Paced
from dagster_project.settings import ROOT

DOCUMENT = ROOT / "docs" / "performance.md"
MARKER = "<!-- measured -->\n"
PACKAGES = ("duckdb", "polars", "msgspec", "httpx", "dbt-core", "dbt-duckdb", "pandera")


@dataclass(frozen=True, slots=True)
class Row:
    """The medians of one mode at one size."""

    mode: Mode
    found: Measurement
    floor: int | None  # requests that a full reading needs at least


@dataclass(frozen=True, slots=True)
class PeerRow:
    """What one tool needed for two lists, work orders and assets."""

    label: str
    versions: str
    full: Measurement
    unchanged: Measurement


def text(rows: Sequence[Row], peers: Sequence[PeerRow], walks: Sequence[Paced], runs: int) -> str:
    """Return the tables in Markdown."""
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    machine = f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, {versions}"
    parts = [f"Medians of {runs} runs on {datetime.now(UTC):%Y-%m-%d}; {machine}.\n", _modes(rows)]
    parts += [_peers(peers)] if peers else []
    parts += [_walks(walks)] if walks else []
    return "\n".join(parts)


def write(measured: str) -> None:
    """Put the tables in the place of the last ones."""
    before = DOCUMENT.read_text(encoding="utf-8").partition(MARKER)[0]
    DOCUMENT.write_text(f"{before}{MARKER}\n{measured}", encoding="utf-8")


def _modes(rows: Iterable[Row]) -> str:
    lines = [
        "| Work orders | What | Wall s | CPU s | Peak memory MB | Requests | At least |",
        "|---:|---|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        found = row.found
        least = "" if row.floor is None else f"{row.floor:,} ({found.requests / row.floor - 1:+.1%})"
        cells = (
            f"{found.work_orders:,}", row.mode.label, f"{found.wall_seconds:.1f}", f"{found.cpu_seconds:.2f}",
            f"{found.peak_megabytes:,.0f}", f"{found.requests:,}", least,
        )  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _peers(peers: Sequence[PeerRow]) -> str:
    ours = peers[0]
    lines = [
        f"Two lists alone, work orders ({ours.full.work_orders:,}) and assets, into DuckDB; each tool counted right first. "
        "In brackets: how many times ours.\n",
        "| Tool | Full: CPU s | Full: peak MB | Nothing changed: CPU s | Requests, full / nothing changed | Versions |",
        "|---|---:|---:|---:|---:|---|",
    ]
    for peer in peers:
        cells = (
            peer.label,
            _times(peer.full.cpu_seconds, ours.full.cpu_seconds, ".2f"),
            _times(peer.full.peak_megabytes, ours.full.peak_megabytes, ",.0f"),
            _times(peer.unchanged.cpu_seconds, ours.unchanged.cpu_seconds, ".2f"),
            f"{peer.full.requests:,} / {peer.unchanged.requests:,}",
            peer.versions,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _times(value: float, ours: float, shape: str) -> str:
    return f"{value:{shape}} ({value / ours:.1f})"


def _walks(walks: Iterable[Paced]) -> str:
    lines = [
        "Pacing, on a clock that passes only while everybody waits; four readers, as in a first load:\n",
        "| Limit a minute | Share taken | Answer after s | Requests | Least s | Taken s | Ratio | 429 |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {walk.limit} | {walk.share:g} | {walk.latency:g} | {walk.requests:,} | {walk.floor_seconds:,.0f} | {walk.seconds:,.0f} "
        f"| {walk.ratio:.3f} | {walk.refused} |"
        for walk in walks
    ]
    return "\n".join(lines) + "\n"
