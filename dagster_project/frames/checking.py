"""pandera, loaded when the first batch has something to check, and without pandas, which it takes along when it finds it.

Loading both costs 1.5 s of CPU, as much as a refresh in which nothing changed; pandera alone costs 0.2 s.
"""

import sys
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import cache
from types import ModuleType

HEAVY = ("pandas", "hypothesis")  # optional to pandera, of no use to it for Polars frames


class _Absent:
    """Tells one thread's imports that a package is not installed."""

    def __init__(self, names: Sequence[str]):
        self.names, self.thread = names, threading.get_ident()

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> None:
        if name in self.names and threading.get_ident() == self.thread:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


@contextmanager
def absent(*names: str) -> Generator[None]:
    """Let this thread's imports in the block find none of the packages, unless they are loaded already."""
    finder = _Absent(names)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


@cache
def pandera() -> ModuleType:
    """Return pandera.polars; it looks for pandas when it is imported and when it first checks a frame, so both are done here."""
    with absent(*HEAVY):
        import pandera.polars as found  # noqa: PLC0415  the whole point of this module
        import polars as pl  # noqa: PLC0415

        check = found.Check(lambda data: data.lazyframe.select(pl.col("id").is_not_null()))
        found.DataFrameSchema({"id": found.Column(pl.Int64())}, checks=[check], unique=["id"]).validate(pl.DataFrame({"id": [1]}))
    return found
