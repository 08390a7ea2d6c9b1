"""The tables of the documents that are derived from the code: `python -m docs.tables` writes them, `--check` fails when they are stale."""

import ast
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import yaml

from dagster_project.maintainx.endpoints import ENDPOINTS
from dagster_project.settings import ROOT, Settings

DOCUMENTS = (ROOT / "README.md", ROOT / "docs" / "operations.md")
SECTION = re.compile(r"(<!-- table: (?P<name>\w+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def commands() -> list[tuple[str, str]]:
    """Return every make target with its line of help, in the Makefile's order."""
    return re.findall(r"^([a-z-]+):.*## (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def variables() -> list[tuple[str, str, str]]:
    """Return every variable of `.env.example` with its value there and the comment above it."""
    found = re.findall(r"^# (.*)\n((?:[A-Z_]+=.*\n)+)", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)
    return [(name, value, about) for about, lines in found for name, value in re.findall(r"^([A-Z_]+)=(.*)$", lines, re.MULTILINE)]


def kpis() -> list[dict]:
    """Return what the yml of each KPI model says of it: kpi, label, unit, better, formula and more, ordered by kpi."""
    models = [model for path in sorted((ROOT / "dbt/models/marts/kpis").glob("kpi_*.yml")) for model in _models(path)]
    described = [(model["name"], model.get("config", {}).get("meta", {})) for model in models]
    return [{"kpi": name.removeprefix("kpi_"), **meta} for name, meta in described if "formula" in meta]


def pages() -> list[tuple[str, str]]:
    """Return the title of every page and what its module says it is for, in the order of the navigation."""
    modules = [ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "dashboards/views").glob("[a-z]*.py")]
    named = [(_constant(module, "ORDER"), _constant(module, "TITLE"), ast.get_docstring(module) or "") for module in modules]
    return [(title, about.splitlines()[0]) for _, title, about in sorted(named)]


def errors() -> list[tuple[str, str]]:
    """Return every exception of the core with what its docstring says, in alphabetical order."""
    modules = [ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "dagster_project").rglob("*.py")]
    classes = {node.name: node for module in modules for node in module.body if isinstance(node, ast.ClassDef)}
    named = [node for name, node in sorted(classes.items()) if not name.startswith("_") and _is_error(node, classes)]
    return [(node.name, " ".join((ast.get_docstring(node) or "").split())) for node in named]


def _is_error(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> bool:
    bases = [ast.unparse(base).rpartition(".")[2] for base in node.bases]
    return any(base.endswith(("Exception", "Error")) or (base in classes and _is_error(classes[base], classes)) for base in bases)


def _models(path: Path) -> list[dict]:
    return yaml.safe_load(path.read_text(encoding="utf-8")).get("models", [])


def _constant(module: ast.Module, name: str) -> str:
    values = [node.value for node in module.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name]
    return ast.literal_eval(values[0])


def _table(header: str, rows: Iterable[Iterable[object]]) -> str:
    lines = ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join([header, "|" + "---|" * (header.count("|") - 1), *lines]) + "\n"


def _command_table() -> str:
    return _table("| Command | What it does |", ((f"`make {name}`", about) for name, about in commands()))


def _variable_table() -> str:
    return _table(
        "| Variable | Default | Meaning |", ((f"`{name}`", f"`{value}`" if value else "", about) for name, value, about in variables())
    )


def _endpoint_table() -> str:
    rows = ((f"`{each.path}`", f"`raw.{each.table}`", each.walk, each.absence, each.description) for each in ENDPOINTS)
    return _table("| Path | Table | Read | Absence confirmed by | What it holds |", rows)


def _kpi_table() -> str:
    rows = ((f"`{kpi['kpi']}`", kpi["label"], kpi["unit"], kpi["better"], " ".join(kpi["formula"].split())) for kpi in kpis())
    return _table("| KPI | Label | Unit | Better | Formula |", rows)


def _page_table() -> str:
    return _table("| Page | What it answers |", pages())


def _error_table() -> str:
    return _table("| Error | What it means |", ((f"`{name}`", about) for name, about in errors()))


TABLES: dict[str, Callable[[], str]] = {
    "commands": _command_table,
    "variables": _variable_table,
    "endpoints": _endpoint_table,
    "kpis": _kpi_table,
    "pages": _page_table,
    "errors": _error_table,
}


def rendered(text: str) -> str:
    """Return the text with every marked table written anew."""
    return SECTION.sub(lambda section: section[1] + "\n" + TABLES[section["name"]]() + "\n" + section[3], text)


def documented_settings() -> set[str]:
    """Return the variables that the settings read."""
    return {name.upper() for name in Settings.model_fields}


def stale() -> list[Path]:
    """Return the documents whose tables differ from what the code says."""
    return [path for path in DOCUMENTS if rendered(path.read_text(encoding="utf-8")) != path.read_text(encoding="utf-8")]


def main(arguments: list[str]) -> int:
    """Write the tables anew and name the documents that changed; with `--check` only name them, and return 1."""
    found = stale()
    for path in found:
        print(f"{path.relative_to(ROOT)} {'is stale: run `make docs`' if '--check' in arguments else 'written'}")
        if "--check" not in arguments:
            path.write_text(rendered(path.read_text(encoding="utf-8")), encoding="utf-8")
    return int(bool(found) and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
