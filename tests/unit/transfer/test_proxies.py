"""Requests through proxies: HTTP and SOCKS, with a login, by name or address, bounded in time, with nothing told."""

import contextlib
import io
import logging
import socket
import time
import traceback
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from hubdata.transfer.deadline import Deadline
from hubdata.transfer.http import BasicAuth, HttpClient, Timeouts
from hubdata.transfer.retry import RequestFailed
from hubdata.transfer.secrets import Secret
from hubdata.transfer.url import PROXY_SCHEMES, proxy_problem
from tests.support.forward_proxy import HttpProxy, SocksProxy
from tests.support.ports import own_port

PASSWORD = "sentinel-proxy-password"
LOGIN = ("me", PASSWORD)
HOST = "only-the-proxy-knows.example"


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Stay silent."""


@pytest.fixture
def port() -> Iterator[int]:
    """A server on this machine that answers hello."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answer) as server:
        thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join(60)


def read(url: str, environment: dict[str, str], *, proxy: str = "", budget_s: float = 20) -> bytes:
    """Return the body of `url`, fetched with credentials for it."""
    timeouts = Timeouts(timedelta(seconds=5), timedelta(seconds=5))
    deadline = Deadline.after(timedelta(seconds=budget_s))
    with (
        HttpClient(url, timeouts=timeouts, environment=environment, proxy=Secret(proxy) if proxy else None) as client,
        client.get(url, deadline=deadline, max_bytes=1 << 20, auth=BasicAuth("u", Secret("p"))) as response,
    ):
        return response.read()


def refused(url: str, environment: dict[str, str], **options: float) -> RequestFailed:
    """Return the error of a read that must fail, having seen that it holds no password."""
    with pytest.raises(RequestFailed) as caught:
        read(url, environment, **options)  # type: ignore[arg-type]
    assert PASSWORD not in "".join(traceback.format_exception(caught.value)) + caught.value.advice
    assert caught.value.advice
    return caught.value


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize("scheme", ["http", "socks5h"])
def test_each_usual_variable_names_a_proxy(port: int, name: str, scheme: str) -> None:
    """The proxy resolves the host: nobody else knows it."""
    kind = HttpProxy if scheme == "http" else SocksProxy
    with kind(names={HOST: ("127.0.0.1", port)}) as proxy:
        assert read(f"http://{HOST}/x", {name: f"{scheme}://127.0.0.1:{proxy.port}"}) == b"hello"
        assert proxy.asked == [(HOST, 80)]


def test_a_proxy_without_a_scheme_is_an_http_proxy(port: int) -> None:
    """As most tools take it."""
    with HttpProxy(names={HOST: ("127.0.0.1", port)}) as proxy:
        assert read(f"http://{HOST}/x", {"HTTP_PROXY": f"127.0.0.1:{proxy.port}"}) == b"hello"


@pytest.mark.parametrize("scheme", ["http", "socks5", "socks5h"])
def test_proxies_and_hosts_may_be_ipv6_addresses(scheme: str) -> None:
    """In brackets, as URLs have them; where there is no IPv6 at all, the test says so."""
    if not socket.has_dualstack_ipv6():
        pytest.skip("NO IPv6 HERE: proxies over IPv6 are not shown")
    kind = HttpProxy if scheme == "http" else SocksProxy

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6

    with Server(("::1", 0), _Answer) as server, kind(family=socket.AF_INET6) as proxy:
        thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        port = server.server_address[1]
        assert read(f"http://[::1]:{port}/x", {"ALL_PROXY": f"{scheme}://[::1]:{proxy.port}"}) == b"hello"
        assert proxy.asked == [("::1", port)]
        server.shutdown()
        thread.join(60)


@pytest.mark.parametrize("scheme", ["http", "socks5", "socks5h"])
def test_a_login_is_given_to_the_proxy_alone(port: int, scheme: str) -> None:
    """User and password from the proxy's URL, percent-decoded; the upstream does not see them."""
    kind = HttpProxy if scheme == "http" else SocksProxy
    with kind(login=("me@work", PASSWORD)) as proxy:
        url = f"{scheme}://me%40work:{PASSWORD}@127.0.0.1:{proxy.port}"
        assert read(f"http://127.0.0.1:{port}/x", {"ALL_PROXY": url}) == b"hello"
        assert proxy.logins == [("me@work", PASSWORD)]


