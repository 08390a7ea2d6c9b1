"""What nobody outside MaintainX knows for sure, as named switches with the default that we assume."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Literal

import msgspec


@dataclass(frozen=True, slots=True)
class Options:
    """How the simulated API behaves where the documentation is silent, and what it announces."""

    rate_limit: int = 100_000  # requests per user and 60 s; the real API's is 100
    organisation_rate_limit: int = 0  # per organisation and 60 s over all users; 0: five times the user's, as in the real API
    list_lag_seconds: int = 0  # lists show a change up to this much later; reads by id show it at once
    deleted_get: Literal["not_found", "deleted_at"] = "not_found"
    unknown_custom_field: Literal["error", "empty"] = "error"  # a filter on a custom field that no record has
    null_order: Literal["largest", "last"] = "largest"  # largest: last when ascending, first when descending
    ties: Literal["ascending", "with_sort"] = "with_sort"  # order of ids within equal sort keys of a descending list
    largest_page: int = 200  # rows; the documented limit
    over_limit: Literal["refused", "cut"] = "refused"  # what becomes of a larger limit
    unknown_parameter: Literal["error", "ignored"] = "error"  # where a list has no custom fields to filter by
    filter_resolution_ms: int = 1  # 1000: bounds are cut to whole seconds
    is_filter_honoured: bool = True  # date filters; otherwise they are read and forgotten
    is_sort_honoured: bool = True  # otherwise every list comes in its default order
    hides_upcoming: bool = True  # lists of work orders leave out those that start in the future, unless asked for
    largest_offset: int | None = None  # an offset list refuses to go further
    header_on_single_key: Literal["accepted", "refused"] = "accepted"  # the organisation header sent with a one-organisation token
    team_ids_expand: bool = True  # the live API has it for work orders, the published document of July has not
    asset_moves_with_status: bool = True  # asset.updatedAt moves when its status changes
    part_moves_with_stock: bool = True  # part.updatedAt moves when its stock changes
    completed_at_on_cancel: bool = False  # completedAt is set on CANCELED and SKIPPED
    completed_at_kept_on_reopen: bool = True  # it is documented as the last time the order was marked DONE
    default_sorts: Mapping[str, str] = field(
        default_factory=lambda: MappingProxyType(
            {"work_orders": "-createdAt", "asset_statuses": "-createdAt", "work_requests": "-updatedAt"}
        )
    )  # any other collection: ascending id


class BadSwitch(ValueError):
    """A switch does not exist, or does not take that value."""


def read(given: Mapping[str, str], switches: Sequence[str]) -> Options:
    """Return the options of some values and of switches written NAME=VALUE.

    Raises:
        BadSwitch: it says which, and why.
    """
    values = dict(given) | dict(each.partition("=")[::2] for each in switches)
    if unknown := sorted(set(values) - {each.name for each in fields(Options)}):
        raise BadSwitch(f"there is no switch {', '.join(unknown)}")
    try:
        return msgspec.convert(values, Options, strict=False)
    except msgspec.ValidationError as error:
        raise BadSwitch(str(error)) from error
