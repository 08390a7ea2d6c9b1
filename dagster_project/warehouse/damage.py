"""What is wrong with a file that cannot be opened or read, and what to do about it."""

from pathlib import Path

import duckdb

from dagster_project.warehouse.base import DamagedWarehouse, WarehouseBusy
from dagster_project.warehouse.folders import copy_in_place


def is_damage(error: duckdb.Error) -> bool:
    """Return whether an error says that the file itself is damaged."""
    return any(sign in str(error) for sign in ("Corrupt database file", "Could not read enough bytes", "not a valid DuckDB database"))


def damaged(path: Path, error: duckdb.Error) -> DamagedWarehouse:
    """Return what to do about a file that cannot be used."""
    what = f"{path} cannot be used: {str(error).splitlines()[0].rstrip('.')}"
    way_back = f"Move {path.name}* away, run `make restore`, then `make refresh`, which reads what changed since the backup"
    return DamagedWarehouse(f"{what}. {way_back}. A file that a newer DuckDB has written needs the newer version of this program instead")


def locked_out(path: Path, error: duckdb.Error) -> WarehouseBusy:
    """Return who has the file open that does not know of our lease: a DuckDB client."""
    return WarehouseBusy(
        f"{path} is open in another program: close it there (read `published/` instead), and start again ({str(error).splitlines()[0]})"
    )


def leave_behind(path: Path) -> None:
    """Give the file and its write-ahead log new places on the disk: what a writer that stood still writes goes to the old ones."""
    for one in (path, path.with_name(f"{path.name}.wal")):
        if one.exists():
            copy_in_place(one)
