"""Validators: what tells two states of a file apart, and what is asked by them."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from hubdata.transfer.conditional import NOTHING_KNOWN, ConditionalClient, Validators, http_date
from hubdata.transfer.deadline import Deadline
from hubdata.transfer.retry import RequestFailed
from tests.support.url_server import LAST_MODIFIED, UrlServer

MONDAY = "Mon, 16 Nov 2026 17:00:00 GMT"


@pytest.fixture
def server() -> Iterator[UrlServer]:
    """Two files."""
    with UrlServer({"/a": b"one", "/b": b"another"}) as running:
        yield running


@pytest.fixture
def client(server: UrlServer) -> Iterator[ConditionalClient]:
    """A client of that server."""
    with ConditionalClient(server.origin, environment={}) as running:
        yield running


def ask(client: ConditionalClient, url: str, known: Validators = NOTHING_KNOWN) -> tuple[bytes | None, Validators]:
    """Return the body and what was said of it; None where it is the known one."""
    deadline = Deadline.after(timedelta(seconds=10))
    with client.get_changed(url, known=known, deadline=deadline, max_bytes=100) as response:
        if response is None:
            return None, known
        return response.read(), Validators.of(response.headers)


def test_a_file_is_given_once(client: ConditionalClient, server: UrlServer) -> None:
    """What the first answer said makes the second a 304."""
    body, said = ask(client, server.url("/a"))
    assert (body, said.last_modified, said.length) == (b"one", LAST_MODIFIED, "3")
    assert Validators.noted(said.note()) == said
    assert ask(client, server.url("/a"), said) == (None, said)
    server.files["/a"] = b"two"
    assert ask(client, server.url("/a"), Validators(etag=said.etag))[0] == b"two"


def test_what_is_known_of_one_file_is_not_asked_of_another(client: ConditionalClient, server: UrlServer) -> None:
    """The client is one for all requests of a fetch."""
    _, said = ask(client, server.url("/a"))
    ask(client, server.url("/a"), said)
    ask(client, server.url("/b"))
    assert ["If-None-Match" in request.headers for request in server.requests] == [False, True, False]
    with pytest.raises(RequestFailed, match="404"):
        ask(client, server.url("/gone"), said)
    ask(client, server.url("/b"))
    assert "If-None-Match" not in server.requests[-1].headers


def test_a_304_without_a_question_is_an_error(client: ConditionalClient, server: UrlServer) -> None:
    """There is nothing that it could mean."""
    server.fail("/a", status=304)
    with pytest.raises(RequestFailed, match="304"):
        ask(client, server.url("/a"))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (Validators('"a"'), Validators('"a"'), True),
        (Validators('"a"'), Validators('W/"a"'), True),
        (Validators('"a"'), Validators('"b"'), False),
        (Validators('"a"', MONDAY, "5"), Validators('"b"', MONDAY, "5"), True),
        (Validators('"a"', MONDAY, "5"), Validators('"b"', MONDAY, "6"), False),
        (Validators('"a"', MONDAY, "5"), Validators('"b"', LAST_MODIFIED, "5"), False),
        (Validators("", MONDAY), Validators("", MONDAY), False),
        (Validators("", "", "5"), Validators("", "", "5"), False),
        (NOTHING_KNOWN, NOTHING_KNOWN, False),
    ],
)
def test_two_states_are_one_by_tag_or_by_time_and_length(one: Validators, other: Validators, same: bool) -> None:
    """Never by nothing, nor by one of the weaker two alone."""
    assert one.same_as(other) is same
    assert other.same_as(one) is same


@pytest.mark.parametrize(
    ("text", "day"),
    [
        (MONDAY, "2026-11-16"),
        ("Mon, 16 Nov 2026 23:30:00 -0100", "2026-11-17"),
        ("Monday, 16-Nov-26 17:00:00 GMT", "2026-11-16"),
        ("yesterday", ""),
        ("", ""),
        (MONDAY + "\r\nX: 1", ""),
        ("Mon, 99 Nov 2026 17:00:00 GMT", ""),
    ],
)
def test_a_date_of_the_protocol_is_a_day(text: str, day: str) -> None:
    """In UTC; empty when it is none."""
    assert http_date(text) == day
