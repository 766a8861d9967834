"""How addresses of public files are spelled, and that nobody else's may lead into a private network."""

import socket
from datetime import timedelta

import pytest

from hubdata.transfer.deadline import Deadline
from hubdata.transfer.http import HttpClient
from hubdata.transfer.public_url import canonical_url
from hubdata.transfer.retry import RequestFailed
from tests.support.raw_http import RawServer, answer, redirect


@pytest.mark.parametrize(
    ("url", "one"),
    [
        ("https://H.Example/a", "https://h.example/a"),
        ("HTTPS://h.example:443/a", "https://h.example/a"),
        ("https://h.example./a", "https://h.example/a"),
        ("http://h.example:80", "http://h.example/"),
        ("https://h.example:8443/a", "https://h.example:8443/a"),
        ("http://[2001:DB8::1]:8080/a", "http://[2001:db8::1]:8080/a"),
        ("https://h.example/%7ea/%2f%C3%a9", "https://h.example/~a/%2F%C3%A9"),
        ("https://h.example/a?B=%41", "https://h.example/a?B=%41"),
        ("https://u:p@h.example/a", "https://u:p@h.example/a"),
        ("https://[broken/a", "https://[broken/a"),
        ("https://h.example:x/a", "https://h.example:x/a"),
        ("nothing", "nothing"),
        ("", ""),
    ],
)
def test_one_address_has_one_spelling(url: str, one: str) -> None:
    """What means the same to every server is written in one way; the rest stays; doing it twice changes nothing."""
    assert canonical_url(url) == one
    assert canonical_url(one) == one


def _got(url: str, base: str) -> bytes:
    deadline = Deadline.after(timedelta(seconds=20))
    with (
        HttpClient(base, public_only=True, environment={}) as client,
        client.get(url, deadline=deadline, max_bytes=1000) as response,
    ):
        return response.read()


def test_an_address_of_a_strangers_is_not_asked_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """By number or by a name that leads here, at once or behind a redirect: not a byte is sent."""
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *rest, **more: real("127.0.0.1" if host == "evil.example" else host, *rest, **more),
    )
    with RawServer(answer(b"secret")) as inner:
        for host in ("127.0.0.1", "evil.example"):
            url = f"http://{host}:{inner.port}/"
            with pytest.raises(RequestFailed, match="this address is refused: it leads to a loopback address"):
                _got(url, url)
        assert inner.heads == []


def test_a_redirect_of_a_strangers_does_not_lead_home_either(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even back to the very host that it came from, once that lies here."""
    from hubdata.transfer import guard
    from hubdata.transfer.reach import Reach

    reaches = iter((Reach.GLOBAL, Reach.LOOPBACK))
    monkeypatch.setattr(guard, "reach_of", lambda address: next(reaches))
    with RawServer(redirect("/again")) as server, pytest.raises(RequestFailed, match="a redirect is refused"):
        _got(server.url, server.url)
