"""What a job may say about MaxMind, checked before anything is asked of anybody. Never a credential."""

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

from hubdata.model.key import key_problem
from hubdata.tables import BaseModel, ConfigDict, Field, field_validator, model_validator
from hubdata.transfer.url import base_url_problem

CREDENTIALS_ADVICE = (
    "set MAXMIND_ACCOUNT_ID and MAXMIND_LICENSE_KEY (or the same with _FILE), or name a GeoIP.conf as `config_file`"
)
MAX_EDITIONS = 50
_EDITION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

Edition = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Seconds = Annotated[float, Field(gt=0, le=86_400)]


class Protocol(StrEnum):
    """How to ask: the update service, or the permalinks of older setups and mirrors."""

    UPDATES = "updates"
    PERMALINK = "permalink"

    @property
    def default_url(self) -> str:
        """Return where the vendor speaks it."""
        return {self.UPDATES: "https://updates.maxmind.com", self.PERMALINK: "https://download.maxmind.com"}[self]


class MaxmindOptions(BaseModel):
    """What `[source]` with `type = "maxmind"` may hold. Times are in seconds, `timeout_s` is for all editions.

    Without `editions`, `url` or `retry_for_s` the environment's count (GEOIPUPDATE_EDITION_IDS, ..._HOST,
    ..._RETRY_FOR), then those of the GeoIP.conf.
    """

    # A mistyped secret must not be quoted by the error that refuses it.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    editions: Annotated[tuple[Edition, ...] | None, Field(min_length=1, max_length=MAX_EDITIONS)] = None
    protocol: Protocol = Protocol.UPDATES
    url: str | None = None
    prefix: str = "mmdb_update/"
    config_file: Path | None = None
    daily_downloads: Annotated[int, Field(ge=1, le=10_000)] = 30
    timeout_s: Seconds = 900
    retry_for_s: Annotated[float, Field(ge=0, le=86_400)] | None = None
    connect_timeout_s: Annotated[float, Field(gt=0, le=300)] = 10
    read_timeout_s: Annotated[float, Field(gt=0, le=600)] = 30
    max_bytes: Annotated[int, Field(gt=0)] = 1024**3

    @model_validator(mode="before")
    @classmethod
    def _no_secrets(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and {"account_id", "license_key"} & {str(k).lower() for k in data}:
            raise ValueError(f"credentials do not belong in a job file: {CREDENTIALS_ADVICE}")
        return data

    @field_validator("url")
    @classmethod
    def _usable_url(cls, url: str | None) -> str | None:
        problem = base_url_problem(url) if url is not None else None
        if problem:
            raise ValueError(problem)
        return url.rstrip("/") if url is not None else None

    @model_validator(mode="after")
    def _usable_keys(self) -> Self:
        problem = self.editions_problem(self.editions or ("Edition",))
        if problem:
            raise ValueError(problem)
        return self

    def key(self, edition: str) -> str:
        """Return the key under which an edition is published."""
        return f"{self.prefix}{edition}.mmdb"

    def editions_problem(self, editions: tuple[str, ...]) -> str | None:
        """Return why these editions cannot be fetched by this job, or None."""
        if len(editions) > MAX_EDITIONS:
            return f"{len(editions)} editions are more than {MAX_EDITIONS}"
        if len(set(editions)) != len(editions):
            return "an edition is named twice"
        for edition in editions:
            if not _EDITION.fullmatch(edition):
                return "an edition is not one: expected letters, digits, dots and dashes"
            if edition.upper().endswith("-CSV"):
                return f"{edition} is not a .mmdb database: use the edition without -CSV"
            problem = key_problem(self.key(edition))
            if problem:
                return f"{self.key(edition)!r} cannot be a key: {problem}"
        return None
