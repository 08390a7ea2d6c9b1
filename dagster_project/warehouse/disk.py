"""Errors of the system below, whoever met them: a disk that is full, broken or read-only, a limit reached. Said with what to do next."""

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from errno import EDQUOT, EFBIG, EIO, EMFILE, ENOSPC, EROFS
from pathlib import Path

from dagster_project.warehouse.base import DiskTrouble

NEXT_STEPS = {
    ENOSPC: "free space there",
    EDQUOT: "free space there, or raise the quota",
    EFBIG: "raise the limit of a file's size (ulimit -f)",
    EROFS: "mount it for writing",
    EIO: "look after the disk",
    EMFILE: "raise the limit of open files (ulimit -n)",
}
SIGNS = {os.strerror(number): step for number, step in NEXT_STEPS.items()}  # DuckDB and Python quote them


def trouble(error: BaseException, folder: Path) -> DiskTrouble | None:
    """Return how to say that the system below is to blame for an error; None when it is not."""
    sign = next((sign for one in _chain(error) for sign in SIGNS if sign in str(one)), None)
    if sign is None:
        return None
    kept = "What was committed is kept, and readers go on with the version that was published last"
    return DiskTrouble(f"{folder} cannot be written to: {sign.lower()}. To go on, {SIGNS[sign]} and start again. {kept}")


@contextmanager
def explained(folder: Path | None) -> Generator[None]:
    """Let an error of the disk leave the block as DiskTrouble, any other one as it is."""
    try:
        yield
    except Exception as error:
        if folder and (said := trouble(error, folder)):
            raise said from error
        raise


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
