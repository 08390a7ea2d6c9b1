"""Remove what was made at run time: only what we know we made, and never a backup unless told to."""

import fcntl
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from dagster_project.settings import Settings
from dagster_project.warehouse.base import WarehouseBusy
from dagster_project.warehouse.lease import newest_holder


def made(settings: Settings) -> list[Path]:
    """Return what stands in DATA_DIR that a refresh makes again or that only this machine needs; backups are not in it."""
    known = [
        settings.published_dir,
        settings.export_dir,
        settings.docs_dir,
        settings.dbt_target_dir,
        settings.dagster_home,
        settings.simulator_dir,
        settings.log_dir,
        settings.data_dir / "capabilities",
        settings.data_dir / "screenshots",
        *settings.data_dir.glob(f"{settings.warehouse_path.stem}.*"),  # the file, its write-ahead log, its lock and its lease
        *settings.data_dir.glob("tmp*"),
    ]
    return sorted({path for path in known if path.exists()})


def clean(settings: Settings, *, backups: bool = False) -> list[Path]:
    """Remove what was made at run time and return what was removed; backups too only when `backups`.

    Raises:
        WarehouseBusy: a process writes to the warehouse; nothing was removed.
    """
    with _nobody_writes(settings):
        removed = made(settings) + ([settings.backup_dir] if backups and settings.backup_dir.exists() else [])
        for path in removed:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
    return removed


@contextmanager
def _nobody_writes(settings: Settings) -> Generator[None]:
    lock = settings.warehouse_path.with_suffix(".lock")
    if not lock.exists():
        yield
        return
    with lock.open() as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            who = newest_holder(settings.warehouse_path.with_suffix(".lease")) or "another process"
            raise WarehouseBusy(f"{settings.warehouse_path} is being written by {who}: stop it first") from None
        yield


def kept(settings: Settings) -> list[Path]:
    """Return the backups that stand, newest last."""
    return sorted(settings.backup_dir.iterdir()) if settings.backup_dir.is_dir() else []
