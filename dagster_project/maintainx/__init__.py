"""MaintainX over HTTP: what it said, untouched; knows nothing of storage or Dagster."""
