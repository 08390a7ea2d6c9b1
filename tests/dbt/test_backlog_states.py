"""Running sums of what entered and left are, at every period's end, what the plain definition counts there."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from tests.dbt.conftest import Build, Marts
from tests.dbt.raw_builder import RawBuilder, utc

pytestmark = pytest.mark.dbt
AS_OF = utc("2026-04-15 12:00")
FIRST = utc("2026-02-10 00:00")
ZONES = {1: "UTC", 2: "America/Chicago", 3: "Asia/Kolkata"}
AGES = {"age_0_7": (0, 8), "age_8_30": (8, 31), "age_31_90": (31, 91), "age_over_90": (91, 10**6)}
A_DAY = timedelta(days=1)


@dataclass
class Version:
    """One state of an order; `at` is its updatedAt."""

    at: datetime
    status: str
    estimate: int | None
    start_at: datetime | None
    parts: str | None


@dataclass
class Case:
    """An order with every state it was seen in; what it is now says when it is due."""

    id: int
    created_at: datetime
    due_at: datetime | None
    completed_at: datetime | None = None
    versions: list[Version] = field(default_factory=list)

    @property
    def closed_at(self) -> datetime | None:
        """When it left the backlog: the completion, or else the first of its present run of closed states."""
        if self.versions[-1].status in {"OPEN", "IN_PROGRESS", "ON_HOLD"}:
            return None
        if self.versions[-1].status == "DONE":
            return self.completed_at
        return self.versions[-1].at

    def stands(self, at: datetime) -> bool:
        return self.created_at <= at and (self.closed_at is None or self.closed_at > at)

    def shown(self, at: datetime) -> bool:
        start_at = self.versions[-1].start_at
        return self.stands(at) and (start_at is None or start_at <= max(at, self.created_at))

    def age(self, at: datetime) -> int:
        return (at - self.created_at) // A_DAY

    def ready_seconds(self, at: datetime) -> int | None:
        """The estimate by the state in force, if the order could be begun."""
        state = next((one for one in reversed(self.versions) if one.at <= at), self.versions[0])
        has_parts = state.parts in {None, "NO_PARTS", "KITTED", "STAGED", "ISSUED"}
        could_begin = self.stands(at) and state.status == "OPEN" and has_parts and (state.start_at or at) <= at
        return state.estimate if could_begin else None


def a_case(order_id: int, rng: Random, zone: str) -> Case:
    """An order whose instants love midnights."""

    def instant(first: str = "2025-12-20", days: int = 130) -> datetime:
        midnight = datetime.combine(date.fromisoformat(first) + timedelta(days=rng.randrange(days)), datetime.min.time(), ZoneInfo(zone))
        return (midnight + rng.choice((0, 0, 1, -1, 3600, 40_000)) * timedelta(seconds=1)).astimezone(UTC)

    created_at = instant()
    stamps = sorted({max(created_at, min(instant(), AS_OF)) for _ in range(rng.randrange(1, 5))})
    case = Case(order_id, created_at, instant() if rng.random() < 0.7 else None)
    start_at = instant() if rng.random() < 0.5 else None
    for place, at in enumerate(stamps):
        is_last = place == len(stamps) - 1
        open_statuses = ("OPEN", "OPEN", "IN_PROGRESS", "ON_HOLD")
        status = rng.choice((*open_statuses, "DONE", "CANCELED", "SKIPPED") if is_last and place else open_statuses)
        estimate = rng.choice((None, 1800, 7200)) if rng.random() < 0.3 or not case.versions else case.versions[-1].estimate
        parts = rng.choice((None, "NO_PARTS", "ASSIGNED", "KITTED", "RESERVED"))
        case.versions.append(Version(at, status, estimate, start_at, parts))
    if case.versions[-1].status == "DONE":
        case.completed_at = rng.choice((stamps[-1], stamps[-1] - timedelta(days=rng.randrange(3))))
    return case


def write(raw: RawBuilder, cases: list[Case]) -> None:
    """Every state in a run of its own, the first ones in the first run."""
    raw.run("first", f"{FIRST:%Y-%m-%d %H:%M}")
    for number in range(max(len(case.versions) for case in cases)):
        if number:
            raw.run(f"run-{number}", f"{AS_OF - timedelta(hours=9 - number):%Y-%m-%d %H:%M}")
        for case in cases:
            if number < len(case.versions):
                one = case.versions[number]
                completed_at = f"{case.completed_at}" if one.status == "DONE" else None
                about = {"status": one.status, "updated_at": f"{one.at}", "due_at": case.due_at, "start_at": one.start_at}
                kit = {"estimated_seconds": one.estimate, "part_status": one.parts}
                raw.order(case.id, f"{case.created_at}", completed_at, **about | kit)


@pytest.fixture(scope="module")
def cases() -> dict[int, list[Case]]:
    return {organisation: [a_case(number, Random(f"{organisation} {number}"), zone) for number in range(1, 161)]
            for organisation, zone in ZONES.items()}  # fmt: skip


@pytest.fixture(scope="module")
def marts(build: Build, cases: dict[int, list[Case]]) -> Marts:
    raw = RawBuilder()
    for organisation, zone in ZONES.items():
        raw.organisation_id = organisation
        raw.site(str(organisation), zone)
        write(raw, cases[organisation])
    return build(raw, AS_OF)


def ends(zone: str, grain: str, start: date) -> datetime:
    """The instant at which a period ends on the site's clock, or that of the evaluation."""
    months = {"month": 1, "quarter": 3, "year": 12}.get(grain)
    after = start + timedelta(days=7)
    if months:
        after = date(start.year + (start.month - 1 + months) // 12, (start.month - 1 + months) % 12 + 1, 1)
    return min(datetime.combine(after, datetime.min.time(), ZoneInfo(zone)).astimezone(UTC), AS_OF)


def test_the_backlog_at_every_periods_end_is_what_the_definition_counts(marts: Marts, cases: dict[int, list[Case]]) -> None:
    columns = ["orders", "upcoming", "overdue", "own_estimates", *AGES, "ready", "ready_seconds"]
    query = "select organisation_id, period_grain, period_start_on, {} from intermediate.int_backlog where scope_type = 'site' order by all"
    rows = marts.rows(query.format(", ".join(columns)))
    assert len(rows) > 3 * 20
    for organisation, grain, start, *found in rows:
        at = ends(ZONES[organisation], grain, start)
        standing = [case for case in cases[organisation] if case.stands(at)]
        shown = [case for case in standing if case.shown(at)]
        ready = [seconds for case in standing if (seconds := case.ready_seconds(at)) is not None]
        expected = [
            len(standing),
            len(standing) - len(shown),
            sum(case.due_at is not None and case.due_at < at for case in standing),
            sum(case.versions[-1].estimate is not None for case in standing),
            *(sum(low <= case.age(at) < high for case in shown) for low, high in AGES.values()),
        ]
        assert found == [*expected, len(ready), sum(ready)], (organisation, grain, start)


def test_what_entered_less_what_left_is_how_the_backlog_changed(marts: Marts, cases: dict[int, list[Case]]) -> None:
    sums = dict(
        marts.rows("select organisation_id, sum(opened) - sum(closed) from intermediate.int_backlog_moves group by organisation_id")
    )
    assert sums == {organisation: sum(case.stands(AS_OF) for case in those) for organisation, those in cases.items()}


def test_ages_are_those_of_the_orders_that_stand_there(marts: Marts, cases: dict[int, list[Case]]) -> None:
    columns = "organisation_id, period_grain, period_start_on"
    query = f"select {columns}, list(age_seconds order by age_seconds) from intermediate.int_backlog_ages group by all"
    for organisation, grain, start, ages in marts.rows(query):
        at = ends(ZONES[organisation], grain, start)
        assert ages == sorted((at - case.created_at) // timedelta(seconds=1) for case in cases[organisation] if case.shown(at))
