"""What we sync: one line per MaintainX collection."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

import xxhash


class Walk(StrEnum):
    """How a collection is read."""

    ANCHORED = "anchored"  # date filters and an ascending sort: each request starts at the last value seen
    RECENT = "recent"  # sorted by -updatedAt without a filter: stop once rows are older than the watermark less the overlap
    WHOLE = "whole"  # neither: every row, every run


class Absence(StrEnum):
    """How the absence of a known record is confirmed before it counts as deleted."""

    GET = "get"  # GET by id: 404, deletedAt or removedFromOrganization
    RELIST = "relist"  # no GET by id: absent in a second complete reading too


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One MaintainX collection, and how to read it."""

    table: str  # in the raw schema; also the tail of the Dagster asset key
    path: str  # below /v1
    items: str  # key of the list in each page
    description: str
    walk: Walk = Walk.WHOLE
    expands: tuple[str, ...] = ()
    params: tuple[tuple[str, str], ...] = ()
    variants: tuple[tuple[tuple[str, str], ...], ...] = ((),)  # a whole read is the union of these
    volatile: frozenset[str] = frozenset()  # change without the record changing: not hashed
    absence: Absence = Absence.GET
    overlap: timedelta = timedelta(hours=3)
    members: str | None = None  # path of a sub-list that belongs to the record, read once per row
    relist_by: tuple[str, str] | None = None  # list filter and raw column that find an absent record's neighbours
    is_own_row_only: bool = False  # the list shows other organisations too
    is_required: bool = False  # else 403 and 404 mean "not in the customer's plan"
    fallback_expand: str | None = field(default=None)  # asked only when no row carries `<expand>Id`

    def query(self, expands: tuple[str, ...]) -> list[tuple[str, str]]:
        """Return the parameters of every list request: one shape per endpoint."""
        return [*self.params, *(("expand", expand) for expand in expands)]

    def shape_version(self, expands: tuple[str, ...]) -> str:
        """Return the fingerprint of what a row of this endpoint contains."""
        return xxhash.xxh3_64_hexdigest(repr((sorted(expands), sorted(self.volatile), self.members)).encode())


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("organizations", "/organizations", "organizations", "Organisations the token may read, with time zone and currency",
             absence=Absence.RELIST, is_own_row_only=True),
    Endpoint("locations", "/locations", "locations", "Places, as a tree", expands=("extra_fields",), is_required=True),
    Endpoint("users", "/users", "users", "People, without contact data", expands=("role",), volatile=frozenset({"lastVisitedAt"}),
             is_required=True),
    Endpoint("teams", "/teams", "teams", "Teams, each with its members", members="/teams/{id}/members"),
    Endpoint("categories", "/categories", "categories", "Work order categories"),
    Endpoint("vendors", "/vendors", "vendors", "Vendors and contractors"),
    Endpoint("asset_criticalities", "/assetcriticalities", "assetCriticalities", "How critical assets are: labels with a level"),
    Endpoint("assets", "/assets", "assets", "Machines and their parts, as a tree", Walk.ANCHORED,
             expands=("asset_types", "manufacturer", "model", "extra_fields"), is_required=True),
    Endpoint("asset_statuses", "/assetstatuses", "assetStatuses", "Downtime log: one row per status interval of an asset", Walk.RECENT,
             params=(("sort", "-updatedAt"),), absence=Absence.RELIST, relist_by=("assetId", "asset_id")),
    Endpoint("meters", "/meters", "meters", "Meters with their last reading", expands=("asset", "location", "last_reading")),
    Endpoint("maintenance_plans", "/maintenanceplans", "maintenancePlans", "Preventive maintenance plans"),
    Endpoint("work_requests", "/workrequests", "workRequests", "Requests for work, before they become orders", expands=("extra_fields",)),
    Endpoint("rca_reports", "/rootcauseanalysisreports", "rootCauseAnalysisReports", "Root cause analyses: incident and repair time",
             variants=((), (("archived", "true"),))),
    Endpoint("parts", "/parts", "parts", "Spare parts and stock", Walk.ANCHORED),
    Endpoint("purchase_orders", "/purchaseorders", "purchaseOrders", "Purchase orders with their status; the list names no items",
             Walk.ANCHORED),
    Endpoint("work_orders", "/workorders", "workOrders", "Work orders with labour, costs, parts and assignees", Walk.ANCHORED,
             expands=("assignees", "categories", "parts", "time_items", "expenditures", "estimated_time", "vendor_ids", "extra_fields"),
             params=(("show_upcoming", "true"),), volatile=frozenset({"partsAvailability"}), is_required=True, fallback_expand="asset"),
)  # fmt: skip

BY_TABLE: dict[str, Endpoint] = {endpoint.table: endpoint for endpoint in ENDPOINTS}