@pytest.mark.parametrize("given", ["", f"me:{PASSWORD}x@"], ids=["none", "wrong"])
@pytest.mark.parametrize("scheme", ["http", "socks5h"])
@pytest.mark.parametrize("upstream", ["http", "https"])
def test_a_login_that_is_refused_is_said_so(scheme: str, given: str, upstream: str) -> None:
    """Not retried: it would be refused again. Nothing of it is quoted."""
    kind = HttpProxy if scheme == "http" else SocksProxy
    with kind(login=LOGIN) as proxy:
        error = refused(f"{upstream}://{HOST}/x", {"ALL_PROXY": f"{scheme}://{given}127.0.0.1:{proxy.port}"})
        assert proxy.asked == []
    assert "407" in str(error) or "refuses the user and password" in str(error)
    assert "HTTPS_PROXY" in error.advice
    assert not error.retryable


def test_socks5_resolves_here_and_socks5h_at_the_proxy(port: int) -> None:
    """The proxy is told an address in one case and the name in the other."""
    with SocksProxy(names={"localhost": ("127.0.0.1", port), "::1": ("127.0.0.1", port)}) as proxy:
        for scheme in ("socks5", "socks5h"):
            read(f"http://localhost:{port}/x", {"ALL_PROXY": f"{scheme}://127.0.0.1:{proxy.port}"})
        first, second = proxy.asked
    assert first in [("127.0.0.1", port), ("::1", port)]
    assert second == ("localhost", port)


def test_a_name_that_does_not_resolve_here_is_said_so_with_socks5() -> None:
    """The proxy was not asked for it."""
    with SocksProxy() as proxy:
        error = refused("http://host.invalid/x", {"ALL_PROXY": f"socks5://127.0.0.1:{proxy.port}"})
        assert proxy.asked == []
    assert "does not resolve" in str(error)


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
def test_no_proxy_goes_before_every_variable(port: int, scheme: str) -> None:
    """The host is reached directly."""
    kind = HttpProxy if scheme == "http" else SocksProxy
    with kind() as proxy:
        environment = {"ALL_PROXY": f"{scheme}://127.0.0.1:{proxy.port}", "NO_PROXY": "example.net,127.0.0.1"}
        assert read(f"http://127.0.0.1:{port}/x", environment) == b"hello"
        assert proxy.asked == []


def test_a_proxy_that_is_given_goes_before_the_environment(port: int) -> None:
    """As the one of a GeoIP.conf does, whatever NO_PROXY says."""
    with SocksProxy(login=LOGIN) as ours, HttpProxy() as other:
        environment = {"ALL_PROXY": f"http://127.0.0.1:{other.port}", "NO_PROXY": "127.0.0.1"}
        url = f"socks5h://me:{PASSWORD}@127.0.0.1:{ours.port}"
        assert read(f"http://127.0.0.1:{port}/x", environment, proxy=url) == b"hello"
        assert (ours.asked, other.asked) == ([("127.0.0.1", port)], [])


@pytest.mark.parametrize("scheme", ["http", "socks5", "socks5h", "socks4"])
def test_a_proxy_that_is_not_there_is_an_error_worth_another_try(scheme: str) -> None:
    """It is said that it is the proxy."""
    port = own_port()
    error = refused("http://127.0.0.1:9/x", {"ALL_PROXY": f"{scheme}://me:{PASSWORD}@127.0.0.1:{port}"})
    assert "the proxy does not answer" in str(error)
    assert error.retryable


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
def test_a_host_that_the_proxy_cannot_reach(scheme: str) -> None:
    """The proxy's own answer to CONNECT, in our words."""
    kind = HttpProxy if scheme == "http" else SocksProxy
    port = own_port()
    with kind() as proxy:
        error = refused(f"https://127.0.0.1:{port}/x", {"ALL_PROXY": f"{scheme}://127.0.0.1:{proxy.port}"})
    assert "502" in str(error) or "could not reach the host" in str(error)
    assert error.retryable


