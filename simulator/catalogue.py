"""Which collections are served: their paths, envelope keys, parameters, expands and sort orders, as the API documents them."""

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["ids", "labels", "texts", "text", "prefix", "flag", "date"]

PRIORITIES = ("NONE", "LOW", "MEDIUM", "HIGH")
STATUSES = ("OPEN", "IN_PROGRESS", "ON_HOLD", "DONE", "CANCELED", "SKIPPED")
DATE_RANGES = ("updatedAt[gte]", "updatedAt[lte]", "createdAt[gte]", "createdAt[lte]")


@dataclass(frozen=True, slots=True)
class Filter:
    """One query parameter that narrows a list."""

    kind: Kind
    field: str
    members: tuple[str, ...] = ()  # the only values allowed, when there are such
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Collection:
    """One collection of the API, and how its list behaves."""

    table: str
    path: str  # below /v1
    items: str  # key of the list in each page
    item: str | None  # key of the record in the answer to a read by id; None: there is no such path
    expands: dict[str, str] = field(default_factory=dict)  # token → the field that shows only with it
    item_expands: tuple[str, ...] | None = None  # tokens of the read by id
    sorts: tuple[str, ...] = ()
    filters: dict[str, Filter] = field(default_factory=dict)
    has_date_filters: bool = False
    has_custom_field_filters: bool = False  # an unknown parameter is the label of a custom field
    is_keyset: bool = False
    takes_organisation_ids: bool = False  # x-organization-ids reads several organisations at once
    hidden: tuple[str, ...] = ()  # fields of the record that the list does not show


_THREE_SORTS = ("id", "createdAt", "updatedAt")
_ASSET_LOCATION = {"asset": "asset", "location": "location"}
_WORK_ORDER_FILTERS = {
    "title": Filter("text", "title"),
    "assets": Filter("ids", "assetId"),
    "notAssets": Filter("ids", "assetId", negated=True),
    "locations": Filter("ids", "locationId"),
    "notLocations": Filter("ids", "locationId", negated=True),
    "parts": Filter("ids", "parts"),
    "notParts": Filter("ids", "parts", negated=True),
    "vendors": Filter("ids", "vendorIds"),
    "notVendors": Filter("ids", "vendorIds", negated=True),
    "assignees": Filter("ids", "assignees"),
    "teams": Filter("ids", "teamIds"),
    "categories": Filter("labels", "categories"),
    "notCategories": Filter("labels", "categories", negated=True),
    "priorities": Filter("texts", "priority", PRIORITIES),
    "statuses": Filter("texts", "status", STATUSES),
    "partStatuses": Filter("texts", "partStatus", ("NO_PARTS", "ASSIGNED", "RESERVED", "KITTED", "STAGED", "ISSUED")),
    "parentSubWorkOrderTypes": Filter("texts", "role", ("PARENT", "SUB_WORK_ORDER", "STANDALONE")),
    "show_upcoming": Filter("flag", "startDate"),
}
_WORK_ORDER_EXPANDS = {
    "thumbnail": "thumbnail", "assignees": "assignees", "categories": "categories", "parts": "parts", "asset": "asset",
    "location": "location", "procedure": "procedure", "vendor_ids": "vendorIds", "times": "times", "time_items": "timeItems",
    "expenditures": "expenditures", "extra_fields": "extraFields", "part_extra_fields": "", "asset_extra_fields": "",
    "location_extra_fields": "", "estimated_time": "estimatedTime", "team_ids": "teamIds",
}  # fmt: skip

