"""pandera, loaded when the first batch has something to check, and without pandas, which it takes along when it finds it.

Loading both costs 1.5 s of CPU, as much as a refresh in which nothing changed; pandera alone costs 0.2 s.
"""

from functools import cache
from types import ModuleType

from dagster_project.absent import absent

HEAVY = ("pandas", "hypothesis")  # optional to pandera, of no use to it for Polars frames


@cache
def pandera() -> ModuleType:
    """Return pandera.polars; it looks for pandas when it is imported and when it first checks a frame, so both are done here."""
    with absent(*HEAVY):
        import pandera.polars as found  # noqa: PLC0415  the whole point of this module
        import polars as pl  # noqa: PLC0415

        check = found.Check(lambda data: data.lazyframe.select(pl.col("id").is_not_null()))
        found.DataFrameSchema({"id": found.Column(pl.Int64())}, checks=[check], unique=["id"]).validate(pl.DataFrame({"id": [1]}))
    return found
