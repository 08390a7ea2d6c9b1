"""A warehouse file with hand-made raw and ops rows: a test names only the columns it is about."""

from collections import defaultdict
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from dagster_project import operating_hours

VERSION = (
    "organisation_id bigint, id bigint, version_number integer, content_hash bigint, raw_hash bigint, shape_version varchar, "
    "cause varchar, run_id varchar, observed_at timestamptz, is_deleted boolean"
)
CHILD = "organisation_id bigint, id bigint, version_number integer, position integer"
RECORDS = {
    "work_orders": "sequential_id bigint, title varchar, description varchar, status varchar, type varchar, priority varchar, "
    "created_at timestamptz, updated_at timestamptz, due_at timestamptz, is_due_full_day boolean, start_at timestamptz, "
    "completed_at timestamptz, completer_id bigint, creator_id bigint, requester_id bigint, asset_id bigint, location_id bigint, "
    "previous_id bigint, next_id bigint, parent_id bigint, recurrence_type varchar, recurrence_interval bigint, recurrence_days bigint, "
    "part_status varchar, parts_availability varchar, last_message_at timestamptz, estimated_seconds bigint",
    "asset_criticalities": "label varchar, level bigint",
    "assets": "name varchar, description varchar, parent_id bigint, criticality_id bigint, location_id bigint, serial_number varchar, "
    "manufacturer varchar, model varchar, created_at timestamptz, updated_at timestamptz, creator_id bigint",
    "asset_statuses": "asset_id bigint, status varchar, downtime_type varchar, custom_status_id bigint, started_at timestamptz, "
    "ended_at timestamptz, created_at timestamptz, updated_at timestamptz, description varchar, creator_id bigint, updater_id bigint",
    "locations": "name varchar, description varchar, address varchar, parent_id bigint, created_at timestamptz, updated_at timestamptz",
    "users": "first_name varchar, last_name varchar, role varchar",
    "teams": "name varchar",
    "categories": "label varchar, description varchar",
    "vendors": "name varchar",
    "meters": "name varchar, unit varchar, measurement_type varchar, asset_id bigint, location_id bigint, last_reading_value double, "
    "last_reading_at timestamptz",
    "maintenance_plans": "name varchar, trigger_type varchar, interval_strategy varchar, recurrence_type varchar, "
    "recurrence_interval bigint, start_at timestamptz, estimated_minutes bigint, next_due_at timestamptz, "
    "last_planned_due_at timestamptz, created_at timestamptz, updated_at timestamptz, archived_at timestamptz",
    "work_requests": "title varchar, priority varchar, status varchar, description varchar, asset_id bigint, location_id bigint, "
    "work_order_id bigint, creator_id bigint, created_at timestamptz, updated_at timestamptz",
    "rca_reports": "status varchar, main_asset_id bigint, incident_started_at timestamptz, incident_ended_at timestamptz, "
    "incident_seconds bigint, repair_seconds bigint, created_at timestamptz, updated_at timestamptz, completed_at timestamptz, "
    "archived_at timestamptz",
    "parts": "name varchar, unit_cost_cents bigint, in_stock_quantity bigint, minimum_quantity bigint, created_at timestamptz, "
    "updated_at timestamptz",
    "purchase_orders": "created_at timestamptz, updated_at timestamptz, status varchar",
    "organizations": "name varchar, time_zone varchar, currency varchar",
}
CHILDREN = {
    "work_order_assignees": "assignee_type varchar, assignee_id bigint",
    "work_order_categories": "label varchar",
    "work_order_time_items": "user_id bigint, duration_seconds bigint, amount_cents bigint, description varchar",
    "work_order_costs": "cost_type varchar, user_id bigint, quantity double, amount_cents bigint, description varchar",
    "work_order_parts": "part_id bigint, name varchar, quantity double, unit_cost_cents bigint",
    "work_order_custom_fields": "label varchar, value varchar",
    "asset_types": "label varchar",
    "asset_custom_fields": "label varchar, value varchar",
    "location_custom_fields": "label varchar, value varchar",
    "team_members": "user_id bigint, team_role varchar",
    "maintenance_plan_assets": "asset_id bigint",
    "rca_report_work_orders": "work_order_id bigint",
}
OPS = {
    "runs": "run_id varchar, organisation_id bigint, kind varchar, status varchar, started_at timestamptz, finished_at timestamptz, "
    "known_from timestamptz, wall_started_at timestamptz, wall_finished_at timestamptz, requests bigint, error varchar",
    "endpoint_runs": "run_id varchar, organisation_id bigint, endpoint varchar, kind varchar, status varchar, read_at timestamptz, "
    "requests bigint, fetched bigint, inserted bigint, updated bigint, unchanged bigint, deduplicated bigint, quarantined bigint, "
    "deleted bigint, seconds double, watermark_from timestamptz, watermark_to timestamptz, reason varchar",
    "sites": "organisation_id bigint, organisation_name varchar, site_id varchar, site_name varchar, root_location_id bigint, "
    "time_zone varchar, organisation_time_zone varchar, currency varchar, crew_hours_per_week double, is_unassigned boolean",
    "site_hours": "organisation_id bigint, site_id varchar, weekday bigint, starts_second bigint, ends_second bigint",
    "site_holidays": "organisation_id bigint, site_id varchar, holiday_on date",
    "kpi_targets": "organisation_id bigint, site_id varchar, kpi varchar, target double",
    "kpi_reported": "kpi varchar, organisation_id bigint, site_id varchar, scope_type varchar, scope_id varchar, period_grain varchar, "
    "period_start_on date, value double, numerator double, denominator double, n bigint, reason varchar, window_state varchar, "
    "definition_version varchar, version varchar, known_at timestamptz, reported_at timestamptz",
}
TABLES = (
    {f"raw.{name}": f"{VERSION}, {columns}, payload varchar" for name, columns in RECORDS.items()}
    | {f"raw.{name}": f"{CHILD}, {columns}" for name, columns in CHILDREN.items()}
    | {f"ops.{name}": columns for name, columns in OPS.items()}
)


