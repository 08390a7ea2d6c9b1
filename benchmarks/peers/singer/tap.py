"""A Singer tap for work orders and assets, made with the Singer SDK. README.md says where each setting comes from."""

import sys
from collections.abc import Generator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import requests
from rows import ASSETS_QUERY, ORDERS_QUERY, OVERLAP_SECONDS, grouped  # ty: ignore[import-not-found]
from singer_sdk import Tap  # ty: ignore[import-not-found]
from singer_sdk import typing as th  # ty: ignore[import-not-found]
from singer_sdk.authenticators import BearerTokenAuthenticator  # ty: ignore[import-not-found]
from singer_sdk.exceptions import RetriableAPIError  # ty: ignore[import-not-found]
from singer_sdk.pagination import JSONPathPaginator  # ty: ignore[import-not-found]
from singer_sdk.streams import RESTStream  # ty: ignore[import-not-found]


def columns(*, whole: str = "", text: str = "", flags: str = "", instants: str = "", lists: str = "", objects: str = "") -> dict[str, Any]:
    """Return the JSON schema of a stream; each argument names columns of one type."""
    kinds = (
        (whole, th.IntegerType), (text, th.StringType), (flags, th.BooleanType), (instants, th.DateTimeType),
        (lists, th.ArrayType(th.AnyType)), (objects, th.ObjectType(additional_properties=True)),
    )  # fmt: skip
    return th.PropertiesList(*(th.Property(name, kind) for names, kind in kinds for name in names.split())).to_dict()


class MaintainXStream(RESTStream):
    """What both lists have in common."""

    primary_keys = ("id",)
    replication_key = "updatedAt"
    next_page_token_jsonpath = "$.nextCursor"  # noqa: S105  the name of a field
    extra_retry_statuses = (429,)
    query: tuple[tuple[str, str], ...] = ()
    sort = "updatedAt"

    @property
    def url_base(self) -> str:
        """Return the address."""
        return self.config["url"]

    @property
    def authenticator(self) -> BearerTokenAuthenticator:
        """Return the token's header."""
        return BearerTokenAuthenticator(token=self.config["token"])

    def get_new_paginator(self) -> JSONPathPaginator:
        """Follow nextCursor."""
        return JSONPathPaginator(self.next_page_token_jsonpath)

    def get_url_params(self, context: Any, next_page_token: Any) -> dict[str, Any]:
        """Ask for what changed since the bookmark less the overlap."""
        since = self.get_starting_timestamp(context)
        params = {**grouped(self.query), "sort": self.sort}
        if since:
            params["updatedAt[gte]"] = (since - timedelta(seconds=OVERLAP_SECONDS)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        return params | ({"cursor": next_page_token} if next_page_token else {})

    def get_replication_key_signpost(self, context: Any = None) -> datetime | None:
        """Return the source's clock: a bookmark does not go beyond it."""
        return datetime.fromisoformat(self.config["now"])

    def validate_response(self, response: requests.Response) -> None:
        """Have an answer that is no whole JSON asked for again, as a server's failure is."""
        super().validate_response(response)
        try:
            response.json()
        except ValueError as error:
            raise RetriableAPIError("the answer is no JSON", response) from error

    def backoff_wait_generator(self) -> Generator[float, None, None]:
        """Wait as long as the rate limit's header says, else a second."""
        return self.backoff_runtime(value=_reset)


def _reset(error: Any) -> float:
    response = getattr(error, "response", None)
    return float(response.headers.get("X-Rate-Limit-Reset", 1)) if response is not None and response.status_code == 429 else 1.0


class WorkOrders(MaintainXStream):
    """Ascending by updatedAt, so that an interrupted sync goes on where it was; the overlap begins before the bookmark."""

    name = "work_orders"
    path = "/workorders"
    records_jsonpath = "$.workOrders[*]"
    is_sorted = True
    check_sorted = False
    query = ORDERS_QUERY
    schema = columns(
        whole="id sequentialId creatorId completerId requesterId assetId locationId organizationId previousId nextId customerId "
        "estimatedTime",
        text="title description status type priority partStatus partsAvailability",
        flags="dueDateIsFullDay",
        instants="createdAt updatedAt dueDate startDate completedAt lastMessageSentAt",
        lists="vendorIds teamIds assignees categories parts timeItems expenditures",
        objects="recurrenceInfo workOrderSummary extraFields",
    )


class Assets(MaintainXStream):
    """Pages are cut by offset: newest first, so that a changed row does not push others out of sight."""

    name = "assets"
    path = "/assets"
    records_jsonpath = "$.assets[*]"
    sort = "-updatedAt"
    query = ASSETS_QUERY
    schema = columns(
        whole="id parentId criticalityId locationId creatorId organizationId",
        text="name description serialNumber barcode manufacturer model",
        instants="createdAt updatedAt",
        lists="teamIds assetTypes vendorIds",
        objects="extraFields",
    )


class TapMaintainX(Tap):
    """Work orders and assets of one organisation."""

    name = "tap-maintainx"
    config_jsonschema = th.PropertiesList(
        th.Property("url", th.StringType, required=True),
        th.Property("token", th.StringType, required=True, secret=True),
        th.Property("now", th.StringType, required=True, description="the source's clock"),
    ).to_dict()

    def discover_streams(self) -> list[MaintainXStream]:
        """Return the two streams."""
        return [WorkOrders(self), Assets(self)]


if __name__ == "__main__":
    TapMaintainX.cli()
