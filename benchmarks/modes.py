"""What is measured: each mode prepares the data folder, runs one program and checks what that stored."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.measuring import Bench, Measurement

EXTRACT = ("-m", "benchmarks.extract")
COMMAND = ("-m", "dagster_project")
THOUSAND = 1_000


@dataclass(frozen=True, slots=True)
class Mode:
    """One thing that users wait for."""

    name: str
    label: str
    measure: Callable[[Bench], Measurement]
    reads_all: bool = False


def full(bench: Bench) -> Measurement:
    """Read everything into an empty warehouse."""
    bench.empty()
    found = bench.run(*EXTRACT)
    bench.check_log()
    return found


def unchanged(bench: Bench) -> Measurement:
    """Read what changed, when nothing did."""
    return _extract(bench)


def thousand(bench: Bench) -> Measurement:
    """Read what changed, when a thousand work orders did."""
    bench.change(THOUSAND)
    return _extract(bench)


def one_percent(bench: Bench) -> Measurement:
    """Read what changed, when one work order of a hundred did."""
    bench.change(bench.state()["counts"]["work_orders"] // 100)
    return _extract(bench)


def sweep(bench: Bench) -> Measurement:
    """Read everything again and compare it with the log."""
    return _extract(bench, "--sweep")


def replay(bench: Bench) -> Measurement:
    """Rebuild the typed columns and children of the log from its payloads."""
    found = bench.run(*COMMAND, "replay")
    bench.check_log()
    return found


def first_refresh(bench: Bench) -> Measurement:
    """Run the whole job on an empty warehouse; dbt parses and compiles."""
    bench.empty()
    (bench.settings.dbt_target_dir / "statements.json").unlink(missing_ok=True)
    return _refresh(bench)


def refresh_unchanged(bench: Bench) -> Measurement:
    """Run the whole job when nothing changed."""
    return _refresh(bench)


def refresh_one_percent(bench: Bench) -> Measurement:
    """Run the whole job when one work order of a hundred changed."""
    bench.change(bench.state()["counts"]["work_orders"] // 100)
    return _refresh(bench)


def refresh_shift(bench: Bench) -> Measurement:
    """Run the whole job eight hours later; labour is swept, and orders deleted meanwhile may still be shown."""
    return _refresh(bench, deleted=bench.advance(hours=8))


def _extract(bench: Bench, *options: str) -> Measurement:
    found = bench.run(*EXTRACT, *options)
    bench.check_log()
    return found


def _refresh(bench: Bench, deleted: int = 0) -> Measurement:
    found = bench.run(*COMMAND, "refresh")
    bench.check_marts(deleted)
    return found


MODES = (
    Mode("full", "extract: everything, into an empty warehouse", full, reads_all=True),
    Mode("unchanged", "extract: nothing changed", unchanged),
    Mode("thousand", "extract: 1,000 work orders changed", thousand),
    Mode("one-percent", "extract: 1 % changed", one_percent),
    Mode("sweep", "full sweep: everything read again and compared", sweep),
    Mode("replay", "columns and children rebuilt from the payloads", replay),
    Mode("first-refresh", "whole job: empty warehouse, dbt compiles", first_refresh, reads_all=True),
    Mode("refresh-unchanged", "whole job: nothing changed", refresh_unchanged),
    Mode("refresh-one-percent", "whole job: 1 % changed", refresh_one_percent),
    Mode("refresh-shift", "whole job: a shift of 8 hours later, labour swept", refresh_shift),
)
