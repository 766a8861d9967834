"""What runs hand to a Pushgateway: to a real one, and to servers that are none or misbehave."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from hubdata.model.job import Job, SourceSpec
from hubdata.model.monitoring import Gateway, Monitoring
from hubdata.model.run import JobResult, RunResult
from hubdata.report.metrics import catalogue as c
from hubdata.report.metrics.exposition import read_back
from hubdata.report.metrics.series import Told
from hubdata.report.metrics.trail import leave
from tests.support.ports import own_port
from tests.support.prometheus import pushgateway, scraped
from tests.unit.report.samples import FAILED, HELD, PENDING, PUBLISHED, REFUSED, UNCHANGED

AT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
ALL = (PUBLISHED, UNCHANGED, REFUSED, HELD, FAILED, PENDING)
JOBS = tuple(Job(each.job, SourceSpec("git", {}), (), max_age=timedelta(days=1)) for each in ALL)


def ran(gateway: Gateway, *jobs: JobResult, known: tuple[Job, ...] = JOBS) -> tuple[str, ...]:
    """Push what a run of `jobs` measured, and return what it remarks."""
    result = RunResult("20261123T030000Z-1a2b", jobs, 0.7)
    return leave(Monitoring(gateway=gateway), result, known, ("aws", "mirror"), ended_at=AT)


def told(url: str, instance: str = "") -> Told:
    """Return what a gateway tells of one group."""
    return read_back(scraped(url), {"job": "hubdata", "instance": instance})


def of(told: Told, metric: c.Metric) -> dict[tuple[str, ...], object]:
    """Return the series of one metric by their labels."""
    return {series.values: value for series, value in told.items() if series.metric is metric}


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give a real Pushgateway."""
    with pushgateway(tmp_path_factory.mktemp("gateway")) as url:
        yield url


def test_a_real_gateway_keeps_what_every_run_told(real: str) -> None:
    """Jobs that took no part keep what they had, counters go on, and what is configured no more is gone."""
    assert ran(Gateway(real), PUBLISHED, REFUSED) == ()
    assert ran(Gateway(real), PUBLISHED, UNCHANGED) == ()
    found = told(real)
    assert of(found, c.RUNS)["allowlists", "published"] == 2
    assert of(found, c.REFUSED)["lists",] == 1
    assert of(found, c.LAST_SUCCESS).keys() == {
        ("allowlists", "aws"),
        ("allowlists", "mirror"),
        ("web-patterns", "aws"),
    }
    assert ran(Gateway(real), UNCHANGED, known=JOBS[1:2]) == ()
    assert {series.label("job_name") for series in told(real)} == {"", "web-patterns"}


def test_instances_are_groups_of_their_own(real: str) -> None:
    """Jobs that run apart do not write over each other's counts, and a URL with a path or a slash will do."""
    assert ran(Gateway(f"{real}/", "a"), HELD) == ()
    assert ran(Gateway(real, "b.example:9"), PENDING, FAILED) == ()
    assert {series.label("job_name") for series in told(real, "a")} == {"", "geoip"}
    assert {series.label("job_name") for series in told(real, "b.example:9")} == {"", "edge", "appsec"}


def test_everything_that_can_be_told_is_taken(real: str) -> None:
    """The gateway checks names, types and labels against all that it has from elsewhere."""
    assert ran(Gateway(real, "whole"), *ALL) == ()
    assert len(told(real, "whole")) > 60


@dataclass
class Server:
    """A server that answers every request alike, and remembers what it was asked."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    put_status: int | None = None
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator[str]:
        """Give `host:port`."""
        server = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                server.asked.append((self.command, self.path, self.headers.get("Authorization", "")))
                put = self.command == "PUT" and server.put_status
                self.send_response(put or server.status)
                for name, value in server.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(server.body)))
                self.end_headers()
                self.wfile.write(server.body)

            do_GET = do_PUT = _answer  # noqa: N815 - the server's own names

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
            thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
            thread.start()
            try:
                yield f"127.0.0.1:{listening.server_address[1]}"
            finally:
                listening.shutdown()
                thread.join()


def test_user_and_password_go_to_the_gateway_and_into_no_message() -> None:
    """They are sent as a header, percent-encoding undone, and are in no notice."""
    server = Server(put_status=401)
    with server.running() as place:
        (notice,) = ran(Gateway(f"http://us%40er:pa55%2Fword@{place}"), PUBLISHED)
    assert [(method, path) for method, path, _ in server.asked] == [
        ("GET", "/metrics"),
        ("PUT", "/metrics/job/hubdata"),
    ]
    assert {header for *_, header in server.asked} == {"Basic dXNAZXI6cGE1NS93b3Jk"}
    assert "401 Unauthorized" in notice
    assert not {"us%40er", "us@er", "pa55", "word", "dXNAZXI6"} & set(
        notice.replace("/", " ").replace(":", " ").split()
    )
    assert "pa55" not in notice


@pytest.mark.parametrize(
    ("server", "said"),
    [
        (Server(put_status=400), "400 Bad Request"),
        (Server(status=503), "503 Service Unavailable"),
        (Server(put_status=302, headers={"Location": "http://127.0.0.1:1/"}), "302 Found"),
        (Server(body=b"<!DOCTYPE html>"), "does not answer as a Pushgateway does"),
        (Server(body=b"\xff\xfe"), "does not answer as a Pushgateway does"),
        (Server(headers={"Content-Encoding": "gzip"}), "the body came encoded"),
    ],
    ids=["refused", "unavailable", "elsewhere", "a page", "binary", "encoded"],
)
def test_what_does_not_take_it_is_a_notice(server: Server, said: str) -> None:
    """Whatever answers in a gateway's place, the run goes on, and its notice says what was wrong and what to do."""
    with server.running() as place:
        (notice,) = ran(Gateway(f"http://{place}"), PUBLISHED)
    assert said in notice
    assert "check `pushgateway` in [metrics]; the next run tells it again" in notice


def test_a_gateway_that_says_nothing_costs_no_more_than_its_time() -> None:
    """One that takes the connection and is silent is given up after `timeout_s`, well before a run would notice."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = f"127.0.0.1:{silent.getsockname()[1]}"
        began = time.monotonic()
        (notice,) = ran(Gateway(f"http://{place}", timeout=timedelta(seconds=0.3)), PUBLISHED)
        assert time.monotonic() - began < 20
    assert "did not take them" in notice


def test_a_gateway_that_is_not_there_is_a_notice() -> None:
    """Nobody listens: the run says so."""
    port = own_port()
    (notice,) = ran(Gateway(f"http://127.0.0.1:{port}"), PUBLISHED)
    assert f"http://127.0.0.1:{port}" in notice


def test_a_textfile_is_written_although_the_gateway_fails(tmp_path: Path) -> None:
    """One is not the other's trouble."""
    path = tmp_path / "hubdata.prom"
    monitoring = Monitoring(path, Gateway("http://127.0.0.1:1"))
    result = replace(RunResult("r", (PUBLISHED,), 0.7))
    assert len(leave(monitoring, result, JOBS, ("aws",), ended_at=AT)) == 1
    assert path.exists()
