"""What comes over one family is told as it is, within bounds, whatever the server does."""

import gzip
import hashlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

import pytest

from hubdata.model.verification import Family
from hubdata.transfer.deadline import Deadline
from hubdata.transfer.one_family import Answer, FamilyClient, NoAnswer, Trouble

BODY = b"8.8.8.0/24\n" * 50
Serve = Callable[[socket.socket, bytes], None]


@contextmanager
def server(*scripts: Serve, family: Family = Family.IPV4) -> Iterator[str]:
    """Give the URL of a server that treats each request after the scripts in turn, the last one for all others.

    Requests on one connection follow one another; a script that closes it ends it.
    """
    address = ("127.0.0.1", 0) if family is Family.IPV4 else ("::1", 0)
    af = socket.AF_INET if family is Family.IPV4 else socket.AF_INET6
    listener = socket.create_server(address, family=af)
    waiting = list(scripts)

    def handle(taken: socket.socket) -> None:
        with taken, suppress(OSError):
            while request := taken.recv(65_536):
                script = waiting.pop(0) if len(waiting) > 1 else waiting[0]
                script(taken, request)
                if taken.fileno() < 0:
                    return

    def accept() -> None:
        while True:
            try:
                taken, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=handle, args=(taken,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"http://localhost:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(60)  # else it might accept by a number that is the next listener's by then
        listener.close()


def answer(*headers: str, body: bytes = BODY, status: str = "200 OK", length: int | None = None) -> Serve:
    """Return a script that sends one answer; to a HEAD without the body."""

    def serve(taken: socket.socket, request: bytes) -> None:
        told = (f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers, "", "")
        taken.sendall("\r\n".join(told).encode() + (b"" if request.startswith(b"HEAD") else body))

    return serve


def closing(script: Serve) -> Serve:
    """Return a script that closes the connection afterwards."""

    def serve(taken: socket.socket, request: bytes) -> None:
        script(taken, request)
        taken.shutdown(socket.SHUT_RDWR)
        taken.close()

    return serve


def dripping(taken: socket.socket, request: bytes) -> None:
    """Send a byte now and then, never silent for long and never done."""
    taken.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(2000):
        taken.sendall(b"8")
        time.sleep(0.05)


def silent(taken: socket.socket, request: bytes) -> None:
    """Say nothing for longer than anybody waits: until the client has hung up, or a minute."""
    taken.settimeout(60)
    taken.recv(1)


def client(url: str, family: Family = Family.IPV4, *, silence_s: float = 2.0) -> FamilyClient:
    """Return a client without an environment."""
    return FamilyClient(url, family, silence=timedelta(seconds=silence_s), environment={})


def get(
    url: str, *, max_bytes: int = 10_000, packed: bool = True, within_s: float = 10, silence_s: float = 2
) -> Answer:
    """Return what a GET of `url` gives."""
    with client(url, silence_s=silence_s) as reader:
        deadline = Deadline.after(timedelta(seconds=within_s))
        return reader.get(url, deadline=deadline, max_bytes=max_bytes, gzip=packed, keep=True)


def trouble(url: str, **limits: float) -> tuple[Trouble, str]:
    """Return why a GET of `url` gives nothing."""
    with pytest.raises(NoAnswer) as failed:
        get(url, **limits)  # type: ignore[arg-type]
    return failed.value.trouble, str(failed.value)


@pytest.mark.parametrize(("family", "address"), [(Family.IPV4, "127.0.0.1"), (Family.IPV6, "::1")])
def test_an_answer_is_told_with_its_digest_and_address(family: Family, address: str) -> None:
    """The same name, reached over the family that was asked for."""
    with server(answer("X-Age: 1"), family=family) as url, client(url, family) as reader:
        told = reader.get(url, deadline=Deadline.after(timedelta(seconds=5)), max_bytes=10_000, gzip=True)
        head = reader.head(url, deadline=Deadline.after(timedelta(seconds=5)))
    assert (told.status, told.size, told.sha256) == (200, len(BODY), hashlib.sha256(BODY).hexdigest())
    assert (told.address, told.headers["x-age"], told.body) == (address, "1", None)
    assert (head.status, head.headers["content-length"], head.size) == (200, str(len(BODY)), 0)
    assert (reader.requests, reader.sent_bytes, reader.address) == (2, len(BODY), address)


def test_the_other_family_is_not_reached() -> None:
    """Nobody listens there; the answer over the first one is no comfort."""
    with server(answer(), family=Family.IPV4) as url, client(url, Family.IPV6) as reader:
        with pytest.raises(NoAnswer) as failed:
            reader.head(url, deadline=Deadline.after(timedelta(seconds=5)))
        assert failed.value.trouble is Trouble.UNREACHABLE


def test_engines_ask_for_gzip_and_mirrors_for_plain_bytes() -> None:
    """And both name the host that they were given, not the address."""
    asked = []

    def note(taken: socket.socket, request: bytes) -> None:
        asked.append(request.decode())
        answer()(taken, request)

    with server(note) as url:
        get(url)
        get(url, packed=False)
    codings = [line for request in asked for line in request.splitlines() if line.startswith("Accept-Encoding")]
    assert codings == ["Accept-Encoding: gzip", "Accept-Encoding: identity"]
    assert all(f"Host: {url.removeprefix('http://')}" in request for request in asked)


def test_gzip_is_unpacked_as_it_comes() -> None:
    """The digest is of what an engine would load; the bytes on the wire are counted apart."""
    packed = gzip.compress(BODY)
    with server(answer("Content-Encoding: GZIP", body=packed)) as url:
        told = get(url)
    assert (told.encoding, told.size, told.sent_bytes) == ("gzip", len(BODY), len(packed))
    assert (told.sha256, told.fault) == (hashlib.sha256(BODY).hexdigest(), "")


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (gzip.compress(BODY, mtime=0)[:-9], "ends too early"),
        (BODY, "no gzip"),
        (gzip.compress(BODY, mtime=0) + b"more", "no gzip, or more than gzip"),
    ],
)
def test_what_does_not_unpack_is_a_fault(body: bytes, fault: str) -> None:
    """The transfer itself was whole, so this is the file's fault, not the network's."""
    with server(answer("Content-Encoding: gzip", body=body)) as url:
        assert fault in get(url).fault


