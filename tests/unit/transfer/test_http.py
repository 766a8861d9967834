"""The HTTP client against real sockets that answer well, badly, slowly and without end."""

import contextlib
import datetime as dt
import io
import ipaddress
import logging
import socket
import ssl
import threading
import time
import traceback
from collections.abc import Callable
from datetime import UTC, timedelta
from pathlib import Path

import pytest

from hubdata.transfer.deadline import Deadline
from hubdata.transfer.http import BasicAuth, HttpClient, Timeouts
from hubdata.transfer.reach import Reach, is_loopback_host, reach_of
from hubdata.transfer.retry import RequestFailed
from hubdata.transfer.secrets import Secret
from hubdata.transfer.url import base_url_problem, hop_problem, host_problem, proxies_for, safe_url

MIB = 1 << 20
SENTINEL = "sentinel-5e12"
AUTH = BasicAuth("user", Secret(SENTINEL))
QUICK = Timeouts(timedelta(seconds=5), timedelta(seconds=0.5))
Script = Callable[[socket.socket, bytes], None]


class RawServer:
    """Answers each connection by a script that is given the socket and the request's head."""

    def __init__(self, script: Script, *, tls: ssl.SSLContext | None = None, silent: bool = False) -> None:
        self.script = script
        self.heads: list[bytes] = []
        self.connections = 0
        self.stopping = threading.Event()
        self._tls = tls
        self._silent = silent
        self.once = True
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self.port: int = self._listener.getsockname()[1]
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self.port}"

    def __enter__(self) -> "RawServer":
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._thread.join(5)
        self._listener.close()

    def _serve(self) -> None:
        while not self.stopping.is_set():
            try:
                plain, _ = self._listener.accept()
            except TimeoutError:
                continue
            self.connections += 1
            threading.Thread(target=self._answer, args=(plain,), daemon=True).start()

    def _answer(self, plain: socket.socket) -> None:
        with plain, contextlib.suppress(OSError):
            plain.settimeout(5)
            if self._silent:
                self.stopping.wait(10)
                return
            sock = self._tls.wrap_socket(plain, server_side=True) if self._tls else plain
            with sock:
                while head := _head(sock):
                    self.heads.append(head)
                    self.script(sock, head)
                    if self.once:
                        return


def _head(sock: socket.socket) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        piece = sock.recv(4096)
        if not piece:
            return b""
        head += piece
    return head


def answer(body: bytes, status: str = "200 OK", **headers: str) -> Script:
    """Return a script that sends one whole response; `_` in header names becomes `-`."""
    given = {"Content-Length": str(len(body)), **{n.replace("_", "-"): v for n, v in headers.items()}}
    lines = "".join(f"{n}: {v}\r\n" for n, v in given.items() if v)

    def script(sock: socket.socket, head: bytes) -> None:
        sock.sendall(f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body)

    return script


def redirect(where: str, status: str = "302 Found") -> Script:
    """Return a script that sends the client elsewhere."""
    return answer(b"", status, Location=where)


def read(
    url: str,
    *,
    base: str = "",
    budget_s: float = 20,
    max_bytes: int = MIB,
    timeouts: Timeouts = QUICK,
    environment: dict[str, str] | None = None,
) -> bytes:
    """Return the body of `url`."""
    deadline = Deadline.after(timedelta(seconds=budget_s))
    with (
        HttpClient(base or url, timeouts=timeouts, environment=environment or {}) as client,
        client.get(url, deadline=deadline, max_bytes=max_bytes, auth=AUTH) as response,
    ):
        return response.read()


def refused(url: str, **options: object) -> RequestFailed:
    """Return the error of a read that must fail, having proven that it quotes no secret."""
    with pytest.raises(RequestFailed) as caught:
        read(url, **options)  # type: ignore[arg-type]
    told = "".join(traceback.format_exception(caught.value)) + caught.value.advice
    assert SENTINEL not in told
    assert "Authorization" not in told
    assert caught.value.advice
    return caught.value


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


