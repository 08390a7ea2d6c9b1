"""The dbt project as files: where it is, and whether any of it changed."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from dagster_project.settings import ROOT, Settings

PROJECT_DIR = ROOT / "dbt"
SOURCES = ("dbt_project.yml", "profiles.yml", "*/**/*.sql", "*/**/*.yml")


def fingerprint(settings: Settings) -> str:
    """The database's name, and names, sizes and times of the project's files: another value when any of them changed."""
    files = sorted(file for pattern in SOURCES for file in PROJECT_DIR.glob(pattern))
    stats = [(file, file.stat()) for file in files]
    return "\n".join([settings.warehouse_path.stem, *(f"{file} {stat.st_size} {stat.st_mtime_ns}" for file, stat in stats)])


class _Column(msgspec.Struct):
    description: str = ""


class _Model(msgspec.Struct):
    name: str
    schema: str
    resource_type: str
    description: str = ""
    columns: dict[str, _Column] = {}


class _Manifest(msgspec.Struct):
    nodes: dict[str, _Model]


def described(settings: Settings) -> dict[str, tuple[str, dict[str, str]]]:
    """Return what dbt last knew of each mart: what it means and what its columns mean, by its name; nothing before the first parse."""
    path = settings.dbt_target_dir / "manifest.json"
    if not path.exists():
        return {}
    nodes = msgspec.json.decode(path.read_bytes(), type=_Manifest).nodes.values()
    marts = [node for node in nodes if node.resource_type == "model" and node.schema == "marts" and node.description]
    return {
        node.name: (
            " ".join(node.description.split()),
            {name: " ".join(column.description.split()) for name, column in node.columns.items() if column.description},
        )
        for node in marts
    }


def is_fresh(settings: Settings, found: str) -> bool:
    """Return whether the project was last parsed as it is now."""
    path = stamp(settings)
    return path.exists() and path.read_text() == found


def stamp(settings: Settings) -> Path:
    """Return the file that holds the fingerprint of what was parsed last."""
    return settings.dbt_target_dir / "fingerprint"


def instants(as_of: datetime, known_at: datetime) -> dict[str, str]:
    """Return the two instants as dbt's variables; written differently, so that equal ones can be told apart in compiled SQL."""
    texts = [at.astimezone(UTC).isoformat(timespec="microseconds") for at in (as_of, known_at)]
    return {"as_of": texts[0].replace("+00:00", "Z"), "known_at": texts[1]}
