"""The hooks under attack: forged, replayed, oversized, slow; nothing is begun, and others are answered."""

import contextlib
import http.client
import json
import socket
import time
from collections.abc import Iterator

import pytest

from hubdata.worker.schedule import Cause
from tests.support.public_server import until_closed
from tests.support.worker_surface import HOSTS, SECRET, Surface, delivery, push, running, signed

SMALL = 100_000
"""What a delivery may have here: above what the server takes in before it is read."""


@pytest.fixture(scope="module")
def small_surface() -> Iterator[Surface]:
    """Give a surface that takes small bodies, and waits for nobody."""
    with running(max_bytes=SMALL, body_s=1) as surface:
        yield surface


@pytest.fixture
def impatient(small_surface: Surface) -> Iterator[Surface]:
    """Give it as new; see that it still answers afterwards, over both families, and heeds GitHub."""
    small_surface.desk.reset()
    yield small_surface
    assert [small_surface.ask("/healthz", host=host).status for host in HOSTS] == [200, 200]
    before = len(small_surface.desk.asked)
    assert small_surface.deliver(push(time.monotonic_ns())).status == 202
    assert len(small_surface.desk.asked) == before + 1


@pytest.fixture(scope="module")
def roomy_surface() -> Iterator[Surface]:
    """Give a surface that takes small bodies, however long they take: who is right is so on a busy machine, too."""
    with running(max_bytes=SMALL) as surface:
        yield surface


@pytest.fixture
def patient(roomy_surface: Surface) -> Surface:
    """Give it as new."""
    roomy_surface.desk.reset()
    return roomy_surface


FORGED = {
    "no signature": {"X_Hub_Signature_256": ""},
    "another secret": {"X_Hub_Signature_256": signed(push(1), f"{SECRET}2")},
    "no secret": {"X_Hub_Signature_256": signed(push(1), "")},
    "another body": {"X_Hub_Signature_256": signed(push(2))},
    "the old algorithm": {"X_Hub_Signature_256": "sha1=" + "0" * 40},
    "in capitals": {"X_Hub_Signature_256": signed(push(1)).upper()},
    "with a blank inside": {"X_Hub_Signature_256": signed(push(1)).replace("=", "= ")},
}


@pytest.mark.parametrize("headers", FORGED.values(), ids=FORGED.keys())
def test_what_is_forged_begins_nothing(surface: Surface, headers: dict[str, str]) -> None:
    """It is answered with 401 and one word for whatever is wrong with it, and told of once."""
    got = surface.deliver(push(1), **headers)
    assert (got.status, got.json) == (401, {"error": "the signature is missing or wrong"})
    assert surface.desk.asked == []
    (event,) = surface.desk.told("http.denied")
    assert (event["route"], event["status"]) == ("github", 401)


def test_a_signature_stands_for_every_byte(surface: Surface) -> None:
    """One more space, which means nothing in JSON, is another body."""
    body = push(1)
    for changed in (body + b" ", body.replace(b":", b": ", 1), b"", body.replace(b"main", b"evil")):
        assert surface.deliver(changed, **delivery(body)).status == 401
    assert surface.desk.asked == []


def test_two_signatures_are_none(surface: Surface) -> None:
    """Whichever of them a proxy has looked at."""
    body = push(1)
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in delivery(body).items())
    with surface.connect() as plain:
        plain.sendall(
            f"POST /hooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{head}"
            f"X-Hub-Signature-256: {signed(body)}\r\n\r\n".encode()
            + body
        )
        assert until_closed(plain).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("other_id", [False, True], ids=["as it was", "under another id"])
def test_what_is_replayed_does_nothing(surface: Surface, *, other_id: bool) -> None:
    """The delivery id is not signed, so a recorded body is known by its signature too; the answer says so."""
    body = push(time.monotonic_ns())
    assert surface.deliver(body).status == 202
    for number in range(3):
        got = surface.deliver(body, **({"X_GitHub_Delivery": f"fresh-{number}"} if other_id else {}))
        assert got.status == 200
        assert got.json["answer"].startswith("repeated")
    assert surface.desk.asked == [("daily", Cause.PUSH, True)]


def test_the_memory_of_deliveries_ends_with_the_process() -> None:
    """What is replayed to the next one runs the jobs once more, which publishes nothing that is not new."""
    body = push(time.monotonic_ns())
    for _ in range(2):
        with running() as surface:
            assert [surface.deliver(body).status for _ in range(2)] == [202, 200]


def test_replays_at_once_begin_one_run(surface: Surface) -> None:
    """However close together they come, and however large they are."""
    body = push(1, filler="x" * 200_000)
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in delivery(body).items())
    sent = f"POST /hooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode() + body
    with contextlib.ExitStack() as stack:
        plain = [stack.enter_context(surface.connect(HOSTS[n % 2])) for n in range(20)]
        for each in plain:
            each.sendall(sent[:-1])
        for each in plain:
            each.sendall(sent[-1:])
        found = sorted(_answer(each)[0] for each in plain)
    assert found == [200] * 19 + [202]
    assert surface.desk.asked == [("daily", Cause.PUSH, True)]


def _answer(plain: socket.socket) -> tuple[int, bytes]:
    answer = http.client.HTTPResponse(plain)
    answer.begin()
    return answer.status, answer.read()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content_Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content_Type": "text/plain"}, 415),
        ({"X_GitHub_Event": ""}, 400),
        ({"X_GitHub_Event": "push, ping"}, 400),
        ({"X_GitHub_Delivery": ""}, 400),
        ({"X_GitHub_Delivery": "x" * 73}, 400),
        ({"X_GitHub_Delivery": "../../x"}, 400),
    ],
)
def test_what_github_does_not_send_is_refused_by_its_head(
    surface: Surface, headers: dict[str, str], status: int
) -> None:
    """Before its body is read, and though it is signed."""
    got = surface.deliver(push(1), **headers)
    assert got.status == status
    assert "error" in got.json
    assert surface.desk.asked == []


