"""What readers are told while no new version can be made: a text beside the versions, gone with the next publication."""

from pathlib import Path

from dagster_project.warehouse.folders import replace_text

FILE = "NOTICE"


def put(published_dir: Path, text: str) -> None:
    """Let readers see a text beside what is published."""
    published_dir.mkdir(parents=True, exist_ok=True)
    replace_text(published_dir / FILE, text + "\n")


def read(published_dir: Path) -> str | None:
    """Return the text; None when there is none."""
    path = published_dir / FILE
    return path.read_text(encoding="utf-8").strip() if path.is_file() else None


def take_down(published_dir: Path) -> None:
    """Remove the text."""
    (published_dir / FILE).unlink(missing_ok=True)
