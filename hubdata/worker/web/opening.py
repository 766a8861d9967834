"""Open the worker to the world, if the settings say so: sockets, secrets and targets put together.

Everything that a person has to mend is found before the first run begins: a port in use, a secret that is missing or
can be guessed, a job that there is not. What listens is taken from the settings once; a change needs a restart.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from socket import socket
from typing import TYPE_CHECKING

from hubdata import reaching
from hubdata.config.http_table import GithubSpec, HttpSpec
from hubdata.config.settings import Settings
from hubdata.errors import ConfigError
from hubdata.model.event import Event
from hubdata.plugins import suggest
from hubdata.ports import Clock, Reporter
from hubdata.serving.listening import Words, listen, url_of
from hubdata.transfer import ending
from hubdata.transfer.secrets import Secret, read_secret
from hubdata.worker.worker import Worker

if TYPE_CHECKING:
    from hubdata.worker.web.behind import Behind, Github, Metrics

TOKEN, SECRET = "HUBDATA_HTTP_TOKEN", "HUBDATA_GITHUB_SECRET"
GRACE_S = 1
"""What answers under way have when the worker ends: far less than its runs."""


@contextmanager
def answering(worker: Worker, clock: Clock, reporter: Reporter, metrics: "Metrics | None" = None) -> Iterator[None]:
    """Answer over HTTP while the context lasts, until the process is to end; do nothing unless settings say so.

    `metrics` returns what `/metrics` says; without it there is no such page. Raises ConfigError.
    """
    settings = worker.settings
    if settings.http is None:
        yield
        return
    try:
        from hubdata.serving.connections import Limits
        from hubdata.serving.server import Beside, make_room
        from hubdata.worker.web.app import application
    except ImportError as err:
        if err.name is None or err.name.startswith("hubdata"):
            raise
        raise ConfigError(
            f"[http] needs a web server: the package {err.name.partition('.')[0]} is not installed",
            advice="install it: pip install 'hubdata[worker]'",
        ) from err
    limits = Limits(connections=settings.http.max_connections, head_s=10, stall_s=20, answer_s=60, grace_s=GRACE_S)
    app = application(_behind(worker, settings, clock, reporter, metrics))
    make_room(limits, files_each=1, word="[http] max_connections")
    with ExitStack() as stack:
        listeners = _listeners(settings.http, stack)
        stack.enter_context(Beside(app, listeners, limits, ending.begun))
        for listener in listeners:
            reporter.emit(Event("http.listening", {"url": url_of(listener)}))
        yield


def _listeners(spec: HttpSpec, stack: ExitStack) -> list[socket]:
    """Return a socket for every address; those with the same port number are opened together."""
    by_port: dict[int, list[str]] = {}
    for place in spec.listen:
        by_port.setdefault(place.port, []).append(place.host)
    found: list[socket] = []
    for port, hosts in by_port.items():
        named = () if "" in hosts else hosts
        opened = listen(named, port, Words("[http] listen", "[http] listen"))
        for listener in opened:
            stack.callback(listener.close)
        found += opened
    return found


def _behind(
    worker: Worker, settings: Settings, clock: Clock, reporter: Reporter, metrics: "Metrics | None"
) -> "Behind":
    from hubdata.worker.web.behind import Behind
    from hubdata.worker.web.proof import long_enough, sendable
    from hubdata.worker.web.status import Gatherer

    spec = settings.http
    name = (spec.target if spec else None) or next(iter(settings.targets))
    links = f"{settings.verify.url}/" if settings.verify else ""
    return Behind(
        state=worker.board.state,
        trigger=worker.trigger,
        status=Gatherer(lambda: reaching.build_target(settings, name), worker.board.state, clock.now, links),
        clock=clock,
        reporter=reporter,
        metrics=metrics,
        token=sendable(long_enough(read_secret(os.environ, TOKEN), TOKEN), TOKEN),
        github=None if spec is None or spec.github is None else _github(spec.github, worker, os.environ),
        fed=frozenset(name for name, target in settings.targets.items() if target.stage is not None),
    )


def _github(spec: GithubSpec, worker: Worker, environment: Mapping[str, str]) -> "Github":
    from hubdata.worker.web.behind import Github
    from hubdata.worker.web.proof import long_enough

    for job in spec.jobs:
        if job not in worker.names:
            raise ConfigError(f"[http.github] jobs: there is no job {job}", advice=suggest(job, sorted(worker.names)))
    secret: Secret | None = long_enough(read_secret(environment, SECRET), SECRET)
    if secret is None:
        raise ConfigError(
            f"[http.github] needs the webhook's secret: {SECRET} is not set",
            advice=f"set {SECRET}, or {SECRET}_FILE, to what the webhook at GitHub has",
        )
    return Github(spec, secret)
