"""The walk over a list that changes while it is read: nothing that stays is skipped, and what is wrong is said."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dagster_project import first_load, walk
from dagster_project.maintainx.client import Page
from dagster_project.maintainx.errors import EndlessWalk, ProtocolError, Unavailable
from dagster_project.walk import MILLISECOND, Slice
from tests.small_world import raw

T0 = datetime(2026, 11, 1, tzinfo=UTC)
Params = Sequence[tuple[str, str]]


def at(milliseconds: float) -> datetime:
    return T0 + milliseconds * MILLISECOND


def page(*stamps: datetime | str | None, cursor: str | None = "more") -> Page:
    """Return a page of rows 1, 2, … with these values of updatedAt."""
    rows = [raw({"id": number, "updatedAt": stamp}) for number, stamp in enumerate(stamps, 1)]
    return Page(rows, cursor, T0, 0)


def ids(pages: Iterator[Page]) -> list[int]:
    return [msgspec.json.decode(record)["id"] for one in pages for record in one.records]


@dataclass
class Source:
    """A list in memory that filters, sorts and pages by offset; before each answer the next of `changes` happens."""

    rows: dict[int, datetime]
    size: int = 2
    changes: list[Callable[["Source"], None]] = field(default_factory=list)
    by: str = "updatedAt"
    now: datetime = T0 + timedelta(seconds=1)
    requests: list[dict[str, str]] = field(default_factory=list)

    def read(self, params: Params) -> Page:
        if self.changes:
            self.changes.pop(0)(self)
        asked = dict(params)
        self.requests.append(asked)
        least, most = asked.get(f"{self.by}[gte]", ""), asked.get(f"{self.by}[lte]", "~")
        shown = sorted((stamp, id_) for id_, stamp in self.rows.items() if least <= walk.iso(stamp) <= most)
        start = int(asked.get("cursor", "0"))
        found = shown[start : start + self.size]
        cursor = str(start + self.size) if len(shown) > start + self.size else None
        return Page([raw({"id": id_, self.by: walk.iso(stamp)}) for stamp, id_ in found], cursor, T0, 0)

    def read_all(self, params: Params) -> Iterator[Page]:
        one = self.read(params)
        yield one
        while one.next_cursor:
            one = self.read([*params, ("cursor", one.next_cursor)])
            yield one

    def walk(self, since: datetime | None = None, until: datetime | None = None) -> dict[int, set[str]]:
        """Return the stamps with which each row was seen."""
        seen: dict[int, set[str]] = {}
        for one in walk.anchored(self.read, self.read_all, self.by, since, until):
            for record in map(msgspec.json.decode, one.records):
                seen.setdefault(record["id"], set()).add(record[self.by])
        return seen


def touch(id_: int, later: int) -> Callable[[Source], None]:
    """Return the change that stamps a row, or adds it, so many milliseconds after the last change."""

    def happen(source: Source) -> None:
        source.now += later * MILLISECOND
        source.rows[id_] = source.now

    return happen


def delete(id_: int) -> Callable[[Source], None]:
    def happen(source: Source) -> None:
        source.rows.pop(id_, None)

    return happen


ROWS = st.dictionaries(st.integers(1, 9), st.sampled_from([0, 0, 0, 1, 2, 5]).map(at))
SIZES = st.integers(1, 4)
IDS = st.integers(1, 12)
DELETES = IDS.map(delete)
TOUCHES = st.builds(touch, IDS, st.integers(1, 2))
TIED_TOUCHES = st.builds(touch, IDS, st.integers(0, 1))


# the anchored walk


@settings(deadline=None)
@given(ROWS, SIZES, st.sampled_from([None, 0, 1, 3, 9]), st.sampled_from([None, 0, 2, 9]))
def test_the_size_of_a_page_never_matters(rows, size, since, until):
    bounds = [None if one is None else at(one) for one in (since, until)]
    least, most = bounds[0] or at(0), bounds[1] or at(99)
    seen = Source(rows, size).walk(*bounds)
    asked_for = {id_: stamp for id_, stamp in seen.items() if rows[id_] <= most}  # a group of one instant may show the next one's rows too
    assert asked_for == {id_: {walk.iso(stamp)} for id_, stamp in rows.items() if least <= stamp <= most}
    assert all(rows[id_] <= most + walk.SECOND for id_ in seen)


@settings(max_examples=300, deadline=None)
@given(ROWS, SIZES, st.lists(TOUCHES | DELETES, max_size=8))
def test_whatever_changes_between_pages_every_row_is_seen_as_it_stands_at_the_end(rows, size, changes):
    source = Source(dict(rows), size, changes)
    seen = source.walk()
    assert {id_: walk.iso(stamp) in seen.get(id_, ()) for id_, stamp in source.rows.items()} == dict.fromkeys(source.rows, True)


@settings(max_examples=300, deadline=None)
@given(ROWS, SIZES, st.lists(TIED_TOUCHES | DELETES, max_size=8))
def test_a_row_that_stays_as_it_is_is_seen_even_when_others_change_within_one_millisecond(rows, size, changes):
    source = Source(dict(rows), size, changes)
    seen = source.walk()
    stayed = {id_ for id_, stamp in rows.items() if source.rows.get(id_) == stamp}
    assert stayed <= set(seen)


def test_a_row_deleted_between_two_pages_pushes_no_other_out_of_sight():
    source = Source({number: at(number) for number in range(1, 7)}, size=2, changes=[lambda _: None, delete(1)])
    assert set(source.walk()) == {1, 2, 3, 4, 5, 6}


def test_a_row_updated_between_two_pages_moves_to_the_end_and_hides_no_other():
    source = Source({number: at(number) for number in range(1, 6)}, size=2, changes=[lambda _: None, touch(2, 1)])
    assert source.walk()[2] == {walk.iso(at(2)), walk.iso(source.now)}


def test_each_request_starts_at_the_last_value_and_never_uses_the_cursor():
    source = Source({1: at(1), 2: at(2), 3: at(3)}, size=2)
    source.walk(since=at(0))
    starts = [walk.iso(at(start)) for start in (0, 2)]
    assert source.requests == [{"updatedAt[gte]": start, "sort": "updatedAt"} for start in starts]


def test_a_group_of_one_instant_larger_than_a_page_is_read_until_two_readings_agree():
    source = Source({number: at(0) for number in range(1, 6)} | {6: at(1)}, size=2)
    seen = source.walk()
    assert set(seen) == {1, 2, 3, 4, 5, 6}
    assert source.requests[-1] == {"updatedAt[gte]": walk.iso(at(1)), "sort": "updatedAt"}


def test_a_group_that_never_comes_to_rest_is_given_up():
    changes = [change for number in range(1, 200) for change in (delete(number), touch(number + 5, 0))]
    source = Source({number: at(0) for number in range(1, 6)}, size=2, changes=changes, now=at(0))
    with pytest.raises(EndlessWalk, match=r"10 readings of the rows with updatedAt 2026-11-01T00:00:00\.000Z gave different rows"):
        source.walk(until=at(0))


def test_rows_without_a_readable_stamp_are_passed_on_and_do_not_stop_the_walk():
    answers = iter([page(at(1), "yesterday", None, "2026-11-01T00:00:00", 5, at(2)), page(at(2), cursor=None)])  # ty: ignore[invalid-argument-type]
    found = ids(walk.anchored(lambda _: next(answers), lambda _: iter(()), "updatedAt", None))
    assert found == [1, 2, 3, 4, 5, 6, 1]


def test_a_page_whose_rows_have_no_stamp_at_all_is_passed_by_the_cursor():
    asked: list[Params] = []
    answers = iter([page(None, None, cursor="c1"), page(at(1), at(2), cursor=None)])

    def read(params: Params) -> Page:
        asked.append(params)
        return next(answers)

    assert ids(walk.anchored(read, lambda _: iter(()), "updatedAt", None)) == [1, 2, 1, 2]
    assert asked == [[("sort", "updatedAt")], [("sort", "updatedAt"), ("cursor", "c1")]]


def test_a_list_without_any_stamp_is_given_up():
    with pytest.raises(EndlessWalk, match="no row with a readable updatedAt"):
        ids(walk.anchored(lambda _: page(None), lambda _: iter(()), "updatedAt", None))


def test_a_source_that_does_not_sort_is_found_out():
    with pytest.raises(ProtocolError, match="ascending order of updatedAt came in another order"):
        ids(walk.anchored(lambda _: page(at(2000), at(1000)), lambda _: iter(()), "updatedAt", None))


def test_a_source_that_ignores_the_filter_is_found_out():
    with pytest.raises(ProtocolError, match=r"from updatedAt 2026-11-01T00:00:05.000Z start at 2026-11-01T00:00:01.000Z"):
        ids(walk.anchored(lambda _: page(at(1000), at(6000)), lambda _: iter(()), "updatedAt", at(5000)))


@settings(deadline=None)
@given(st.dictionaries(st.integers(1, 9), st.sampled_from([0.0, 0.1, 0.2, 0.9, 1.0, 1.5, 2.0]).map(at)), SIZES)
def test_stamps_finer_than_a_millisecond_are_read_to_the_end(rows, size):
    assert set(Source(rows, size).walk()) == set(rows)


# the walk from the newest back


def newest_first(*pages: Page) -> Callable[[Params], Iterator[Page]]:
    return lambda _: iter(pages)


def test_the_walk_back_stops_at_the_page_that_ends_before_the_bound():
    pages = [page(at(9), at(8)), page(at(8), at(4)), page(at(3), at(2))]
    assert list(walk.recent(newest_first(*pages), at(5))) == pages[:2]


def test_the_walk_back_reads_on_when_a_page_ends_at_the_bound():
    pages = [page(at(9), at(5)), page(at(5), at(4)), page(at(3))]
    assert list(walk.recent(newest_first(*pages), at(5))) == pages[:2]


def test_the_walk_back_without_a_bound_reads_everything():
    pages = [page(at(9)), page("yesterday"), page(cursor="more"), page(at(1), cursor=None)]
    assert list(walk.recent(newest_first(*pages), None)) == pages


def test_a_walk_back_in_another_order_is_found_out():
    with pytest.raises(ProtocolError, match="descending order"):
        list(walk.recent(newest_first(page(at(1), at(2))), None))


# slices of a first load


@settings(deadline=None)
@given(st.integers(0, 10**7), st.integers(0, 10**7), st.integers(1, 9))
def test_slices_follow_on_one_another_without_a_gap_however_fine_the_stamps_are(start, length, count):
    first, last = T0 + timedelta(microseconds=start), T0 + timedelta(microseconds=start + length)
    parts = walk.slices(first, last, count)
    assert first - MILLISECOND < parts[0].start <= first
    assert last < parts[-1].end <= last + MILLISECOND
    assert [part.start for part in parts[1:]] == [part.end for part in parts[:-1]]
    assert [part.anchor for part in parts] == [part.start for part in parts]
    assert len({part.name for part in parts}) == len(parts) <= count


@settings(deadline=None)
@given(ROWS, SIZES, st.integers(1, 5))
def test_the_slices_of_a_list_together_are_the_list(rows, size, count):
    assume(rows)
    source = Source(rows, size)
    read = [id_ for part in walk.slices(min(rows.values()), max(rows.values()), count) for id_ in source.walk(part.start, part.end)]
    assert set(read) == set(rows)


def test_a_list_of_one_instant_is_one_slice():
    assert walk.slices(at(0), at(0), 8) == [Slice(f"{walk.iso(at(0))}/{walk.iso(at(1))}", at(0), at(1), at(0))]


# several walks side by side

PARTS = [Slice(str(number), at(number), at(number), at(number)) for number in range(6)]


def slice_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("slice")]


def test_every_walk_gives_all_its_pages_in_order_and_then_none():
    pages = {part: [page(at(number)) for number in range(5)] for part in PARTS}
    found: dict[Slice, list[Page | None]] = {part: [] for part in PARTS}
    for part, one in walk.side_by_side(PARTS, lambda part: iter(pages[part])):
        found[part].append(one)
    assert found == {part: [*pages[part], None] for part in PARTS}
    assert slice_threads() == []


def test_no_walks_give_nothing():
    assert list(walk.side_by_side([], lambda _: iter(()))) == []


def test_four_walks_go_on_at_once():
    together = threading.Barrier(4, timeout=10)

    def pages(_: Slice) -> Iterator[Page]:
        together.wait()
        yield page(at(1))

    assert len(list(walk.side_by_side(PARTS[:4], pages))) == 8


def test_the_first_error_is_raised_and_stops_the_other_walks():
    def pages(part: Slice) -> Iterator[Page]:
        if part is PARTS[1]:
            raise Unavailable("the source is down", path="/workorders")
        while True:
            yield page(at(1))

    with pytest.raises(Unavailable, match="the source is down"):
        list(walk.side_by_side(PARTS, pages))
    assert slice_threads() == []


def test_a_reader_that_turns_away_stops_the_walks():
    def pages(_: Slice) -> Iterator[Page]:
        while True:
            yield page(at(1))

    reading = walk.side_by_side(PARTS, pages)
    next(reading)
    reading.close()  # ty: ignore[missing-attribute]  (it is a generator)
    assert slice_threads() == []


def test_a_row_that_the_order_by_whole_seconds_puts_behind_a_later_one_is_not_skipped():
    rows = {1: at(4_000), 2: at(5_900), 3: at(5_100), 4: at(5_050), 5: at(7_000)}

    class BySecond(Source):
        def read(self, params: Params) -> Page:
            asked = dict(params)
            shown = [(stamp, id_) for id_, stamp in self.rows.items() if asked.get("updatedAt[gte]", "") <= walk.iso(stamp)]
            found = sorted(shown, key=lambda row: (walk.floor(row[0], walk.SECOND), row[1]))
            start = int(asked.get("cursor", "0"))
            cursor = str(start + self.size) if len(found) > start + self.size else None
            return Page([raw({"id": id_, self.by: walk.iso(stamp)}) for stamp, id_ in found[start : start + self.size]], cursor, T0, 0)

    assert BySecond(rows, 3).walk().keys() == rows.keys()


# instants as the API writes them


@pytest.mark.parametrize(
    ("instant", "down", "up"),
    [
        (T0, "2026-11-01T00:00:00.000Z", "2026-11-01T00:00:00.000Z"),
        (T0 + timedelta(microseconds=1), "2026-11-01T00:00:00.000Z", "2026-11-01T00:00:00.001Z"),
        (T0 - timedelta(microseconds=1), "2026-10-31T23:59:59.999Z", "2026-11-01T00:00:00.000Z"),
        (datetime.fromisoformat("2026-11-01T01:00:00.5+01:00"), "2026-11-01T00:00:00.500Z", "2026-11-01T00:00:00.500Z"),
    ],
    ids=str,
)
def test_an_instant_is_written_to_the_millisecond_in_utc(instant, down, up):
    assert (walk.iso(instant), walk.iso(walk.ceiling(instant, MILLISECOND))) == (down, up)


def test_a_first_load_has_a_slice_for_each_five_thousand_rows_but_four_at_most():
    day = [T0 + timedelta(minutes=7 * i) for i in range(200)]

    def pages(rows: int) -> tuple[list[datetime], list[datetime]]:
        return day, [T0 + timedelta(minutes=7 * i) for i in range(rows - 200, rows)]

    assert [first_load.slice_count(*pages(rows)) for rows in (228, 4_900, 10_900, 42_000, 1_000_000)] == [1, 1, 2, 4, 4]
    assert first_load.slice_count([T0] * 200, [T0] * 200) == 4, "of a bulk import nobody knows how long it is"
