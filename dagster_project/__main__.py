"""`python -m dagster_project`: the same as the console command `maintainx`."""

from dagster_project.cli import app

app()
