"""Other tools reading the same lists from the same source, for the ratios; their environments come from `make bench-peers`."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.measuring import Bench, CountsDiffer, Measurement, medians
from benchmarks.peers import holding, running
from benchmarks.peers.contestants import CONTESTANTS, Contestant
from benchmarks.report import PeerRow

LOADED_ONCE = ("ours", "dlt", "singer", "airbyte", "plain")  # the nightly variants differ in nothing that is measured here
PATIENCE = 1800.0  # seconds for one sync


def measured(bench: Bench, runs: int, say: Callable[[str], None]) -> Iterator[PeerRow]:
    """Yield each installed tool's full load and its next sync, ours first."""
    for contestant in CONTESTANTS:
        if contestant.name not in LOADED_ONCE or not contestant.python.exists():
            continue
        try:
            found = [_once(bench, contestant) for _ in range(runs)]
        except CountsDiffer as error:
            if contestant.name == "ours":
                raise
            say(f"{contestant.name} is left out: {error}")
            continue
        row = PeerRow(contestant.label, contestant.versions(), medians([one for one, _ in found]), medians([two for _, two in found]))
        say(f"{contestant.name}: full {row.full}, nothing changed {row.unchanged}")
        yield row


def _once(bench: Bench, contestant: Contestant) -> tuple[Measurement, Measurement]:
    folder = Path(tempfile.mkdtemp(prefix="contender-", dir=bench.settings.data_dir))
    try:
        full = _sync(bench, contestant, folder)
        held = sum(table == "work_orders" for table, _ in holding.holding(contestant, folder).rows)
        if held != bench.work_orders(bench.first_organisation):
            raise CountsDiffer(f"{contestant.name} holds {held} work orders")
        return full, _sync(bench, contestant, folder)
    finally:
        shutil.rmtree(folder)


def _sync(bench: Bench, contestant: Contestant, folder: Path) -> Measurement:
    state, refused = bench.state(), bench.refused()
    url, token = bench.settings.maintainx_url, f"demo-{bench.first_organisation}"
    command = contestant.command("sync", "--url", url, "--token", token, "--folder", str(folder), "--now", f"{state['now'][:19]}.000Z")
    log = bench.settings.log_dir / "contender.log"
    ended = running.run(command, log, holding.environment(folder), PATIENCE)
    if not ended.is_well:
        raise CountsDiffer(f"{contestant.name} ended with {ended.status}; the end of its log:\n{log.read_text(errors='replace')[-1500:]}")
    orders, requests = bench.work_orders(bench.first_organisation), bench.state()["requests"] - state["requests"]
    return Measurement(orders, ended.wall_seconds, ended.cpu_seconds, ended.peak_megabytes, requests, bench.refused() - refused)
