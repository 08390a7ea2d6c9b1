"""What the quarantine holds, with the name of each entry and since when the log's version of its record is out of date."""

import hashlib
from collections.abc import Mapping

from dagster_project.frames.schemas import RECORDS


def with_staleness() -> str:
    """Return the selection of ops.quarantine with `stale_since`: set while the log goes on with the last good version of a record.

    It is when the source first showed a record that could not be taken; None for one that the log does not know.
    """
    live = " union all ".join(
        f"select organisation_id, '{table}' as endpoint, id from raw.{table}_latest where not is_deleted" for table in RECORDS
    )
    return f"""
        select q.*, case when q.status = 'open' and l.id is not null then q.first_seen_at end as stale_since
        from ops.quarantine q left join ({live}) l
            on l.organisation_id = q.organisation_id and l.endpoint = q.endpoint and l.id = q.record_id
    """


def entry_of(row: Mapping) -> str:
    """Return the name of an entry: eight digits that stay the same however often the record is refused for the same reason."""
    key = (row["organisation_id"], row["endpoint"], row["record_id"] or row["raw_hash"], row["reason_code"])
    return hashlib.sha256(repr(key).encode()).hexdigest()[:8]
