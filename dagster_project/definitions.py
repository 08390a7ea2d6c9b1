"""Dagster's view of the project: what lies in `defs/`, run in one process, with one promise of freshness for every asset."""

import warnings
from datetime import timedelta
from pathlib import Path

import dagster as dg

FRESHNESS = dg.FreshnessPolicy.time_window(warn_window=timedelta(hours=26), fail_window=timedelta(hours=50))


@dg.definitions
def defs() -> dg.Definitions:
    """Return everything that `defs/` defines; DuckDB has one writer, so the steps of a run share one process."""
    loaded = dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)  # map_asset_specs: one policy for all, whoever made the asset
        fresh = loaded.map_asset_specs(func=lambda spec: dg.apply_freshness_policy(spec, FRESHNESS))
    return dg.Definitions.merge(fresh, dg.Definitions(executor=dg.in_process_executor))
