"""Sockets of both families on one port, and what is said when they cannot be had."""

import errno
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from hubdata.errors import ConfigError
from hubdata.serving import listening
from hubdata.serving.listening import listen, url_of


@contextmanager
def listeners(hosts: tuple[str, ...], port: int = 0) -> Iterator[tuple[socket.socket, ...]]:
    """Give sockets that listen, and close them."""
    made = listen(hosts, port)
    try:
        yield made
    finally:
        for each in made:
            each.close()


def reaches(family: socket.AddressFamily, host: str, port: int) -> bool:
    """Tell whether somebody answers there."""
    with socket.socket(family) as client:
        client.settimeout(60)
        return client.connect_ex((host, port)) == 0


def test_both_families_are_listened_to_with_a_socket_each_on_one_port() -> None:
    """IPv6 is no guest of IPv4's socket, nor the other way round."""
    with listeners(()) as made:
        assert [each.family for each in made] == [socket.AF_INET6, socket.AF_INET]
        assert made[0].getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) == 1
        (port,) = {each.getsockname()[1] for each in made}
        assert [url_of(each) for each in made] == [f"http://[::]:{port}/", f"http://0.0.0.0:{port}/"]
        assert reaches(socket.AF_INET6, "::1", port)
        assert reaches(socket.AF_INET, "127.0.0.1", port)


def test_answers_are_not_held_back() -> None:
    """Connections are made such that asyncio sends at once: a head does not wait for its body's acknowledgement."""
    with listeners(("::1", "127.0.0.1")) as made:
        assert [each.proto for each in made] == [socket.IPPROTO_TCP] * 2


def test_a_host_alone_is_listened_to_alone() -> None:
    """Brackets are allowed, as in a URL; an address given twice is one."""
    with listeners(("[::1]", "::1")) as made:
        port = made[0].getsockname()[1]
        assert [url_of(each) for each in made] == [f"http://[::1]:{port}/"]
        assert not reaches(socket.AF_INET, "127.0.0.1", port)


def test_a_port_in_use_in_one_family_is_in_use() -> None:
    """Half a server would serve half of the world; nothing stays open."""
    with listeners(("127.0.0.1",)) as (taken,):
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"cannot listen on 127\.0\.0\.1 port {port}: is in use already") as told:
            listen(("::1", "127.0.0.1"), port)
        assert "--port" in told.value.advice
        assert not reaches(socket.AF_INET6, "::1", port)


def test_a_free_port_is_looked_for_until_it_is_free_in_both_families(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system chooses for one family at a time, and knows nothing of the other."""
    real = listening._socket
    refusals = [1, 1]

    def busy(place: listening.Place, port: int) -> socket.socket:
        if port and refusals:
            refusals.pop()
            raise OSError(errno.EADDRINUSE, "taken")
        return real(place, port)

    monkeypatch.setattr(listening, "_socket", busy)
    with listeners(("::1", "127.0.0.1")) as made:
        assert len({each.getsockname()[1] for each in made}) == 1
    assert refusals == []


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("192.0.2.1", "cannot listen on 192.0.2.1 port 0: cannot assign requested address"),
        ("2001:db8::1", r"cannot listen on \[2001:db8::1\] port 0: cannot assign requested address"),
        ("host.invalid", "--host host.invalid: there is no such address"),
        ("a..b", "--host a..b: there is no such address"),
    ],
)
def test_an_address_that_is_not_ours_is_refused_with_advice(host: str, words: str) -> None:
    """One line says what is wrong, another what to do."""
    with pytest.raises(ConfigError, match=words) as told:
        listen((host,), 0)
    assert told.value.advice


@pytest.mark.parametrize("gone", [socket.AF_INET6, socket.AF_INET])
def test_a_machine_with_one_family_serves_that_one(gone: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless the other was asked for by name: then its absence is an error."""
    real = listening._socket

    def half(place: listening.Place, port: int) -> socket.socket:
        if place.family == gone:
            raise OSError(errno.EAFNOSUPPORT, "no such family")
        return real(place, port)

    monkeypatch.setattr(listening, "_socket", half)
    with listeners(()) as made:
        assert [each.family for each in made] == [{socket.AF_INET6, socket.AF_INET}.difference({gone}).pop()]
    with pytest.raises(ConfigError, match="cannot listen"):
        listen(listening.EVERYWHERE, 0)


def test_a_machine_without_any_network_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even loopback: there is nothing to serve on."""

    def none(place: listening.Place, port: int) -> socket.socket:
        raise OSError(errno.EAFNOSUPPORT, "no such family")

    monkeypatch.setattr(listening, "_socket", none)
    with pytest.raises(ConfigError, match="neither IPv6 nor IPv4"):
        listen((), 0)


def test_a_restart_need_not_wait_for_the_connections_of_the_server_before() -> None:
    """The port is free again as soon as nobody listens there."""
    with listeners(("127.0.0.1",)) as (first,):
        port = first.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        with closing(client):
            first.setblocking(True)
            accepted, _ = first.accept()
            accepted.close()
            first.close()
            with listeners(("127.0.0.1",), port) as (again,):
                assert again.getsockname()[1] == port
