"""Write docs/reliability.md: each fault, what must hold, the tests named after it, and how their last run ended.

A test belongs to a row of docs/faults.toml when its name starts with the row's id (`test_a6_…`). Outcomes are those that pytest left
behind: run `make test-all` first. `--check` fails when a row has neither a test nor a reason to wait, or when the document names other
tests than there are.
"""

import ast
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dagster_project.settings import ROOT

ROWS = ROOT / "docs" / "faults.toml"
DOCUMENT = ROOT / "docs" / "reliability.md"
OUTCOMES = ROOT / ".pytest_cache" / "v" / "reliability" / "outcomes"
NAME = re.compile(r"test_(?P<row>[a-j]\d+d?)_(?P<promise>\w+)")


@dataclass(frozen=True, slots=True)
class Proof:
    """One test that proves a row."""

    row: str
    promise: str
    path: str
    function: str


def rows() -> list[dict]:
    """Return the rows of the fault matrix: id, fault, holds, and waits where there is no test yet."""
    return tomllib.loads(ROWS.read_text(encoding="utf-8"))["rows"]


def proofs() -> dict[str, list[Proof]]:
    """Return the tests by row id, read from the sources without importing them."""
    found: dict[str, list[Proof]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for function in _functions(path):
            if match := NAME.fullmatch(function):
                row = match["row"][0].upper() + match["row"][1:]
                proof = Proof(row, match["promise"].replace("_", " "), path.relative_to(ROOT).as_posix(), function)
                found.setdefault(row, []).append(proof)
    return found


def outcomes() -> dict[str, dict[str, str]]:
    """Return the last outcome of each case of each test, by `path::function` and then by case; empty before the first run."""
    stored: dict[str, str] = json.loads(OUTCOMES.read_text(encoding="utf-8")) if OUTCOMES.exists() else {}
    found: dict[str, dict[str, str]] = {}
    for node, outcome in stored.items():
        found.setdefault(node.partition("[")[0], {})[node] = outcome
    return found


def problems() -> list[str]:
    """Return what is wrong with the matrix and its document, in words."""
    known, proven = {row["id"]: row for row in rows()}, proofs()
    strange = [proof for row in sorted(proven.keys() - known) for proof in proven[row]]
    found = [f"{proof.path}: {proof.function} names a row that docs/faults.toml lacks" for proof in strange]
    found += [f"{row} has no test" for row, entry in known.items() if row not in proven and not entry.get("waits")]
    text = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else ""
    wanted = {_bullet(proof) for several in proven.values() for proof in several}
    stale = wanted ^ {line for line in text.splitlines() if line.startswith("- ")}
    return found + (["docs/reliability.md is stale: run `make test-all docs`"] if stale else [])


def rendered() -> str:
    """Return the document."""
    told = tomllib.loads(ROWS.read_text(encoding="utf-8"))
    proven, ended = proofs(), outcomes()
    waiting = [row for row in told["rows"] if row["id"] not in proven]
    tests = sum(map(len, proven.values()))
    lines = [
        "# Reliability", "",
        "What we break on purpose, what must hold, and the tests that show it. Made by `make docs` from"
        " [faults.toml](faults.toml), from the names of the tests and from the outcomes of their last run.", "",
        f"{len(told['rows']) - len(waiting)} of {len(told['rows'])} rows have tests, {tests} in all; {len(waiting)} have none yet.",
        "", "## What must hold", "",
        *(f"**{name}**: {text}.  " for name, text in told["invariants"].items()), "",
    ]  # fmt: skip
    for letter, title in told["groups"].items():
        mine = [row for row in told["rows"] if row["id"].startswith(letter)]
        lines += [f"## {letter}. {title}", "", "| Row | Fault | What holds | Result |", "|---|---|---|---|"]
        lines += [f"| {row['id']} | {row['fault']} | {row['holds']} | {_result(row, proven, ended)} |" for row in mine]
        lines += ["", *(_bullet(proof) for row in mine for proof in proven.get(row["id"], [])), ""]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip() + "\n"


def main(arguments: list[str]) -> int:
    """Write the document, or with `--check` say what is wrong with it and return 1."""
    if "--check" not in arguments:
        DOCUMENT.write_text(rendered(), encoding="utf-8")
    found = problems()
    for problem in found:
        print(problem)
    return int(bool(found))


def _functions(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node.name


def _bullet(proof: Proof) -> str:
    return f"- {proof.row}: [{proof.promise}](../{proof.path})"


def _result(row: dict, proven: dict[str, list[Proof]], ended: dict[str, dict[str, str]]) -> str:
    if row["id"] not in proven:
        return f"waits: {row['waits']}" if row.get("waits") else "**no test**"
    cases = [outcome for proof in proven[row["id"]] for outcome in ended.get(f"{proof.path}::{proof.function}", {}).values()]
    silent = [proof for proof in proven[row["id"]] if f"{proof.path}::{proof.function}" not in ended]
    passed = f"{cases.count('passed')} of {len(cases)} passed"
    return f"{passed}, {len(silent)} not run" if silent else passed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
