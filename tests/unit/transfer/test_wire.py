"""Exchanges on connections that stay open: what is reused, what is never believed, and what takes too long."""

import gc
import io
import os
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hubdata.transfer import wire
from hubdata.transfer.wire import Broken, Reply, Sending, Wire
from tests.support.certificates import certificate_for, showing
from tests.support.ports import own_port

Script = Callable[[socket.socket, int, "Server"], None]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"


class Server:
    """Answers each connection by a script that is given the socket, and the connection's number from 1."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        self.connections = 0
        self.open = 0
        self.answering = 0
        self.most_answering = 0
        self.foreign = threading.Event()
        self.done = threading.Event()
        self._script, self._tls = script, tls
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> "Server":
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(60)  # else it might accept by a number that is another listener's by then
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._talk, args=(client, self.connections), daemon=True).start()

    def _talk(self, client: socket.socket, number: int) -> None:
        with self._lock:
            self.open += 1
        try:
            if self._tls is not None:
                client = self._tls.wrap_socket(client, server_side=True)
            self._script(client, number, self)
        except OSError:
            pass
        finally:
            with self._lock:
                self.open -= 1
            client.close()


def request(client: socket.socket) -> bytes:
    """Return one whole request; nothing at the end."""
    held = b""
    while b"\r\n\r\n" not in held:
        piece = client.recv(1 << 16)
        if not piece:
            return b""
        held += piece
    head, _, body = held.partition(b"\r\n\r\n")
    length = next((int(one[15:]) for one in head.lower().split(b"\r\n") if one.startswith(b"content-length:")), 0)
    while len(body) < length:
        piece = client.recv(1 << 16)
        if not piece:
            return b""
        body += piece
    return head + b"\r\n\r\n" + body


def echo(client: socket.socket, number: int, server: Server) -> None:
    """Answer every request with the last two bytes of its target."""
    while got := request(client):
        client.sendall(OK + got.split(b" ")[1][-2:])


def to(server: Server, most: int = 4) -> Wire:
    """Return the connections to `server`."""
    return Wire("127.0.0.1", server.port, most=most)


def ask(connections: Wire, target: str = "/aa", body: bytes = b"") -> Reply:
    """Return the answer."""
    return connections.exchange(Sending("PUT" if body else "GET", target, {"host": "x"}, body), max_bytes=1 << 20)


def test_one_connection_serves_one_request_after_the_other() -> None:
    """A connection costs round trips; a request on one that is open costs its own."""
    with Server(echo) as server:
        connections = to(server)
        assert [ask(connections, f"/{n:02}").body for n in range(20)] == [f"{n:02}".encode() for n in range(20)]
        assert server.connections == 1


def test_no_more_connections_are_open_than_agreed_and_fewer_when_the_server_is_busy() -> None:
    """`most` bounds them from the start; `ease` halves them. So many are answered together, a few times over."""
    together = threading.Barrier(4)

    def slow(client: socket.socket, number: int, server: Server) -> None:
        while request(client):
            with server._lock:
                server.answering += 1
                server.most_answering = max(server.answering, server.most_answering)
            together.wait(60)
            time.sleep(0.005)  # time for one too many
            with server._lock:
                server.answering -= 1
            client.sendall(OK + b"ok")

    with Server(slow) as server:
        connections = to(server, 4)
        for most in (4, 2):
            together = threading.Barrier(most)
            with ThreadPoolExecutor(12) as pool:
                list(pool.map(lambda n: ask(connections), range(24)))
            assert server.most_answering == most
            server.most_answering = 0
            connections.ease()
        assert server.connections == 4


def test_a_connection_that_the_server_closed_is_not_used() -> None:
    """Its end is there to be seen before anything is sent, so nothing is sent twice."""

    def once(client: socket.socket, number: int, server: Server) -> None:
        request(client)
        client.sendall(OK + b"ok")
        client.shutdown(socket.SHUT_RDWR)

    with Server(once) as server:
        connections = to(server)
        for _ in range(3):
            assert ask(connections).sends == 1
            wait_until(lambda: server.open == 0)
        assert server.connections == 3


def test_a_request_that_crossed_the_end_of_a_connection_is_sent_again_and_says_so() -> None:
    """Nobody knows whether the first one was acted upon."""

    def deaf(client: socket.socket, number: int, server: Server) -> None:
        request(client)
        client.sendall(OK + b"ok")
        if number == 1:
            request(client)
            return
        server.done.wait(60)

    with Server(deaf) as server:
        connections = to(server)
        assert ask(connections).sends == 1
        again = ask(connections, body=b"body")
        assert (again.sends, again.body, server.connections) == (2, b"ok", 2)


class Streamed(io.BytesIO):
    """A body that is read as it is sent."""

    def __len__(self) -> int:
        return len(self.getvalue())


def test_a_body_that_is_sent_again_is_sent_from_its_start() -> None:
    """The first pass read it to its end."""
    got: list[bytes] = []

    def deaf(client: socket.socket, number: int, server: Server) -> None:
        while True:
            got.append(request(client).partition(b"\r\n\r\n")[2])
            if len(got) == 2:
                return
            client.sendall(OK + b"ok")

    body = bytes(range(256)) * 1000
    with Server(deaf) as server:
        connections = to(server)
        ask(connections)
        reply = connections.exchange(Sending("PUT", "/a", {"host": "x"}, Streamed(body)), max_bytes=10)
        assert (reply.sends, got) == (2, [b"", body, body])


def test_a_fresh_connection_that_closes_without_an_answer_is_not_tried_again() -> None:
    """One request, one doubt; whoever asked decides."""

    def mute(client: socket.socket, number: int, server: Server) -> None:
        request(client)

    with Server(mute) as server:
        with pytest.raises(Broken) as caught:
            ask(to(server))
        assert (caught.value.sends, caught.value.late, server.connections) == (1, False, 1)


def test_where_nobody_listens_nothing_was_sent() -> None:
    """Then a write may be sent another way without a doubt."""
    with pytest.raises(Broken) as caught:
        ask(Wire("127.0.0.1", own_port(), most=1))
    assert caught.value.sends == 0


@pytest.mark.parametrize("late", [False, True])
def test_an_answer_to_nobodys_request_is_never_taken_for_ours(late: bool) -> None:
    """Whether it came with the last answer or after it: the connection is closed, and ours comes on another."""

    def twice(client: socket.socket, number: int, server: Server) -> None:
        got = request(client)
        own, foreign = OK + got.split(b" ")[1][-2:], OK + b"!!"
        if late:
            client.sendall(own)
            client.sendall(foreign)
        else:
            client.sendall(own + foreign)
        server.foreign.set()
        request(client)

    with Server(twice) as server:
        connections = to(server)
        for number in range(3):
            assert ask(connections, f"/{number:02}").body == f"{number:02}".encode()
            assert server.foreign.wait(60)
            server.foreign.clear()
        assert server.connections == 3


@pytest.mark.parametrize("what", ["silence", "drip of headers", "drip of a body"])
def test_an_exchange_is_over_in_time_however_slowly_it_goes_on(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte now and then does not begin the time anew."""
    monkeypatch.setattr(wire, "EXCHANGE_TIMEOUT_S", 30 if what == "silence" else 0.4)
    monkeypatch.setattr(wire, "PAUSE_TIMEOUT_S", 0.3 if what == "silence" else 30)
    monkeypatch.setattr(wire, "SLOWEST_BYTES_S", 1 << 20)

    def drip(client: socket.socket, number: int, server: Server) -> None:
        request(client)
        if what == "drip of a body":
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        elif what == "drip of headers":
            client.sendall(b"HTTP/1.1 200 OK\r\nX-A: ")
        for _ in range(3000):  # beyond the time allowed, and not for ever
            if server.done.wait(0.02):
                return
            if what != "silence":
                client.sendall(b"x")

    with Server(drip) as server:
        begun = time.monotonic()
        with pytest.raises(Broken) as caught:
            ask(to(server))
        assert caught.value.late
        assert time.monotonic() - begun < 30