def test_a_body_beyond_its_bound_is_not_read_to_its_end() -> None:
    """Neither what is sent nor what a little gzip unpacks to."""
    huge = 200 << 20

    def endless(taken: socket.socket, request: bytes) -> None:
        taken.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {huge}\r\n\r\n".encode())
        for _ in range(huge >> 16):
            taken.sendall(bytes(1 << 16))

    with server(endless) as url:
        told = get(url, max_bytes=1000)
    assert told.too_long
    assert told.body is None
    assert told.sent_bytes < 1 << 20
    bomb = gzip.compress(bytes(32 << 20))
    with server(answer("Content-Encoding: gzip", body=bomb)) as url:
        assert get(url, max_bytes=1000).too_long


def test_silence_and_drips_end_in_time() -> None:
    """A pause between two bytes is bounded, and so is the whole: by the deadline, and by what is never a pause."""
    began = time.monotonic()
    with server(silent) as url:
        found, message = trouble(url, silence_s=0.3, within_s=60, max_bytes=1 << 30)  # so much may take longer
        assert (found, "nothing came" in message) == (Trouble.SILENT, True)
    with server(dripping) as url:
        found, message = trouble(url, silence_s=60, within_s=0.8)
        assert (found, "not done within" in message) == (Trouble.SILENT, True)
        assert trouble(url, silence_s=0.4, within_s=90)[0] is Trouble.SILENT
    assert time.monotonic() - began < 30


