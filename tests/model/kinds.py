"""The kinds of history: each fault alone, to tell what an algorithm cannot bear, and all together, to prove that one bears them."""

from collections.abc import Iterable

from hypothesis import strategies as st

from tests.model.machine import Kind
from tests.model.menu import FAULTS
from tests.model.source import Setting


def kind(faults: Iterable[str], **setting: object) -> Kind:
    """Return a kind of history whose source behaves in one way."""
    return Kind(frozenset(faults), st.builds(Setting, **{name: st.just(value) for name, value in setting.items()}))


KINDS: dict[str, Kind] = {
    "ties": kind(["ties"], granularity=4),
    "page mutation, offset": kind(["inside"], is_keyset=False),
    "page mutation and deletion, offset": kind(["inside", "inside deletes"], is_keyset=False),
    "page mutation, keyset": kind(["inside"]),
    "ties and page mutation, offset": kind(["ties", "inside"], is_keyset=False, granularity=4),
    "late commit": kind(["late"]),
    "clock ahead": kind(["clock"], skew=3),
    "clock behind": kind(["clock"], skew=-3),
    "crash": kind(["crash"]),
    "deletes, undeletes, ids used again": kind(["deletes"]),
    "upcoming": kind(["upcoming"]),
    "silent": kind(["silent"]),
    "cursor expiry": kind(["expiry"]),
    "stale replica": kind(["stale"]),
}
SETTINGS = {
    "is_keyset": st.booleans(),
    "granularity": st.sampled_from([1, 1, 4]),
    "skew": st.sampled_from([0, 0, 3, -3]),
    "default_sort": st.sampled_from([None, "id", "updatedAt", "-updatedAt"]),
    "page": st.sampled_from([2, 2, 3, 1]),
    "batch": st.sampled_from([5000, 5000, 3]),  # many commits take time
}


def mixed(*tables: str, without: Iterable[str] = ("stale",)) -> Kind:
    """Return histories of some collections with every fault but some."""
    return Kind(FAULTS - frozenset(without), st.builds(Setting, table=st.sampled_from(tables), **SETTINGS))