def test_a_server_that_takes_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that does not get through is bounded as well."""
    monkeypatch.setattr(wire, "PAUSE_TIMEOUT_S", 0.2)

    def full(client: socket.socket, number: int, server: Server) -> None:
        server.done.wait(60)

    with Server(full) as server, pytest.raises(Broken) as caught:
        ask(to(server), body=b"x" * (32 << 20))
    assert caught.value.late


class Failing:
    """A body that fails before its last bytes."""

    def __len__(self) -> int:
        return 1 << 20

    def read(self, size: int, /) -> bytes:
        """Return half, then fail."""
        if self.half:
            raise ArithmeticError("other bytes than were checked")
        self.half = True
        return b"x" * (1 << 19)

    half = False

    def seek(self, offset: int, /) -> int:
        """Begin anew."""
        return offset


def test_a_body_that_fails_is_never_sent_whole() -> None:
    """What it raises comes out as it is, and the server sees a request that broke off."""
    seen: list[bytes] = []

    def keep(client: socket.socket, number: int, server: Server) -> None:
        seen.append(request(client))
        server.done.set()

    with Server(keep) as server:
        with pytest.raises(ArithmeticError):
            to(server).exchange(Sending("PUT", "/a", {"host": "x"}, Failing()), max_bytes=10)
        assert server.done.wait(60)
    assert seen == [b""]


@pytest.mark.parametrize("text", ["a\r\nx-amz-acl: public-read", "a\nb", "a\rb", "a\0b", "é"])
def test_a_value_cannot_begin_a_header_of_its_own(text: str) -> None:
    """Nothing is sent, so nothing is done."""
    with Server(echo) as server:
        for sending in (Sending("GET", "/a", {"host": "x", "x-a": text}), Sending("GET", f"/{text}", {"host": "x"})):
            with pytest.raises(Broken) as caught:
                to(server).exchange(sending, max_bytes=10)
            assert caught.value.sends == 0
        assert server.connections == 0


def test_tls_is_prepared_once_and_checks_who_answers(tmp_path: Path) -> None:
    """Reading the authorities costs more than all else; the host's name counts; sessions are taken up again."""
    made = certificate_for("localhost", tmp_path)
    built: list[int] = []

    def trust() -> ssl.SSLContext:
        built.append(1)
        return ssl.create_default_context(cafile=made)

    with Server(echo, showing(made)) as server:
        connections = Wire("localhost", server.port, most=4, trust=trust)
        with ThreadPoolExecutor(4) as pool:
            assert {reply.body for reply in pool.map(lambda n: ask(connections), range(8))} == {b"aa"}
        assert built == [1]
        assert connections._session is not None
        connections.close()
        opened = server.connections
        for _ in range(3):
            connections.reach(1)  # what TLS says after its greeting is no answer to anybody
        assert ask(connections, "/bb").body == b"bb"
        assert server.connections == opened + 1
        for other in (
            Wire("127.0.0.1", server.port, most=1, trust=trust),
            Wire("localhost", server.port, most=1, trust=ssl.create_default_context),
        ):
            with pytest.raises(Broken) as caught:
                ask(other)
            assert caught.value.sends == 0


