"""Imports that leave out what a library takes along without our needing it: a command should not wait for that."""

import sys
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager


class _Absent:
    """Tells one thread's imports that packages are not installed."""

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