@pytest.mark.parametrize("noise", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x05", b"\x04\x00" * 40, b"\x05\x09zz"])
def test_what_does_not_speak_socks_is_an_error(noise: bytes) -> None:
    """A web server, a hang-up, another protocol."""
    with SocksProxy(noise=noise) as proxy:
        error = refused("http://127.0.0.1:9/x", {"ALL_PROXY": f"socks5h://127.0.0.1:{proxy.port}"})
    assert "SOCKS" in str(error) or "connection" in str(error)


@pytest.mark.parametrize("scheme", ["http", "socks5", "socks5h"])
def test_a_proxy_that_drips_is_cut_at_the_deadline(port: int, scheme: str) -> None:
    """Already while it negotiates: every byte comes within the read timeout, only the total ends it."""
    kind = HttpProxy if scheme == "http" else SocksProxy
    with kind(drip_s=0.1) as proxy:
        began = time.monotonic()
        error = refused(
            f"https://127.0.0.1:{port}/x", {"ALL_PROXY": f"{scheme}://127.0.0.1:{proxy.port}"}, budget_s=0.9
        )
        assert time.monotonic() - began < 20  # the proxy alone would take 26 s
    assert "not done within the 0.9 s" in str(error)


def test_tls_is_spoken_with_the_host_and_not_with_the_proxy() -> None:
    """Inside the tunnel the client begins a handshake with the host that was asked for."""
    for kind, scheme in ((HttpProxy, "http"), (SocksProxy, "socks5h")):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            hello: list[bytes] = []

            def take(listener: socket.socket = listener, hello: list[bytes] = hello) -> None:
                with contextlib.suppress(OSError):
                    sock, _ = listener.accept()
                    with sock:
                        hello.append(sock.recv(4096))

            Thread(target=take, daemon=True).start()
            with kind(names={HOST: ("127.0.0.1", listener.getsockname()[1])}) as proxy:
                refused(f"https://{HOST}/x", {"HTTPS_PROXY": f"{scheme}://127.0.0.1:{proxy.port}"})
                assert proxy.asked == [(HOST, 443)]
            assert hello[0][:1] == b"\x16"
            assert HOST.encode() in hello[0]


@pytest.mark.parametrize(
    ("proxy", "problem"),
    [
        (f"gopher://me:{PASSWORD}@127.0.0.1:1", "its scheme is 'gopher'"),
        (f"socks6://me:{PASSWORD}@127.0.0.1:1", "its scheme is 'socks6'"),
        (f"http://me:{PASSWORD}@127.0.0.1:port", "not a URL"),
        (f"http://me:{PASSWORD}@[::1", "not a URL"),
        (f"http://me:{PASSWORD}@", "names no host"),
        (f"socks5://me:{PASSWORD}@ a b:1", "names no host"),
        (f"socks5://me:{PASSWORD * 6}@a:1", "more than 127 bytes"),
    ],
)
def test_a_proxy_that_cannot_be_meant_is_refused_before_any_request(proxy: str, problem: str) -> None:
    """It says which variables to look at, and quotes neither user nor password."""
    error = refused("http://127.0.0.1:9/x", {"ALL_PROXY": proxy})
    assert problem in str(error)
    assert not error.retryable


def test_proxies_of_all_schemes_are_accepted() -> None:
    """Those that the library speaks."""
    for scheme in PROXY_SCHEMES:
        assert proxy_problem(f"{scheme}://me:x@[::1]:1080") is None
        assert proxy_problem(f"{scheme.upper()}://proxy.example") is None


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
def test_nothing_of_a_login_is_logged_at_debug(port: int, scheme: str) -> None:
    """Good requests and bad ones, with every logger at DEBUG."""
    stream = io.StringIO()
    handler, root = logging.StreamHandler(stream), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    kind = HttpProxy if scheme == "http" else SocksProxy
    try:
        with kind(login=LOGIN) as proxy:
            environment = {"ALL_PROXY": f"{scheme}://me:{PASSWORD}@127.0.0.1:{proxy.port}"}
            read(f"http://127.0.0.1:{port}/x", environment)
            refused("http://127.0.0.1:9/x", environment)
            refused("http://127.0.0.1:9/x", {"ALL_PROXY": f"{scheme}://me:{PASSWORD}x@127.0.0.1:{proxy.port}"})
        refused("http://127.0.0.1:9/x", environment)
    finally:
        root.setLevel(before)
        root.removeHandler(handler)
    assert "GET" in stream.getvalue()
    assert PASSWORD not in stream.getvalue()
