"""The documents say what the code does."""

import re
import subprocess
from pathlib import Path

import pytest

from dagster_project.settings import ROOT
from docs import tables

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "data").glob("*.md")])
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)(?:#[^)]*)?\)")


def test_the_generated_tables_are_up_to_date() -> None:
    assert tables.stale() == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_to_a_file_leads_somewhere(document: Path) -> None:
    links = LINK.findall(document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_that_a_document_names_exists(document: Path) -> None:
    named = set(re.findall(r"(?:^|`|&& )make ([a-z-]+)", document.read_text(encoding="utf-8"), re.MULTILINE))
    assert named - {name for name, _ in tables.commands()} == set()


def test_make_alone_lists_every_command() -> None:
    printed = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert [name for name, about in tables.commands() if not re.search(rf"^  {name} +{re.escape(about)}$", printed, re.MULTILINE)] == []


def test_every_variable_is_explained() -> None:
    assert {name for name, _, about in tables.variables() if about} == tables.documented_settings()


def test_every_error_says_what_it_means() -> None:
    assert [name for name, about in tables.errors() if len(about.split()) < 4] == []


def test_every_kpi_says_what_it_is() -> None:
    wanted = {"kpi", "label", "unit", "better", "formula", "definition_version"}
    found = tables.kpis()
    assert [kpi.get("kpi") for kpi in found if not wanted <= {key for key, value in kpi.items() if value}] == []
    assert len(found) >= 20


def test_every_decision_is_dated_and_says_what_was_decided() -> None:
    paragraphs = [line for line in (ROOT / "docs/decisions.md").read_text(encoding="utf-8").splitlines() if line.startswith("**")]
    assert [line[:60] for line in paragraphs if not re.match(r"\*\*\d{4}-\d{2}-\d{2} · .+\.\*\* .+", line)] == []