def test_connections_are_begun_ahead_and_used_once_they_are_there() -> None:
    """Whoever asks while one is under way waits for it, and makes none of its own; what is there counts."""
    with Server(echo) as server:
        connections = to(server, most=4)
        connections.reach(3)
        with ThreadPoolExecutor(3) as pool:
            assert [reply.body for reply in pool.map(lambda n: ask(connections), range(3))] == [b"aa"] * 3
        assert server.connections <= 3
        connections.reach(3)
        wait_until(lambda: server.connections == 3)
        connections.reach(99)
        wait_until(lambda: server.connections == 4)  # no more than agreed
        connections.close()
        wait_until(lambda: server.open == 0)


def test_a_connection_begun_ahead_that_nobody_wants_any_more_is_closed_when_it_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A run that ends early leaves nothing open."""
    begun, may = threading.Event(), threading.Event()
    real = socket.create_connection

    def slow(*where: object) -> socket.socket:
        begun.set()
        assert may.wait(10)
        return real(*where)  # type: ignore[arg-type]

    with Server(echo) as server:
        monkeypatch.setattr(socket, "create_connection", slow)
        connections = to(server)
        connections.reach(1)
        assert begun.wait(10)
        connections.close()
        may.set()
        wait_until(lambda: server.connections == 1 and server.open == 0)


def test_what_could_not_be_begun_ahead_is_tried_by_who_asks_unless_it_took_all_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A host that is up by now answers; one that is not there at all is not waited for twice."""
    tries: list[BaseException] = [ConnectionRefusedError(), TimeoutError()]
    real = socket.create_connection

    def failing(*where: object) -> socket.socket:
        if tries:
            raise tries.pop(0)
        return real(*where)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "create_connection", failing)
    with Server(echo) as server:
        connections = to(server)
        connections.reach(1)
        wait_until(lambda: len(tries) == 1)
        tries, late = [], tries
        assert ask(connections).body == b"aa"
        connections.close()
        tries += late
        connections.reach(1)
        with pytest.raises(Broken) as caught:
            ask(connections)
        assert (caught.value.late, caught.value.sends) == (True, 0)


def test_a_fork_does_not_share_its_parents_connections() -> None:
    """Two processes on one connection would read each other's answers."""
    with Server(echo) as server:
        connections = to(server)
        ask(connections)
        child = os.fork()
        if child == 0:
            os._exit(0 if ask(connections, "/cc").body == b"cc" else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert ask(connections, "/bb").body == b"bb"
        assert server.connections == 2


def test_nothing_is_left_open_by_one_that_is_forgotten() -> None:
    """Connections are closed with their owner, or the test run would hear of it."""
    with Server(echo) as server:
        connections = to(server)
        ask(connections)
        del connections
        gc.collect()
        wait_until(lambda: server.open == 0)


def test_connections_begun_ahead_are_closed_with_their_owner_too() -> None:
    """A process that runs for days begins some for every run, and not every run needs them all."""
    with Server(echo) as server:
        connections = to(server)
        connections.reach(3)
        wait_until(lambda: server.open == 3)
        owner = weakref.ref(connections)
        del connections
        wait_until(lambda: gc.collect() >= 0 and owner() is None)
        wait_until(lambda: server.open == 0)
    connections = Wire("127.0.0.1", own_port(), most=1)
    connections.reach(1)  # nobody listens there
    owner = weakref.ref(connections)
    del connections
    wait_until(lambda: gc.collect() >= 0 and owner() is None)


def wait_until(reached: Callable[[], bool]) -> None:
    """Return when `reached` says so."""
    end = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.005)
