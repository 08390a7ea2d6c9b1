"""Values that try to be SQL: from the URL, from site names, from the console; each stays a value, and shows nobody else's rows."""

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as how
from hypothesis import strategies as st

from dagster_project import organisations, quarantine, sites
from dagster_project.organisations import Source
from dagster_project.settings import load
from dagster_project.sites import Organisation, Site
from dashboards import data
from tests.dashboards.marts_builder import AS_OF, TODAY, build_published
from tests.small_world import new_warehouse, stored

HOSTILE = [
    "' or '1'='1", "') or true --", "x'); drop table marts.kpis; --", "pune' union select * from ops.runs --", "%", "_", "*",
    "\\' or 1=1 --", "101-unassigned' or site_id = 'pune", "$1", "?", ":site", "{{ 7*7 }}", "${jndi:ldap://x}", "\x00pune", "pune\x00",
    "pune ", " PUNE", "\uff50\uff55\uff4e\uff45", "pu\u200bne", "null", "", "read_csv('/etc/passwd')", "attach 'x.db'", "a" * 10_000,
    "🏭", "[pune]", "['pune']",
]  # fmt: skip
EVER = st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=40)), min_size=1, max_size=30)
OURS, THEIRS = ["austin", "porto", "101-unassigned"], "pune"
LOW, HIGH = TODAY.replace(year=2000), TODAY.replace(year=2100)


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The file of a published version with two organisations."""
    return str(build_published(tmp_path_factory.mktemp("hostile") / "published"))


def of_sites(version: str, names: list[str]) -> dict[str, pl.DataFrame]:
    """Everything that a page reads of some sites."""
    return {
        "repairs": data.repairs(version, names, LOW, HIGH),
        "pm_cohorts": data.pm_cohorts(version, names, "month"),
        "pm_misses": data.pm_misses(version, names, LOW, HIGH),
        "attention": data.attention(version, names),
        "ageing": data.ageing(version, names, AS_OF),
        "down_now": data.down_now(version, names, AS_OF),
        "standstills": data.standstills(version, names, LOW, HIGH, AS_OF),
    }


def tables(version: str) -> list[tuple]:
    with duckdb.connect(version, read_only=True) as connection:
        return connection.execute("select table_name, estimated_size from duckdb_tables() order by all").fetchall()


@given(names=EVER)
@example(names=HOSTILE)
@how(max_examples=4, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_i3_a_site_or_grain_from_the_url_is_a_value_and_finds_nothing_that_is_not_called_so(version, names):
    before = tables(version)
    assert {what: rows.height for what, rows in of_sites(version, names).items()} == dict.fromkeys(of_sites(version, []), 0)
    assert data.periods(version, 101, names[0]).is_empty()
    assert data.kpis(version, 101, names[-1]) == {}
    assert tables(version) == before


@given(names=EVER)
@example(names=HOSTILE)
@how(max_examples=4, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_i3_a_hostile_site_beside_ones_own_adds_no_row_of_another_organisation(version, names):
    alone, beside = of_sites(version, OURS), of_sites(version, [*OURS, *names])
    assert {what: rows.height for what, rows in beside.items()} == {what: rows.height for what, rows in alone.items()}
    assert all(THEIRS not in rows[column].to_list() for rows in beside.values() for column in ("site", "site_id") if column in rows.columns)


@pytest.mark.parametrize("organisation_id", [0, -1, 2**63 - 1, 103])
def test_i3_an_organisation_that_is_not_there_has_no_rows(version, organisation_id):
    assert data.sites(version, organisation_id).is_empty()
    assert data.periods(version, organisation_id, "week").is_empty()
    assert data.kpis(version, organisation_id, "week") == {}


def test_i3_each_organisation_sees_its_own_sites_and_kpis_alone(version):
    shown = {one: set(data.sites(version, one)["site_id"]) for one in (101, 102)}
    assert shown == {101: {"austin", "porto", "101-unassigned"}, 102: {"pune"}} or shown[101].isdisjoint(shown[102])
    for one, other in ((101, 102), (102, 101)):
        scopes = {scope for _, scope in data.kpis(version, one, "month")}
        assert str(one) in scopes
        assert scopes.isdisjoint({str(other), *shown[other]})


@pytest.mark.parametrize("query", ["select * from read_csv('/etc/passwd')", "copy (select 1) to '/tmp/leak.csv'", "attach '/tmp/other.db'"])
def test_i3_a_query_that_got_through_could_not_reach_a_file(version, query):
    with pytest.raises(data.Unreadable):
        data._rows(version, query)


@pytest.mark.parametrize("query", ["delete from marts.kpis", "create table marts.mine as select 1"])
def test_i3_a_query_that_got_through_could_not_write(version, query):
    with pytest.raises(data.Unreadable):
        data._rows(version, query)


def test_i3_hostile_site_and_organisation_names_are_stored_as_they_are(tmp_path):
    names = sorted(name for name in HOSTILE if name and "\x00" not in name)
    found = tuple(Site(f"{n} {name}", name, "UTC", root_location_id=n, targets={name: 0.9}) for n, name in enumerate(names))
    source = Source(load(), Organisation(101, name="'); drop table ops.sites; --", time_zone="UTC", sites=found), False)
    with new_warehouse(tmp_path) as warehouse:
        organisations.write_sites(warehouse, [source])
        organisations.write_sites(warehouse, [source])
        assert [name for (name,) in stored(warehouse, "ops.sites", "site_name")] == names
        assert [kpi for (kpi,) in stored(warehouse, "ops.kpi_targets", "kpi")] == names
        assert {name for (name,) in stored(warehouse, "ops.sites", "organisation_name")} == {"'); drop table ops.sites; --"}


def test_i3_sites_toml_takes_a_hostile_name_as_a_name_and_refuses_a_hostile_zone(tmp_path):
    path = tmp_path / "sites.toml"
    entry = '[[organisations]]\nid = 101\n[[organisations.sites]]\nid = "a\'; drop"\nname = "\'; --"\ntime_zone = {zone}\n'
    path.write_text(entry.format(zone='"UTC"'))
    assert [(site.site_id, site.name) for site in sites.load(path)[0].sites] == [("a'; drop", "'; --")]
    path.write_text(entry.format(zone='"UTC\'; drop table x; --"'))
    with pytest.raises(sites.BadSites, match="time_zone"):
        sites.load(path)


def test_i3_the_quarantine_is_searched_by_value(tmp_path):
    with new_warehouse(tmp_path) as warehouse:
        row = {"organisation_id": 101, "endpoint": "users", "record_id": 7, "reason_code": "type", "status": "open", "raw_hash": 1}
        warehouse.insert("quarantine", [row])
        for name in HOSTILE[:12]:
            assert quarantine.entries(warehouse, endpoint=name).is_empty()
            assert quarantine.entries(warehouse, reason=name).is_empty()
        assert quarantine.entries(warehouse, endpoint="users", reason="type").height == 1
