"""What one client can hold, with limits so short that they run out here: never more, and never for long."""

import contextlib
import http.client
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.public_server import PublicServer, until_closed
from tests.support.published_tree import publish

BIG = 30_000_000
ASK_BIG = b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n"
FEW = {"connections": 4, "grace_s": 1}
SHORT = {"head_s": 1.0, "stall_s": 1.0, "answer_s": 90.0, "idle_s": 1, **FEW}
FAIR = {**SHORT, "head_s": 30.0, "stall_s": 30.0}
"""For those who do no wrong: a pause of theirs on a busy machine is none either."""
LONG = {"head_s": 90.0, "stall_s": 90.0, "answer_s": 2.0, "idle_s": 90, **FEW}
"""Here only what is not waited for ends within the patience of a test: each limit is seen to act by itself."""


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give one small file and one that no buffer swallows."""
    root = tmp_path_factory.mktemp("public")
    publish(root, {"small": b"small", "big": bytes(BIG)})
    return root


@contextlib.contextmanager
def running(public: Path, limits: Mapping[str, float]) -> Iterator[PublicServer]:
    """Give a server with these limits, and see that it ends well and has had no bug."""
    with PublicServer(public, limits=limits) as one:
        one.ask("/small")
        yield one
        assert "Traceback" not in one.stderr, one.stderr
        assert one.end() == 0


@pytest.fixture(scope="module")
def short_one(public: Path) -> Iterator[PublicServer]:
    """Give a server that waits for nobody."""
    with running(public, SHORT) as one:
        yield one


@pytest.fixture(scope="module")
def fair_one(public: Path) -> Iterator[PublicServer]:
    """Give a server that waits a while for those who pause."""
    with running(public, FAIR) as one:
        yield one


@pytest.fixture(scope="module")
def long_one(public: Path) -> Iterator[PublicServer]:
    """Give a server that is patient but for whole answers."""
    with running(public, LONG) as one:
        yield one


def alone(server: PublicServer) -> Iterator[PublicServer]:
    """Give a server that nobody is connected to; see that in the end it holds what it held before, and answers."""
    patiently(lambda: not server.established())
    before = server.open_files
    yield server
    patiently(lambda: server.open_files <= before)
    assert server.ask("/small").body == b"small"


@pytest.fixture
def server(short_one: PublicServer) -> Iterator[PublicServer]:
    """Give the server that waits for nobody."""
    yield from alone(short_one)


@pytest.fixture
def fair(fair_one: PublicServer) -> Iterator[PublicServer]:
    """Give the server that waits a while."""
    yield from alone(fair_one)


@pytest.fixture
def patient(long_one: PublicServer) -> Iterator[PublicServer]:
    """Give the server that is patient."""
    yield from alone(long_one)


def patiently(done: Callable[[], bool]) -> None:
    """Return when it is so; fail when it will not be."""
    until = time.monotonic() + 60
    while not done():
        assert time.monotonic() < until
        time.sleep(0.02)


def drip(plain: socket.socket, text: bytes) -> bytes:
    """Send a byte at a time until nobody takes them any more; return what came back."""
    with contextlib.suppress(ConnectionError):
        for byte in text:
            plain.send(bytes([byte]))
            time.sleep(0.1)
    return until_closed(plain)


def test_a_client_that_never_asks_is_hung_up_on(server: PublicServer) -> None:
    """A connection is there for a request."""
    with server.connect() as plain:
        assert until_closed(plain) == b""


def test_a_request_that_drips_in_is_hung_up_on(server: PublicServer) -> None:
    """Each byte is progress, but the whole of it has a time."""
    with server.connect() as plain:
        assert drip(plain, b"GET /small HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 200) == b""


def test_a_second_request_that_drips_in_is_hung_up_on(server: PublicServer) -> None:
    """Whoever asked well before has no more time for the next."""
    with server.connect() as plain:
        plain.send(b"GET /small HTTP/1.1\r\nHost: x\r\n\r\n")
        assert plain.recv(9000).startswith(b"HTTP/1.1 200 OK")
        drip(plain, b"GET /small HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 200)


def test_an_idle_connection_is_closed(fair: PublicServer) -> None:
    """It is kept for the next request for a while only."""
    with fair.connect() as plain:
        plain.send(b"GET /small HTTP/1.1\r\nHost: x\r\n\r\n")
        assert until_closed(plain).endswith(b"\r\n\r\nsmall")


def test_a_client_that_takes_nothing_is_cut_off(server: PublicServer) -> None:
    """What is on its way has a time to be taken."""
    with server.connect(4096) as plain:
        plain.send(ASK_BIG)
        patiently(lambda: server.established() == 0)
        assert len(until_closed(plain)) < BIG


def test_a_client_that_takes_a_little_now_and_then_is_cut_off_in_the_end(patient: PublicServer) -> None:
    """An answer has a time too, whatever progress it makes."""
    with patient.connect(65_536) as plain:
        plain.send(ASK_BIG)
        received = 0
        with contextlib.suppress(ConnectionError):
            while piece := plain.recv(200_000):
                received += len(piece)
                time.sleep(0.1)
        assert received < BIG


def test_a_client_that_takes_its_time_but_not_too_much_gets_all(fair: PublicServer) -> None:
    """Being slow is allowed: pauses shorter than the limit are no stall."""
    with fair.connect() as plain:
        plain.send(ASK_BIG)
        time.sleep(0.5)
        answer = http.client.HTTPResponse(plain)
        answer.begin()
        assert answer.read(1000) == bytes(1000)
        time.sleep(0.5)
        assert len(answer.read()) == BIG - 1000


def test_a_slow_but_steady_client_gets_all(fair: PublicServer) -> None:
    """Progress is seen as it is made: the system does not hide it behind megabytes of its own buffers."""
    with fair.connect(1 << 20) as plain:
        plain.send(ASK_BIG)
        answer = http.client.HTTPResponse(plain)
        answer.begin()
        received = 0
        for _ in range(50):
            received += len(answer.read(100_000))
            time.sleep(0.1)
        assert received + len(answer.read()) == BIG


def test_a_client_that_goes_away_is_forgotten(server: PublicServer) -> None:
    """Amid an answer, without a word: its file is closed (looked at after every test)."""
    for _ in range(10):
        with server.connect(4096) as plain:
            plain.send(ASK_BIG)
            plain.recv(100)


def test_one_too_many_is_told_to_come_back(patient: PublicServer) -> None:
    """The others are served on; when one of them has gone, there is room again."""
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(patient.connect()) for _ in range(FEW["connections"])]
        patiently(lambda: patient.established() == len(held))
        refused = patient.ask("/small")
        assert (refused.status, refused.headers["connection"]) == (503, "close")
        held[0].send(b"GET /small HTTP/1.1\r\nHost: x\r\n\r\n")
        assert held[0].recv(9000).startswith(b"HTTP/1.1 200 OK")
        held[1].close()
        patiently(lambda: patient.ask("/small").status == 200)


def test_a_crowd_is_not_let_in_at_all(patient: PublicServer) -> None:
    """Beyond those who are turned away politely nobody costs more than a moment."""
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(patient.connect())
        patiently(lambda: patient.established() == FEW["connections"] + 64)


@pytest.mark.parametrize(
    "head",
    [
        b"GET /small HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 40_000,
        b"GET /" + b"x" * 40_000,
        b"GET /small HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 10_000,
    ],
)
def test_a_head_that_is_too_large_is_refused_before_it_ends(patient: PublicServer, head: bytes) -> None:
    """In one value, in the path, or in many lines; without waiting for its end."""
    with patient.connect() as plain:
        with contextlib.suppress(ConnectionError):
            plain.sendall(head)
        received = until_closed(plain)
        assert received == b"" or received.startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    "text",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /small HTTP/1.1\r\n\r\n",
        b"GET /small HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"GET /sm\x00all HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused(fair: PublicServer, text: bytes) -> None:
    """TLS on a plain port, HTTP/2, no host, two lengths: one short answer, and the end."""
    with fair.connect() as plain:
        plain.sendall(text)
        assert until_closed(plain).startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 405 "))


def test_nonsense_amid_an_answer_ends_it(fair: PublicServer) -> None:
    """A body that breaks its own encoding while the file is on its way: no second answer, no traceback in the log."""
    with fair.connect(4096) as plain:
        plain.send(b"GET /big HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert plain.recv(100).startswith(b"HTTP/1.1 200 OK")
        plain.send(b"this is no chunk\r\n" * 100)
        assert b"400 Bad Request" not in until_closed(plain)


@pytest.mark.parametrize("method", [b"GET", b"PUT"])
def test_a_body_is_not_waited_for(fair: PublicServer, method: bytes) -> None:
    """Nobody reads it here: the answer comes at once, and ends the connection."""
    with fair.connect() as plain:
        plain.send(method + b" /small HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n")
        received = until_closed(plain)
        assert b"\r\nconnection: close\r\n" in received
        assert received.startswith(b"HTTP/1.1 200 OK" if method == b"GET" else b"HTTP/1.1 405 ")


def test_requests_sent_at_once_are_answered_one_after_the_other(fair: PublicServer) -> None:
    """Pipelining is slow here, but right."""
    with fair.connect() as plain:
        ask = b"GET /small HTTP/1.1\r\nHost: x\r\n\r\n"
        plain.send(ask * 20 + ask.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        received = until_closed(plain)
        assert received.count(b"HTTP/1.1 200 OK") == received.count(b"\r\n\r\nsmall") == 21


def test_an_upgrade_is_ignored(fair: PublicServer) -> None:
    """There is no other protocol here."""
    got = fair.ask("/small", Connection="Upgrade", Upgrade="websocket", Sec_WebSocket_Key="x")
    assert (got.status, got.body) == (200, b"small")
