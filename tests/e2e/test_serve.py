"""`hubdata serve DIR`: the real command, a directory that real runs publish to, and real HTTP clients."""

import contextlib
import hashlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from itertools import cycle
from pathlib import Path

import pytest

from tests.support.command import hubdata
from tests.support.ports import own_port
from tests.support.public_server import PublicServer
from tests.support.published_tree import publish, quoted_sha256
from tests.support.readers import Readers
from tests.support.real import SEC_LISTS, needs_real
from tests.support.shared_target import SYNC, SharedWorld, directory, lines, sound
from tests.support.small_world import GOOD, LISTS, SmallWorld, checked

BIG = 20_000_000
needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="NOT TESTED WITH CURL: install it and run again")


def curl(*arguments: str | Path) -> str:
    """Return what curl printed, having asserted that it was content."""
    argv = ["curl", "--silent", "--show-error", "--globoff", "--max-time", "60", *map(str, arguments)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]})
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def mirror(published_world: SmallWorld) -> Iterator[PublicServer]:
    """Give a server of what a run has published."""
    with PublicServer(published_world.root / "mirror") as server:
        yield server
        assert "Traceback" not in server.stderr, server.stderr


@pytest.mark.parametrize("host", ["::1", "127.0.0.1"])
def test_what_was_published_is_served_to_both_families(
    mirror: PublicServer, published_world: SmallWorld, host: str
) -> None:
    """Every file, with the headers that the manifest gives it and its digest as ETag; HEAD tells the same."""
    assert mirror.urls == (f"http://[::]:{mirror.port}/", f"http://0.0.0.0:{mirror.port}/")
    assert published_world.public()
    for key, body in published_world.public().items():
        got, head = mirror.ask(f"/{key}", host=host), mirror.ask(f"/{key}", "HEAD", host=host)
        modified = (published_world.root / "mirror" / key).stat().st_mtime
        assert (got.status, got.body) == (200, body)
        assert got.headers["etag"] == quoted_sha256(body)
        assert got.headers["content-type"] == "text/plain; charset=utf-8"
        assert "s-maxage" in got.headers["cache-control"]
        assert got.headers["x-content-type-options"] == "nosniff"
        assert parsedate_to_datetime(got.headers["last-modified"]).timestamp() == int(modified)
        assert (head.status, head.body) == (200, b"")
        assert {**head.headers, "date": ""} == {**got.headers, "date": ""}
        assert "server" not in got.headers
    manifest = mirror.ask("/manifest.json", host=host)
    assert (manifest.status, manifest.headers["content-type"]) == (200, "application/json")


def test_what_is_private_is_not_there(mirror: PublicServer, published_world: SmallWorld) -> None:
    """However it is spelled, and though the files lie there; nor are there listings."""
    lie_there = [key for key in published_world.mirror_files() if key.startswith(".hubdata/")]
    assert lie_there
    paths = [
        f"{start}{key}" for key in lie_there for start in ("/", "//", "/./", "/lists/../", "/lists/%2e%2e/", "/%2e/")
    ]
    paths += [f"/%2ehubdata/{key.partition('/')[2]}" for key in lie_there]
    for path in (*paths, "/lists", "/lists/", "/.hubdata", "/.hubdata/", "/../hubdata.toml", "/nothing.txt"):
        got = mirror.ask(path)
        assert (got.status, got.body) == (404, b"not found\n"), path
        assert got.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND"])
def test_there_is_nothing_to_do_but_read(mirror: PublicServer, method: str) -> None:
    """Other methods are told which ones there are."""
    got = mirror.ask("/manifest.json", method)
    assert (got.status, got.headers["allow"]) == (405, "GET, HEAD")


