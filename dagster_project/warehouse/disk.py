"""Errors of the disk, whoever met them: full, broken, read-only, over a quota. Said with what to do next."""

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from errno import EDQUOT, EFBIG, EIO, ENOSPC, EROFS
from pathlib import Path

from dagster_project.warehouse.base import DiskTrouble

SIGNS = tuple(os.strerror(number) for number in (ENOSPC, EDQUOT, EFBIG, EROFS, EIO))  # DuckDB quotes them


def trouble(error: BaseException, folder: Path) -> DiskTrouble | None:
    """Return how to say that the disk is to blame for an error; None when it is not."""
    sign = next((sign for one in _chain(error) for sign in SIGNS if sign in str(one)), None)
    if sign is None:
        return None
    return DiskTrouble(
        f"{folder} does not take what is written: {sign.lower()}. Free space there, or mend the disk, and start again; what was committed "
        "is kept, and readers go on with the version that was published last"
    )


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
