"""MaintainX over HTTP: what it said, untouched; knows nothing of storage or Dagster."""

from dagster_project.absent import absent

with absent("click", "rich", "pygments"):  # httpx has a command line of its own: a tenth of what importing us costs
    import httpx as httpx
