"""The KPIs of a past day, evaluated later: as they were known then, or as they are known since."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from dagster_project import as_of, models, publish, refresh
from dagster_project.warehouse.base import WarehouseBusy
from dagster_project.warehouse.open import open_warehouse
from tests.test_cli import maintainx
from tests.test_end_to_end import Plant, a_plant

RUNS = [datetime(2026, 10, day, 6, tzinfo=UTC) for day in (1, 2, 5)]
LATE = "2026-11-18"  # a Wednesday


def known(as_of_text: str, known_at: str | None) -> tuple[datetime, datetime]:
    return as_of.instants(RUNS, as_of_text, known_at)


def test_a_date_means_what_was_reported_last_on_that_day() -> None:
    assert known("2026-10-02", None) == (RUNS[1], RUNS[1])
    assert known("2026-10-04", None) == (RUNS[1], RUNS[1])
    assert known("2026-10-05", None) == (RUNS[2], RUNS[2])


def test_an_instant_is_taken_to_the_letter_and_known_by_the_run_before_it() -> None:
    noon = datetime(2026, 10, 2, 12, tzinfo=UTC)
    assert known("2026-10-02T12:00", None) == (noon, RUNS[1])
    assert known("2026-10-02T07:00-05:00", None) == (noon, RUNS[1])
    assert known("2026-10-02T12:00Z", "2026-10-05") == (noon, RUNS[2])


def test_before_the_first_run_nothing_was_known() -> None:
    assert known("2026-09-01", None) == (datetime(2026, 9, 2, tzinfo=UTC),) * 2


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "2026-10-2", "", "03.10.2026"])
def test_what_is_no_instant_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(as_of.NoInstant, match=r"neither a date nor an instant: write a date \(2026-10-03\)"):
        known(text, None)


@pytest.mark.parametrize("given", [("2026-10-06", None), ("2026-10-05T06:01Z", None), ("2026-10-01", "2027-01-01")])
def test_the_future_is_refused(given: tuple[str, str | None]) -> None:
    with pytest.raises(as_of.NotKnownYet, match=r"lies after the last finished run \(2026-10-05 06:00:00 UTC\)"):
        known(*given)


@dataclass
class Past:
    """A plant whose KPIs were reported on a day, and which lived and was read for ten more days."""

    plant: Plant
    reported: list[tuple]
    files: Path

    def kpis(self, name: str, *, known_at: str | None = None) -> list[tuple]:
        done = as_of.evaluate(self.plant.settings, LATE, self.files / name, known_at, lambda _: None)
        assert done.is_observed
        return kpis(done.path)


def kpis(file: Path) -> list[tuple]:
    with duckdb.connect(str(file), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        return connection.execute("select * from marts.kpis order by all").fetchall()


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Past:
    one = a_plant(tmp_path_factory.mktemp("past"), scale=0.02)
    for _ in range(3):
        refresh.refresh(one.settings, lambda _: None, transport=one.source["transport"])
        one.simulator.world.advance(timedelta(days=1))
    published = publish.current(one.settings.published_dir)
    assert published is not None
    reported = kpis(published)
    one.delete_orders("OPEN", "DONE")
    for _ in range(10):
        one.step(timedelta(days=1))
    return Past(one, reported, tmp_path_factory.mktemp("files"))


@pytest.mark.dbt
def test_what_was_reported_on_a_day_is_what_is_evaluated_for_it_ten_days_later(past: Past) -> None:
    before = stamps(past)
    found = past.kpis("then.duckdb")
    assert len(found) > 1000
    assert found == past.reported
    assert stamps(past) == before
    assert [path.name for path in past.files.iterdir()] == ["then.duckdb"]


def stamps(past: Past) -> dict[str, int]:
    """Every published file by when it was written."""
    return {str(path): path.stat().st_mtime_ns for path in past.plant.settings.published_dir.rglob("*")}


@pytest.mark.dbt
def test_by_what_is_known_since_the_same_day_looks_otherwise(past: Past) -> None:
    found = past.kpis("since.duckdb", known_at="2026-11-28")
    before, since = of_wholes(past.reported), of_wholes(found)
    assert since.keys() == before.keys()
    assert [key for key, figure in since.items() if figure != before[key]]


def of_wholes(rows: list[tuple]) -> dict[tuple, tuple]:
    """The value and n of organisations and sites, by key; finer scopes have rows only where they have records."""
    return {row[:7]: (row[11], row[16]) for row in rows if row[3] in ("organisation", "site")}


@pytest.mark.dbt
def test_before_the_first_run_every_kpi_says_that_nothing_was_observed(past: Past) -> None:
    done = as_of.evaluate(past.plant.settings, "2026-11-01", past.files / "before.duckdb", None, lambda _: None)
    assert not done.is_observed
    with duckdb.connect(str(done.path), read_only=True) as connection:
        assert connection.execute("select distinct value, reason from marts.kpis").fetchall() == [(None, "not_observed_yet")]


@pytest.mark.dbt
def test_the_console_says_what_is_in_the_way(past: Past) -> None:
    there, data = past.files / "there.duckdb", past.plant.settings.data_dir
    there.write_text("something")
    assert maintainx(data, "kpis", "--as-of", LATE, "--out", str(there)).output == (
        f"error: {there} exists already and is not overwritten: name another file, or remove it\n"
    )
    assert there.read_text() == "something"
    said = maintainx(data, "kpis", "--as-of", LATE, "--out", str(past.files / "nowhere" / "a.duckdb")).output
    assert said == f"error: there is no folder {past.files / 'nowhere'} to write a.duckdb to\n"
    said = maintainx(data, "kpis", "--as-of", "2030-01-01", "--out", str(past.files / "a.duckdb")).output
    assert said.startswith("error: --as-of 2030-01-01 lies after the last finished run (2026-11-")
    assert list(past.files.glob(".tmp-*")) == []


@pytest.mark.dbt
def test_while_somebody_writes_the_console_says_who(past: Past) -> None:
    with open_warehouse(past.plant.settings), pytest.raises(WarehouseBusy, match=str(os.getpid())):
        as_of.evaluate(past.plant.settings, LATE, past.files / "busy.duckdb", None, lambda _: None)


def test_without_a_warehouse_none_is_made(tmp_path: Path) -> None:
    done = maintainx(tmp_path, "kpis", "--as-of", LATE, "--out", str(tmp_path / "a.duckdb"))
    assert done.exit_code == 1
    assert done.output.startswith(f"error: there is no warehouse in {tmp_path} (DATA_DIR): run `make refresh`")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.dbt
def test_a_model_that_fails_leaves_nothing_behind(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise models.ModelsFailed(())

    monkeypatch.setattr(models, "build", fails)
    with pytest.raises(models.ModelsFailed):
        past.kpis("failed.duckdb")
    assert [path.name for path in past.files.iterdir() if path.name.startswith((".tmp-", "failed"))] == []
