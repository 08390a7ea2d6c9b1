"""KPI rows as a reader takes them in: a value beside the one before it, and a sentence about the two."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl

from dashboards.filters import Selection
from dashboards.format import BASES, COVERED, SHORT_NAMES, SPACE, change, period_label, period_name, period_span, quantity, reason, share

NOISE = 0.1  # without an interval, a smaller relative change is not called one
FEW = 5  # of fewer no change is told
LITTLE_COVERAGE = 0.8
SPARK_PERIODS = 13

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """One KPI of one scope in the chosen period, beside the period before."""

    row: Row
    before: Row | None
    grain: str

    @property
    def label(self) -> str:
        """The KPI's name in the field's words."""
        return self.row["label"]

    @property
    def name(self) -> str:
        """The KPI's name inside a sentence."""
        return SHORT_NAMES.get(self.row["kpi"], self.label)

    @property
    def value(self) -> float | None:
        """The value, None when there is none."""
        return self.row["value"]

    @property
    def text(self) -> str:
        """The value with its unit."""
        return quantity(self.value, self.row["unit"], self.row["denominator"])

    @property
    def difference(self) -> float | None:
        """What was added since the period before."""
        if self.value is None or self.before is None or self.before["value"] is None:
            return None
        return self.value - self.before["value"]

    @property
    def is_steady(self) -> bool:
        """Whether the change is too small to speak of."""
        if not self.difference or self.before is None:
            return True
        low, high, earlier = self.row["interval_low"], self.row["interval_high"], self.before["value"]
        if low is not None and high is not None:
            return low <= earlier <= high
        by_chance = 2 * abs(earlier) ** 0.5 if self.row["unit"] == "orders" else 0.0
        return abs(self.difference) < max(NOISE * abs(earlier), by_chance)

    @property
    def is_few(self) -> bool:
        """Whether the value is that of too few to be compared; a count is one of itself."""
        return self.row["unit"] != "orders" and self.value is not None and (self.row["n"] or 0) < FEW

    @property
    def verdict(self) -> str:
        """What the change means: better, worse, steady, other (neither good nor bad), unknown (nothing to compare, or too few)."""
        difference = self.difference
        if difference is None or self.before is None or self.is_few or (self.row["unit"] != "orders" and (self.before["n"] or 0) < FEW):
            return "unknown"
        if self.is_steady:
            return "steady"
        if self.row["better"] == "neutral":
            return "other"
        return "better" if (difference > 0) == (self.row["better"] == "higher") else "worse"

    @property
    def change_words(self) -> str:
        """The change against the period before, in words with an arrow of its direction."""
        if self.value is None:
            return ""
        if self.before is None:
            return "the first period"
        name = period_label(self.before["period_start_on"], self.grain)
        difference = self.difference
        if difference is None:
            return f"no value in {name}"
        earlier = quantity(self.before["value"], self.row["unit"], self.before["denominator"])
        if self.verdict == "unknown":
            return f"{earlier} in {name}, too few to compare"
        if self.verdict == "steady":
            return f"no clear change from {earlier} in {name}"
        words = {"better": "better than", "worse": "worse than"}.get(self.verdict, "more than" if difference > 0 else "less than")
        size = change(self.value, self.before["value"], self.row["unit"])
        return f"{'▲' if difference > 0 else '▼'}{SPACE}{size} {words} {name}"

    @property
    def missing_words(self) -> str:
        """Why there is no value."""
        return reason(self.row["reason"])

    @property
    def coverage(self) -> str:
        """The share of rows that had the needed fields, in words; empty when the KPI has none."""
        covered = self.row["coverage_share"]
        return "" if covered is None or self.value is None else f"{share(covered)} {COVERED.get(self.row['kpi'], 'covered')}"

    @property
    def is_thin(self) -> bool:
        """Whether too few rows had the needed fields for the value to be taken at its word."""
        covered = self.row["coverage_share"]
        return self.value is not None and covered is not None and covered < LITTLE_COVERAGE

    @property
    def caption(self) -> str:
        """Of how many, and on which basis; a count needs neither, and what has no value has its reason instead."""
        if self.value is None:
            return ""
        number, basis, state = self.row["n"], self.row["basis"], self.row["window_state"]
        parts = [
            f"n = {number:,}{', few' if self.is_few else ''}" if number is not None and self.row["unit"] != "orders" else "",
            BASES.get(basis, basis or ""),
            "restated" if state == "restated" else "",
            ("now" if self.row["kpi"].startswith("backlog") else "so far") if state == "open" else "",
        ]
        return " · ".join(part for part in parts if part)

    @property
    def sentence(self) -> str:
        """The KPI and its change as a clause: `PM compliance fell to 78 %`."""
        if self.verdict in {"unknown", "steady"}:
            return f"{self.name} is {self.text}" if self.verdict == "unknown" else f"{self.name} is {self.text}, no clear change"
        return f"{self.name} {'rose' if (self.difference or 0) > 0 else 'fell'} to {self.text}"

    @property
    def size(self) -> float:
        """How large the change is beside the value before, to order changes by."""
        if self.difference is None or self.before is None:
            return 0.0
        return abs(self.difference) / max(abs(self.before["value"]), 0.01)


