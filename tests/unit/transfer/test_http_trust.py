"""Whom the HTTP client follows, whom it shows its credentials, and what it says of them; over real sockets."""

import datetime as dt
import io
import ipaddress
import logging
import socket
import ssl
from datetime import UTC, timedelta
from pathlib import Path

import pytest

from hubdata.transfer.reach import Reach, is_loopback_host, reach_of
from hubdata.transfer.url import base_url_problem, hop_problem, host_problem, proxies_for, safe_url
from tests.support.raw_http import AUTH, MIB, SENTINEL, RawServer, answer, drip, read, redirect, refused

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
    with RawServer(drip) as slow:
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
    with RawServer(drip, tls=_tls(certificate)) as slow:
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
