"""Frames for DuckDB and DuckDB's results for Polars, handed over by Arrow's C interface: pyarrow and numpy stay unloaded.

A module of its own: Polars remembers the class for ever, and through a module that imports duckdb it would keep that
alive until after the interpreter's end, where duckdb complains.
"""

from typing import Any


class ArrowStream:
    """Anything that speaks Arrow's C interface, and nothing else of it."""

    def __init__(self, source: Any):
        self.source = source

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return the rows as an Arrow stream."""
        return self.source.__arrow_c_stream__(requested_schema)
