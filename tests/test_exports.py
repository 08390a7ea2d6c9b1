"""Exports: what the files hold, what a spreadsheet makes of them, and what a reader finds while they are written."""

import csv
import json
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest
from typer.testing import CliRunner

from dagster_project import cli, exports, publish
from dagster_project.exports import NothingToExport, UnknownTable, described, export
from dagster_project.settings import ROOT, BadSettings, Settings
from dagster_project.warehouse.base import DiskTrouble
from dagster_project.warehouse.folders import sha256
from dagster_project.warehouse.open import open_warehouse

MONDAY = datetime(2026, 11, 16, 6, tzinfo=UTC)
TITLES = ['=HYPERLINK("http://x")', " +1", "-2", "@SUM(A1)", "\tx", "\uff1d1", "a = b", 'Pump, "big"\nsecond line', "Größe", ""]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return settings whose published version has three marts; none of them is large."""
    found = Settings(data_dir=tmp_path)
    with open_warehouse(found) as opened:
        opened.connection.execute("""
            create schema marts;
            create table marts.kpis (kpi varchar, organisation_id bigint, site_id varchar, scope_type varchar, scope_id varchar,
                period_grain varchar, period_start_on date, value double, numerator double, denominator double, n bigint,
                reason varchar, window_state varchar, definition_version varchar);
            insert into marts.kpis values
                ('mttr', 101, 'austin', 'site', 'austin', 'week', '2026-11-02', 1.5, 3, 2, 2, null, 'closed', '1'),
                ('mttr', 101, 'austin', 'site', 'austin', 'week', '2026-11-09', null, null, null, 0, 'no_repairs', 'open', '1');
            create table marts.dim_teams (organisation_id bigint, team_id bigint);
            insert into marts.dim_teams values (101, 1);
            create table marts.fct_stops (stop_id bigint, ended_at timestamptz, is_planned boolean);
            insert into marts.fct_stops values
                (1, '2026-11-01 10:00:00.25+00', true), (2, '2026-11-15 23:59:59+00', false), (3, null, null);
            create table marts.work_orders (work_order_id bigint, title varchar, balance_amount double);
        """)
        rows = [(number, title, -number / 4) for number, title in enumerate(TITLES)]
        opened.connection.executemany("insert into marts.work_orders values (?, ?, ?)", rows)
        publish.publish(found, opened, MONDAY)
    return found


def cells(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def test_all_of_marts_is_written_in_both_formats_with_a_manifest_that_tells_rows_version_and_digests(settings):
    done = export(settings, say=str)
    names = ["marts.dim_teams", "marts.fct_stops", "marts.kpis", "marts.work_orders"]
    assert [(one.table, one.rows) for one in done] == list(zip(names, (1, 3, 2, 10), strict=True))
    files = {f"{name}.{kind}" for name in names for kind in ("parquet", "csv")}
    assert {path.name for path in settings.export_dir.iterdir()} == files | {"manifest.json", ".lock"}
    told = {file: about for table in described(settings.export_dir).values() for file, about in table["files"].items()}
    assert set(told) == files
    assert {file: (about["sha256"], about["bytes"]) for file, about in told.items()} == {
        file: (sha256(settings.export_dir / file), (settings.export_dir / file).stat().st_size) for file in files
    }
    assert {about["version"] for about in told.values()} == {"000001_20261116T060000Z"}
    assert told["marts.fct_stops.csv"]["rows"] == 3


def test_parquet_holds_every_value_as_it_was_published(settings):
    export(settings, formats=["parquet"], say=str)
    published = publish.current(settings.published_dir)
    with duckdb.connect(str(published), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        for table in ("kpis", "work_orders", "fct_stops", "dim_teams"):
            written = pl.read_parquet(settings.export_dir / f"marts.{table}.parquet")
            assert written.equals(connection.sql(f"from marts.{table} order by all").pl())


def test_no_cell_of_a_csv_file_is_a_formula_and_numbers_stay_numbers(settings):
    export(settings, ["work_orders"], ["csv"], say=str)
    header, *rows = cells(settings.export_dir / "marts.work_orders.csv")
    assert header == ["work_order_id", "title", "balance_amount"]
    titles = {int(number): title for number, title, _ in rows}
    assert [titles[number] for number in range(10)] == [f"'{title}" for title in TITLES[:6]] + TITLES[6:]
    assert sorted(float(balance) for *_, balance in rows) == sorted(-number / 4 for number in range(10))


def test_instants_of_a_csv_file_are_utc_truth_values_words_and_what_is_unknown_an_empty_cell(settings):
    export(settings, ["fct_stops", "marts.kpis"], ["csv"], say=str)
    assert cells(settings.export_dir / "marts.fct_stops.csv")[1:] == [
        ["1", "2026-11-01T10:00:00Z", "true"],
        ["2", "2026-11-15T23:59:59Z", "false"],
        ["3", "", ""],
    ]
    [open_week] = [row for row in cells(settings.export_dir / "marts.kpis.csv") if "open" in row]
    assert open_week[5:12] == ["week", "2026-11-09", "", "", "", "0", "no_repairs"]


def test_since_keeps_what_is_dated_later_or_not_at_all_and_the_manifest_names_the_date(settings):
    done = export(settings, ["kpis", "fct_stops", "dim_teams"], ["csv"], since=date(2026, 11, 9), say=str)
    assert [(one.table, one.rows, one.dated_by) for one in done] == [
        ("marts.kpis", 1, "period_start_on"),
        ("marts.fct_stops", 2, "ended_at"),
        ("marts.dim_teams", 1, None),
    ]
    told = described(settings.export_dir)["marts.kpis"]["files"]["marts.kpis.csv"]
    assert (told["since"], told["dated_by"]) == ("2026-11-09", "period_start_on")


def test_the_manifest_keeps_what_it_says_of_files_that_another_export_wrote(settings):
    export(settings, ["kpis"], ["parquet"], say=str)
    export(settings, ["ops.runs"], ["csv"], say=str)
    export(settings, ["kpis"], ["csv"], say=str)
    files = {file for table in described(settings.export_dir).values() for file in table["files"]}
    assert files == {"marts.kpis.parquet", "marts.kpis.csv", "ops.runs.csv"}


def test_exporting_twice_writes_the_same_bytes(settings, tmp_path: Path):
    for folder in ("one", "two"):
        export(settings, out=tmp_path / folder, say=str)
    files = [path.name for path in (tmp_path / "one").iterdir()]
    assert [name for name in files if (tmp_path / "one" / name).read_bytes() != (tmp_path / "two" / name).read_bytes()] == []


KILLED = """
import os, signal, sys
from pathlib import Path
from dagster_project import exports, failpoint, settings
from dagster_project.warehouse import exporting
write, calls = exporting.write, []
def interrupted(connection, selection, file_format, path):
    rows = write(connection, selection, file_format, path)
    calls.append(path)
    if len(calls) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return rows
