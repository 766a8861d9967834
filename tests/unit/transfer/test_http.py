"""The HTTP client against real sockets that answer well, badly, slowly and without end."""

import socket
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from hubdata.transfer.deadline import Deadline
from hubdata.transfer.http import HttpClient, Timeouts
from hubdata.transfer.retry import RequestFailed
from tests.support.ports import own_port
from tests.support.raw_http import MIB, QUICK, SENTINEL, RawServer, Script, answer, drip, read, refused

# --- good answers


def test_a_request_says_who_asks_and_wants_the_bytes_as_they_are() -> None:
    """Our User-Agent, identity encoding, Basic auth for the configured origin."""
    with RawServer(answer(b"hello")) as server:
        assert read(server.url + "/a") == b"hello"
    (head,) = server.heads
    lines = head.decode().split("\r\n")
    assert lines[0] == "GET /a HTTP/1.1"
    assert any(line.startswith("User-Agent: hubdata/") for line in lines)
    assert "Accept-Encoding: identity" in lines
    assert any(line.startswith("Authorization: Basic ") for line in lines)


def test_a_connection_serves_several_requests() -> None:
    """Metadata of many editions cost one connection."""
    with RawServer(answer(b"hello")) as server:
        server.once = False
        deadline = Deadline.after(timedelta(seconds=20))
        with HttpClient(server.url, timeouts=QUICK, environment={}) as client:
            for _ in range(3):
                with client.get(server.url, deadline=deadline, max_bytes=100) as response:
                    assert response.read() == b"hello"
        assert (len(server.heads), server.connections) == (3, 1)


def test_netrc_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password for this host in a person's home is not ours to send."""
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login me password from-netrc\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    with (
        RawServer(answer(b"hello")) as server,
        HttpClient(server.url, environment={}) as client,
        client.get(server.url, deadline=Deadline.after(timedelta(seconds=20)), max_bytes=100) as response,
    ):
        assert response.read() == b"hello"
    assert b"Authorization" not in server.heads[0]


# --- time


def _drip_headers(sock: socket.socket, head: bytes) -> None:
    sock.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    for _ in range(400):
        sock.sendall(b"x")
        time.sleep(0.05)


def _drip_without_length(sock: socket.socket, head: bytes) -> None:
    sock.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    for _ in range(400):
        sock.sendall(b"x")
        time.sleep(0.05)


@pytest.mark.parametrize("script", [drip, _drip_headers, _drip_without_length])
def test_a_drip_is_cut_at_the_deadline(script: Script) -> None:
    """Each byte comes well within the read timeout, so only the total ends it; a cut body never passes for a whole."""
    with RawServer(script) as server:
        began = time.monotonic()
        error = refused(server.url, budget_s=0.7)
        assert time.monotonic() - began < 8  # the script alone would take 20 s
    assert "not done within the 0.7 s allowed in all" in str(error)
    assert error.retryable


def test_a_tls_handshake_that_never_comes_is_cut_too() -> None:
    """The deadline holds before a single byte of HTTP."""
    with RawServer(answer(b""), silent=True) as server:
        url = f"https://127.0.0.1:{server.port}/"
        began = time.monotonic()
        error = refused(url, budget_s=0.7, timeouts=Timeouts(timedelta(seconds=9), timedelta(seconds=9)))
        assert time.monotonic() - began < 8
    assert error.retryable


def test_a_silent_server_is_left_after_the_read_timeout() -> None:
    """Long before the total."""
    with RawServer(lambda sock, head: time.sleep(3)) as server:
        error = refused(server.url, budget_s=60)
    assert "nothing came within the time allowed for one read" in str(error)
    assert error.retryable


def test_no_request_is_begun_after_the_deadline() -> None:
    """An expired budget opens no connection."""
    with RawServer(answer(b"hello")) as server:
        assert "not done within" in str(refused(server.url, budget_s=0))
        assert server.connections == 0


# --- size