def utc(text: str) -> datetime:
    """The instant of '2026-03-02 10:00' (or with seconds, or a date alone) in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass
class RawBuilder:
    """Rows gathered in memory, written in one go; instants may be given as text in UTC."""

    organisation_id: int = 1
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    run_id: str = "run-1"

    def site(self, site_id: str = "1", zone: str = "UTC", **columns: Any) -> None:
        """Declare a site of the organisation; without more words it is its only one, in UTC."""
        self._row(
            "ops.sites",
            organisation_name="Plant",
            site_id=site_id,
            site_name=site_id.title(),
            time_zone=zone,
            organisation_time_zone=columns.pop("organisation_zone", zone),
            currency="EUR",
            is_unassigned=columns.pop("is_unassigned", False),
            **columns,
        )

    def run(self, run_id: str, at: str, known_from: str | None = "", reading: str = "ok") -> None:
        """A finished run that read work orders at `at`, well or not; the versions added after it are its own."""
        self.run_id = run_id
        known = at if known_from == "" else known_from
        self._row("ops.runs", run_id=run_id, kind="refresh", status="finished", started_at=at, finished_at=at, known_from=known)
        self.reading(at, status=reading)

    def reading(self, at: str, kind: str = "sync", status: str = "ok", endpoint: str = "work_orders") -> None:
        """The present run's reading of an endpoint, begun at `at`."""
        self._row("ops.endpoint_runs", run_id=self.run_id, endpoint=endpoint, kind=kind, status=status, read_at=at)

    def add(self, table: str, record_id: int, *, is_deleted: bool = False, cause: str = "change", **columns: Any) -> None:
        """Append the next version of a record; children by their table's name as a list of dicts."""
        earlier = [row for row in self.rows[f"raw.{table}"] if (row["organisation_id"], row["id"]) == (self.organisation_id, record_id)]
        number = len(earlier) + 1
        children = {name: columns.pop(name) for name in CHILDREN if name in columns}
        key = {"id": record_id, "version_number": number}
        about = {"cause": cause if earlier else "first", "run_id": self.run_id, "is_deleted": is_deleted, "content_hash": number}
        self._row(f"raw.{table}", **key, **about, **columns)
        for name, items in children.items():
            for position, item in enumerate(items):
                self._row(f"raw.{name}", **key, position=position, **item)

    def order(self, order_id: int, created_at: str, completed_at: str | None = None, **columns: Any) -> None:
        """Append a version of a work order: DONE if completed, else OPEN; reactive; updated when it was last touched."""
        about: dict[str, Any] = {
            "status": "DONE" if completed_at else "OPEN",
            "type": "REACTIVE",
            "priority": "NONE",
            "title": f"Order {order_id}",
            "sequential_id": order_id,
            "updated_at": completed_at or created_at,
            "is_due_full_day": False,
        }
        self.add("work_orders", order_id, created_at=created_at, completed_at=completed_at, **about | columns)

    def status(self, status_id: int, asset_id: int, status: str, started_at: str, ended_at: str | None = None, **columns: Any) -> None:
        """Append an entry of an asset's status history; OFFLINE is unplanned unless said otherwise."""
        kind: dict[str, Any] = {"downtime_type": "UNPLANNED"} if status == "OFFLINE" else {}
        times: dict[str, Any] = {"started_at": started_at, "ended_at": ended_at}
        self.add("asset_statuses", status_id, asset_id=asset_id, status=status, **times, **kind | columns)

    def reported(self, **columns: Any) -> None:
        """A row of what was published before, in a version of its own unless one is named."""
        self._row("ops.kpi_reported", **{"version": f"{len(self.rows['ops.kpi_reported']) + 1:04}"} | columns)

    def target(self, site_id: str, kpi: str, target: float) -> None:
        """A target that a site sets for itself."""
        self._row("ops.kpi_targets", site_id=site_id, kpi=kpi, target=target)

    def hours(self, site_id: str, entries: list[str], holidays: tuple[str, ...] = ()) -> None:
        """The operating hours of a site, as sites.toml writes them, and the days on which it stands still."""
        for shift in operating_hours.shifts(entries):
            self._row("ops.site_hours", site_id=site_id, **asdict(shift))
        for day in holidays:
            self._row("ops.site_holidays", site_id=site_id, holiday_on=day)

    def _row(self, table: str, **columns: Any) -> None:
        self.rows[table].append({"organisation_id": self.organisation_id} | columns)

    def write(self, path: Path) -> None:
        """Create the file with every table of raw and ops, and the rows gathered so far."""
        with duckdb.connect(str(path)) as connection:
            connection.execute("set timezone = 'UTC'; create schema raw; create schema ops")
            for table, columns in TABLES.items():
                connection.execute(f"create table {table} ({columns})")
                for row in self.rows[table]:
                    names, marks = ", ".join(row), ", ".join("?" * len(row))
                    connection.execute(f"insert into {table} ({names}) values ({marks})", list(row.values()))
