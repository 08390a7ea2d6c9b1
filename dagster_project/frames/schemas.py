"""The contract of raw: one msgspec Struct per endpoint; Polars and pandera schemas derive from it (`contract.py`).

A field is a column of the same name unless it is a list (a child table) or a nested object (read by a property).
A property with a return annotation is a derived column, or a child table when it returns a list of Structs.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Annotated, ClassVar, TypeVar

from msgspec import Meta, Struct, field

Id = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Count = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Digits = Annotated[str, Meta(pattern="^[1-9][0-9]{0,17}$")]
Amount = Annotated[float, Meta(ge=-(2**53), le=2**53)]  # becomes a whole number of cents or seconds; sums of them fit 64 bits
Text = str
Instant = Annotated[datetime, Meta(tz=True)]


class Child(Struct, rename="camel"):
    """A row of a child table; `table` is its name in the raw schema."""

    table: ClassVar[str] = ""


class Record(Struct, rename="camel"):
    """A row of an endpoint's list. `known_values` names the enum values seen so far; others are kept and reported."""

    id: Id
    known_values: ClassVar[dict[str, frozenset[str]]] = {}
    nested_keys: ClassVar[frozenset[str]] = frozenset()  # known keys of the API that no column reads


C = TypeVar("C", bound=Child)


def custom_fields(kind: Callable[..., C], fields: dict[str, object] | None) -> list[C]:
    """Return label and value of each custom field, by label; values are text, as the API documents them."""
    return [kind(label=label, value=None if value is None else str(value)) for label, value in sorted((fields or {}).items())]


def labels(kind: Callable[..., C], values: Iterable[str] | None) -> list[C]:
    """Return one row per label, in the record's order."""
    return [kind(label=value) for value in values or ()]


class Ref(Struct):
    """The id of an embedded object."""

    id: Id


class Recurrence(Struct):
    """How a record repeats; `interval` is in the unit of the type, seconds for PERIODICALLY; `days` are weekdays of WEEKLY."""

    type: str | None = None
    interval: Count | None = None
    days: list[object] | None = None


class Assignee(Struct):
    """Someone an order is assigned to; ids come as numbers or as digits."""

    type: str
    id: Id | Digits


class CostRow(Struct, rename="camel"):
    """A labour or cost entry; amounts in cents, durations in seconds."""

    type: str | None = None
    cost_per_unit: float | None = None
    description: Text | None = None
    quantity: float | None = None
    row_total: Amount | None = None
    duration_total: Amount | None = None
    user_id: Id | None = None
    part_id: Id | None = None


class UsedPart(Struct, rename="camel"):
    """A part on an order; today's price in cents."""

    id: Id
    name: Text | None = None
    unit_cost: Count | None = None
    quantity_used: float | None = None


class WorkOrderAssignee(Child):
    """raw.work_order_assignees."""

    table: ClassVar[str] = "work_order_assignees"
    assignee_type: str
    assignee_id: Id


class WorkOrderCategory(Child):
    """raw.work_order_categories."""

    table: ClassVar[str] = "work_order_categories"
    label: str


class WorkOrderTimeItem(Child):
    """raw.work_order_time_items: labour, whole seconds and cents."""

    table: ClassVar[str] = "work_order_time_items"
    user_id: Id | None
    duration_seconds: Count | None
    amount_cents: Count | None
    description: Text | None


class WorkOrderCost(Child):
    """raw.work_order_costs: other expenditure, cents."""

    table: ClassVar[str] = "work_order_costs"
    cost_type: str | None
    user_id: Id | None
    quantity: float | None
    amount_cents: Count | None
    description: Text | None


class WorkOrderPart(Child):
    """raw.work_order_parts: parts used, price in cents per piece."""

    table: ClassVar[str] = "work_order_parts"
    part_id: Id
    name: Text | None
    quantity: float | None
    unit_cost_cents: Count | None


class WorkOrderCustomField(Child):
    """raw.work_order_custom_fields."""

    table: ClassVar[str] = "work_order_custom_fields"
    label: str
    value: Text | None


