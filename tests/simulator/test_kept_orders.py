"""Sort orders that are mended as rows change are the orders that sorting anew would give."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.instants import iso
from simulator.rows import Rows, id_of, pack, value_of

FIELDS = ("id", "updatedAt", "completedAt", "startedAt")
CHANGES = st.tuples(
    st.integers(1, 8), st.integers(0, 5), st.one_of(st.none(), st.integers(0, 3)), st.sampled_from(["put", "put", "drop", "start", "look"])
)


def row(number: int, updated: int, completed: int | None) -> bytes:
    record = {"id": number, "updatedAt": iso(updated)} | ({} if completed is None else {"completedAt": iso(completed)})
    return msgspec.json.encode(record)


@settings(deadline=None)
@given(st.lists(CHANGES, max_size=40))
def test_a_mended_order_is_the_sorted_order(changes):
    rows = Rows()
    for number, updated, completed, what in changes:
        if what == "put":
            rows.store(number, row(number, updated, completed))
        elif what == "drop":
            rows.store(number, None)
        elif what == "start" and number in rows.encoded:
            rows.started[number] = updated
            rows.store(number, row(number, updated, completed))
        else:
            assert all(rows.order(field) == sorted(rows.key(field, each) for each in rows.encoded.values()) for field in FIELDS)
    assert all(rows.order(field) == sorted(rows.key(field, each) for each in rows.encoded.values()) for field in FIELDS)


@settings(deadline=None)
@given(st.one_of(st.none(), st.integers(0, 2**52)), st.integers(0, 2**63))
def test_a_packed_key_gives_back_its_value_and_its_id(value, number):
    assert (value_of(pack(value, number)), id_of(pack(value, number))) == (value, number)
