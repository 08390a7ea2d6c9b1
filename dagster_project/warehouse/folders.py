"""Folders that appear whole or not at all, and the pointer that names one of them."""

import hashlib
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from dagster_project.failpoint import failpoint

ASIDE = ".tmp-"  # what was begun and not finished starts with this; a reader never looks there


@contextmanager
def whole_folder(target: Path) -> Generator[Path]:
    """Give a folder to write into that becomes `target` when the block ends well, and vanishes when it fails.

    Every file is on the disk before the rename: after a power cut, `target` is complete or absent.

    Raises:
        FileExistsError: `target` exists already; such folders are immutable.
    """
    if target.exists():
        raise FileExistsError(f"{target} exists already and is never rewritten")
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f"{ASIDE}{target.name}")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    try:
        yield aside
        failpoint("folder.written")
        for path in sorted(aside.iterdir()):
            _to_disk(path)
        _to_disk(aside)
        failpoint("folder.before_rename")
        aside.rename(target)
        failpoint("folder.renamed")
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    _to_disk(target.parent)


def replace_text(path: Path, text: str) -> None:
    """Put `text` in the place of what `path` held; a reader sees the old text or the new one, never a part."""
    aside = path.with_name(f"{ASIDE}{path.name}")
    aside.write_text(text, encoding="utf-8")
    _to_disk(aside)
    failpoint("pointer.written")
    aside.replace(path)
    _to_disk(path.parent)


@contextmanager
def whole_file(target: Path) -> Generator[Path]:
    """Give a path to write to whose file takes the place of `target` when the block ends well, and vanishes when it fails.

    A reader finds the old file or the new one, never a part of one.
    """
    aside = target.with_name(f"{ASIDE}{target.name}")
    try:
        yield aside
        _to_disk(aside)
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)
    _to_disk(target.parent)


def copy_in_place(path: Path) -> None:
    """Put a copy of a file in its place: whoever has the file open goes on with what has no name any more."""
    aside = path.with_name(f"{ASIDE}{path.name}")
    shutil.copyfile(path, aside)
    _to_disk(aside)
    aside.replace(path)
    _to_disk(path.parent)


def clear_unfinished(parent: Path) -> None:
    """Remove what a killed writer left aside in `parent`; only the one writer may call it."""
    for path in parent.glob(f"{ASIDE}*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        failpoint("folder.cleared")


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
