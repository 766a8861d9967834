"""The real worker with its HTTP surface: asked, triggered, pushed to, crowded and ended, over IPv6 and IPv4."""

import asyncio
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.small_world import GOOD, NEW, WORDS, SmallWorld

HOSTS = ("::1", "127.0.0.1")
SECRETS = {"HUBDATA_HTTP_TOKEN": "sentinel-token-0123456789", "HUBDATA_GITHUB_SECRET": "sentinel-secret-0123456789"}
TOKEN, SECRET = (value.encode() for value in SECRETS.values())
WITHIN_S = 30.0
"""Ten seconds are what is promised (tests/unit/worker holds the worker's own limits to it), and patience."""
CROWD = 1000
BODY_BYTES = 200_000
PUSH = b'{"ref": "refs/heads/release", "repository": {"full_name": "example/lists"}, "of": "a crowd"}'
SETTINGS = """
[http]
listen = "[::1]:{port}, 127.0.0.1:{port}"

[http.github]
repository = "example/lists"
ref = "release"
jobs = ["lists"]
"""


def headers(body: bytes, delivery: str) -> dict[str, str]:
    """Return what GitHub sends with a push."""
    return {
        "Content_Type": "application/json",
        "X_GitHub_Event": "push",
        "X_GitHub_Delivery": delivery,
        "X_Hub_Signature_256": "sha256=" + hmac.new(SECRET, body, hashlib.sha256).hexdigest(),
    }


HEADERS = headers(PUSH, "of-a-crowd")


class Worker:
    """A worker process that listens. What it says is read as it comes."""

    def __init__(self, world: SmallWorld, port: int = 0) -> None:
        self.world = world
        world.write("hubdata.toml", _without_http(world) + SETTINGS.format(port=port))
        self.err = world.root / f"worker-{time.monotonic_ns()}.err"
        with self.err.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "hubdata", "sync", "--format", "json"],
                cwd=world.root,
                env={"PATH": os.environ["PATH"], "HOME": str(world.root), **SECRETS},
                stdout=subprocess.DEVNULL,
                stderr=err,
            )

    @property
    def port(self) -> int:
        """Return the port of both families."""
        found = re.search(r"url=http://\[::1\]:(\d+)/", self.log())
        assert found is not None, self.log()
        return int(found[1])

    def log(self) -> str:
        """Return what it has logged so far."""
        return self.err.read_text()

    def says(self, *words: str, times: int = 1) -> None:
        """Return once that many lines of its log have all `words`."""
        until(lambda: sum(all(w in line for w in words) for line in self.log().splitlines()) >= times, self.log)

    def ask(
        self, path: str, method: str = "GET", body: bytes = b"", host: str = "::1", **headers: str
    ) -> tuple[int, Any]:
        """Return status and body, parsed where it is JSON."""
        connection = http.client.HTTPConnection(host, self.port, timeout=60)
        with contextlib.closing(connection):
            connection.request(method, path, body or None, {k.replace("_", "-"): v for k, v in headers.items()})
            answer = connection.getresponse()
            said = answer.read()
            return answer.status, json.loads(said) if "json" in answer.headers["content-type"] else said

    def run(self, job: str, host: str = "::1") -> tuple[int, Any]:
        """Ask for a run."""
        return self.ask(f"/jobs/{job}/run", "POST", host=host, Authorization=f"Bearer {TOKEN.decode()}")

    def end(self) -> float:
        """Return the seconds it took to end, having asserted that it ended with 0, without a word too many."""
        sent = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 0, self.log()
        took = time.monotonic() - sent
        assert "Traceback" not in self.log(), self.log()
        assert "sentinel" not in self.log(), self.log()
        return took


def _without_http(world: SmallWorld) -> str:
    return (world.root / "hubdata.toml").read_text().partition("\n[http]")[0]


def until(reached: Callable[[], bool], said: Callable[[], str] = str) -> None:
    """Return once `reached()`."""
    deadline = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < deadline, said()
        time.sleep(0.02)


@contextlib.contextmanager
def working(world: SmallWorld, port: int = 0) -> Iterator[Worker]:
    """Give a worker that answers; it is killed if a test leaves it behind."""
    running = Worker(world, port)
    try:
        running.says("job.scheduled job=words")
        yield running
    finally:
        running.process.kill()
        running.process.wait()


@pytest.fixture(scope="module")
def world(published_world: SmallWorld, tmp_path_factory: pytest.TempPathFactory) -> SmallWorld:
    """Give a world whose publications wait as long as there is a file `hold`."""
    world = published_world.copied(tmp_path_factory.mktemp("http") / "world")
    gate = f'gate = ["sh", "-c", "touch {world.root}/asked; while test -e {world.root}/hold; do sleep 0.05; done"]\n'
    world.edit("hubdata.toml", 'path = "mirror"\n', f'path = "mirror"\n{gate}')
    return world


@pytest.fixture(scope="module")
def one_worker(world: SmallWorld) -> Iterator[Worker]:
    """Give a worker for all tests that leave it as it was; see that it ends well."""
    with working(world) as running:
        yield running
        assert running.end() < WITHIN_S


