"""What the endpoints stand on: the worker as they see it, secrets, the clock, and the diary of what was asked for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from starlette.requests import Request

from hubdata.config.http_table import GithubSpec
from hubdata.model.event import Event
from hubdata.ports import Clock, Reporter
from hubdata.report.page import Given
from hubdata.transfer.secrets import Secret
from hubdata.worker.agenda import Answer
from hubdata.worker.board import State
from hubdata.worker.schedule import Cause
from hubdata.worker.web.bucket import Bucket

Metrics = Callable[[], bytes]
"""Returns what `/metrics` says, in Prometheus' text format. Called in a thread, by one at a time."""


class Trigger(Protocol):
    """How a run is begun: `Worker.trigger`."""

    def __call__(self, job: str, cause: Cause, *, owe: bool = False) -> Answer:
        """Return what became of it."""
        ...


@dataclass(frozen=True, slots=True)
class Github:
    """The webhook, as configured."""

    spec: GithubSpec
    secret: Secret


@dataclass(frozen=True, slots=True)
class Behind:
    """All of it. Without a `token`, `github` or `metrics` there is no such endpoint. `fed` targets are not judged."""

    state: Callable[[], State]
    trigger: Trigger
    status: Callable[[], Given]
    clock: Clock
    reporter: Reporter
    metrics: Metrics | None = None
    token: Secret | None = None
    github: Github | None = None
    fed: frozenset[str] = frozenset()
    body_s: float = 10.0
    """How long a body may take to arrive."""
    kept_s: float = 5.0
    """How long a page is shown before it is made anew."""


@dataclass
class Diary:
    """Tells of each trigger, whether it was heeded; a flood of refusals is told of in a few lines that count it."""

    behind: Behind
    untold: int = 0
    bucket: Bucket = field(init=False)

    def __post_init__(self) -> None:
        self.bucket = Bucket(20, 1.0, self.behind.clock.monotonic)

    def accepted(self, request: Request, route: str, **fields: str | int) -> None:
        """Tell what came of a request that was allowed."""
        self._tell("http.accepted", request, {"route": route, **fields})

    def denied(self, request: Request, route: str, status: int, why: str) -> None:
        """Tell of one that was not, or count it."""
        if self.bucket.take():
            self.untold += 1
            return
        untold, self.untold = self.untold, 0
        more = {"besides": untold} if untold else {}
        self._tell("http.denied", request, {"route": route, "status": status, "because": why, **more})

    def _tell(self, name: str, request: Request, fields: dict[str, str | int]) -> None:
        client = request.client.host if request.client else "unknown"
        self.behind.reporter.emit(Event(name, {**fields, "client": client}))
