"""The tables that are not a contract's: `ops`, and the slim latest row beside each table of raw."""

import polars as pl

from dagster_project.frames.contract import INSTANT

TEXT, WHOLE, REAL, FLAG = pl.String(), pl.Int64(), pl.Float64(), pl.Boolean()

LATEST: dict[str, pl.DataType] = {
    "organisation_id": WHOLE,
    "id": WHOLE,
    "version_number": pl.Int32(),
    "content_hash": WHOLE,
    "raw_hash": WHOLE,
    "shape_version": TEXT,
    "created_at": INSTANT,
    "updated_at": INSTANT,
    "is_deleted": FLAG,
    "status": TEXT,
    "labour_seconds": WHOLE,
    "cost_cents": WHOLE,
}

DAMAGED = "damaged"  # the shape of a latest row whose payload is not what was stored: its record is read again, whatever its stamp

# what a state says, as one digest: a state that was changed by anything but a sync does not match its seal. What is NULL is left out,
# so that a column that comes with a newer program leaves the seals as they are.
SEALED = ("organisation_id", "endpoint", "slice", "watermark", "slice_from", "slice_to", "is_complete", "expands", "generation")
SEAL = "md5(concat_ws('|', {}))".format(", ".join(f"'{name}=' || {name}" for name in SEALED))

LEASE: dict[str, pl.DataType] = {  # ops.lease has one row: who writes, or wrote last; of this file alone, so never copied
    "fence": WHOLE, "holder": TEXT, "taken_at": INSTANT, "renewed_at": INSTANT, "expires_at": INSTANT,
}  # fmt: skip

OPS: dict[str, dict[str, pl.DataType]] = {
    "runs": {
        "run_id": TEXT, "organisation_id": WHOLE, "kind": TEXT, "status": TEXT, "started_at": INSTANT, "finished_at": INSTANT,
        "known_from": INSTANT, "wall_started_at": INSTANT, "wall_finished_at": INSTANT, "requests": WHOLE, "error": TEXT,
    },
    "endpoint_runs": {
        "run_id": TEXT, "organisation_id": WHOLE, "endpoint": TEXT, "kind": TEXT, "status": TEXT, "read_at": INSTANT, "requests": WHOLE,
        "fetched": WHOLE, "inserted": WHOLE, "updated": WHOLE, "unchanged": WHOLE, "deduplicated": WHOLE, "quarantined": WHOLE,
        "deleted": WHOLE, "seconds": REAL, "watermark_from": INSTANT, "watermark_to": INSTANT, "reason": TEXT,
    },
    "state": {
        "organisation_id": WHOLE, "endpoint": TEXT, "slice": TEXT, "watermark": INSTANT, "slice_from": INSTANT, "slice_to": INSTANT,
        "is_complete": FLAG, "expands": TEXT, "run_id": TEXT, "generation": WHOLE, "seal": TEXT,
    },
    "seen": {"organisation_id": WHOLE, "endpoint": TEXT, "generation": WHOLE, "id": WHOLE},
    "source": {"source": TEXT},
    "audit": {"audited_at": INSTANT, "run_id": TEXT, "organisation_id": WHOLE, "endpoint": TEXT, "action": TEXT, "detail": TEXT},
    "quarantine": {
        "organisation_id": WHOLE, "endpoint": TEXT, "record_id": WHOLE, "reason_code": TEXT, "field": TEXT, "value": TEXT, "detail": TEXT,
        "raw_json": TEXT, "raw_hash": WHOLE, "run_id": TEXT, "first_seen_at": INSTANT, "last_seen_at": INSTANT, "times_seen": WHOLE,
        "status": TEXT,
    },
    "drift": {
        "organisation_id": WHOLE, "endpoint": TEXT, "kind": TEXT, "field": TEXT, "value": TEXT, "first_seen_at": INSTANT,
        "last_seen_at": INSTANT, "times_seen": WHOLE,
    },
    "reconciliation": {
        "run_id": TEXT, "organisation_id": WHOLE, "endpoint": TEXT, "reconciled_at": INSTANT, "scope": TEXT, "source_rows": WHOLE,
        "raw_rows": WHOLE, "missing": WHOLE, "ghost": WHOLE, "stale": WHOLE, "late_rows": WHOLE, "healed": WHOLE, "deleted": WHOLE,
        "source_labour_seconds": WHOLE, "raw_labour_seconds": WHOLE, "source_cost_cents": WHOLE, "raw_cost_cents": WHOLE,
        "source_ids": WHOLE, "live_rows": WHOLE, "generation": WHOLE, "requests": WHOLE, "status": TEXT, "reason": TEXT,
    },
    "sites": {
        "organisation_id": WHOLE, "organisation_name": TEXT, "site_id": TEXT, "site_name": TEXT, "root_location_id": WHOLE,
        "time_zone": TEXT, "organisation_time_zone": TEXT, "currency": TEXT, "crew_hours_per_week": REAL, "is_unassigned": FLAG,
    },
    "site_hours": {"organisation_id": WHOLE, "site_id": TEXT, "weekday": WHOLE, "starts_second": WHOLE, "ends_second": WHOLE},
    "site_holidays": {"organisation_id": WHOLE, "site_id": TEXT, "holiday_on": pl.Date()},
    "kpi_targets": {"organisation_id": WHOLE, "site_id": TEXT, "kpi": TEXT, "target": REAL},
    "kpi_reported": {
        "kpi": TEXT, "organisation_id": WHOLE, "site_id": TEXT, "scope_type": TEXT, "scope_id": TEXT, "period_grain": TEXT,
        "period_start_on": pl.Date(), "value": REAL, "numerator": REAL, "denominator": REAL, "n": WHOLE, "reason": TEXT,
        "window_state": TEXT, "definition_version": TEXT, "version": TEXT, "known_at": INSTANT, "reported_at": INSTANT,
    },
}  # fmt: skip