def read(selection: Selection, kpi: str, scope_id: str | None = None, index: int | None = None) -> Reading | None:
    """Return the KPI in the chosen period (or that of `index`); None when the marts have no such row."""
    at = selection.index if index is None else index
    now, earlier = selection.periods[at], selection.periods[at + 1] if at + 1 < len(selection.periods) else None
    wanted = [period.start for period in (now, earlier) if period]
    found = of(selection, kpi, scope_id).filter(pl.col("period_start_on").is_in(wanted))
    rows = {row["period_start_on"]: row for row in found.iter_rows(named=True)}
    return Reading(rows[now.start], rows.get(earlier.start) if earlier else None, selection.grain) if now.start in rows else None


def of(selection: Selection, kpi: str, scope_id: str | None = None) -> pl.DataFrame:
    """Return the rows of a KPI in one scope (by default the one in view), in order of time."""
    frames = selection.kpis()
    return frames.get((kpi, scope_id or selection.scope_id), next(iter(frames.values())).clear())


def series(selection: Selection, kpi: str, second: str | None = None) -> pl.DataFrame:
    """Return what a trend draws: one row per shown period with label, value, low, high, is_open, is_shown, text, told."""
    rows = {row["period_start_on"]: row for row in of(selection, kpi).iter_rows(named=True)}
    others = {row["period_start_on"]: row["value"] for row in of(selection, second).iter_rows(named=True)} if second else {}
    drawn = [_point(selection, rows.get(period.start), period.start, others) for period in selection.shown]
    schema = {
        "label": pl.String,
        "period_start_on": pl.Date,
        "value": pl.Float64,
        "low": pl.Float64,
        "high": pl.Float64,
        "n": pl.Int64,
        "is_open": pl.Boolean,
        "is_shown": pl.Boolean,
        "text": pl.String,
        "told": pl.String,
        "second": pl.Float64,
    }
    return pl.DataFrame(drawn, schema=schema, orient="row")


def _point(selection: Selection, row: Row | None, start: Any, others: dict[Any, float | None]) -> tuple[object, ...]:
    name = axis_label(selection, start)
    is_shown = start == selection.period.start
    if row is None:
        return (name, start, None, None, None, None, False, is_shown, "", f"{name}: no row", others.get(start))
    text = quantity(row["value"], row["unit"], row["denominator"])
    span = period_span(start, row["period_end_on"], selection.grain)
    told = f"{span}: {text}, n = {row['n']:,}" if row["value"] is not None else f"{span}: no value, {reason(row['reason'])}"
    is_open = row["window_state"] == "open"
    return (
        name,
        start,
        row["value"],
        row["interval_low"],
        row["interval_high"],
        row["n"],
        is_open,
        is_shown,
        text,
        told,
        others.get(start),
    )


def axis_label(selection: Selection, start: Any) -> str:
    """Return the label of a period on an axis, unique among those shown."""
    return period_label(start, "week") if selection.grain == "week" else period_name(start, "month")


def by_site(selection: Selection, kpi: str, index: int | None = None) -> tuple[list[tuple[str, Reading]], str | None]:
    """Return the sites that have a value, the highest first, and a sentence about those that have none."""
    found = [(name, reading) for site_id, name in selection.sites.items() if (reading := read(selection, kpi, site_id, index))]
    valued = sorted((item for item in found if item[1].value is not None), key=lambda item: -(item[1].value or 0.0))
    without = [f"{name}: {reading.missing_words}" for name, reading in found if reading.value is None]
    return valued, f"No value: {'; '.join(without)}" if without else None


def site_rows(selection: Selection, kpi: str) -> tuple[pl.DataFrame, str | None]:
    """Return what a chart by site draws: one row per site that has a value, the highest first, and a sentence about the others."""
    valued, without = by_site(selection, kpi)
    columns = {
        "site": [name for name, _ in valued],
        "value": [reading.value for _, reading in valued],
        "low": [reading.row["interval_low"] for _, reading in valued],
        "high": [reading.row["interval_high"] for _, reading in valued],
        "n": [reading.row["n"] for _, reading in valued],
        "words": [reading.text for _, reading in valued],
        "text": [f"{name}: {reading.text}, {reading.caption}" for name, reading in valued],
        "is_shown": [selection.site_id in {None, reading.row["site_id"]} for _, reading in valued],
    }
    schema = {
        "site": pl.String,
        "value": pl.Float64,
        "low": pl.Float64,
        "high": pl.Float64,
        "n": pl.Int64,
        "words": pl.String,
        "text": pl.String,
    }
    return pl.DataFrame(columns, schema=schema | {"is_shown": pl.Boolean}), without


def sparkline(selection: Selection, kpi: str, index: int | None = None) -> pl.DataFrame:
    """Return the last periods of a tile: position, value, is_open, is_shown."""
    at = selection.index if index is None else index
    rows = {row["period_start_on"]: row for row in of(selection, kpi).iter_rows(named=True)}
    periods = selection.periods[at : at + SPARK_PERIODS][::-1]
    if at == 1 and selection.periods[0].is_open:
        periods = (*periods[1:], selection.periods[0])
    points = [
        (
            position,
            rows[period.start]["value"] if period.start in rows else None,
            period.is_open,
            period.start == selection.periods[at].start and not period.is_open,
        )
        for position, period in enumerate(periods)
    ]
    return pl.DataFrame(
        points, schema={"position": pl.Int64, "value": pl.Float64, "is_open": pl.Boolean, "is_shown": pl.Boolean}, orient="row"
    )


def joined(words: Iterable[str]) -> str:
    """Return `a`, `a and b`, or `a, b and c`."""
    *first, last = list(words) or [""]
    return f"{', '.join(first)} and {last}" if first else last
