"""sites.toml: what it may say, what it may not, and what the API completes."""

from datetime import date
from pathlib import Path

import pytest

from dagster_project import sites
from dagster_project.operating_hours import Shift
from dagster_project.settings import ROOT
from dagster_project.sites import BadSites, Organisation, Site

DEMO = ROOT / "data" / "demo" / "sites.toml"
AUSTIN = Site(
    "austin", "Austin", "America/Chicago", 5001, 640.0, {"pm_compliance": 0.92},
    shifts=(*(Shift(day, 6 * 3600, 22 * 3600) for day in range(1, 6)), Shift(6, 6 * 3600, 14 * 3600)),
    holidays=(date(2025, 7, 4), date(2025, 11, 27), date(2025, 12, 25), date(2026, 1, 1), date(2026, 7, 3)),
)  # fmt: skip
PORTO = Site("porto", "Porto", "Europe/Lisbon", 5002, 360.0)
API = {"id": 101, "name": "Northfield Foods", "timeZone": "America/Chicago", "currency": "USD"}


def written(folder: Path, text: str) -> Path:
    path = folder / "sites.toml"
    path.write_text(text, encoding="utf-8")
    return path


def one_site(**fields: str) -> str:
    """Return a sites.toml of one organisation with one site; `fields` are TOML values of the site."""
    values = {"id": '"austin"', "time_zone": '"America/Chicago"', **fields}
    return "[[organisations]]\nid = 101\n[[organisations.sites]]\n" + "\n".join(f"{name} = {value}" for name, value in values.items())


def test_the_demos_file_says_its_plants():
    northfield, deccan = sites.load(DEMO)
    assert northfield == Organisation(101, "MAINTAINX_TOKEN", "Northfield Foods", "America/Chicago", "USD", (AUSTIN, PORTO))
    pune = Site(
        "pune", "Pune", "Asia/Kolkata", 5101, 480.0,
        shifts=tuple(Shift(day, 14 * 3600, 30 * 3600) for day in range(1, 7)),
        holidays=(date(2025, 8, 15), date(2026, 1, 26), date(2026, 8, 15)),
    )  # fmt: skip
    assert deccan == Organisation(102, "MAINTAINX_TOKEN", "Deccan Packaging", "Asia/Kolkata", "INR", (pune,))


def test_without_a_file_no_organisation_is_declared():
    assert sites.load(None) == ()


def test_every_key_is_read(tmp_path):
    text = """
    [[organisations]]
    id = 101
    token_variable = "NORTHFIELD_TOKEN"
    [[organisations.sites]]
    id = "austin"
    name = "Austin"
    root_location_id = 5001
    time_zone = "America/Chicago"
    crew_hours_per_week = 640
    targets = { pm_compliance = 0.92, mttr = 4 }
    operating_hours = ["mon 06:00-14:00"]
    holidays = [2026-12-25]
    """
    austin = Site(
        "austin", "Austin", "America/Chicago", 5001, 640.0, {"pm_compliance": 0.92, "mttr": 4.0},
        shifts=(Shift(1, 6 * 3600, 14 * 3600),), holidays=(date(2026, 12, 25),),
    )  # fmt: skip
    assert sites.load(written(tmp_path, text)) == (Organisation(101, "NORTHFIELD_TOKEN", sites=(austin,)),)