@pytest.fixture
def idle(one_worker: Worker) -> Worker:
    """Give that worker once no run of an earlier test goes on."""
    until(lambda: one_worker.log().count(" job.begun ") == one_worker.log().count(" job.ended "), one_worker.log)
    return one_worker


@pytest.mark.parametrize("host", HOSTS)
def test_a_run_is_begun_by_token(idle: Worker, host: str) -> None:
    """What it publishes is public, and the page knows of it."""
    world, words = idle.world, f"/wp-login.php\n/asked-over-{len(host)}\n"
    world.write(f"data/{WORDS}", words)
    before = idle.ask("/status.json", host=host)[1]["generation"]
    assert idle.run("words", host) == (202, {"job": "words", "answer": "begun"})
    until(lambda: world.public()[WORDS] == words.encode(), idle.log)
    until(lambda: idle.ask("/status.json", host=host)[1]["generation"] == before + 1, idle.log)
    status, page = idle.ask("/", host=host)
    assert status == 200
    assert WORDS.encode() in page
    assert b"hubdata_" in idle.ask("/metrics", host=host)[1]
    idle.says("http.accepted route=jobs job=words answer=begun", f"client={host}")
    assert idle.ask("/jobs/words/run", "POST", host=host)[0] == 401


def test_a_run_that_goes_already_is_told_of(idle: Worker) -> None:
    """409 while it goes; a push meanwhile is owed a run, which comes when the first has ended."""
    world = idle.world
    (world.root / "hold").touch()
    (world.root / "asked").unlink(missing_ok=True)
    world.repo.commit({GOOD: NEW})
    ended = idle.log().count("job.ended job=lists")
    assert idle.run("lists")[0] == 202
    until((world.root / "asked").exists, idle.log)
    assert idle.run("lists") == (409, {"job": "lists", "answer": "already running"})
    status, said = deliver(idle, {"ref": "refs/heads/release", "after": "1" * 40})
    assert (status, said["jobs"]) == (202, {"lists": "already running"})
    (world.root / "hold").unlink()
    idle.says("job.begun job=lists cause=push")
    until(lambda: idle.log().count("job.ended job=lists") == ended + 2, idle.log)
    assert world.public()[GOOD] == NEW


def deliver(worker: Worker, payload: Mapping[str, object], host: str = "::1") -> tuple[int, Any]:
    """Deliver a push of the configured repository, as GitHub would."""
    body = json.dumps({"repository": {"full_name": "example/lists"}, **payload}).encode()
    return worker.ask("/hooks/github", "POST", body, host, **headers(body, f"test-{time.monotonic_ns()}"))


@pytest.mark.parametrize("host", HOSTS)
def test_a_push_runs_the_job_as_its_file_says(idle: Worker, host: str) -> None:
    """The payload names another ref and another commit: what is fetched is the job file's own, and nothing else."""
    world, repo = idle.world, idle.world.repo
    text = f"8.8.8.0/24\n1.1.1.0/24\n9.9.{len(host)}.0/24\n".encode()
    repo.git("checkout", "--quiet", "-B", "release")
    other = repo.commit({GOOD: b"198.35.26.0/24\n1.1.1.0/24\n"})
    repo.git("checkout", "--quiet", "master")
    wanted = repo.commit({GOOD: text})
    payload = {"ref": "refs/heads/release", "after": other, "head_commit": {"id": other}}
    assert deliver(idle, payload, host) == (202, {"answer": "heeded", "jobs": {"lists": "begun"}})
    until(lambda: _revision(world) == wanted, idle.log)
    assert world.public()[GOOD] == text
    idle.says("http.accepted route=github event=push", "answer=heeded", f"client={host}")
    begun = idle.log().count("job.begun job=lists")
    assert deliver(idle, {**payload, "ref": "refs/heads/master"}, host)[1]["answer"] == "ignored: another ref"
    assert deliver(idle, payload, host)[1]["answer"].startswith("repeated")
    assert idle.log().count("job.begun job=lists") == begun


def _revision(world: SmallWorld) -> Any:
    return json.loads((world.root / "mirror/manifest.json").read_text())["files"][GOOD]["source"]["revision"]


def test_ready_is_over_when_a_success_is_too_old(idle: Worker) -> None:
    """Every job within its limit: 200; the limit passed: 503, with the job, its age and its limit."""
    world = idle.world
    before = (world.root / "jobs/words.toml").read_text()
    reads = idle.log().count("jobs.read because=SIGHUP")
    try:
        world.write("jobs/words.toml", 'max_age = "4s"\n' + before)
        idle.process.send_signal(signal.SIGHUP)
        idle.says("jobs.read because=SIGHUP", times=reads + 1)
        until(lambda: _words(idle)["max_age_s"] == 4)
        assert idle.run("words")[0] == 202
        until(lambda: _ready_after_a_run(idle), idle.log)
        until(lambda: idle.ask("/readyz")[0] == 503, idle.log)
        late = _words(idle)
        assert (late["ready"], late["max_age_s"]) == (False, 4)
        assert late["age_s"] >= 4
        assert idle.ask("/healthz") == (200, {"status": "alive"})
    finally:
        world.write("jobs/words.toml", before)
        idle.process.send_signal(signal.SIGHUP)


