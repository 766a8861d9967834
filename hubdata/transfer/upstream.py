"""What every vendor's source needs besides its protocol: patience with an end, retries, and words for what went wrong.

One `Upstream` is one fetch: all its requests share one deadline, however many files and hosts it asks.
"""

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from random import random as real_random
from typing import Annotated, Self, TypeVar

from hubdata.errors import SourceError
from hubdata.model.key import key_problem
from hubdata.tables import BaseModel, ConfigDict, Field, field_validator, model_validator
from hubdata.transfer.conditional import ConditionalClient
from hubdata.transfer.deadline import Deadline
from hubdata.transfer.http import Response, Timeouts
from hubdata.transfer.retry import Policy, RequestFailed, retrying
from hubdata.transfer.spool import spool_error
from hubdata.transfer.url import base_url_problem

T = TypeVar("T")

ASKING = Policy(attempts=6)
"""For small requests that cost the upstream nothing."""

DOWNLOADING = Policy(attempts=2)
"""For downloads, which vendors count: a run that fails must not burn the day's quota."""

_PAGES = ("text/html", "application/xhtml+xml")


class UpstreamOptions(BaseModel):
    """What each such `[source]` may hold besides its own. Times are in seconds, `timeout_s` is for everything."""

    # A mistyped secret must not be quoted by the error that refuses it.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    timeout_s: Annotated[float, Field(gt=0, le=86_400)] = 900
    connect_timeout_s: Annotated[float, Field(gt=0, le=300)] = 10
    read_timeout_s: Annotated[float, Field(gt=0, le=600)] = 30
    max_bytes: Annotated[int, Field(gt=0)] = 1024**3


class EditionOptions(UpstreamOptions):
    """The same for a vendor of several databases: `editions` are their names, `url` is what stands before these.

    A source narrows `editions` to names that its vendor has, and gives `url` its default.
    """

    editions: tuple[str, ...]
    url: str
    prefix: str = "mmdb_update/"

    @field_validator("url")
    @classmethod
    def _usable_url(cls, url: str) -> str:
        problem = base_url_problem(url)
        if problem:
            raise ValueError(problem)
        return url.rstrip("/")

    @model_validator(mode="after")
    def _usable_keys(self) -> Self:
        if len(set(self.editions)) != len(self.editions):
            raise ValueError("an edition is named twice")
        for edition in self.editions:
            problem = key_problem(self.key(edition))
            if problem:
                raise ValueError(f"{self.key(edition)!r} cannot be a key: {problem}")
        return self

    def key(self, edition: str) -> str:
        """Return the key under which an edition is published."""
        return f"{self.prefix}{edition}.mmdb"


class Upstream:
    """The requests of one fetch."""

    def __init__(
        self,
        options: UpstreamOptions,
        environment: Mapping[str, str],
        *,
        now: Callable[[], datetime],
        sleep: Callable[[timedelta], None],
        monotonic: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = real_random,
    ) -> None:
        self.deadline = Deadline.after(timedelta(seconds=options.timeout_s), monotonic=monotonic)
        self._options = options
        self._environment = environment
        self._now = now
        self._sleep = sleep
        self._random = random

    def client(self, base: str, *, public_only: bool = False) -> ConditionalClient:
        """Return a client for the origin of `base`, which `public_only` keeps out of private networks; to be closed."""
        options = self._options
        timeouts = Timeouts(timedelta(seconds=options.connect_timeout_s), timedelta(seconds=options.read_timeout_s))
        return ConditionalClient(
            base, timeouts=timeouts, environment=self._environment, public_only=public_only, now=self._now
        )

    def retrying(self, attempt: Callable[[], T], policy: Policy) -> T:
        """Return what `attempt` returns, making it again as `policy` and the deadline allow."""
        return retrying(attempt, policy=policy, deadline=self.deadline, sleep=self._sleep, random=self._random)


def place_in(workspace: Path, name: str) -> Path:
    """Return the path of `name` in the workspace, which is made if need be. Raises ConfigError when it cannot be."""
    try:
        workspace.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as err:
        raise spool_error(err, workspace) from err
    return workspace / name


def refuse_page(response: Response, expected: str) -> None:
    """Raise SourceError when the response says that it is a page for people. `expected` is what should have come."""
    content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if content_type in _PAGES:
        raise SourceError(
            f"{response.url}: expected {expected}, found an HTML page",
            advice="check the configured url; a captive portal or a proxy may be answering in the upstream's place",
        )


def explained(err: RequestFailed, advice: Mapping[int, str]) -> RequestFailed:
    """Return `err` with the advice that its status has at this vendor, its own where none is given."""
    said = advice.get(err.status or 0, err.advice)
    return RequestFailed(str(err), advice=said, retryable=err.retryable, status=err.status, retry_after=err.retry_after)


def all_failures(failures: Mapping[str, SourceError]) -> SourceError:
    """Return one error that names each file that failed; retryable when all of them are."""
    advice = dict.fromkeys(err.advice for err in failures.values() if err.advice)
    return SourceError(
        "; ".join(f"{name}: {err}" for name, err in failures.items()),
        advice="; ".join(advice),
        retryable=all(err.retryable for err in failures.values()),
    )
