"""What a command loads before it can begin: every library costs everybody who waits for it."""

import subprocess
import sys
import threading

import pytest

from dagster_project.absent import absent
from dagster_project.settings import ROOT, environment

LOADED = "print(*sorted({'dbt', 'dagster', 'pandas', 'pandera', 'pyarrow', 'numpy', 'hypothesis', 'pygments'} & set(sys.modules)))"


def loaded_by(code: str) -> list[str]:
    """The heavy libraries that a fresh interpreter has loaded after some code."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\n{LOADED}"], capture_output=True, text=True, check=True, cwd=ROOT, env=environment()
    )
    return done.stdout.split()


def test_a_command_begins_without_loading_anything_heavy() -> None:
    assert loaded_by("import dagster_project.cli, dagster_project.refresh, dagster_project.publish, dagster_project.models") == []


def test_a_query_and_its_frame_need_neither_pyarrow_nor_numpy() -> None:
    code = """
import polars as pl
from dagster_project.warehouse.duckdb import DuckDBWarehouse
with DuckDBWarehouse(None) as found, found.given(rows=pl.DataFrame({"id": [1, 2]})):
    assert found.query("select sum(id) as n from rows")["n"].item() == 3
"""
    assert loaded_by(code) == []


def test_pandera_comes_with_the_first_batch_and_without_pandas() -> None:
    code = """
from dagster_project.frames.contract import contract
assert [check.name for check in contract("work_orders").rules] == ["future_updated_at"]
"""
    assert loaded_by(code) == ["numpy", "pandera"]


def test_a_package_is_absent_for_the_thread_that_says_so_and_while_it_does() -> None:
    sys.modules.pop("colorsys", None)
    others: list[bool] = []

    def elsewhere() -> None:
        import colorsys  # noqa: PLC0415

        others.append(colorsys.__name__ in sys.modules)

    with absent("colorsys"):
        with pytest.raises(ModuleNotFoundError, match="colorsys"):
            import colorsys  # noqa: PLC0415
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    import colorsys  # noqa: PLC0415

    assert others == [True]
    assert colorsys.__name__ == "colorsys"
