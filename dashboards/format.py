"""Numbers, dates and codes in the words of a reader, and tables as CSV."""

import re
from collections.abc import Callable
from datetime import date, datetime
from math import floor, log10
from zoneinfo import ZoneInfo

import polars as pl
import polars.selectors as cs

SPACE = "\u00a0"  # between a number and its unit: they never part at a line's end
MISSING = "—"
TO = "\u2013"  # the en dash between two numbers
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

REASONS = {  # every reason of marts.kpis
    "closer_not_known": "who completed the orders is not known",
    "cohort_not_mature": "these orders have not had their time yet",
    "mixed_currencies": "the amounts are in several currencies",
    "no_active_pms": "no preventive work order was active",
    "no_assets": "no work order names an asset",
    "no_crew_hours": "crew hours per week are not set for every site (sites.toml)",
    "no_decision_instants": "when the requests were decided was not seen",
    "no_downtime_ended": "no unplanned downtime ended",
    "no_estimates": "no work order has an estimate, and none can be inferred",
    "no_failures": "nothing failed, so there is only a lower limit",
    "no_interval_known": "the interval of the preventive work is not known",
    "no_labour_logged": "no time was logged",
    "no_labour_rates": "the logged time has no cost",
    "no_operating_time": "the site did not operate",
    "no_prices": "nothing has a price",
    "no_repair_evidence": "no repair has a root-cause report or a fully observed time in progress",
    "no_status_tracking": "no asset reports its status",
    "no_stops": "nothing stopped, so there is only a lower limit",
    "no_week_over": "no week of the period is over yet",
    "not_observed_yet": "the source had not been read completely then",
    "nothing_completed": "no work order was completed",
    "nothing_created": "no work order was created",
    "nothing_decided": "no work request was decided",
    "nothing_due": "nothing was due",
    "nothing_open": "no work order was open",
    "nothing_requested": "nobody requested work",
    "nothing_scheduled": "nothing was scheduled",
    "parent_not_in_list": "MaintainX's list does not name the parents of work orders",
}
BASES = {  # every basis of marts.kpis
    "calendar": "calendar hours",
    "completed": "completed orders",
    "decisions": "decisions on record",
    "estimates": "estimates",
    "mixed": "operating and calendar hours",
    "observed": "what was seen in the log",
    "operating_calendar": "operating hours",
    "order_fields": "fields of the orders",
    "parent_links": "links to parents",
    "preventive_only": "preventive work alone",
    "rca": "root-cause reports",
    "status": "time in progress",
    "time_items": "time entries",
}
COVERED = {  # what a KPI's coverage_share is a share of
    "mttr": "of repairs",
    "mttr_labour": "of repairs",
    "availability": "of assets tracked",
    "pm_compliance": "of PMs have a due date",
    "pm_compliance_plus_1_day": "of PMs have a due date",
    "backlog_hours": "have an own estimate",
    "backlog_crew_weeks": "have an own estimate",
}
SHORT_NAMES = {  # where a label would break a sentence
    "lead_time_reactive": "Reactive lead time",
    "lead_time_reactive_median": "Median reactive lead time",
    "lead_time_median": "Median lead time",
    "backlog_overdue_count": "Overdue backlog",
    "backlog_crew_weeks": "Backlog",
    "vendor_on_time_share": "MaintainX's on-time share",
}
ACRONYMS = {"Kpi": "KPI", "Rca reports": "RCA reports", "Maintainx": "MaintainX"}
STATUSES = {
    "OPEN": "Open",
    "IN_PROGRESS": "In progress",
    "ON_HOLD": "On hold",
    "DONE": "Done",
    "CANCELED": "Canceled",
    "SKIPPED": "Skipped",
}
PRIORITIES = {"HIGH": "High", "MEDIUM": "Medium", "LOW": "Low", "NONE": "No priority"}  # in the order of urgency

_MARKDOWN = re.compile(r"([!-/:-@\[-`{-~])")
_FORMULA = r"^(\s*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]|[\t\r\n])"  # with their full-width forms, which a spreadsheet reads alike


def reason(code: str | None) -> str:
    """Return why a KPI has no value; a code not known here is shown as its own words."""
    return REASONS.get(code or "", (code or "no reason given").replace("_", " "))


def significant(value: float, figures: int = 2) -> str:
    """Return the value with that many significant figures and thousands separated: 0.42, 4.1, 27, 310, 5,400."""
    if value == 0:
        return "0"
    decimals = figures - 1 - floor(log10(abs(value)))
    rounded = round(value, decimals)
    decimals = figures - 1 - floor(log10(abs(rounded)))  # 9.96 becomes 10, not 10.0
    return f"{rounded:,.{max(decimals, 0)}f}"