def test_a_body_announced_too_long_is_refused_unread() -> None:
    """By its Content-Length."""
    with RawServer(answer(b"", Content_Length="999999999999")) as server:
        error = refused(server.url)
    assert "longer than the 1,048,576 bytes allowed" in str(error)
    assert not error.retryable


def test_an_endless_body_is_stopped_at_the_cap() -> None:
    """Without a length, and however fast it comes."""
    sent = 0

    def script(sock: socket.socket, head: bytes) -> None:
        nonlocal sent
        sock.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while sent < 500 * MIB:
            sock.sendall(bytes(65536))
            sent += 65536

    with RawServer(script) as server:
        assert "longer than the 1,048,576 bytes allowed" in str(refused(server.url))
    assert sent < 50 * MIB  # what socket buffers took besides


def test_a_body_that_is_given_up_is_hung_up_on_at_once() -> None:
    """The sender must not be kept waiting while the client goes on with other requests."""
    hung_up = threading.Event()

    def script(sock: socket.socket, head: bytes) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        try:
            while True:
                sock.sendall(bytes(65536))
        except ConnectionError:
            hung_up.set()

    with RawServer(script) as server, HttpClient(server.url, timeouts=QUICK, environment={}) as client:
        deadline = Deadline.after(timedelta(seconds=20))
        with (
            pytest.raises(RequestFailed, match="longer than"),
            client.get(server.url, deadline=deadline, max_bytes=100) as response,
        ):
            response.read()
        assert hung_up.wait(60)


def test_an_encoded_body_is_refused() -> None:
    """Identity was asked for: what is compressed anyway would be counted and digested wrongly."""
    with RawServer(answer(b"xx", Content_Encoding="gzip")) as server:
        assert "encoded although identity was asked for" in str(refused(server.url))


@pytest.mark.parametrize(
    "script",
    [
        answer(b"half", Content_Length="8"),
        answer(b"8\r\nhalf", Content_Length="", Transfer_Encoding="chunked"),
        answer(b"zz\r\nhalf\r\n", Content_Length="", Transfer_Encoding="chunked"),
    ],
    ids=["length", "chunk", "no chunk"],
)
def test_a_body_that_ends_early_is_an_error_worth_another_try(script: Script) -> None:
    """Whether its length or its chunks tell."""
    with RawServer(script) as server:
        assert refused(server.url).retryable


# --- statuses and broken connections


@pytest.mark.parametrize(("status", "retryable"), [(401, False), (404, False), (429, True), (503, True), (206, False)])
def test_any_status_but_200_is_an_error_that_names_it(status: int, retryable: bool) -> None:
    """With what the server asks for in Retry-After."""
    with RawServer(answer(b"why", f"{status} Whatever", Retry_After="9")) as server:
        error = refused(f"{server.url}/x?signature={SENTINEL}")
    assert (error.status, error.retryable, error.retry_after) == (status, retryable, timedelta(seconds=9))
    assert f"127.0.0.1:{server.port}/x?...: the server answered {status}" in str(error)


def test_a_refused_connection_is_named_and_retryable() -> None:
    """The message has the address and the system's reason, and none of the query."""
    port = own_port()
    error = refused(f"http://127.0.0.1:{port}/x?signature={SENTINEL}")
    assert "the connection failed (Connection refused)" in str(error)
    assert error.retryable


def test_a_name_that_does_not_resolve_is_said_so() -> None:
    """`.invalid` never resolves (RFC 6761)."""
    error = refused(f"http://host.invalid/x?signature={SENTINEL}")
    assert "its host name does not resolve" in str(error)


@pytest.mark.parametrize("body", [b"", b"SSH-2.0-OpenSSH\r\n", b"\x00\x01\x02" * 50 + b"\r\n\r\n"])
def test_what_does_not_speak_http_is_an_error(body: bytes) -> None:
    """A closed connection, another protocol, noise."""
    with RawServer(lambda sock, head: sock.sendall(body)) as server:
        assert refused(f"{server.url}/x?signature={SENTINEL}").retryable
