"""KPI rows as a reader takes them in: a value beside the one before it, and a sentence about the two."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl

from dashboards.filters import Selection
from dashboards.format import BASES, COVERED, SHORT_NAMES, SPACE, change, period_label, quantity, reason, share

NOISE = 0.1  # without an interval, a smaller relative change is not called one
FEW = 5  # of fewer no change is told
LITTLE_COVERAGE = 0.8

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
        by_chance = 2 * max(abs(earlier), abs(earlier + self.difference)) ** 0.5 if self.row["unit"] == "orders" else 0.0
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
        """The change against the period before, in words, with an arrow of its direction when it is told."""
        if self.difference is None or self.verdict in {"unknown", "steady"}:
            return self.comparison
        return f"{'▲' if self.difference > 0 else '▼'}{SPACE}{self.comparison}"

    @property
    def comparison(self) -> str:
        """The change against the period before, in words."""
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
        return f"{size} {words} {name}"

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


def joined(words: Iterable[str]) -> str:
    """Return `a`, `a and b`, or `a, b and c`."""
    *first, last = list(words) or [""]
    return f"{', '.join(first)} and {last}" if first else last