@pytest.mark.parametrize("body", [b"[]", b"{", b"null", b"[" * 50_000, b"\xff\xfe"])
def test_a_signed_body_that_is_no_payload_is_refused(surface: Surface, body: bytes) -> None:
    """Nested to any depth: 422, and no words of a parser."""
    got = surface.deliver(body)
    assert got.status == 422
    assert got.json["error"].startswith("this is no push of GitHub's: expected")


def test_a_body_that_says_it_is_too_large_is_not_read(impatient: Surface) -> None:
    """The answer comes before the first byte of it, and a client that waits to be asked for it never is."""
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in delivery(b"").items())
    for length in (SMALL + 1, 25 << 20, 1 << 60):
        with impatient.connect() as plain:
            plain.sendall(
                f"POST /hooks/github HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n"
                f"{head}\r\n".encode()
            )
            status, body = _answer(plain)
            assert (status, json.loads(body)) == (413, {"error": f"at most {SMALL} bytes are accepted"})


def test_the_largest_body_is_heeded(patient: Surface) -> None:
    """The limit itself is allowed, to the byte."""
    body = push(1, filler="")
    body = push(1, filler="x" * (SMALL - len(body)))
    assert len(body) == SMALL
    assert patient.deliver(body).status == 202
    assert patient.deliver(push(2, filler="x" * SMALL)).status == 413


def test_a_body_in_chunks_has_the_same_limit(patient: Surface) -> None:
    """Nobody says beforehand how long it gets; what was signed and is small enough is heeded."""

    def chunks(body: bytes) -> Iterator[bytes]:
        for start in range(0, len(body), 8000):
            yield body[start : start + 8000]

    for body, status in ((push(1, filler="x" * 50_000), 202), (push(2, filler="x" * SMALL), 413)):
        connection = http.client.HTTPConnection("::1", patient.port, timeout=60)
        with contextlib.closing(connection):
            headers = {name.replace("_", "-"): value for name, value in delivery(body).items()}
            connection.request("POST", "/hooks/github", chunks(body), headers, encode_chunked=True)
            assert connection.getresponse().status == status


def test_chunks_without_an_end_are_cut_off(impatient: Surface) -> None:
    """The refusal is sent while they still come, and they come to an end, too."""
    body = push(1)
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in delivery(body).items())
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    with impatient.connect() as plain:
        start = f"POST /hooks/github HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n{head}\r\n".encode()
        plain.sendall(start + 2 * chunk)  # too much, before there is time to be too slow
        sent = 2 * 0x10000
        with contextlib.suppress(ConnectionError):
            while sent < 500 << 20:
                plain.sendall(chunk)
                sent += 0x10000
                time.sleep(0.001)
        assert sent < 500 << 20
    assert impatient.desk.told("http.denied")[-1]["status"] == 413


def test_a_head_that_drips_in_is_hung_up_on(impatient: Surface) -> None:
    """Over either family; each byte is progress, but the whole of it has a time."""
    for host in HOSTS:
        with impatient.connect(host) as plain:
            assert _drip(plain, b"POST /hooks/github HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 200) == b""


def test_a_body_that_drips_in_is_told_and_hung_up_on(impatient: Surface) -> None:
    """408, and the end of the connection: what comes later is nobody's."""
    body = push(1)
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in delivery(body).items())
    with impatient.connect() as plain:
        plain.sendall(f"POST /hooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode())
        received = _drip(plain, body)
    assert received.startswith(b"HTTP/1.1 408 ")
    assert impatient.desk.asked == []


def _drip(plain: socket.socket, text: bytes) -> bytes:
    """Send a byte at a time until nobody takes them any more; return what came back."""
    with contextlib.suppress(ConnectionError):
        for byte in text:
            plain.send(bytes([byte]))
            time.sleep(0.1)
    return until_closed(plain)


def test_a_body_that_breaks_off_is_no_delivery(impatient: Surface) -> None:
    """A client that goes away amid it leaves nothing behind."""
    body = push(1)
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in delivery(body).items())
    with impatient.connect() as plain:
        plain.sendall(
            f"POST /hooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode() + body[:-1]
        )
    assert impatient.desk.asked == []


def test_slow_bodies_have_no_more_than_their_room(impatient: Surface) -> None:
    """Eight of the largest, together: what is beyond is told to come back, and the room is given back in time."""
    body = push(1, filler="x" * (SMALL - 1000))
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in delivery(body).items())
    start = f"POST /hooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode()
    with contextlib.ExitStack() as stack:
        plain = [stack.enter_context(impatient.connect(HOSTS[n % 2])) for n in range(30)]
        for each in plain:
            each.sendall(start + body[:-1])
        found = [_answer(each)[0] for each in plain]
    assert set(found) == {408, 503}
    assert found.count(503) >= 5


def test_a_flood_of_refusals_is_told_of_in_a_few_lines(surface: Surface) -> None:
    """The first are told one by one, then they are counted; the count comes with the next that is told."""
    for _ in range(60):
        surface.deliver(push(1), X_Hub_Signature_256="")
    assert len(surface.desk.told("http.denied")) == 20
    surface.desk.since += 5
    surface.deliver(push(1), X_Hub_Signature_256="")
    assert surface.desk.told("http.denied")[-1]["besides"] == 40
