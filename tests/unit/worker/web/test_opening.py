"""Opening the worker to the world: what a person has to mend is found before anything runs, and nothing stays open."""

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hubdata.app import Choices
from hubdata.clock import SystemClock
from hubdata.errors import ConfigError
from hubdata.model.event import Event
from hubdata.transfer import ending
from hubdata.worker.agenda import Answer
from hubdata.worker.runs import Ended
from hubdata.worker.schedule import Cause
from hubdata.worker.web import opening
from hubdata.worker.web.opening import answering
from hubdata.worker.worker import Worker
from tests.support.public_server import open_files, until_closed
from tests.support.worker_surface import delivery

JOB = '[source]\ntype = "directory"\npath = "data"\n[[files]]\nmatch = "*.txt"\nkind = "needle"\n'
SETTINGS = 'jobs = "jobs"\nspool = "spool"\n[targets.local]\ntype = "directory"\npath = "public"\n'
HTTP = '[http]\nlisten = "[::1]:0, 127.0.0.1:0"\n'
GITHUB = '[http.github]\nrepository = "a/b"\nref = "main"\njobs = ["words"]\n'
SECRET = {"HUBDATA_GITHUB_SECRET": "a-secret-that-is-long"}


class Notes:
    """A reporter that keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def emit(self, event: Event) -> None:
        """Keep an event."""
        self.events.append(event)

    def urls(self) -> list[str]:
        """Return where somebody listens."""
        return [str(event.fields["url"]) for event in self.events if event.name == "http.listening"]


@pytest.fixture(autouse=True)
def not_ending() -> Iterator[None]:
    """Leave the process as it was: not about to end."""
    yield
    ending.take_back()


def made(root: Path, http: str) -> tuple[Worker, Notes]:
    """Return a worker of one job, with `http` in its settings."""
    (root / "jobs").mkdir()
    (root / "jobs/words.toml").write_text(JOB)
    (root / "hubdata.toml").write_text(SETTINGS + http)
    notes = Notes()
    return Worker(Choices(config=root / "hubdata.toml"), SystemClock(), notes, show), notes


def show(ended: Ended) -> None:
    """Do nothing."""


def test_without_settings_nobody_listens(tmp_path: Path) -> None:
    """And a secret alone opens nothing."""
    worker, notes = made(tmp_path, "")
    before = open_files()
    with answering(worker, SystemClock(), notes):
        assert open_files() == before
    assert notes.urls() == []


def test_without_settings_no_web_server_is_loaded() -> None:
    """A worker that answers nobody does not pay for it."""
    code = "import hubdata.worker.web.opening, sys; print({'uvicorn', 'starlette', 'anyio'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_it_listens_on_both_families_and_closes_all_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On one port, as long as the context lasts; then nobody is let in."""
    monkeypatch.setenv("HUBDATA_GITHUB_SECRET", SECRET["HUBDATA_GITHUB_SECRET"])
    worker, notes = made(tmp_path, HTTP + GITHUB)
    with answering(worker, SystemClock(), notes):
        first, second = notes.urls()
        port = int(first.rstrip("/").rpartition(":")[2])
        assert (first, second) == (f"http://[::1]:{port}/", f"http://127.0.0.1:{port}/")
        for host in ("::1", "127.0.0.1"):
            with socket.create_connection((host, port), timeout=30) as plain:
                plain.sendall(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
                assert plain.recv(100).startswith(b"HTTP/1.1 503 "), "the worker does not know its jobs yet"
    for host in ("::1", "127.0.0.1"):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((host, port), timeout=30)


def test_it_ends_by_itself_when_the_process_is_to_end(tmp_path: Path) -> None:
    """The worker has leases to give back meanwhile: nobody is let in any more."""
    worker, notes = made(tmp_path, HTTP)
    with answering(worker, SystemClock(), notes):
        port = int(notes.urls()[0].rstrip("/").rpartition(":")[2])
        ending.begin()
        deadline = time.monotonic() + 60
        while _lets_in(port):
            assert time.monotonic() < deadline
            time.sleep(0.02)


def _lets_in(port: int) -> bool:
    try:
        socket.create_connection(("::1", port), timeout=30).close()
    except ConnectionRefusedError:
        return False
    return True


def test_whoever_is_amid_a_request_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a second, and nothing of theirs stays open."""
    monkeypatch.setenv("HUBDATA_GITHUB_SECRET", SECRET["HUBDATA_GITHUB_SECRET"])
    worker, notes = made(tmp_path, HTTP + GITHUB)
    before = open_files()
    with contextlib.ExitStack() as stack:
        with answering(worker, SystemClock(), notes):
            port = int(notes.urls()[0].rstrip("/").rpartition(":")[2])
            body = b"{}"
            head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in delivery(body).items())
            plain = [stack.enter_context(socket.create_connection(("::1", port), timeout=30)) for _ in range(3)]
            plain[0].sendall(f"POST /hooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n{head}\r\n{{".encode())
            plain[1].sendall(b"GET /hea")
            plain[2].sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 1000)  # and reads none of 12 MB
            assert plain[2].recv(13) == b"HTTP/1.1 200 ", "the others are under way by now"
        deadline = time.monotonic() + 60
        while len(open_files() - before) != len(plain):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert until_closed(plain[0])[:13] in (b"", b"HTTP/1.1 500 ")
        assert until_closed(plain[1]) == b""
        assert len(until_closed(plain[2])) < 10_000_000


@pytest.mark.parametrize(
    ("http", "environment", "words"),
    [
        (HTTP, {"HUBDATA_HTTP_TOKEN": "hunter2"}, ["HUBDATA_HTTP_TOKEN", "too short", "openssl"]),
        (HTTP, {"HUBDATA_HTTP_TOKEN": "hunter2 hunter2 hunter2"}, ["HUBDATA_HTTP_TOKEN", "blanks", "openssl"]),
        (HTTP + GITHUB, {}, ["HUBDATA_GITHUB_SECRET", "not set"]),
        (HTTP + GITHUB, {"HUBDATA_GITHUB_SECRET": "hunter2"}, ["HUBDATA_GITHUB_SECRET", "too short"]),
        (HTTP + GITHUB, {**SECRET, "HUBDATA_GITHUB_SECRET_FILE": "/x"}, ["both set"]),
        (HTTP, {"HUBDATA_HTTP_TOKEN_FILE": "/there/is/none"}, ["HUBDATA_HTTP_TOKEN_FILE", "cannot be read"]),
        (HTTP + GITHUB.replace("words", "wrods"), SECRET, ["there is no job wrods", "words"]),
        ('[http]\nlisten = "192.0.2.1:0"\n', {}, ["192.0.2.1", "[http] listen"]),
        ('[http]\nlisten = "there-is-no-such-host.invalid:0"\n', {}, ["[http] listen", "no such address"]),
        ('[http]\nlisten = "[::1]:0, 192.0.2.1:1"\n', {}, ["192.0.2.1", "[http] listen"]),
        (HTTP + "max_connections = 100000\n", {}, ["open files", "[http] max_connections"]),
    ],
)
def test_what_cannot_work_is_said_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, http: str, environment: dict[str, str], words: list[str]
) -> None:
    """With the setting or variable that is to be mended, without a secret, and with nothing left open."""
    import resource

    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, 4096))
    monkeypatch.setattr(resource, "setrlimit", _too_many)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    worker, notes = made(tmp_path, http)
    before = open_files()
    with pytest.raises(ConfigError) as told, answering(worker, SystemClock(), notes):
        raise AssertionError("it opened")
    said = f"{told.value} {told.value.advice}"
    for word in words:
        assert word in said
    assert "hunter2" not in said
    assert open_files() == before


def _too_many(_: int, wanted: tuple[int, int]) -> None:
    if wanted[0] > 4096:
        raise ValueError("not allowed to raise maximum limit")


def test_a_missing_web_server_is_advice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra that has it is named, and no traceback is shown."""
    worker, notes = made(tmp_path, HTTP)
    for name in [name for name in sys.modules if name.startswith(("uvicorn", "hubdata.serving.server"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with (
        pytest.raises(ConfigError, match=r"\[http\] needs a web server") as told,
        answering(worker, SystemClock(), notes),
    ):
        raise AssertionError("it opened")
    assert "hubdata[worker]" in told.value.advice


def test_a_change_of_where_it_listens_is_told_to_need_a_restart(tmp_path: Path) -> None:
    """Once: what is in force afterwards is what was read, but for the sockets."""
    worker, notes = made(tmp_path, "")
    for _ in range(2):
        (tmp_path / "hubdata.toml").write_text(SETTINGS + HTTP)
        worker._read("test")
    assert [event.name for event in notes.events].count("http.unchanged") == 1


def test_a_job_that_runs_is_owed_a_run_only_to_whoever_asks_so(tmp_path: Path) -> None:
    """A person is told to wait; a push is heeded afterwards. Neither begins a second run beside the first."""
    worker, _ = made(tmp_path, "")
    agenda = worker._agenda
    with worker._lock:
        agenda.admit(worker._roster.jobs, SystemClock().now())
        assert agenda.begin("words", Cause.SCHEDULE) is Answer.BEGUN
    assert worker.trigger("words") is Answer.ALREADY_RUNNING
    assert agenda.ended("words") is None
    assert agenda.begin("words", Cause.SCHEDULE) is Answer.BEGUN
    assert worker.trigger("words", Cause.PUSH, owe=True) is Answer.ALREADY_RUNNING
    assert agenda.ended("words") is Cause.PUSH
    assert worker.trigger("nobody", Cause.PUSH, owe=True) is Answer.UNKNOWN
    assert opening.GRACE_S < 5, "the rest of the ten seconds is for runs and their leases"