def _drip(sock: socket.socket, head: bytes) -> None:
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(400):
        sock.sendall(b"x")
        time.sleep(0.05)


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


@pytest.mark.parametrize("script", [_drip, _drip_headers, _drip_without_length])
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
        assert hung_up.wait(4)


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
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
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


# --- redirects


def test_credentials_do_not_follow_to_another_host_or_port() -> None:
    """A presigned URL carries its own; ours would be leaked."""
    with RawServer(answer(b"the object")) as store:
        there = f"http://localhost:{store.port}/o?signature={SENTINEL}"
        with RawServer(redirect(there)) as front:
            assert read(front.url) == b"the object"
    assert b"Authorization" in front.heads[0]
    assert b"Authorization" not in store.heads[0]
    assert f"signature={SENTINEL}".encode() in store.heads[0]


def test_credentials_stay_on_their_own_origin() -> None:
    """A redirect within the service is still the service; it may be relative."""

    def script(sock: socket.socket, head: bytes) -> None:
        (answer(b"here") if b"GET /b" in head else redirect("/b"))(sock, head)

    with RawServer(script) as server:
        assert read(server.url + "/a") == b"here"
    assert [b"Authorization" in head for head in server.heads] == [True, True]


def test_the_body_of_a_redirect_is_not_read() -> None:
    """It may be endless; nobody wants it."""
    sent = 0

    def script(sock: socket.socket, head: bytes) -> None:
        nonlocal sent
        if b"GET /b" in head:
            answer(b"here")(sock, head)
            return
        sock.sendall(b"HTTP/1.1 302 Found\r\nLocation: /b\r\nConnection: close\r\n\r\n")
        while sent < 500 * MIB:
            sock.sendall(bytes(65536))
            sent += 65536

    with RawServer(script) as server:
        assert read(server.url + "/a") == b"here"
    assert sent < 50 * MIB


def test_a_redirect_loop_ends() -> None:
    """After five hops."""
    with RawServer(redirect("/again")) as server:
        assert "more than 5 redirects" in str(refused(server.url))
    assert len(server.heads) == 6


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ("http://169.254.169.254/latest/meta-data", "link-local address"),
        ("http://[fe80::1]/", "link-local address"),
        ("http://10.0.0.1/", "private address"),
        ("http://[::ffff:192.168.0.1]/", "private address"),
        ("http://0.0.0.0/", "other address"),
        ("file:///etc/passwd", "not to HTTP"),
        ("ftp://example.net/", "not to HTTP"),
        (f"http://user:{SENTINEL}@127.0.0.1/", "user or password"),
        ("http://[broken/", "malformed"),
        ("", "does not say where to"),
    ],
)
def test_a_redirect_that_leads_astray_is_refused(where: str, reason: str) -> None:
    """Even from a base on this machine, nothing but the same kind of network or the public one is reached."""
    with RawServer(redirect(where)) as server:
        error = refused(server.url)
    assert "a redirect is refused" in str(error)
    assert reason in str(error)
    assert not error.retryable