def share(value: float, of: float | None = None) -> str:
    """Return a share in per cent, with a decimal only when it is a share `of` many; never 100 or 0 when it is not."""
    decimals = 1 if (of or 0) >= 1000 else 0
    least = 10**-decimals
    percent = round(value * 100, decimals)
    if percent == 100 and value < 1:
        return f">{SPACE}{100 - least:.{decimals}f}{SPACE}%"
    if percent == 0 and value > 0:
        return f"<{SPACE}{least:.{decimals}f}{SPACE}%"
    return f"{percent:.{decimals}f}{SPACE}%"


def hours(value: float) -> str:
    """Return a duration: minutes below one hour, hours above."""
    if 0 < abs(value) < 1:
        return f"{value * 60:.0f}{SPACE}min"
    return f"{significant(value)}{SPACE}h"


def days_and_hours(value: float) -> str:
    """Return a duration given in hours as `3 d 4 h`."""
    days, rest = divmod(round(value), 24)
    return f"{days}{SPACE}d{SPACE}{rest}{SPACE}h" if days else f"{rest}{SPACE}h"


def quantity(value: float | None, unit: str, of: float | None = None) -> str:
    """Return a KPI's value with its unit; a dash when there is none."""
    if value is None:
        return MISSING
    if unit == "share":
        return share(value, of)
    say = QUANTITIES.get(unit)
    return say(value) if say else f"{significant(value)}{SPACE}{unit}"


def counted(value: float, noun: str) -> str:
    """Return a number with its noun in the right number: `1 week`, `3.2 weeks`, `41 orders`."""
    number = f"{value:,}" if isinstance(value, int) else significant(value)
    return f"{number}{SPACE}{noun}{'' if number == '1' else 's'}"


QUANTITIES: dict[str, Callable[[float], str]] = {  # by unit; a share is a case of its own
    "hours": hours,
    "days": lambda value: counted(value, "day"),
    "crew_weeks": lambda value: counted(value, "week"),
    "orders": lambda value: f"{value:,.0f}",
    "amount": lambda value: f"{value:,.0f}",
    "requests": lambda value: counted(round(value), "request"),
    "failures": lambda value: counted(round(value), "failure"),
    "failures_per_1000_hours": lambda value: f"{significant(value)} per 1,000{SPACE}h",
    "ratio": significant,
}


def change(value: float, before: float, unit: str) -> str:
    """Return the size of a change, without a sign: shares in percentage points."""
    size = abs(value - before)
    return f"{significant(size * 100, 2 if size >= 0.1 else 1)}{SPACE}pts" if unit == "share" else quantity(size, unit)


def day(on: date) -> str:
    """Return `9 Nov 2026`."""
    return f"{on.day} {MONTHS[on.month - 1]} {on.year}"


def period_label(start: date, grain: str) -> str:
    """Return the short name of a period: `W46` or `Nov`."""
    return f"W{start.isocalendar().week:02}" if grain == "week" else MONTHS[start.month - 1]


def period_name(start: date, grain: str) -> str:
    """Return the name of a period with its year, the ISO year for weeks: `W46 2026` or `Nov 2026`."""
    return f"{period_label(start, grain)} {start.isocalendar().year if grain == 'week' else start.year}"


def period_span(start: date, end: date, grain: str) -> str:
    """Return `W46, 9-15 Nov 2026` (with an en dash) or `Nov 2026`."""
    if grain == "month":
        return period_name(start, grain)
    first = str(start.day) if start.month == end.month else f"{start.day} {MONTHS[start.month - 1]}"
    return f"{period_label(start, grain)}, {first}{TO}{day(end)}"


def instant(at: datetime, zone: ZoneInfo) -> str:
    """Return `06:00 CST, Mon 16 Nov 2026` on the clocks of `zone`."""
    local = at.astimezone(zone)
    name = local.tzname() or ""
    return f"{local:%H:%M} {name if name[:1].isalpha() else 'UTC' + name}, {DAYS[local.weekday()]} {day(local)}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """Return `1 order` or `3 orders`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def code(value: str | None) -> str:
    """Return a code of a record in sentence case: `work_orders` → `Work orders`."""
    words = (value or MISSING).replace("_", " ").capitalize()
    return ACRONYMS.get(words, words)


def inside(name: str) -> str:
    """Return a name as it stands inside a sentence: without its capital, unless it begins with an acronym."""
    return name if name[1:2].isupper() or name.startswith("MaintainX") else name[:1].lower() + name[1:]


def verbatim(text: str) -> str:
    """Return Markdown that shows the text as it is."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def csv(frame: pl.DataFrame) -> bytes:
    """Return the table as CSV for a spreadsheet: no cell of a text column is read as a formula, numbers stay numbers."""
    text = cs.string() | cs.categorical() | cs.enum()
    safe = frame.with_columns(text.cast(pl.String).str.replace(_FORMULA, "'$0"))
    return safe.write_csv(include_bom=True).encode()