class WorkOrder(Record):
    """A work order as the list gives it with all expands."""

    known_values: ClassVar[dict[str, frozenset[str]]] = {
        "status": frozenset({"OPEN", "IN_PROGRESS", "ON_HOLD", "DONE", "CANCELED", "SKIPPED"}),
        "type": frozenset({"CYCLE_COUNT", "OTHER", "PREVENTIVE", "REACTIVE"}),
        "priority": frozenset({"NONE", "LOW", "MEDIUM", "HIGH"}),
        "part_status": frozenset({"NO_PARTS", "ASSIGNED", "RESERVED", "KITTED", "STAGED", "ISSUED"}),
    }
    nested_keys: ClassVar[frozenset[str]] = frozenset(
        {"organizationId", "deletedAt", "vendorIds", "workOrderSummary", "location", "thumbnail", "customerId", "teamIds"}
    )

    sequential_id: Id
    title: str
    status: str
    updated_at: Instant
    created_at: Instant
    description: Text | None = None
    type: str | None = None
    priority: str | None = None
    due_at: Instant | None = field(name="dueDate", default=None)
    is_due_full_day: bool | None = field(name="dueDateIsFullDay", default=None)
    start_at: Instant | None = field(name="startDate", default=None)
    completed_at: Instant | None = None
    completer_id: Id | None = None
    creator_id: Id | None = None
    requester_id: Id | None = None
    own_asset_id: Id | None = field(name="assetId", default=None)
    location_id: Id | None = None
    previous_id: Id | None = None
    next_id: Id | None = None
    parent_id: Id | None = None  # documented for the single read; a list row of some account may carry it
    part_status: str | None = None
    parts_availability: str | None = None
    last_message_at: Instant | None = field(name="lastMessageSentAt", default=None)
    estimated_seconds: Count | None = field(name="estimatedTime", default=None)
    recurrence_info: Recurrence | None = None
    asset: Ref | None = None
    assignees: list[Assignee] | None = None
    categories: list[str] | None = None
    time_items: list[CostRow] | None = None
    expenditures: list[CostRow] | None = None
    parts: list[UsedPart] | None = None
    extra_fields: dict[str, object] | None = None

    @property
    def asset_id(self) -> Id | None:
        """The order's asset; rows of some accounts carry only the embedded object."""
        return self.own_asset_id or (self.asset.id if self.asset else None)

    @property
    def recurrence_type(self) -> str | None:
        """DAILY, WEEKLY, MONTHLY, YEARLY or PERIODICALLY."""
        return self.recurrence_info.type if self.recurrence_info else None

    @property
    def recurrence_interval(self) -> Count | None:
        """In the unit of the type."""
        return self.recurrence_info.interval if self.recurrence_info else None

    @property
    def recurrence_days(self) -> Count | None:
        """How many weekdays of a week it falls on; None unless WEEKLY says."""
        named = self.recurrence_info.days if self.recurrence_info else None
        return len(set(map(str, named))) if named else None

    @property
    def assignee_rows(self) -> list[WorkOrderAssignee]:
        """Users and teams."""
        return [WorkOrderAssignee(assignee_type=one.type, assignee_id=int(one.id)) for one in self.assignees or ()]

    @property
    def category_rows(self) -> list[WorkOrderCategory]:
        """Labels, not ids."""
        return labels(WorkOrderCategory, self.categories)

    @property
    def time_item_rows(self) -> list[WorkOrderTimeItem]:
        """One per entry; entries have no id and no date of their own."""
        return [
            WorkOrderTimeItem(user_id=row.user_id, duration_seconds=whole(row.duration_total), amount_cents=whole(row.row_total),
                              description=row.description)
            for row in self.time_items or ()
        ]  # fmt: skip

    @property
    def cost_rows(self) -> list[WorkOrderCost]:
        """Expenses."""
        return [
            WorkOrderCost(cost_type=row.type, user_id=row.user_id, quantity=row.quantity, amount_cents=whole(row.row_total),
                          description=row.description)
            for row in self.expenditures or ()
        ]  # fmt: skip

    @property
    def part_rows(self) -> list[WorkOrderPart]:
        """Parts used."""
        return [
            WorkOrderPart(part_id=part.id, name=part.name, quantity=part.quantity_used, unit_cost_cents=part.unit_cost)
            for part in self.parts or ()
        ]

    @property
    def custom_field_rows(self) -> list[WorkOrderCustomField]:
        """By label."""
        return custom_fields(WorkOrderCustomField, self.extra_fields)