exporting.write = interrupted
exports.export(settings.load(), ["kpis", "work_orders"], ["csv"], say=str)
"""


def test_an_export_that_is_killed_leaves_whole_files_and_the_next_one_clears_up(settings):
    export(settings, ["kpis", "work_orders"], ["csv"], say=str)
    before = {path.name: path.read_bytes() for path in settings.export_dir.iterdir()}
    died = subprocess.run([sys.executable, "-c", KILLED], cwd=ROOT, env={"DATA_DIR": str(settings.data_dir), "ENV_FILE": "none"})
    assert died.returncode == -9
    left = {path.name: path.read_bytes() for path in settings.export_dir.iterdir()}
    assert {name: content for name, content in left.items() if not name.startswith(".tmp-")} == before
    export(settings, ["kpis", "work_orders"], ["csv"], say=str)
    assert {path.name: path.read_bytes() for path in settings.export_dir.iterdir()} == before


def test_before_the_first_publication_there_is_nothing_to_export(tmp_path: Path):
    with pytest.raises(NothingToExport, match="make refresh"):
        export(Settings(data_dir=tmp_path), say=str)
    assert list(tmp_path.iterdir()) == []


def test_a_table_that_is_not_published_is_named_with_those_that_are(settings):
    with pytest.raises(UnknownTable, match=r"raw\.work_orders is not published; there are marts\.dim_teams"):
        export(settings, ["raw.work_orders"], say=str)
    with pytest.raises(UnknownTable, match=r"ops\.lease"):
        export(settings, ["ops.lease"], say=str)


def test_a_full_disk_is_said_with_what_to_do_next(settings):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this machine: it plays the full disk")
    settings.export_dir.mkdir()
    (settings.export_dir / ".tmp-marts.kpis.csv").symlink_to("/dev/full")
    with pytest.raises(DiskTrouble, match="free space there"):
        export(settings, ["kpis"], ["csv"], say=str)


def test_the_command_says_what_it_wrote_and_where(settings, tmp_path: Path):
    arguments = ["export", "--table", "kpis", "--format", "csv", "--since", "2026-11-09", "--out", str(tmp_path / "files")]
    done = CliRunner().invoke(cli.app, arguments, env={"DATA_DIR": str(settings.data_dir), "ENV_FILE": "none"})
    told = f"  marts.kpis: 1 rows since 2026-11-09 by period_start_on\nversion 000001_20261116T060000Z: 1 tables in {tmp_path / 'files'}\n"
    assert (done.exit_code, done.output) == (0, told)
    assert json.loads((tmp_path / "files" / exports.MANIFEST).read_text())["tables"].keys() == {"marts.kpis"}


def test_bigquery_without_a_project_is_refused_with_the_variable_to_set(settings):
    with pytest.raises(BadSettings, match="BIGQUERY_PROJECT is not set"):
        exports.export_to_bigquery(settings, say=str)


def test_where_bigquery_is_the_warehouse_there_is_nothing_to_export_to_it(settings):
    there = settings.model_copy(update={"warehouse": "bigquery", "bigquery_project": "plant"})
    with pytest.raises(BadSettings, match="the warehouse already"):
        exports.export_to_bigquery(there, say=str)


@pytest.mark.parametrize("more", [["--since", "2026-01-01"], ["--out", "elsewhere"], ["--format", "csv"]], ids=" ".join)
def test_tables_of_bigquery_are_replaced_whole_so_no_part_of_one_can_be_asked_for(settings, more):
    done = CliRunner().invoke(
        cli.app, ["export", "--format", "bigquery", *more], env={"DATA_DIR": str(settings.data_dir), "COLUMNS": "200"}
    )
    assert done.exit_code == 2
    assert "replaced whole" in done.output