def test_the_address_connected_to_is_judged_not_only_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A redirect from elsewhere to a name that resolves to this machine is refused before a byte is sent."""
    real = socket.getaddrinfo

    def resolve(host: str, *args: object, **kwargs: object) -> object:
        return real("127.0.0.1" if host == "innocent.example" else host, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with (
        RawServer(answer(b"internal")) as inner,
        RawServer(redirect(f"http://innocent.example:{inner.port}/")) as front,
    ):
        import hubdata.transfer.guard as guard

        reaches = iter((Reach.PRIVATE, Reach.LOOPBACK))  # as if the base lay in a private network
        monkeypatch.setattr(guard, "reach_of", lambda address: next(reaches))
        error = refused(front.url)
        assert "it leads to a loopback address" in str(error)
        assert inner.heads == []


@pytest.mark.parametrize(
    ("here", "there", "reason"),
    [
        ("https://a.example/", "http://a.example/", "from https to http"),
        ("https://a.example/", "https://b.example/", None),
        ("http://a.example/", "https://b.example/", None),
        ("https://a.example/", "gopher://b.example/", "not to HTTP"),
        ("https://a.example/", "https://u@b.example/", "user or password"),
    ],
)
def test_no_hop_gives_up_encryption(here: str, there: str, reason: str | None) -> None:
    """HTTPS to HTTP is refused; another host is fine."""
    problem = hop_problem(here, there)
    assert (problem is None) if reason is None else (problem is not None and reason in problem)


@pytest.mark.parametrize(
    ("address", "reach"),
    [
        ("8.8.8.8", Reach.GLOBAL),
        ("2606:4700::1", Reach.GLOBAL),
        ("127.9.9.9", Reach.LOOPBACK),
        ("::1", Reach.LOOPBACK),
        ("::ffff:127.0.0.1", Reach.LOOPBACK),
        ("64:ff9b::7f00:1", Reach.LOOPBACK),
        ("2002:7f00:1::", Reach.LOOPBACK),
        ("2002:a00:1::", Reach.PRIVATE),
        ("169.254.169.254", Reach.LINK_LOCAL),
        ("64:ff9b::a9fe:a9fe", Reach.LINK_LOCAL),
        ("fe80::1%eth0", Reach.LINK_LOCAL),
        ("10.1.2.3", Reach.PRIVATE),
        ("100.64.0.1", Reach.PRIVATE),
        ("fd00::1", Reach.PRIVATE),
        ("224.0.0.1", Reach.OTHER),
        ("0.0.0.0", Reach.OTHER),
        ("::", Reach.OTHER),
    ],
)
def test_addresses_are_judged_by_what_they_reach(address: str, reach: Reach) -> None:
    """Also when IPv6 wraps IPv4."""
    assert reach_of(address) is reach


def test_a_public_base_never_leads_into_a_private_network() -> None:
    """By name or number, spelled in the redirect; a private base may lead to a private network."""
    assert host_problem("localhost", frozenset()) == "it leads to a loopback address"
    assert host_problem("metadata.localhost", frozenset()) == "it leads to a loopback address"
    assert host_problem("::1", frozenset()) == "it leads to a loopback address"
    assert host_problem("10.0.0.1", frozenset((Reach.PRIVATE,))) is None
    assert host_problem("169.254.169.254", frozenset((Reach.PRIVATE, Reach.LOOPBACK))) is not None
    assert host_problem("example.net", frozenset()) is None


# --- what is said


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"https://u:{SENTINEL}@a.example:8443/p/q?sig={SENTINEL}#f", "https://a.example:8443/p/q?..."),
        ("https://a.example/p", "https://a.example/p"),
        ("http://[::1]:80/", "http://[::1]:80/"),
        ("http://[::1", "(a malformed URL)"),
        ("http://a:notaport/", "(a malformed URL)"),
    ],
)
def test_a_url_is_shown_without_what_is_secret_in_it(url: str, shown: str) -> None:
    """No user, password or query."""
    assert safe_url(url) == shown


def test_debug_logs_of_the_library_hold_no_secret() -> None:
    """The log at DEBUG has the requests, without credentials and without the presigned query."""
    stream = io.StringIO()
    handler, root = logging.StreamHandler(stream), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with RawServer(answer(b"the object")) as store:
            there = f"http://localhost:{store.port}/object?signature={SENTINEL}"
            with RawServer(redirect(there)) as front:
                assert read(front.url) == b"the object"
    finally:
        root.setLevel(before)
        root.removeHandler(handler)
    log = stream.getvalue()
    assert "GET /object?..." in log
    assert SENTINEL not in log
    assert AUTH.header() not in log


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://updates.example", None),
        ("https://mirror.example:8443/geo", None),
        ("http://127.0.0.1:8080", None),
        ("http://[::1]:8080", None),
        ("http://localhost", None),
        ("http://updates.example", "in the clear"),
        ("http://10.0.0.1", "in the clear"),
        ("http://localhost.evil.example", "in the clear"),
        ("ftp://updates.example", "must begin with https"),
        ("updates.example", "must begin with https"),
        ("https://u:p@updates.example", "user or password"),
        ("https://updates.example?x=1", "query or fragment"),
        ("https://updates.example:port", "not a URL"),
    ],
)
def test_a_base_that_is_sent_credentials_is_https_or_this_machine(url: str, reason: str | None) -> None:
    """And holds neither credentials nor a query."""
    problem = base_url_problem(url)
    assert (problem is None) if reason is None else (problem is not None and reason in problem)


def test_loopback_hosts_are_known_by_name_and_number() -> None:
    """Without a resolver."""
    assert all(map(is_loopback_host, ("localhost", "LOCALHOST.", "a.localhost", "127.0.0.2", "::1")))
    assert not any(map(is_loopback_host, ("", "localhost.example", "10.0.0.1", "example")))


# --- proxies and TLS


def test_proxies_come_from_the_environment_that_was_passed() -> None:
    """Scheme first, then all; either case; NO_PROXY excepts."""
    environment = {"HTTPS_PROXY": "http://p:1", "all_proxy": "http://q:2", "no_proxy": "internal.example,127.0.0.1"}
    assert proxies_for("https://a.example/", environment) == {"https": "http://p:1"}
    assert proxies_for("http://a.example/", environment) == {"http": "http://q:2"}
    assert proxies_for("https://x.internal.example/", environment) == {}
    assert proxies_for("http://127.0.0.1:99/", environment) == {}
    assert proxies_for("https://a.example/", {}) == {}


def test_a_request_goes_through_the_proxy() -> None:
    """As an absolute URL, to the proxy's socket; the deadline holds there as well."""
    with RawServer(answer(b"via proxy")) as proxy:
        assert read("http://a.example/x", environment={"http_proxy": proxy.url}) == b"via proxy"
    assert proxy.heads[0].startswith(b"GET http://a.example/x HTTP/1.1")
    with RawServer(_drip) as slow:
        assert "not done within" in str(
            refused("http://a.example/x", environment={"http_proxy": slow.url}, budget_s=0.7)
        )


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1 with its key, in one file."""
    x509 = pytest.importorskip("cryptography.x509", reason="moto brings cryptography, which is not installed")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    signed = builder.sign(key, hashes.SHA256())
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    pem = serialization.Encoding.PEM
    plain = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(plain + signed.public_bytes(pem))
    return path


def _tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_tls_is_spoken_with_the_bundle_that_the_environment_names(certificate: Path) -> None:
    """REQUESTS_CA_BUNDLE, as behind a company's proxy; a drip inside TLS is cut as well."""
    trusted = {"REQUESTS_CA_BUNDLE": str(certificate)}
    with RawServer(answer(b"sealed"), tls=_tls(certificate)) as server:
        assert read(server.url, environment=trusted) == b"sealed"
    with RawServer(_drip, tls=_tls(certificate)) as slow:
        assert "not done within" in str(refused(slow.url, environment=trusted, budget_s=0.7))


def test_a_certificate_that_nobody_vouches_for_is_final(certificate: Path) -> None:
    """No second try, and no credentials were sent."""
    with RawServer(answer(b"sealed"), tls=_tls(certificate)) as server:
        error = refused(server.url)
        assert "its certificate is not trusted" in str(error)
        assert not error.retryable
        assert server.heads == []


def test_a_redirect_from_tls_to_plain_is_refused(certificate: Path) -> None:
    """The plain host is not even asked."""
    with (
        RawServer(answer(b"plain")) as plain,
        RawServer(redirect(plain.url), tls=_tls(certificate)) as server,
    ):
        error = refused(server.url, environment={"REQUESTS_CA_BUNDLE": str(certificate)})
        assert "it leads from https to http" in str(error)
        assert plain.connections == 0
