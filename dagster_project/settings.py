"""The edge: environment and `.env` → frozen, typed settings with absolute paths."""

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent


class MissingToken(Exception):
    """No token in the environment: names the variable and what to do."""


class BadSettings(Exception):
    """A variable has a value that cannot be used: names the variable and says why."""


class Settings(BaseSettings):
    """Everything the environment decides; `.env.example` lists the same variables."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)  # `NAME=` in .env is not set

    maintainx_url: str = "https://api.getmaintainx.com/v1"
    maintainx_token: SecretStr | None = None
    sites_file: Path | None = None
    data_dir: Path = Field(default=ROOT / "data" / "local")
    simulator_port: int = 8790
    dagster_port: int = 3070
    dashboard_port: int = 8570
    keep_personal_data: bool = False
    duckdb_memory_limit: str = "2GB"
    warehouse_wait: int | None = Field(default=None, ge=0)
    rate_share: float = Field(default=0.8, gt=0, le=1)
    reconcile_share: float = Field(default=0.01, gt=0, le=1)
    labour_every_hours: float = Field(default=1, ge=0)
    warehouse: Literal["duckdb", "bigquery"] = "duckdb"
    bigquery_project: str | None = None
    bigquery_location: str = "EU"
    bigquery_dataset_prefix: str = Field(default="", pattern=r"^([a-z][a-z0-9_]*_)?$")
    bigquery_endpoint: str | None = None

    @field_validator("data_dir", "sites_file")
    @classmethod
    def absolute(cls, path: Path | None) -> Path | None:
        """Return the path, relative ones read from the project's root."""
        return path and (path if path.is_absolute() else ROOT / path)

    @property
    def warehouse_path(self) -> Path:
        """Return the DuckDB file with raw, ops and the models' schemas; one writer at a time."""
        return self.data_dir / "warehouse.duckdb"

    @property
    def published_dir(self) -> Path:
        """Return the folder of published versions, what dashboards and analysts read."""
        return self.data_dir / "published"

    @property
    def backup_dir(self) -> Path:
        """Return the folder of immutable backups."""
        return self.data_dir / "backups"

    @property
    def export_dir(self) -> Path:
        """Return the folder of exported files."""
        return self.data_dir / "exports"

    @property
    def docs_dir(self) -> Path:
        """Return the folder of the models' documentation, as a page to browse."""
        return self.data_dir / "docs"

    @property
    def dbt_target_dir(self) -> Path:
        """Return where dbt keeps its manifest and compiled SQL."""
        return self.data_dir / "dbt"

    @property
    def dagster_home(self) -> Path:
        """Return DAGSTER_HOME of a local instance."""
        return self.data_dir / "dagster"

    @property
    def simulator_dir(self) -> Path:
        """Return where the simulator of the demo keeps its clock."""
        return self.data_dir / "simulator"

    @property
    def log_dir(self) -> Path:
        """Return where child processes write their logs."""
        return self.data_dir / "logs"

    def token(self, variable: str = "MAINTAINX_TOKEN") -> SecretStr:
        """Return the secret that `variable` holds in the environment or in `.env`.

        Raises:
            MissingToken: the variable is absent or empty.
        """
        if variable == "MAINTAINX_TOKEN" and self.maintainx_token:
            return self.maintainx_token
        value = os.environ.get(variable) or dotenv().get(variable)
        if not value:
            where = "MaintainX, Settings > Integrations > API keys"
            raise MissingToken(f"{variable} is not set: put an API key ({where}) into it, in the environment or in .env")
        return SecretStr(value)


def dotenv() -> dict[str, str | None]:
    """Return the variables of `.env` in the project's root; none when there is no such file."""
    from dotenv import dotenv_values  # noqa: PLC0415  pydantic-settings brings it; only the edge reads files

    return dotenv_values(env_file())


def env_file() -> Path:
    """Return the path of the `.env` file: ENV_FILE, else the one in the project's root."""
    return Path(os.environ.get("ENV_FILE") or ROOT / ".env")


def load(**overrides: object) -> Settings:
    """Return the settings of the environment, then `.env`, then defaults; `overrides` win over all.

    Raises:
        BadSettings: a value cannot be used.
    """
    try:
        return Settings(_env_file=env_file(), **overrides)  # ty: ignore
    except ValidationError as error:
        said = "; ".join(f"{str(one['loc'][0]).upper()} cannot be {one['input']!r} ({one['msg']})" for one in error.errors())
        raise BadSettings(f"{said}: change it in the environment or in {env_file()}; .env.example says what it means") from None


def environment(**more: str) -> dict[str, str]:
    """Return the environment for a child process: this one's, with `more` on top."""
    return {**os.environ, **more}
