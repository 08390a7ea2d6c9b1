"""After any sequence of readings the marts equal a rebuild from the same log in an empty place; reading twice is reading once."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dagster_project import backup, refresh
from dagster_project import settings as environment
from dagster_project.settings import Settings
from simulator.api import Simulator
from simulator.instants import DAY, HOUR, iso
from simulator.transport import transport
from simulator.world import World
from tests.small_world import NORTHFIELD, ago, asset, company, labour, order, status
from tests.test_end_to_end import SITES_FILE, content, rebuild, tables_of

pytestmark = pytest.mark.dbt
ROOTS = (5001, 5002)  # of the demo's two sites of this organisation
VOLATILE = frozenset({"as_of", "data_to", "known_at_after"})

Happening = Callable[[World, int], None]


def place(record_id: int, **fields: Any) -> dict[str, Any]:
    at = ago(days=90)
    return {"id": record_id, "name": f"Place {record_id}", "createdAt": at, "updatedAt": at, **fields}


def a_company() -> World:
    """Eight orders of two machines at two sites, some done, some preventive, one with labour; a machine that was down."""
    return company(
        locations=[*(place(root) for root in ROOTS), place(6001, parentId=5001)],
        assets=[asset(1, locationId=6001, assetTypes=["Pump"]), asset(2, locationId=5002)],
        asset_statuses=[status(1), status(2, assetId=2, endedAt=ago(days=4), downtimeType="UNPLANNED")],
        work_orders=[
            *(order(number, type="REACTIVE", assetId=1 + number % 2, estimatedTime=1800 * number) for number in range(1, 5)),
            order(5, type="PREVENTIVE", dueDate=ago(days=1), dueDateIsFullDay=True, startDate=ago(days=6)),
            order(6, status="DONE", completedAt=ago(days=20), timeItems=[labour(3600)], type="REACTIVE"),
            order(7, status="DONE", completedAt=ago(days=2), assignees=[{"type": "USER", "id": 7}]),
            order(8, status="ON_HOLD", partStatus="RESERVED"),
        ],
    )


def _change(**fields: Any) -> Happening:
    return lambda world, order_id: world.change("work_orders", NORTHFIELD, order_id, **fields)


def _done(days_ago: int) -> Happening:
    return lambda world, order_id: _change(status="DONE", completedAt=iso(world.now - days_ago * DAY))(world, order_id)


def _labour(world: World, order_id: int) -> None:
    items = (world.get("work_orders", NORTHFIELD, order_id) or {}).get("timeItems", [])
    world.whisper("work_orders", NORTHFIELD, order_id, timeItems=[*items, labour(900 * order_id)])


def _due(days: int) -> Happening:
    return lambda world, order_id: _change(dueDate=iso(world.now + days * DAY))(world, order_id)


def _move(world: World, order_id: int) -> None:
    world.change("assets", NORTHFIELD, 1 + order_id % 2, locationId=ROOTS[order_id // 2 % 2])


MENU: dict[str, Happening] = {
    "begun": _change(status="IN_PROGRESS"),
    "held": _change(status="ON_HOLD"),
    "opened": _change(status="OPEN", completedAt=None),
    "done": _done(0),
    "done in the past": _done(9),
    "cancelled": _change(status="CANCELED"),
    "late labour": _labour,
    "pushed": _due(5),
    "pulled": _due(-5),
    "reassigned": _change(assignees=[{"type": "USER", "id": 7}]),
    "deleted": lambda world, order_id: world.delete("work_orders", NORTHFIELD, order_id),
    "asset moved": _move,
}
STEPS = st.lists(
    st.tuples(
        st.sampled_from([1, 20, 24, 24 * 8]),  # hours until the next reading
        st.lists(st.tuples(st.sampled_from(sorted(MENU)), st.integers(1, 8)), min_size=1, max_size=4),
    ),
    min_size=1,
    max_size=4,
)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What dbt compiled of all models, from a first refresh: the others run it in seconds."""
    found = settings_of(tmp_path_factory.mktemp("compiled"))
    read(found, Simulator(a_company()))
    return found.dbt_target_dir


def settings_of(folder: Path, compiled: Path | None = None) -> Settings:
    found = environment.load(maintainx_url="http://simulator/v1", maintainx_token="demo", data_dir=folder, sites_file=SITES_FILE)
    if compiled:
        copytree(compiled, found.dbt_target_dir)
    return found


def read(found: Settings, simulator: Simulator) -> refresh.RefreshReport:
    """One whole refresh, published."""
    report = refresh.refresh(found, lambda _: None, transport=transport(simulator))
    assert report.failed == {}
    return report


def marts_of(found: Settings, left_out: frozenset[str] = frozenset()) -> dict[str, list[tuple]]:
    return {table: content(found, table, left_out) for table in tables_of(found, ("marts",))}


def live(found: Settings, steps: list[tuple[int, list[tuple[str, int]]]]) -> Simulator:
    """Let things happen and read, again and again."""
    simulator = Simulator(a_company())
    read(found, simulator)
    for hours, happenings in steps:
        for name, order_id in happenings:
            simulator.world.advance(timedelta(minutes=1))
            if simulator.world.get("work_orders", NORTHFIELD, order_id) is not None:
                MENU[name](simulator.world, order_id)
        simulator.world.run_until(simulator.world.now + hours * HOUR)
        read(found, simulator)
    return simulator


def check(folder: Path, compiled: Path, steps: list[tuple[int, list[tuple[str, int]]]]) -> None:
    """The two laws over one sequence."""
    found, empty = settings_of(folder / "lived", compiled), settings_of(folder / "empty", compiled)
    simulator = live(found, steps)
    lived = marts_of(found)
    backup.restore(empty, backup.backup(found))
    rebuild(empty)
    assert marts_of(empty) == lived
    before = marts_of(found, VOLATILE)
    assert read(found, simulator).versions == 0
    assert marts_of(found, VOLATILE) == before


@pytest.mark.slow
@pytest.mark.timeout(0)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_any_sequence_of_readings_ends_in_what_the_log_says(tmp_path_factory: pytest.TempPathFactory, compiled: Path, steps: Any) -> None:
    check(tmp_path_factory.mktemp("sequence"), compiled, steps)


def test_what_happens_to_orders_is_told_as_events_and_survives_a_rebuild(tmp_path: Path, compiled: Path) -> None:
    steps = [
        (24, [("begun", 1), ("pushed", 5), ("reassigned", 2), ("done", 3), ("late labour", 6), ("asset moved", 4)]),
        (24, [("held", 1), ("pulled", 5), ("opened", 7), ("deleted", 4), ("cancelled", 2)]),
        (24 * 8, [("opened", 1), ("done in the past", 8), ("late labour", 3), ("asset moved", 7), ("done", 7)]),
    ]
    check(tmp_path, compiled, steps)
    lived = settings_of(tmp_path / "lived")
    events = {row[0] for row in content(lived, "(select distinct event from marts.fct_work_order_events)")}
    assert {"status_changed", "held", "resumed", "completed", "reopened", "canceled", "deleted"} <= events
    assert {"due_date_pushed", "due_date_pulled", "reassigned"} <= events
    assert content(lived, "(select distinct cause from marts.kpi_restatements)") == [("data",)]
