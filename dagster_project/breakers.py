"""What stops the reading of an endpoint before anything is stored."""

from collections.abc import Sequence

from dagster_project.frames.records import Rejected

MOST_QUARANTINED = (50, 0.05)  # rows, and share of what a run read of an endpoint (of 200 and more)
FEWEST_KNOWN = 5  # records by which another organisation's list is told from ours
MOST_ABSENT = (50, 0.05)  # rows, and share of the rows known


class Breaker(Exception):
    """An endpoint looks so wrong that reading it stopped before anything was stored: names it, the figures and the next step."""


def check_quarantine(name: str, table: str, refused: Sequence[Rejected], batch: int, *, bad: int, read: int) -> None:
    """Raise when too much of what was read broke the contract.

    Args:
        name: of the endpoint and its organisation, for the message.
        table: what to accept to go on.
        refused: of this batch.
        batch: records in this batch.
        bad: records refused so far that nobody gave up, this batch included.
        read: records read so far, this batch included.

    Raises:
        Breaker: all of the batch is another organisation's, or more than 50 rows and 5 % of at least 200 are refused.
    """
    rows, share = MOST_QUARANTINED
    foreign = [one for one in refused if one.reason_code == "wrong_organisation"]
    if foreign and len(foreign) == batch:
        raise Breaker(
            f"{name}: every record belongs to organisation {foreign[0].value}. Nothing was stored. "
            f"Check which organisation the token reads, and the ids in sites.toml"
        )
    if read >= 200 and bad > max(rows, share * read):
        raise Breaker(
            f"{name}: {bad} of {read} records broke the contract. This batch was not stored. If MaintainX changed its format, the "
            f"program needs an update; to go on without these records, run again with --accept {table}, or give them up for good with "
            f"`maintainx quarantine discard`"
        )


def check_company(name: str, table: str, known: set[int], shown: set[int]) -> None:
    """Raise when a list shows none of the records that are known: the answer of another organisation, of which its rows do not tell.

    Raises:
        Breaker: at least five records are known, and none of those shown is among them.
    """
    if len(known) >= FEWEST_KNOWN and shown and shown.isdisjoint(known):
        raise Breaker(
            f"{name}: none of the {len(shown)} records shown is among the {len(known)} known ones. Nothing was stored. Check which "
            f"organisation the token reads; if all of them are really new, run again with --accept {table}"
        )


def check_absence(name: str, table: str, absent: int, known: int, is_list_empty: bool) -> None:
    """Raise when so many of the known records are absent that the list itself is in doubt.

    Raises:
        Breaker: more than 50 rows and 5 % of the known ones are absent, or all of them.
    """
    rows, share = MOST_ABSENT
    is_wholly_other = absent == known and (known > 1 or is_list_empty)
    if absent and (is_wholly_other or absent > max(rows, share * known)):
        raise Breaker(
            f"{name}: {absent} of {known} known records are absent from the source. Nothing was deleted. Check the token's permissions; "
            f"if they are really gone, run again with --accept {table}"
        )