def test_a_site_without_a_name_is_called_by_its_id(tmp_path):
    assert sites.load(written(tmp_path, one_site()))[0].sites == (Site("austin", "austin", "America/Chicago"),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[organisations]\n", "sites.toml"),
        ("[[organisation]]\nid = 101", "unknown key 'organisation'; known are organisations"),
        ("[[organisations]]\nname = 'x'", "id must be the organisation's integer id"),
        ("[[organisations]]\nid = '101'", "id must be the organisation's integer id"),
        ("[[organisations]]\nid = true", "id must be the organisation's integer id"),
        ("[[organisations]]\nid = 1\ntimezone = 'UTC'", "unknown key 'timezone'; known are currency, id"),
        ("[[organisations]]\nid = 1\ntime_zone = 'Mars/Base'", "time_zone 'Mars/Base' is not an IANA zone"),
        ("[[organisations]]\nid = 1\ntoken_variable = 7", "token_variable must be text, not 7"),
        ("[[organisations]]\nid = 1\nname = 7", "name must be text, not 7"),
        ("[[organisations]]\nid = 1\n[[organisations]]\nid = 1", "organisations.id 1 stands twice"),
        (one_site(roots="1"), "unknown key 'roots'; known are crew_hours_per_week, holidays, id"),
        (one_site(id="7"), "id must be text, not 7"),
        (one_site(time_zone='""'), "time_zone must be text, not ''"),
        (one_site(time_zone='"Texas"'), "time_zone 'Texas' is not an IANA zone such as 'Europe/Lisbon'"),
        (one_site(name="7"), "name must be text, not 7"),
        (one_site(crew_hours_per_week="0"), "crew_hours_per_week must be a number above 0, not 0"),
        (one_site(crew_hours_per_week="true"), "crew_hours_per_week must be a number above 0, not True"),
        (one_site(root_location_id='"5001"'), "root_location_id must be a location's integer id, not '5001'"),
        (one_site(operating_hours='"mon"'), "sites[id='austin']: operating_hours must be a list of days and times"),
        (one_site(operating_hours='["mon 6-14"]'), "sites[id='austin']: operating_hours entry 'mon 6-14' must be"),
        (one_site(operating_hours='["mon 06:00-14:00"]', holidays="[7]"), "holidays must be a list of dates such as 2026-12-25, not [7]"),
        (one_site(holidays="[2026-12-25]"), "holidays need operating_hours"),
        (one_site(targets='{ mttr = "low" }'), "target of mttr must be a number, not 'low'"),
        (one_site() + "\n[[organisations.sites]]\nid = 'porto'\ntime_zone = 'UTC'", "with several sites each needs a root_location_id"),
        (one_site() + "\n" + one_site().replace("101", "102"), "sites.id 'austin' stands twice"),
    ],
)
def test_a_mistake_is_refused_with_the_file_the_field_and_the_value(tmp_path, text, message):
    with pytest.raises(BadSites, match=r"sites\.toml") as refusal:
        sites.load(written(tmp_path, text))
    assert message in str(refusal.value)


def test_two_sites_with_one_root_are_refused(tmp_path):
    second = "\n[[organisations.sites]]\nid = 'porto'\ntime_zone = 'UTC'\nroot_location_id = 5001"
    with pytest.raises(BadSites, match=r"root_location_id 5001 stands twice"):
        sites.load(written(tmp_path, one_site(root_location_id="5001") + second))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BadSites, match=r"no-such\.toml"):
        sites.load(tmp_path / "no-such.toml")


def test_without_sites_an_organisation_is_one_site_as_the_api_describes_it():
    site = Site("101", "Northfield Foods", "America/Chicago")
    assert sites.complete(Organisation(101), API) == Organisation(
        101, "MAINTAINX_TOKEN", "Northfield Foods", "America/Chicago", "USD", (site,)
    )


def test_without_the_api_an_organisation_is_named_by_its_id_and_lives_in_utc():
    site = Site("101", "Organisation 101", "UTC")
    assert sites.complete(Organisation(101), None) == Organisation(101, name="Organisation 101", time_zone="UTC", sites=(site,))


def test_what_sites_toml_says_wins_over_the_api():
    declared = Organisation(101, name="Foods", time_zone="Europe/Lisbon", currency="EUR")
    found = sites.complete(declared, API)
    assert (found.name, found.time_zone, found.currency) == ("Foods", "Europe/Lisbon", "EUR")


@pytest.mark.parametrize("zone", ["Mars/Base", "", None, 5])
def test_a_time_zone_of_the_api_that_nobody_knows_becomes_utc(zone):
    assert sites.complete(Organisation(101), {**API, "timeZone": zone}).time_zone == "UTC"


def test_several_sites_leave_the_rest_to_an_unassigned_site_in_the_organisations_time_zone():
    unassigned = Site("101-unassigned", "Unassigned", "America/Chicago", is_unassigned=True)
    assert sites.complete(Organisation(101, sites=(AUSTIN, PORTO)), API).sites == (AUSTIN, PORTO, unassigned)


def test_one_site_with_a_root_leaves_what_lies_outside_it_unassigned():
    unassigned = Site("101-unassigned", "Unassigned", "America/Chicago", is_unassigned=True)
    assert sites.complete(Organisation(101, sites=(AUSTIN,)), API).sites == (AUSTIN, unassigned)


def test_one_site_without_a_root_owns_everything():
    plant = Site("plant", "Plant", "Europe/Lisbon")
    assert sites.complete(Organisation(101, sites=(plant,)), API).sites == (plant,)