def whole(value: float | None) -> int | None:
    """Return the nearest whole number: cents and seconds are stored as integers."""
    return None if value is None else round(value)


class AssetCriticality(Record):
    """How critical an asset may be."""

    label: str
    level: Count | None = None


class AssetType(Child):
    """raw.asset_types."""

    table: ClassVar[str] = "asset_types"
    label: str


class AssetCustomField(Child):
    """raw.asset_custom_fields."""

    table: ClassVar[str] = "asset_custom_fields"
    label: str
    value: Text | None


class Asset(Record):
    """A machine or a part of one."""

    nested_keys: ClassVar[frozenset[str]] = frozenset(
        {"organizationId", "barcode", "teamIds", "vendorIds", "depreciation", "status", "deletedAt", "thumbnail"}
    )

    name: str
    updated_at: Instant
    created_at: Instant
    description: Text | None = None
    parent_id: Id | None = None
    criticality_id: Id | None = None
    location_id: Id | None = None
    serial_number: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    creator_id: Id | None = None
    asset_types: list[str] | None = None
    extra_fields: dict[str, object] | None = None

    @property
    def asset_type_rows(self) -> list[AssetType]:
        """Labels."""
        return labels(AssetType, self.asset_types)

    @property
    def custom_field_rows(self) -> list[AssetCustomField]:
        """By label."""
        return custom_fields(AssetCustomField, self.extra_fields)


class AssetStatus(Record):
    """One interval of an asset's status; `ended_at` None is the current one."""

    known_values: ClassVar[dict[str, frozenset[str]]] = {
        "status": frozenset({"ONLINE", "OFFLINE", "IGNORE"}),
        "downtime_type": frozenset({"PLANNED", "UNPLANNED"}),
    }
    nested_keys: ClassVar[frozenset[str]] = frozenset({"organizationId", "deletedAt", "customStatus"})

    asset_id: Id
    status: str
    started_at: Instant
    created_at: Instant
    updated_at: Instant
    downtime_type: str | None = None
    custom_status_id: Id | None = None
    ended_at: Instant | None = None
    description: Text | None = None
    creator_id: Id | None = None
    updater_id: Id | None = None


class LocationCustomField(Child):
    """raw.location_custom_fields."""

    table: ClassVar[str] = "location_custom_fields"
    label: str
    value: Text | None


class Location(Record):
    """A place."""

    nested_keys: ClassVar[frozenset[str]] = frozenset({"organizationId", "teamIds", "vendorIds", "barcode", "deletedAt"})

    name: str
    description: Text | None = None
    address: Text | None = None
    parent_id: Id | None = None
    created_at: Instant | None = None
    updated_at: Instant | None = None
    extra_fields: dict[str, object] | None = None

    @property
    def custom_field_rows(self) -> list[LocationCustomField]:
        """By label."""
        return custom_fields(LocationCustomField, self.extra_fields)


class User(Record):
    """A person; contact data and rates are removed before this contract is read."""

    known_values: ClassVar[dict[str, frozenset[str]]] = {"role": frozenset({"ADMIN", "MEMBER", "OPERATOR", "REQUESTER", "SERVICE_ACCOUNT"})}
    nested_keys: ClassVar[frozenset[str]] = frozenset(
        {"email", "phoneNumber", "authType", "hourlyRate", "lastVisitedAt", "extraFields", "removedFromOrganization"}
    )

    first_name: str
    last_name: str
    role: str | None = None


class TeamMember(Child):
    """raw.team_members."""

    table: ClassVar[str] = "team_members"
    user_id: Id
    team_role: str | None


class Member(Struct, rename="camel"):
    """A row of /teams/{id}/members."""

    id: Id
    team_role: str | None = None