def _ready_after_a_run(worker: Worker) -> bool:
    """Tell whether the worker is ready, and see that it soon is: four seconds may be over before anybody has asked."""
    ready = bool(worker.ask("/readyz")[0] == 200)
    if not ready:
        worker.run("words")
    return ready


def _words(worker: Worker) -> Any:
    return next(each for each in worker.ask("/readyz")[1]["jobs"] if each["job"] == "words")


def test_a_thousand_at_once_are_all_answered(idle: Worker) -> None:
    """Half over each family: each has its answer, memory has an end, and of a hundred equal pushes one is heeded.

    Most are forged deliveries of 200 KB. Whoever is told to come back later has begun nothing.
    """
    idle.ask("/")
    before, begun = resident_mb(idle.process.pid), idle.log().count(" job.begun ")
    found = asyncio.run(crowd(idle.port))
    after = resident_mb(idle.process.pid)
    print(f"{dict(found)}: {before:.0f} MB before, {after:.0f} MB after")
    assert sum(found.values()) == CROWD
    assert found["alive", 200] == CROWD // 10
    assert found["wrong token", 403] == CROWD // 10
    assert found["forged", 401] + found["forged", 503] == CROWD * 7 // 10
    assert found["forged", 401] >= 40, "those for whom there was room"
    assert found["pushed", 200] + found["pushed", 202] + found["pushed", 503] == CROWD // 10
    assert after - before < 100, "unbounded, their bodies alone would be 140 MB"
    heeded = found["pushed", 202]
    assert idle.ask("/hooks/github", "POST", PUSH, **HEADERS)[0] == (200 if heeded else 202)
    until(lambda: idle.log().count(" job.begun ") > begun, idle.log)
    assert idle.log().count(" job.begun ") == begun + 1
    assert [idle.ask("/healthz", host=host)[0] for host in HOSTS] == [200, 200]


async def crowd(port: int) -> "Counter[tuple[str, int]]":
    """Return how many of a crowd, all connected before the first asks, were answered how."""
    joined = asyncio.Barrier(CROWD)

    async def one(number: int) -> tuple[str, int]:
        what, sent = request(number)
        reader, writer = await asyncio.open_connection(HOSTS[number % 2], port)
        await joined.wait()
        writer.write(sent)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        status = int((await reader.readline()).split()[1])
        writer.transport.abort()
        return what, status

    return Counter(await asyncio.gather(*map(one, range(CROWD))))


def request(number: int) -> tuple[str, bytes]:
    """Return what one of a crowd sends, and what that is."""
    match number % 20:
        case 0 | 1:
            return "alive", b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        case 2 | 3:
            return "wrong token", b"POST /jobs/words/run HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wrong\r\n\r\n"
        case 4 | 5:
            lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in HEADERS.items())
            head = f"POST /hooks/github HTTP/1.1\r\nHost: x\r\n{lines}Content-Length: {len(PUSH)}\r\n\r\n"
            return "pushed", head.encode() + PUSH
    head = (
        "POST /hooks/github HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-GitHub-Event: push\r\n"
        f"X-GitHub-Delivery: {number}\r\nX-Hub-Signature-256: sha256={number:064x}\r\n"
        f"Content-Length: {BODY_BYTES}\r\n\r\n"
    )
    return "forged", head.encode() + b"x" * BODY_BYTES


def resident_mb(pid: int) -> float:
    """Return the largest resident set that a process ever had, in MB."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024


def test_it_ends_in_time_whoever_is_connected(world: SmallWorld) -> None:
    """Idle, amid a head and amid a body, while a run goes: exit 0 within ten seconds, and nobody is let in any more."""
    with working(world) as running, contextlib.ExitStack() as stack:
        plain = [stack.enter_context(socket.create_connection((HOSTS[n % 2], running.port))) for n in range(6)]
        for each in plain[2:4]:
            each.sendall(b"POST /hooks/github HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        for each in plain[4:]:
            each.sendall(request(6)[1][:1000])
        (world.root / "hold").touch()
        (world.root / "asked").unlink(missing_ok=True)
        world.write(f"data/{WORDS}", f"/wp-login.php\n/ending-{time.monotonic_ns()}\n")
        assert running.run("words")[0] == 202
        until((world.root / "asked").exists, running.log)
        port = running.port
        assert running.end() < WITHIN_S
        (world.root / "hold").unlink()
        for host in HOSTS:
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((host, port), timeout=10)


def test_a_port_in_use_ends_it_at_once(world: SmallWorld) -> None:
    """Before any run: exit code 2, which address it is, and where to name another."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        world.write("hubdata.toml", _without_http(world) + SETTINGS.format(port=port))
        ended = world.run("sync", env=SECRETS)
    assert ended.code == 2
    assert f"hubdata: error: cannot listen on 127.0.0.1 port {port}: is in use already" in ended.stderr
    assert "advice: choose another with [http] listen" in ended.stderr
