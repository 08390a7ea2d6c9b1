"""What models and their tests must not say, because DuckDB and BigQuery would answer differently."""

import re
from pathlib import Path

import pytest

DBT = Path(__file__).resolve().parents[2] / "dbt"
SQL = sorted(path for folder in ("models", "tests", "macros") for path in (DBT / folder).rglob("*.sql") if path.parent.name != "portable")
FORBIDDEN = {
    "a cast by ::": r"::",
    "filter (where …)": r"\bfilter\s*\(",
    "ilike": r"\bilike\b",
    "the clock": r"\bcurrent_(timestamp|date|time)\b|\bnow\s*\(|\bget_current_timestamp\b|\btoday\s*\(",
    "greatest or least, which differ on NULL": r"\b(greatest|least)\s*\(",
    "concat, which differs on NULL": r"\bconcat\s*\(",
    "nesting": r"\bunnest\b|\bjson",
    "date_trunc of a week": r"date_trunc\s*\(\s*'week'",
    "a 32-bit float": r"type_float",
    "safe_cast": r"safe_cast",
    "dateadd": r"\bdateadd\b",
    "the target's type": r"target\.type",
    "group by number": r"\b(group|order) by \d",
    "a dialect's own function": r"\b(date_diff|datediff|epoch_us|timezone|quantile_cont|percentile_cont|string_agg|date_trunc)\s*\(",
    "a type of one dialect": r"\bas (varchar|double|float64|int64|timestamptz|timestamp|hugeint|string)\b",
    "a bare division of columns": r"\b[a-z_]+_(seconds|count|orders) / [a-z_]+",
    "using, which merges columns differently": r"\busing\s*\(",
    "qualify": r"\bqualify\b",
}


def code(path: Path) -> str:
    """The file without SQL and Jinja comments, which may speak of anything."""
    return re.sub(r"\{#.*?#\}|--[^\n]*", "", path.read_text(), flags=re.DOTALL).lower()


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_model_says(what: str) -> None:
    said = [path.relative_to(DBT).as_posix() for path in SQL if re.search(FORBIDDEN[what], code(path))]
    assert said == []


def test_every_order_by_says_where_nulls_go() -> None:
    ordered = re.compile(r"order by ((?:[^()]|\([^()]*\))*?)(?:\)|\brows\b|$)")
    silent = [
        f"{path.relative_to(DBT).as_posix()}: {key}"
        for path in SQL
        for keys in ordered.findall(" ".join(code(path).split()))
        for key in keys.split(",")
        if "nulls last" not in key
    ]
    assert silent == []


def test_every_running_window_has_rows_of_its_own() -> None:
    running = re.compile(r"sum\([^()]*\) over \([^()]*order by[^()]*\)")
    loose = [path.name for path in SQL for window in running.findall(" ".join(code(path).split())) if "rows" not in window]
    assert loose == []


def test_a_portable_file_holds_one_macro_of_its_name_and_says_what_it_means() -> None:
    for path in sorted((DBT / "macros" / "portable").glob("*.sql")):
        text = path.read_text()
        dispatched = re.findall(r"macro (\w+)\(", text)
        assert text.startswith("{#"), path.name
        assert dispatched[0] == path.stem
        assert set(dispatched[1:]) <= {f"default__{path.stem}", f"bigquery__{path.stem}"}
        assert f'adapter.dispatch("{path.stem}")' in text
