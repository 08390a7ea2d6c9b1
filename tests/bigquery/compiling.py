"""dbt's SQL as it would go to BigQuery: compiled in .venv-bigquery without a network, and analysed there."""

import json
import os
import subprocess
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from dagster_project.warehouse.layout import tables

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / ".venv-bigquery" / "bin"
HINT = "no .venv-bigquery: make bigquery installs dbt's adapter and Google's SQL analyser"
PROJECT = "offline"
TYPES: dict[type[pl.DataType], str] = {
    pl.Int64: "INT64", pl.Int32: "INT64", pl.String: "STRING", pl.Float64: "FLOAT64", pl.Boolean: "BOOL",
    pl.Datetime: "TIMESTAMP", pl.Date: "DATE",
}  # fmt: skip
AS_OF = "2026-04-15T12:00:00.000000Z"  # stands in the compiled SQL; `at` puts another instant in its place
PROFILE = f"""
maintainx_analytics:
  target: bigquery
  outputs:
    bigquery: {{type: bigquery, method: oauth-secrets, token: none, project: {PROJECT}, schema: marts, location: EU, threads: 1}}
"""


class NotCompiled(Exception):
    """dbt cannot compile the project for BigQuery: says what dbt said."""


@dataclass(frozen=True)
class Compiled:
    """One model or data test in BigQuery's SQL."""

    name: str
    sql: str
    makes: str | None  # dataset.table; None of a test
    reads: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """What BigQuery would say: errors by model or test, and the columns of every table."""

    errors: dict[str, str]
    tables: dict[str, dict[str, str]]


def compiled(folder: Path) -> list[Compiled]:
    """Every model and data test, each after those it reads.

    Raises:
        NotCompiled: a macro or a reference is wrong.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "profiles.yml").write_text(PROFILE, encoding="utf-8")
    places = {"--profiles-dir": folder, "--project-dir": ROOT / "dbt", "--target-path": folder, "--log-path": folder}
    quiet = ["--quiet", "--no-use-colors", "--no-version-check", "--no-partial-parse", "--no-populate-cache", "--no-introspect"]
    variables = json.dumps({"as_of": AS_OF, "known_at": AS_OF})
    command = [f"{BIN / 'dbt'}", "compile", *quiet, "--vars", variables, *(f"{part}" for place in places.items() for part in place)]
    done = subprocess.run(command, cwd=folder, env=offline(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotCompiled(done.stdout + done.stderr)
    return ordered(json.loads((folder / "manifest.json").read_text(encoding="utf-8")))


def at(statements: list[Compiled], instant: datetime) -> list[Compiled]:
    """The statements as they are compiled for another instant."""
    text = instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return [replace(one, sql=one.sql.replace(AS_OF, text)) for one in statements]


def offline() -> dict[str, str]:
    """The environment without a way to a credential."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("GOOGLE_", "CLOUDSDK_"))}


def ordered(manifest: dict[str, Any]) -> list[Compiled]:
    """The models and data tests of a manifest, each after those it reads."""
    nodes = {key: node for key, node in manifest["nodes"].items() if node["resource_type"] in ("model", "test")}
    known = {key: _table(node) for key, node in (manifest["nodes"] | manifest["sources"]).items() if node.get("relation_name")}
    found: dict[str, Compiled] = {}

    def visit(key: str) -> None:
        if key in found or key not in nodes:
            return
        node = nodes[key]
        parents = [parent for parent in node["depends_on"]["nodes"] if parent in known]
        for parent in parents:
            visit(parent)
        makes = known[key] if node["resource_type"] == "model" else None
        found[key] = Compiled(node["name"], node["compiled_code"], makes, tuple(sorted({known[parent] for parent in parents})))

    for key in sorted(nodes):
        visit(key)
    return list(found.values())


def _table(node: dict[str, Any]) -> str:
    return f"{node['schema']}.{node.get('identifier') or node.get('alias') or node['name']}"


def analysed(statements: list[Compiled], known: dict[str, dict[str, str]] | None = None) -> Verdict:
    """What Google's analyser says of the statements, over the tables of raw and ops and others that are known."""
    ours = {name: {column: TYPES[type(dtype)] for column, dtype in columns.items()} for name, columns in tables().items()}
    asked = {"project": PROJECT, "tables": ours | (known or {}), "statements": [vars(one) for one in statements]}
    command = [f"{BIN / 'python'}", f"{Path(__file__).with_name('googlesql.py')}"]
    done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return Verdict(**json.loads(done.stdout))