def test_an_index_is_served_at_the_root(published_world: SmallWorld, tmp_path: Path) -> None:
    """Only there, and only when there is one."""
    world = published_world.copied(tmp_path / "world")
    world.write("mirror/index.html", "<title>what is published</title>")
    world.write("mirror/lists/index.html", "<title>no</title>")
    with PublicServer(world.root / "mirror") as server:
        got = server.ask("/")
        assert (got.status, got.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert server.ask("/lists/").status == 404


def test_who_has_it_already_is_told_so(mirror: PublicServer) -> None:
    """By ETag or by date; the answer has no body and the same validators."""
    got = mirror.ask(f"/{GOOD}")
    for condition in ({"If_None_Match": got.headers["etag"]}, {"If_Modified_Since": got.headers["last-modified"]}):
        again = mirror.ask(f"/{GOOD}", **condition)
        assert (again.status, again.body) == (304, b"")
        assert again.headers["etag"] == got.headers["etag"]
        assert "content-length" not in again.headers


@needs_curl
def test_curl_resumes_a_download_and_spares_itself_another(tmp_path: Path) -> None:
    """`--continue-at -` gets the rest, `--etag-compare` and `--time-cond` nothing; over both families."""
    body = os.urandom(BIG)
    publish(tmp_path / "public", {"geo.mmdb": body})
    with PublicServer(tmp_path / "public") as server:
        for host in ("[::1]", "127.0.0.1"):
            url = f"http://{host}:{server.port}/geo.mmdb"
            into = tmp_path / host
            into.write_bytes(body[: BIG // 3])
            code = curl("--continue-at", "-", "--output", into, "--write-out", "%{http_code} %{size_download}", url)
            assert code == f"206 {BIG - BIG // 3}"
            assert into.read_bytes() == body
            saved = tmp_path / "etag"
            curl("--etag-save", saved, "--output", into, url)
            assert saved.read_text().strip() == quoted_sha256(body)
            told = ("--output", tmp_path / "none", "--write-out", "%{http_code}", url)
            assert curl("--etag-compare", saved, *told) == "304"
            assert curl("--time-cond", into, "--remote-time", *told) == "304"
            assert curl("--range", "5-9", url, "--output", tmp_path / "part", "--write-out", "%{http_code}") == "206"
            assert (tmp_path / "part").read_bytes() == body[5:10]
        beyond = server.ask("/geo.mmdb", Range=f"bytes={BIG}-")
        assert (beyond.status, beyond.headers["content-range"]) == (416, f"bytes */{BIG}")


@needs_curl
def test_a_path_is_not_made_to_lead_out(tmp_path: Path, mirror: PublicServer) -> None:
    """curl can be told not to tidy paths up before it sends them."""
    for path in ("../../../../etc/passwd", "lists/../../hubdata.toml", "%2e%2e/hubdata.toml", "..%2fhubdata.toml"):
        told = ("--path-as-is", "--write-out", "%{http_code}", "--output", tmp_path / "x")
        assert curl(*told, f"http://127.0.0.1:{mirror.port}/{path}") == "404"


def test_a_download_goes_on_while_a_run_replaces_the_file(tmp_path: Path) -> None:
    """Who began with the old file gets it whole; who resumes with its ETag gets the new one whole, never a mixture."""
    world = SharedWorld.create(tmp_path, directory())
    old, new = (
        b"".join(b"9.%d.%d.0/24\n" % (n >> 8, n & 255) for n in range(start, start + 65_000)) for start in (0, 500)
    )
    old += b"# %s\n" % (b"x" * 100) * 40_000  # more than all buffers between a server and its client
    world.offer("job0/long.txt", old)
    sound(hubdata(*SYNC, cwd=world.root))
    with PublicServer(world.root / "mirror") as server:
        slow = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        with contextlib.closing(slow):
            slow.request("GET", "/job0/long.txt")
            answer = slow.getresponse()
            begun = answer.read(100_000)
            etag, modified = answer.headers["ETag"], answer.headers["Last-Modified"]
            world.offer("job0/long.txt", new)
            sound(hubdata(*SYNC, cwd=world.root))
            now = server.ask("/job0/long.txt")
            assert (now.body, now.headers["etag"]) == (new, quoted_sha256(new))
            assert begun + answer.read() == old
        assert etag == quoted_sha256(old)
        for validator in (etag, modified):
            resumed = server.ask("/job0/long.txt", Range="bytes=100000-", If_Range=validator)
            assert (resumed.status, resumed.body) == (200, new)
        resumed = server.ask("/job0/long.txt", Range="bytes=100000-", If_Range=now.headers["etag"])
        assert (resumed.status, resumed.body) == (206, new[100_000:])


def test_readers_see_whole_and_right_files_while_runs_replace_them(tmp_path: Path) -> None:
    """Eight readers without rest, eight runs: nothing old, nothing half, no ETag of other bytes."""
    world = SharedWorld.create(tmp_path, directory(), 2)
    ages: dict[str, dict[str, int]] = {}
    etags: list[str] = []
    for number in range(1, 9):
        for job in world.jobs:
            for name in ("a", "b"):
                key, body = f"{job}/{name}.txt", lines(number * (1 if name == "a" else 2))
                ages[key] = {**ages.get(key, {}), hashlib.sha256(body).hexdigest(): number}
                world.offer(key, body)
        sound(hubdata(*SYNC, cwd=world.root))
        if number == 1:
            stack = contextlib.ExitStack()
            server = stack.enter_context(PublicServer(world.root / "mirror"))
            readers = stack.enter_context(Readers(f"http://127.0.0.1:{server.port}", ages))
            stack.enter_context(_checking(server.port, "/job0/a.txt", etags))
        readers.until(number)
    with stack:
        readers.until_fetched(101)
        assert server.stderr == ""
    assert readers.wrong == []
    assert etags == []


@contextlib.contextmanager
def _checking(port: int, path: str, wrong: list[str]) -> Iterator[None]:
    """Read one file over and over on one connection, and note every ETag or length that is not that of the bytes."""
    over = threading.Event()

    def read() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        with contextlib.closing(connection):
            while not over.wait(0.002):
                connection.request("GET", path)
                answer = connection.getresponse()
                body = answer.read()
                if answer.headers["ETag"] != quoted_sha256(body):
                    wrong.append(f"{answer.status} {answer.headers['ETag']} {body[:20]!r}")

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(30)


def test_two_thousand_requests_leave_nothing_behind(tmp_path: Path) -> None:
    """Of all sorts, from four clients at once: neither memory nor open files grow once it is warm."""
    publish(tmp_path, {f"lists/{n}.txt": lines(n) for n in range(50)} | {"big.bin": os.urandom(2_000_000)})
    asks = cycle(
        [("/big.bin", {}), ("/big.bin", {"Range": "bytes=-70000"}), ("/nothing", {}), ("/lists", {}), ("/.git/x", {})]
        + [(f"/lists/{n}.txt", {"If_None_Match": "*"} if n % 3 else {}) for n in range(50)]
    )
    turn = threading.Lock()
    with PublicServer(tmp_path) as server:

        def client(count: int) -> None:
            for _ in range(count):
                with turn:
                    path, headers = next(asks)
                server.ask(path, **headers)

        def crowd(count: int) -> tuple[int, int]:
            threads = [threading.Thread(target=client, args=(count // 4,)) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            while server.established():
                time.sleep(0.02)
            return server.resident_kb, server.open_files

        warm_kb, warm_files = crowd(800)
        after_kb, after_files = crowd(2_000)
        assert server.stderr == ""
    assert after_files <= warm_files
    assert after_kb < warm_kb + 4_000


def test_nothing_is_served_until_something_is_published(tmp_path: Path) -> None:
    """A server may start before the first run; it says so, and needs no restart."""
    world = SmallWorld.create(tmp_path / "world")
    world.write("mirror/hubdata.toml", "secret = 1\n")
    with PublicServer(world.root / "mirror") as server:
        for path in ("/", "/hubdata.toml", "/manifest.json", f"/{GOOD}"):
            got = server.ask(path)
            assert (got.status, got.body) == (503, b"nothing is published here yet\n")
            assert got.headers["retry-after"] == "10"
        world.sync()
        assert server.ask(f"/{GOOD}").body == LISTS[GOOD]
        assert server.stderr.splitlines() == [
            f"hubdata: {world.root / 'mirror'}: nothing is served until there is a manifest.json"
        ]


@needs_real
def test_the_real_tree_is_served_byte_for_byte(tmp_path: Path) -> None:
    """Every published file of the real tree, names as they are."""
    files = {p.relative_to(SEC_LISTS).as_posix(): p.read_bytes() for p in SEC_LISTS.rglob("*") if p.is_file()}
    files = {key: body for key, body in files.items() if not key.startswith(".")}
    publish(tmp_path, files)
    with PublicServer(tmp_path) as server:
        connection = http.client.HTTPConnection("::1", server.port, timeout=30)
        with contextlib.closing(connection):
            for key, body in files.items():
                connection.request("GET", f"/{key}")
                answer = connection.getresponse()
                assert (answer.read(), answer.headers["ETag"]) == (body, quoted_sha256(body)), key


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_well(published_world: SmallWorld, number: signal.Signals) -> None:
    """With 0, though a client keeps its connection; nothing is said, and the port is free."""
    within = ["env", "--default-signal=INT"]  # whoever runs the tests in the background has it ignored
    with PublicServer(published_world.root / "mirror", within=within) as server, server.connect() as kept:
        kept.send(b"GET /manifest.json HTTP/1.1\r\nHost: x\r\n\r\n")
        kept.recv(100)
        assert server.end(number, timeout=30) == 0
        assert server.stderr == ""
        with socket.create_server(("127.0.0.1", server.port)):
            pass


def test_a_client_amid_a_download_does_not_keep_it_from_ending(tmp_path: Path) -> None:
    """It has a few seconds; then it is cut off, and that is no error."""
    publish(tmp_path, {"big.bin": bytes(BIG)})
    with PublicServer(tmp_path) as server, server.connect(4096) as slow:
        slow.send(b"GET /big.bin HTTP/1.1\r\nHost: x\r\n\r\n")
        slow.recv(100)
        assert server.end(timeout=30) == 0
        assert server.stderr == ""


def test_with_v_each_request_is_a_line_without_its_query(published_world: SmallWorld) -> None:
    """Who asked for what, what came, and how much; what may be secret in a query is left out."""
    with PublicServer(published_world.root / "mirror", flags=("-v",)) as server:
        server.ask(f"/{GOOD}?token=sentinel-secret", host="::1")
        server.ask("/nothing%0aserve.request")
        server.end()
        first, second = (line.partition(" ")[2] for line in server.stderr.splitlines())
        size = len(LISTS[GOOD])
        assert first.startswith(f"serve.request client=::1 method=GET path=/{GOOD} status=200 bytes={size} ms=")
        assert second.startswith("serve.request client=127.0.0.1 method=GET path=/nothing%0aserve.request status=404 ")
        assert "sentinel" not in server.stderr


def test_without_v_requests_are_not_logged_and_q_prints_nothing(published_world: SmallWorld) -> None:
    """A quiet server is heard of when something is wrong."""
    root = published_world.root / "mirror"
    with PublicServer(root) as server:
        server.ask(f"/{GOOD}")
        server.end()
        assert server.stderr == ""
    port = own_port()
    argv = [sys.executable, "-m", "hubdata", "serve", str(root), "-q", "--host", "::1", "--port", str(port)]
    quiet = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={"PATH": os.environ["PATH"]})
    with quiet, socket.socket(socket.AF_INET6) as plain:
        until = time.monotonic() + 60
        while plain.connect_ex(("::1", port)) and time.monotonic() < until:
            time.sleep(0.05)
        plain.sendall(b"GET /manifest.json HTTP/1.1\r\nHost: x\r\n\r\n")
        assert plain.recv(12) == b"HTTP/1.1 200"
        quiet.terminate()
        assert (quiet.communicate(timeout=30), quiet.returncode) == ((b"", b""), 0)


def test_a_file_that_may_not_be_read_is_told_of(published_world: SmallWorld, tmp_path: Path) -> None:
    """The client learns that it is forbidden, the operator which one; other files are served."""
    world = published_world.copied(tmp_path / "world")
    (world.root / "mirror" / GOOD).chmod(0)
    within = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.getuid() == 0 else []
    with PublicServer(world.root / "mirror", within=within) as server:
        assert server.ask(f"/{GOOD}").status == 403
        assert server.ask("/manifest.json").status == 200
        server.end()
        assert f"serve.unreadable key={GOOD} reason=" in server.stderr


def test_a_port_in_use_is_one_line_and_advice(tmp_path: Path) -> None:
    """In one family or in both: nothing is served by half."""
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
        port = str(taken.getsockname()[1])
        ended = checked(
            hubdata("serve", tmp_path, "--port", port, "--host", "127.0.0.1", "--host", "::1", cwd=tmp_path)
        )
    assert (ended.code, ended.stdout) == (2, "")
    error, advice = ended.stderr.splitlines()
    assert error == f"hubdata: error: cannot listen on [::1] port {port}: is in use already"
    assert advice.startswith("  advice: choose another with --port")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "nowhere: expected a directory that may be read"),
        (["file"], "file: expected a directory that may be read"),
        ([".", "--host", "192.0.2.1"], "cannot listen on 192.0.2.1 port 8080"),
        ([".", "--host", "no.such.host.invalid"], "--host no.such.host.invalid: there is no such address"),
        (
            [".", "--port", "0", "--host", "::1", "--max-connections", "90000"],
            "90000 connections need 180128 open files",
        ),
    ],
)
def test_what_cannot_be_served_is_one_line_and_advice(tmp_path: Path, arguments: list[str], words: str) -> None:
    """Exit code 2, nothing on stdout."""
    (tmp_path / "file").touch()
    ended = checked(hubdata("serve", *arguments, cwd=tmp_path, within=["prlimit", "--nofile=1024:4096"]))
    assert (ended.code, ended.stdout) == (2, "")
    error, advice = ended.stderr.splitlines()
    assert error.startswith(f"hubdata: error: {words}")
    assert advice.startswith("  advice: ")


def test_few_open_files_are_made_more_where_they_may_be(published_world: SmallWorld) -> None:
    """The usual soft limit is too low for as many connections as are served by default; the hard one is not."""
    within = ["prlimit", "--nofile=256:4096"]
    with PublicServer(published_world.root / "mirror", within=within) as server:
        limits = Path(f"/proc/{server.pid}/limits").read_text()
        assert next(line.split()[3] for line in limits.splitlines() if line.startswith("Max open files")) == "1152"


@pytest.mark.parametrize("package", ["starlette", "uvicorn", "anyio"])
def test_without_the_web_server_it_says_what_to_install(tmp_path: Path, package: str) -> None:
    """Not everybody serves: the extra is asked for when it is needed."""
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / f"{package}.py").write_text(f"raise ModuleNotFoundError('gone', name='{package}')\n")
    ended = checked(hubdata("serve", ".", cwd=tmp_path, env={"PYTHONPATH": str(tmp_path / "without")}))
    assert ended.code == 2
    assert ended.stderr.splitlines() == [
        f"hubdata: error: serving needs a web server: the package {package} is not installed",
        "  advice: install it: pip install 'hubdata[worker]'",
    ]
