"""Forty orders, each a trap: every figure of them as it was worked out by hand."""

import pkgutil
from importlib import import_module

import pytest

from tests import golden
from tests.dbt.conftest import Build, Marts, build, dbt_target_dir
from tests.golden import plant
from tests.golden.expected import Expected

__all__ = ["build", "dbt_target_dir"]  # fixtures
pytestmark = pytest.mark.dbt

MODULES = sorted(each.name for each in pkgutil.iter_modules(golden.__path__) if each.name.startswith("expected"))
EXPECTED: list[Expected] = [one for name in MODULES for one in import_module(f"tests.golden.{name}").EXPECTED]
QUARTERS = {"Q1": "01", "Q2": "04", "Q3": "07", "Q4": "10"}


@pytest.fixture(scope="module")
def marts(build: Build) -> Marts:
    return build(plant.raw(), plant.AS_OF)


def period(text: str) -> tuple[str, str]:
    """Grain and first day of '2026-03', '2026-Q1', '2026' or '2026-03-02/week'."""
    if text.endswith("/week"):
        return "week", text.removesuffix("/week")
    year, _, part = text.partition("-")
    if not part:
        return "year", f"{year}-01-01"
    return ("quarter", f"{year}-{QUARTERS[part]}-01") if part in QUARTERS else ("month", f"{year}-{part}-01")


def scope(text: str) -> tuple[str, str]:
    """Scope type and id of '1' (an organisation), 'austin' (a site) or 'team:3'."""
    kind, found, name = text.partition(":")
    if found:
        return kind, name
    return ("organisation" if text.isdigit() else "site"), text


@pytest.mark.parametrize("one", EXPECTED, ids=lambda one: f"{one.kpi} {one.scope} {one.period}")
def test_a_figure_is_what_it_was_worked_out_to_be(marts: Marts, one: Expected) -> None:
    columns = "value, n, reason, basis, coverage_share"
    where = "kpi = ? and scope_type = ? and scope_id = ? and period_grain = ? and period_start_on = ?"
    found = marts.rows(f"select {columns} from marts.kpis where {where}", one.kpi, *scope(one.scope), *period(one.period))
    assert found == [
        (
            None if one.value is None else pytest.approx(one.value),
            one.n,
            one.reason,
            one.basis,
            None if one.coverage_share is None else pytest.approx(one.coverage_share),
        )
    ]


def test_every_order_of_the_fixture_is_there_but_the_deleted_one(marts: Marts) -> None:
    assert marts.rows("select count(*) from marts.fct_work_orders") == [(39,)]


def test_the_restated_completions_of_reopened_orders_are_out_of_march(marts: Marts) -> None:
    where = "work_order_id in (13, 14) order by work_order_id"
    assert marts.rows(f"select status, completed_on is null, month(completed_on) from marts.fct_work_orders where {where}") == [
        ("OPEN", True, None),
        ("DONE", False, 4),
    ]


def test_limits_are_of_the_kind_that_the_definition_names(marts: Marts) -> None:
    query = "select distinct k.kpi, k.interval_kind, d.interval_kind from marts.kpis k join marts.kpi_definitions d using (kpi)"
    assert marts.rows(f"{query} where k.interval_kind is not null and k.interval_kind is distinct from d.interval_kind") == []


def test_finer_scopes_are_those_that_the_definition_names(marts: Marts) -> None:
    query = "select distinct k.kpi, k.scope_type from marts.kpis k join marts.kpi_definitions d using (kpi)"
    assert marts.rows(f"{query} where not list_contains(string_split(d.scopes, ', '), k.scope_type)") == []
