"""How a stored record looks in a list, with what was asked to be expanded, and how it looks when read by id."""

from collections.abc import Set as AbstractSet
from typing import Any

import msgspec

from simulator.catalogue import Collection
from simulator.instants import DAY, MINUTE, iso
from simulator.world import Record, World

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
_ASSET_FIELDS = (
    "id", "name", "description", "parentId", "criticalityId", "locationId", "serialNumber", "createdAt", "updatedAt", "creatorId"
)  # fmt: skip
_UNTOUCHED = {"openCount": 1, "inProgressCount": 0, "onHoldCount": 0}
_CHILDREN = ("assignees", "parts", "timeItems", "expenditures", "asset", "location")
_LOCATION_FIELDS = ("id", "name", "description", "address", "parentId", "createdAt", "updatedAt")
_STORED_EXPANDS = {
    "work_orders": frozenset(
        {"assignees", "categories", "parts", "vendor_ids", "time_items", "expenditures", "extra_fields", "estimated_time", "team_ids"}
    )
}
_EMBEDS = frozenset(
    {"asset", "location", "times", "part_extra_fields", "asset_extra_fields", "location_extra_fields", "work_order", "main_asset",
     "main_asset_status", "work_orders"}
)  # fmt: skip


class Shapes:
    """The list rows and single records of one organisation."""

    def __init__(self, world: World, organisation_id: int) -> None:
        self.world = world
        self.organisation_id = organisation_id
        self._reads = 0

    def row(self, collection: Collection, encoded: bytes, expands: AbstractSet[str]) -> bytes:
        """Return one list row as JSON; a row that shows all it has is passed on as it was stored."""
        stored = _STORED_EXPANDS.get(collection.table)
        if stored is not None and stored <= expands and not expands & _EMBEDS and not self.world.is_recorded:
            return encoded
        record = _decode(encoded)
        if collection.table == "users":
            self._visit(record)
        self._embed(collection, record, expands)
        for token, field in collection.expands.items():
            if token not in expands:
                record.pop(field, None)
        for field in collection.hidden:
            record.pop(field, None)
        return _encode(record)

    def single(self, collection: Collection, record: Record, expands: AbstractSet[str]) -> Record:
        """Return a record as the read by id shows it."""
        self._embed(collection, record, expands)
        for token in collection.item_expands or ():  # what the list expands and the single read does not know, it shows unasked
            if token not in expands:
                record.pop(collection.expands.get(token, ""), None)
        return _SINGLES.get(collection.table, Shapes._as_it_is)(self, record)

    def _as_it_is(self, record: Record) -> Record:
        return record

    def _embed(self, collection: Collection, record: Record, expands: AbstractSet[str]) -> None:
        if "asset" in expands and "asset" not in record:
            record["asset"] = self._asset(record.get("assetId"))
        if "location" in expands and "location" not in record:
            record["location"] = self._location(record.get("locationId"))
        if "work_order" in expands:
            record["workOrder"] = self._work_order(record.get("workOrderId"))
        if "main_asset" in expands:
            record["mainAsset"] = self._asset(record["mainAssetId"])
        if "main_asset_status" in expands and record["mainAssetStatusId"] is not None:
            record["mainAssetStatus"] = self.world.get("asset_statuses", self.organisation_id, record["mainAssetStatusId"])
        if "work_orders" in expands:
            record["workOrders"] = [each for each in map(self._work_order, record["workOrderIds"]) if each]
        if collection.table == "work_orders":
            self._embed_in_order(record, expands)
        for field in ("asset", "location", "workOrder", "mainAsset", "mainAssetStatus"):
            if record.get(field, ...) is None:
                del record[field]

    def _embed_in_order(self, record: Record, expands: AbstractSet[str]) -> None:
        if "times" in expands:
            record["times"] = _per_user(record.get("timeItems", []))
        if "part_extra_fields" in expands:
            record["parts"] = [{**part, "partExtraFields": self._extra_fields("parts", part["id"])} for part in record.get("parts", [])]
        if "asset_extra_fields" in expands and record.get("asset"):
            record["asset"] = {**record["asset"], "assetExtraFields": self._extra_fields("assets", record["asset"]["id"])}
        if "location_extra_fields" in expands and record.get("location"):
            record["location"] = {**record["location"], "locationExtraFields": self._extra_fields("locations", record["location"]["id"])}

    def _asset(self, asset_id: int | None) -> Record | None:
        asset = None if asset_id is None else self.world.get("assets", self.organisation_id, asset_id)
        return None if asset is None else {field: asset[field] for field in _ASSET_FIELDS}

    def _location(self, location_id: int | None) -> Record | None:
        location = None if location_id is None else self.world.get("locations", self.organisation_id, location_id)
        return None if location is None else {field: location[field] for field in _LOCATION_FIELDS if field in location}

    def _work_order(self, order_id: int | None) -> Record | None:
        order = None if order_id is None else self.world.get("work_orders", self.organisation_id, order_id)
        if order is None:
            return None
        return {key: value for key, value in order.items() if key not in _CHILDREN}

    def _extra_fields(self, table: str, record_id: int) -> Record:
        return (self.world.get(table, self.organisation_id, record_id) or {}).get("extraFields", {})

    def _visit(self, record: Record) -> None:
        # everybody looks in once a day, at a minute of their own: the field moves though nothing else does
        day, minute = self.world.now // DAY, record["id"] * 7919 % 1440
        visited = day * DAY + minute * MINUTE
        if not self.world.is_recorded:
            record["lastVisitedAt"] = iso(visited if visited <= self.world.now else visited - DAY)

    def _single_order(self, record: Record) -> Record:
        hidden = self.world.table("work_orders", self.organisation_id).hidden.get(record["id"], {})
        record.pop("categories", None)
        self._reads += 1
        assignees = (self.world.get("work_orders", self.organisation_id, record["id"]) or {}).get("assignees", [])
        return record | {
            "assigneeIds": [each["id"] for each in assignees if each["type"] == "USER"],
            "teamIds": [each["id"] for each in assignees if each["type"] == "TEAM"],
            "isParent": hidden.get("isParent", False),
            "progress": hidden.get("progress") or {**_UNTOUCHED, "doneCount": int(record["status"] == "DONE")},
            "attachments": [self._attachment(record)] if record["id"] % 5 == 0 else [],
        } | ({"parentId": hidden["parentId"]} if "parentId" in hidden else {})  # fmt: skip

    def _attachment(self, record: Record) -> dict[str, Any]:
        # signed for an hour, anew at each read: it must never be part of what is compared
        signature = f"X-Amz-Date={iso(self.world.now)}&X-Amz-Expires=3600&X-Amz-Signature={self._reads:064x}"
        return {
            "id": record["id"] + 500_000_000, "mimeType": "image/jpeg", "fileName": "photo.jpg", "createdAt": record["createdAt"],
            "url": f"https://attachments.example/{record['id']}/photo.jpg?{signature}",
        }  # fmt: skip

    def _single_asset(self, record: Record) -> Record:
        rows = self.world.table("assets", self.organisation_id).rows.encoded
        needle = f'"parentId":{record["id"]},'.encode()
        children = [number for number, encoded in rows.items() if needle in encoded]
        return record | {"childrenIds": children, "attachments": []}

    def _single_location(self, record: Record) -> Record:
        rows = self.world.table("locations", self.organisation_id).rows.encoded
        needle = f'"parentId":{record["id"]},'.encode()
        return record | {"childrenIds": [number for number, encoded in rows.items() if needle in encoded], "attachments": []}

    def _single_user(self, record: Record) -> Record:
        self._visit(record)
        return {"removedFromOrganization": False} | record

    def _single_team(self, record: Record) -> Record:
        members = record.pop("members", [])
        return record | {"description": "", "assetIds": [], "locationIds": [], "membersCount": len(members)}

    def _single_vendor(self, record: Record) -> Record:
        return record | {"emails": [], "phoneNumbers": [], "attachments": [], "contactIds": []}

    def _single_part(self, record: Record) -> Record:
        return record | {"assetIds": [], "teamIds": [], "vendorIds": [], "attachments": []}

    def _single_purchase_order(self, record: Record) -> Record:
        nulls = ("note", "reviewNote", "dueDate", "vendorId", "overrideNumber", "approverId", "approvalDate", "deletedAt", "thumbnail",
                 "shippingAddress", "billingAddress")  # fmt: skip
        lists = {"items": [], "costs": [], "attachments": [], "vendorContactIds": []}
        number = record["id"]
        more = {"title": f"Order {number}", "creatorId": 9_001, "autoGeneratedNumber": number, "extraFields": {}}
        return record | dict.fromkeys(nulls) | lists | more

    def _single_meter(self, record: Record) -> Record:
        empty = dict.fromkeys(("assetId", "locationId", "updaterId", "description", "readingFrequency", "deletedAt"))
        return {**empty, "uuid": f"00000000-0000-4000-8000-{record['id']:012}", **record}


_SINGLES = {
    "work_orders": Shapes._single_order, "assets": Shapes._single_asset, "locations": Shapes._single_location, "users": Shapes._single_user,
    "teams": Shapes._single_team, "vendors": Shapes._single_vendor, "parts": Shapes._single_part, "meters": Shapes._single_meter,
    "purchase_orders": Shapes._single_purchase_order,
}  # fmt: skip


def _per_user(items: list[Record]) -> list[Record]:
    sums: dict[int | None, Record] = {}
    for item in items:
        total = sums.setdefault(item.get("userId"), {**item, "quantity": 0, "rowTotal": 0, "durationTotal": 0})
        for key in ("quantity", "rowTotal", "durationTotal"):
            total[key] += item[key]
    return list(sums.values())