class Team(Record):
    """A team and, under `members`, the rows of its members list."""

    nested_keys: ClassVar[frozenset[str]] = frozenset({"description", "assetIds", "locationIds", "membersCount"})

    name: str
    members: list[Member] | None = None

    @property
    def member_rows(self) -> list[TeamMember]:
        """Who belongs to the team."""
        return [TeamMember(user_id=member.id, team_role=member.team_role) for member in self.members or ()]


class Category(Record):
    """A label for orders."""

    label: str
    description: Text | None = None


class Vendor(Record):
    """A vendor or contractor."""

    nested_keys: ClassVar[frozenset[str]] = frozenset({"extraFields"})

    name: str


class Reading(Struct, rename="camel"):
    """A meter's last reading."""

    value: float | None = None
    reading_date: Instant | None = None
    created_at: Instant | None = None


class Meter(Record):
    """A meter; each new last reading is a version, so the log samples the readings."""

    known_values: ClassVar[dict[str, frozenset[str]]] = {"measurement_type": frozenset({"MANUAL", "AUTOMATED_SENSOR", "IOT_DEVICE"})}

    name: str
    unit: str | None = None
    measurement_type: str | None = None
    asset: Ref | None = None
    location: Ref | None = None
    last_reading: Reading | None = None

    @property
    def asset_id(self) -> Id | None:
        """Of the embedded asset."""
        return self.asset.id if self.asset else None

    @property
    def location_id(self) -> Id | None:
        """Of the embedded location."""
        return self.location.id if self.location else None

    @property
    def last_reading_value(self) -> float | None:
        """In the meter's unit."""
        return self.last_reading.value if self.last_reading else None

    @property
    def last_reading_at(self) -> Instant | None:
        """When it was read, else when it was entered."""
        return (self.last_reading.reading_date or self.last_reading.created_at) if self.last_reading else None


class MaintenancePlanAsset(Child):
    """raw.maintenance_plan_assets."""

    table: ClassVar[str] = "maintenance_plan_assets"
    asset_id: Id


class PlanAsset(Struct, rename="camel"):
    """An asset of a plan."""

    asset_id: Id


class MaintenancePlan(Record):
    """A preventive maintenance plan; its estimate is in minutes, unlike an order's."""

    known_values: ClassVar[dict[str, frozenset[str]]] = {
        "trigger_type": frozenset({"CALENDAR", "METER", "CALENDAR_OR_METER"}),
        "interval_strategy": frozenset({"FIXED", "FLOATING"}),
    }
    nested_keys: ClassVar[frozenset[str]] = frozenset(
        {"organizationId", "workOrderStartDatePadding", "workOrderStartDateOffset", "workOrderStartDateFixedDay", "planningHorizon",
         "workOrderBlueprintId", "intervals", "nextCycleOccurrence", "nextWorkOrderGenerationAt", "lastWorkOrderGeneratedAt", "creatorId"}
    )  # fmt: skip

    name: str
    created_at: Instant
    trigger_type: str | None = None
    interval_strategy: str | None = None
    recurrence: Recurrence | None = None
    start_at: Instant | None = field(name="startDate", default=None)
    estimated_minutes: Count | None = field(name="blueprintEstimatedTime", default=None)
    next_due_at: Instant | None = field(name="nextScheduledWorkOrderDueDate", default=None)
    last_planned_due_at: Instant | None = field(name="lastPlannedDueDate", default=None)
    updated_at: Instant | None = None
    archived_at: Instant | None = None
    assets: list[PlanAsset] | None = None

    @property
    def recurrence_type(self) -> str | None:
        """DAILY, WEEKLY, MONTHLY or YEARLY."""
        return self.recurrence.type if self.recurrence else None

    @property
    def recurrence_interval(self) -> Count | None:
        """In the unit of the type."""
        return self.recurrence.interval if self.recurrence else None

    @property
    def asset_rows(self) -> list[MaintenancePlanAsset]:
        """The plan's assets."""
        return [MaintenancePlanAsset(asset_id=asset.asset_id) for asset in self.assets or ()]


