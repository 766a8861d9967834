"""The worker's HTTP surface on real sockets of both families, with a desk in place of the worker behind it."""

import contextlib
import hashlib
import hmac
import http.client
import json
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from hubdata.config.http_table import GithubSpec
from hubdata.model.event import Event
from hubdata.model.manifest import Manifest
from hubdata.report.page import Given
from hubdata.serving.connections import Limits
from hubdata.serving.listening import listen, url_of
from hubdata.serving.server import Beside
from hubdata.transfer.secrets import Secret
from hubdata.worker.agenda import Answer
from hubdata.worker.board import Standing, State
from hubdata.worker.schedule import Cause
from hubdata.worker.web.app import application
from hubdata.worker.web.behind import Behind, Github

TOKEN = "a-token-of-thirty-two-characters"
SECRET = "a-secret-of-thirty-three-characters"
REPOSITORY, REF = "example/lists", "refs/heads/main"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOSTS = ("::1", "127.0.0.1")


@dataclass
class Desk:
    """What stands in for the worker: a board, a clock and answers that a test writes, and runs that are only noted."""

    jobs: tuple[Standing, ...] = (Standing("daily", max_age=timedelta(hours=26), successes={"aws": NOW}),)
    ending: bool = False
    time: datetime = NOW
    since: float = 0.0
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, Cause, bool]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    fails: Exception | None = None
    any_job: bool = False

    def reset(self) -> None:
        """Be as new, an hour later."""
        since = self.since + 3600
        self.__init__(since=since)  # type: ignore[misc]  # all of it is to be as new

    def state(self) -> State:
        """Return the board."""
        return State(NOW, self.jobs, ("aws",), ending=self.ending)

    def trigger(self, job: str, cause: Cause, *, owe: bool = False) -> Answer:
        """Note what is asked for."""
        if not self.any_job and job not in {each.job for each in self.jobs}:
            return Answer.UNKNOWN
        self.asked.append((job, cause, owe))
        return self.answers.get(job, Answer.BEGUN)

    def status(self) -> Given:
        """Return what the page tells."""
        if self.fails is not None:
            raise self.fails
        return Given(Manifest(), self.time)

    def metrics(self) -> bytes:
        """Return metrics."""
        if self.fails is not None:
            raise self.fails
        return b"hubdata_up 1\n"

    def now(self) -> datetime:
        """Return the desk's time."""
        return self.time

    def monotonic(self) -> float:
        """Return the desk's seconds."""
        return self.since

    def sleep(self, time: timedelta) -> None:
        """Never wait."""

    def emit(self, event: Event) -> None:
        """Keep an event."""
        self.events.append(event)

    def told(self, name: str) -> list[Mapping[str, str | int | float]]:
        """Return the fields of every event of that name."""
        return [event.fields for event in self.events if event.name == name]


@dataclass(frozen=True)
class Got:
    """An answer, its header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Return the body, which is JSON."""
        assert self.headers["content-type"] == "application/json", self
        return json.loads(self.body)


@dataclass(frozen=True)
class Surface:
    """A running surface, and the desk behind it."""

    desk: Desk
    url: str

    @property
    def port(self) -> int:
        """Return the port of both families."""
        return urlsplit(self.url).port or 0

    def ask(
        self, path: str, method: str = "GET", body: bytes | None = None, host: str = "127.0.0.1", **headers: str
    ) -> Got:
        """Return the answer to one request; underscores in header names are dashes."""
        connection = http.client.HTTPConnection(host, self.port, timeout=60)
        with contextlib.closing(connection):
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            return Got(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())

    def run(self, job: str, token: str = TOKEN) -> Got:
        """Ask for a run."""
        return self.ask(f"/jobs/{job}/run", "POST", Authorization=f"Bearer {token}")

    def deliver(self, body: bytes, host: str = "127.0.0.1", **headers: str) -> Got:
        """Deliver `body` as GitHub would, but for what `headers` say."""
        return self.ask("/hooks/github", "POST", body, host, **{**delivery(body), **headers})

    def connect(self, host: str = "127.0.0.1") -> socket.socket:
        """Return a raw connection."""
        return socket.create_connection((host, self.port), timeout=60)


def push(number: int = 0, ref: str = REF, repository: str = REPOSITORY, **more: object) -> bytes:
    """Return the body of a push; with another `number`, of another push."""
    return json.dumps({"ref": ref, "after": f"{number:040x}", "repository": {"full_name": repository}, **more}).encode()


def signed(body: bytes, secret: str = SECRET) -> str:
    """Return the signature that GitHub puts on `body`."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def delivery(body: bytes, event: str = "push") -> dict[str, str]:
    """Return the headers of a delivery; its id is made of its body."""
    return {
        "Content_Type": "application/json",
        "X_GitHub_Event": event,
        "X_GitHub_Delivery": hashlib.sha256(body).hexdigest()[:36],
        "X_Hub_Signature_256": signed(body),
    }


@contextlib.contextmanager
def running(max_bytes: int = 1 << 20, body_s: float = 60, **without: None) -> Iterator[Surface]:
    """Give a running surface; `without` are parts of `Behind` that it lacks."""
    desk = Desk()
    parts: dict[str, Any] = {
        "metrics": desk.metrics,
        "token": Secret(TOKEN),
        "github": Github(GithubSpec(REPOSITORY, REF, ("daily",), max_bytes), Secret(SECRET)),
        **without,
    }
    behind = Behind(desk.state, desk.trigger, desk.status, desk, desk, body_s=body_s, kept_s=0, **parts)
    listeners = listen(HOSTS, 0)
    limits = Limits(connections=1024, head_s=1 if body_s < 60 else 60, idle_s=1, answer_s=60, grace_s=1)
    with Beside(application(behind), listeners, limits):
        yield Surface(desk, url_of(listeners[0]))