COLLECTIONS = (
    Collection(
        "work_orders", "workorders", "workOrders", "workOrder", _WORK_ORDER_EXPANDS,
        ("assignees", "asset", "estimated_time", "location", "parts", "times", "time_items", "expenditures", "extra_fields",
         "part_extra_fields", "asset_extra_fields", "location_extra_fields"),
        ("updatedAt", "createdAt", "dueDate", "startedAt", "completedAt"), _WORK_ORDER_FILTERS, has_date_filters=True, is_keyset=True,
    ),
    Collection(
        "assets", "assets", "assets", "asset",
        {"barcode": "barcode", "team_ids": "teamIds", "asset_types": "assetTypes", "extra_fields": "extraFields", "vendor_ids": "vendorIds",
         "depreciation": "depreciation", "status": "status", "manufacturer": "manufacturer", "model": "model"},
        None, _THREE_SORTS,
        {"locationId": Filter("ids", "locationId"), "manufacturer": Filter("texts", "manufacturer"), "model": Filter("texts", "model")},
        has_date_filters=True, has_custom_field_filters=True, takes_organisation_ids=True,
    ),
    Collection(
        "asset_criticalities", "assetcriticalities", "assetCriticalities", "assetCriticality",
        filters={"label": Filter("texts", "label"), "level": Filter("ids", "level")},
    ),
    Collection(
        "asset_statuses", "assetstatuses", "assetStatuses", None, sorts=("createdAt", "updatedAt", "startedAt", "endedAt"),
        filters={"assetId": Filter("ids", "assetId")},
    ),
    Collection(
        "locations", "locations", "locations", "location",
        {"extra_fields": "extraFields", "team_ids": "teamIds", "vendor_ids": "vendorIds", "barcode": "barcode"},
        filters={"name": Filter("prefix", "name")}, has_custom_field_filters=True, takes_organisation_ids=True,
    ),
    Collection(
        "users", "users", "users", "user", {"role": "role", "extra_fields": "extraFields"},
        filters={"onlyAssignable": Filter("flag", "role"), "email": Filter("texts", "email")},
    ),
    Collection("teams", "teams", "teams", "team", hidden=("members",)),
    Collection("categories", "categories", "categories", "category"),
    Collection("vendors", "vendors", "vendors", "vendor", {"extra_fields": "extraFields"}, has_custom_field_filters=True),
    Collection(
        "meters", "meters", "meters", "meter", _ASSET_LOCATION | {"last_reading": "lastReading"}, ("asset", "location", "last_reading"),
        filters={
            "measurementType": Filter("texts", "measurementType", ("MANUAL", "IOT_DEVICE", "AUTOMATED_SENSOR")),
            "assets": Filter("ids", "assetId"),
        },
        hidden=("assetId", "locationId", "creatorId", "createdAt", "updatedAt"),
    ),
    Collection("maintenance_plans", "maintenanceplans", "maintenancePlans", "maintenancePlan"),
    Collection(
        "work_requests", "workrequests", "workRequests", "workRequest",
        _ASSET_LOCATION | {"work_order": "workOrder", "extra_fields": "extraFields"}, ("asset", "location", "work_order", "extra_fields"),
        filters={
            "title": Filter("text", "title"), "assets": Filter("ids", "assetId"), "locations": Filter("ids", "locationId"),
            "priorities": Filter("texts", "priority", PRIORITIES),
            "statuses": Filter("texts", "requestStatus", ("PENDING", "REJECTED", "APPROVED", "DONE")),
        },
    ),
    Collection(
        "rca_reports", "rootcauseanalysisreports", "rootCauseAnalysisReports", "rootCauseAnalysisReport",
        {"main_asset": "mainAsset", "main_asset_status": "mainAssetStatus", "problems": "problems"},
        ("main_asset", "main_asset_status", "problems", "work_orders"),
        filters={
            "assets": Filter("ids", "mainAssetId"), "statuses": Filter("texts", "status", ("DONE", "DRAFT")),
            "creators": Filter("ids", "creatorId"), "archived": Filter("flag", "archivedAt"),
            "createdAfter": Filter("date", "createdAt"), "createdBefore": Filter("date", "createdAt"),
        },
    ),
    Collection(
        "parts", "parts", "parts", "part", {"extra_fields": "extraFields", "vendors": "vendors"}, None, _THREE_SORTS,
        {"partNumber": Filter("texts", "vendors")}, has_date_filters=True, has_custom_field_filters=True, takes_organisation_ids=True,
    ),
    Collection(
        "purchase_orders", "purchaseorders", "purchaseOrders", "purchaseOrder", sorts=_THREE_SORTS, has_date_filters=True,
        has_custom_field_filters=True,
    ),
    Collection("organizations", "organizations", "organizations", None),
)  # fmt: skip
BY_PATH = {collection.path: collection for collection in COLLECTIONS}
BY_ITEMS = {collection.items: collection for collection in COLLECTIONS}