class WorkRequest(Record):
    """A request for work."""

    known_values: ClassVar[dict[str, frozenset[str]]] = {
        "status": frozenset({"PENDING", "APPROVED", "REJECTED", "DONE"}),
        "priority": frozenset({"NONE", "LOW", "MEDIUM", "HIGH"}),
    }
    nested_keys: ClassVar[frozenset[str]] = frozenset(
        {"attachments", "thumbnail", "sendEmailNotification", "extraFields", "approverTeamId", "creatorContactInfo", "asset", "location",
         "workOrder", "organizationId"}
    )  # fmt: skip

    title: str
    status: str = field(name="requestStatus")
    priority: str | None = None
    description: Text | None = None
    asset_id: Id | None = None
    location_id: Id | None = None
    work_order_id: Id | None = None
    creator_id: Id | None = None
    created_at: Instant | None = None
    updated_at: Instant | None = None


class RcaReportWorkOrder(Child):
    """raw.rca_report_work_orders."""

    table: ClassVar[str] = "rca_report_work_orders"
    work_order_id: Id


class RcaReport(Record):
    """A root cause analysis; incident and repair time in seconds."""

    known_values: ClassVar[dict[str, frozenset[str]]] = {"status": frozenset({"DONE", "DRAFT"})}
    nested_keys: ClassVar[frozenset[str]] = frozenset(
        {"organizationId", "mainAssetStatusId", "notes", "creatorId", "updaterId", "relatedAssetIds", "mainAsset", "mainAssetStatus",
         "problems"}
    )  # fmt: skip

    created_at: Instant
    status: str | None = None
    main_asset_id: Id | None = None
    incident_started_at: Instant | None = None
    incident_ended_at: Instant | None = None
    incident_seconds: Count | None = field(name="incidentDuration", default=None)
    repair_seconds: Count | None = field(name="repairTime", default=None)
    updated_at: Instant | None = None
    completed_at: Instant | None = None
    archived_at: Instant | None = None
    work_order_ids: list[Id] | None = None

    @property
    def work_order_rows(self) -> list[RcaReportWorkOrder]:
        """The orders that repaired it."""
        return [RcaReportWorkOrder(work_order_id=order) for order in self.work_order_ids or ()]


class Part(Record):
    """A spare part; price in cents."""

    nested_keys: ClassVar[frozenset[str]] = frozenset(
        {"organizationId", "description", "barcode", "locationId", "locations", "area", "availableQuantity", "orderedQuantity",
         "reservedQuantity", "partTypes", "committedQuantities", "assignedQuantity", "maximumQuantity", "extraFields", "vendors"}
    )  # fmt: skip

    name: str
    created_at: Instant
    updated_at: Instant
    unit_cost_cents: Count | None = field(name="unitCost", default=None)
    in_stock_quantity: Count | None = None
    minimum_quantity: Count | None = None


class PurchaseOrder(Record):
    """A purchase order as the list shows it."""

    known_values: ClassVar[dict[str, frozenset[str]]] = {
        "status": frozenset({"APPROVED", "CANCELED", "COMPLETED", "DECLINED", "PARTIALLY_FULFILLED", "PENDING", "REQUESTED"})
    }

    created_at: Instant
    updated_at: Instant
    status: str | None = None


class OrganizationRecord(Record):
    """An organisation the token may read."""

    nested_keys: ClassVar[frozenset[str]] = frozenset({"imageUrl", "dateFormatLocale"})

    name: str
    time_zone: str | None = None
    currency: str | None = None


RECORDS: dict[str, type[Record]] = {
    "organizations": OrganizationRecord,
    "locations": Location,
    "users": User,
    "teams": Team,
    "categories": Category,
    "vendors": Vendor,
    "asset_criticalities": AssetCriticality,
    "assets": Asset,
    "asset_statuses": AssetStatus,
    "meters": Meter,
    "maintenance_plans": MaintenancePlan,
    "work_requests": WorkRequest,
    "rca_reports": RcaReport,
    "parts": Part,
    "purchase_orders": PurchaseOrder,
    "work_orders": WorkOrder,
}
