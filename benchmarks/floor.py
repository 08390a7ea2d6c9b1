"""The fewest requests that can tell what a refresh tells: full pages, nothing twice, no failure."""

import math
from collections import Counter

from dagster_project.maintainx.endpoints import ENDPOINTS, Walk
from dagster_project.refresh import RefreshReport
from simulator.world import World

PAGE = 200


class Floor:
    """Counts them from one refresh to the next."""

    def __init__(self, world: World, organisation_id: int) -> None:
        self.world, self.organisation_id = world, organisation_id
        self._read: Counter[str] = Counter()

    def of_sync(self, is_first: bool) -> int:
        """Return the requests of one sync: pages of what changed where the source can tell, else of all there is; two ask the time."""
        total = 2
        for endpoint in ENDPOINTS:
            history, everything = self.world.history(endpoint.table), self._rows(endpoint.table)
            changed = {each[1] for each in history[self._read[endpoint.table] :] if each[0] == self.organisation_id}
            self._read[endpoint.table] = len(history)
            rows = everything if is_first or endpoint.walk is Walk.WHOLE else len(changed)
            total += _pages(rows) + (everything if endpoint.members else 0) + len(endpoint.variants) - 1
        return total

    @staticmethod
    def of_comparisons(report: RefreshReport) -> int:
        """Return the requests of what has no stamp to go by: pages of labour and of what was compared, one for each record that is gone."""
        labour = sum(_pages(one.counts.fetched) for one in report.endpoints if one.kind == "labour")
        return labour + sum(_pages(one.source_rows) + one.deleted for one in report.comparisons)

    def _rows(self, table: str) -> int:
        return len(self.world.table(table, self.organisation_id).rows.encoded)


def _pages(rows: int) -> int:
    return max(1, math.ceil(rows / PAGE))