def test_a_client_that_is_stopped_waits_no_longer() -> None:
    """From another thread; nor does it ask anything more."""
    readers: list[FamilyClient] = []

    def stop(taken: socket.socket, request: bytes) -> None:
        readers[0].stop()
        silent(taken, request)

    with server(stop) as url, client(url, silence_s=60) as reader:
        readers.append(reader)
        began = time.monotonic()
        for _ in range(2):
            with pytest.raises(NoAnswer):
                reader.head(url, deadline=Deadline.after(timedelta(seconds=60)))
        assert time.monotonic() - began < 30
        assert reader.requests == 1


def test_a_body_that_breaks_off_twice_is_truncated() -> None:
    """Told with how much of it came."""
    with server(closing(answer(length=9999))) as url:
        assert trouble(url) == (Trouble.TRUNCATED, f"a body that ends after {len(BODY):,} of 9,999 bytes")


def test_a_connection_that_was_closed_meanwhile_is_opened_anew() -> None:
    """That is how kept connections end; it is no fault of the file."""
    with server(closing(answer(length=9999)), answer()) as url:
        assert get(url).size == len(BODY)


def test_redirects_on_the_same_origin_are_followed() -> None:
    """A few of them; the URL told is the last one."""
    hop = answer("Location: /there", status="302 Found", body=b"")
    with server(hop, answer()) as url:
        told = get(f"{url}/here")
    assert (told.url, told.size) == (f"{url}/there", len(BODY))


@pytest.mark.parametrize(
    ("location", "why", "word"),
    [
        ("/here", Trouble.REDIRECT_LOOP, "redirects without end (1 so far"),
        ("http://169.254.169.254/latest/", Trouble.REDIRECT, "it leads to http://169.254.169.254/latest/"),
        ("https://localhost/", Trouble.REDIRECT, "it leads to https://localhost/"),
        ("ftp://localhost/", Trouble.REDIRECT, "ftp scheme"),
        ("http://[::1", Trouble.REDIRECT, "malformed"),
        ("//user:secret@localhost/", Trouble.REDIRECT, "user or password"),
    ],
)
def test_other_redirects_are_named_and_not_followed(location: str, why: Trouble, word: str) -> None:
    """Neither to another host, port or scheme, nor in a circle."""
    with server(answer(f"Location: {location}", status="301 Moved", body=b"")) as url:
        found, message = trouble(f"{url}/here")
    assert found is why
    assert word in message
    assert "secret" not in message


def test_endless_redirects_end() -> None:
    """Each to a new place."""
    count = iter(range(100))

    def onwards(taken: socket.socket, request: bytes) -> None:
        answer(f"Location: /{next(count)}", status="307 On", body=b"")(taken, request)

    with server(onwards) as url:
        assert trouble(url)[0] is Trouble.REDIRECT_LOOP
    assert next(count) < 10


def test_what_is_no_http_is_an_answer_that_broke_off() -> None:
    """Another service on the port."""
    with server(closing(lambda taken, _: taken.sendall(b"220 mail.example ESMTP\r\n"))) as url:
        assert trouble(url)[0] is Trouble.TRUNCATED


def test_a_plain_server_does_not_pass_for_a_tls_one() -> None:
    """The handshake fails; nothing is sent in the clear."""
    with server(answer()) as url:
        assert trouble(url.replace("http:", "https:"))[0] is Trouble.TLS


def test_no_proxy_is_used_even_when_the_environment_names_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind one nobody knows which family was spoken."""
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with server(answer()) as url, FamilyClient(url, Family.IPV4) as reader:
        deadline = Deadline.after(timedelta(seconds=5))
        assert reader.get(url, deadline=deadline, max_bytes=10_000, gzip=True).status == 200


def test_nothing_is_asked_when_the_time_is_over() -> None:
    """A look has one deadline for all its requests."""
    with server(answer()) as url, client(url) as reader:
        with pytest.raises(NoAnswer) as failed:
            reader.get(url, deadline=Deadline.after(timedelta(0)), max_bytes=1, gzip=True)
        assert (failed.value.trouble, reader.requests) == (Trouble.SILENT, 0)
