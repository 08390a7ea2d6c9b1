"""What is said of figures that were reported otherwise before."""

from typing import Any

import pytest

from tests.dbt.conftest import Build, Marts
from tests.dbt.raw_builder import RawBuilder, utc

pytestmark = pytest.mark.dbt
FEBRUARY = {"period_grain": "month", "period_start_on": "2026-02-01"}
FIRST, SECOND, PRESENT = "2026-03-01 06:00", "2026-03-05 06:00", "2026-03-10 06:00"
REPORTS = ((FIRST, "000001_first"), (SECOND, "000002_second"))


def orders(raw: RawBuilder) -> None:
    """Two orders done in February; then a third is entered late, one is deleted, one is dated back into the month, one re-read."""
    raw.site("a", root_location_id=1)
    raw.site("b", root_location_id=2)
    raw.run("run-1", FIRST)
    raw.add("locations", 1, name="A")
    raw.add("locations", 2, name="B")
    for order in (1, 2, 3, 7):
        raw.order(order, "2026-02-10 08:00", "2026-02-12 08:00", location_id=1)
    raw.order(4, "2026-02-10 08:00", location_id=1)
    raw.order(5, "2026-01-10 08:00", location_id=1)
    raw.run("run-2", SECOND)
    raw.order(6, "2026-02-20 08:00", "2026-02-21 08:00", location_id=1)
    raw.order(7, "2026-02-10 08:00", "2026-02-12 08:00", location_id=1, cause="shape", description="seen since this release")
    raw.run("run-3", PRESENT)
    raw.order(3, "2026-02-10 08:00", "2026-02-12 08:00", is_deleted=True, location_id=1)
    raw.order(4, "2026-02-10 08:00", "2026-02-28 08:00", location_id=1)
    raw.order(5, "2026-01-10 08:00", "2026-03-09 08:00", location_id=1)
    raw.order(8, "2026-02-11 08:00", location_id=2)


def report(raw: RawBuilder, kpi: str, values: tuple[float | None, float | None], scope: str = "1", **columns: Any) -> None:
    """What the first and the second version said of February."""
    kind = {"scope_type": "organisation", "site_id": None} if scope == "1" else {"scope_type": "site", "site_id": scope}
    for (known_at, version), value in zip(REPORTS, values, strict=True):
        reason = "no_status_tracking" if value is None else None
        parts = {"value": value, "numerator": value, "denominator": None if value is None else 1.0, "n": 1, "reason": reason}
        about = FEBRUARY | kind | {"definition_version": "1", "window_state": "closed", "scope_id": scope}
        raw.reported(kpi=kpi, known_at=known_at, version=version, **parts | about | columns)


def reported_twice() -> RawBuilder:
    """What two versions said of February."""
    raw = RawBuilder()
    orders(raw)
    report(raw, "completed", (4.0, 5.0))
    report(raw, "completed", (4.0, 5.0), "a")
    report(raw, "completed", (0.0, 0.0), "b")
    report(raw, "created", (5.0, 6.0), "a", window_state="open")
    report(raw, "created", (0.0, 0.0), "b", definition_version="0")
    report(raw, "backlog_count", (2.0, 2.0), "a")
    report(raw, "availability", (0.5, None), "a")
    return raw


@pytest.fixture(scope="module")
def marts(build: Build) -> Marts:
    return build(reported_twice(), utc(PRESENT))


def restated(marts: Marts, kpi: str, scope: str, columns: str = "value_before, value_after, late_entries, late_entries_reason") -> list:
    where = "kpi = ? and scope_id = ? and period_grain = 'month' and period_start_on = '2026-02-01'"
    return marts.rows(f"select {columns} from marts.kpi_restatements where {where} order by known_at_after", kpi, scope)


def test_a_figure_was_this_and_is_that_because_of_so_many_late_entries(marts: Marts) -> None:
    assert restated(marts, "completed", "1") == [(4.0, 5.0, 1, None)]


def test_the_same_figure_from_other_orders_is_no_restatement(marts: Marts) -> None:
    assert restated(marts, "completed", "a") == [(4.0, 5.0, 1, None)]  # since then one was deleted, one dated back into the month


def test_it_says_which_version_said_it_before_and_what_was_known_then(marts: Marts) -> None:
    columns = "version_before, known_at_before, known_at_after, period_end_on, cause"
    (row,) = restated(marts, "completed", "a", columns)
    assert row[:3] == ("000001_first", utc(FIRST), utc(SECOND))
    assert (f"{row[3]}", row[4]) == ("2026-02-28", "data")


def test_a_window_that_was_open_was_not_restated(marts: Marts) -> None:
    assert restated(marts, "created", "a") == []


def test_another_definition_is_told_apart_from_other_data(marts: Marts) -> None:
    columns = "cause, late_entries, late_entries_reason, definition_version_before, definition_version_after"
    assert restated(marts, "created", "b", columns) == [("definition", None, "definition_changed", "0", "1")]


def test_what_is_published_now_counts_too_before_it_has_a_version(marts: Marts) -> None:
    (row,) = restated(marts, "created", "b", "value_before, value_after, version_before, known_at_after")
    assert row == (0.0, 1.0, "000002_second", utc(PRESENT))


def test_where_late_orders_do_not_tell_the_cause_it_says_why(marts: Marts) -> None:
    assert restated(marts, "backlog_count", "a") == [(2.0, 1.0, None, "state_at_period_end")]
    columns = "value_before, value_after, reason_before, reason_after, late_entries_reason"
    told = (0.5, None, None, "no_status_tracking", "rests_on_other_records")
    assert restated(marts, "availability", "a", columns) == [told]


def test_once_the_present_figures_are_written_down_as_reported_a_rebuild_says_the_same(build: Build, marts: Marts) -> None:
    columns = "kpi, site_id, scope_type, scope_id, period_grain, period_start_on, "
    columns += "value, numerator, denominator, n, reason, window_state, definition_version"
    names = columns.split(", ")
    raw = reported_twice()
    for row in marts.rows(f"select {columns} from marts.kpis where kpi in ('completed', 'created', 'backlog_count', 'availability')"):
        raw.reported(known_at=PRESENT, version="000003_present", **dict(zip(names, row, strict=True)))
    everything = "select * from marts.kpi_restatements order by all"
    assert build(raw, utc(PRESENT)).rows(everything) == marts.rows(everything) != []
