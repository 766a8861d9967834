"""Posting: one document, one answer, and the same rules as for downloads."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from hubdata.transfer.bearer import BearerAuth
from hubdata.transfer.deadline import Deadline
from hubdata.transfer.posting import PostingClient
from hubdata.transfer.retry import RequestFailed
from hubdata.transfer.secrets import Secret
from tests.support.strict_cloudflare import HOST, TOKEN, ZONE, StrictCloudflare, Trouble


@pytest.fixture
def server() -> Iterator[StrictCloudflare]:
    """Give a server that reads and answers JSON."""
    with StrictCloudflare() as running:
        yield running


def post(
    server: StrictCloudflare, *, budget: timedelta = timedelta(seconds=20)
) -> tuple[int, object, timedelta | None]:
    """Return status, document and wished-for pause of one request."""
    with PostingClient(server.url, environment={}) as client:
        assert isinstance(client, PostingClient)
        answer = client.post(
            f"{server.url}/zones/{ZONE}/purge_cache",
            {"files": [f"{HOST}a"]},
            deadline=Deadline.after(budget),
            auth=BearerAuth(Secret(TOKEN)),
        )
    return answer.status, answer.document, answer.retry_after


def test_the_answer_is_read_whatever_its_status(server: StrictCloudflare) -> None:
    """What a refusal says in its body matters as much as its status."""
    assert post(server)[0] == 200
    server.troubles.append(Trouble(418, 7, "teapot", retry_after="3"))
    status, document, asked = post(server)
    assert (status, asked) == (418, timedelta(seconds=3))
    assert isinstance(document, dict)
    assert document["errors"] == [{"code": 7, "message": "teapot"}]


@pytest.mark.parametrize("raw", [b"", b"<html>", b"\xff", b"[" * 100_000])
def test_an_answer_that_is_no_json_is_none(server: StrictCloudflare, raw: bytes) -> None:
    """A proxy's page, nothing at all, or nesting that no parser survives."""
    server.troubles.append(Trouble(502, raw=raw))
    assert post(server) == (502, None, None)


def test_a_dripping_answer_ends_at_the_deadline(server: StrictCloudflare) -> None:
    """One byte now and then never lets a read time out; the deadline does not mind."""
    server.troubles.append(Trouble(200, raw=b" " * 200, drip_s=0.05))
    with pytest.raises(RequestFailed, match=r"not done within the 0\.4 s") as caught:
        post(server, budget=timedelta(seconds=0.4))
    assert caught.value.retryable
