"""The proxy before the store counts every request and byte, and delays requests and connections as told."""

import http.client
import time

from bench.slow import Framer, Slow, method_of
from bench.store import Store

GET = b"GET /b/key HTTP/1.1\r\nHost: h\r\n\r\n"
PUT = b"PUT /b/key HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"PUT /b/key HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=1\r\nde\r\n0\r\n\r\n"


def test_requests_are_found_wherever_the_stream_is_cut() -> None:
    """Each head is found once, and every byte is passed on in order, piece by piece or all at once."""
    stream = GET + PUT + CHUNKED + PUT
    for size in (1, 7, len(stream)):
        framer = Framer()
        pieces = [one for at in range(0, len(stream), size) for one in framer.feed(stream[at : at + size])]
        heads = [piece.split(b" ")[0] for piece, head in pieces if head]
        assert heads == [b"GET", b"PUT", b"PUT", b"PUT"]
        assert b"".join(piece for piece, _ in pieces) == stream


def test_a_listing_is_told_apart_from_reading_an_object() -> None:
    """Both are GET; what a tool asks of the bucket is LIST."""
    named = {
        b"GET /b?list-type=2&prefix= HTTP/1.1\r\n": "LIST",
        b"GET /b/ HTTP/1.1\r\n": "GET",
        b"GET /b/?delimiter=%2F HTTP/1.1\r\n": "LIST",
        b"GET /b/key HTTP/1.1\r\n": "GET",
        b"PUT /b/key?partNumber=1 HTTP/1.1\r\n": "PUT",
    }
    assert {line: method_of(line) for line in named} == named


def test_requests_and_connections_wait_and_are_counted_both_ways() -> None:
    """Two requests on one connection cost one delay of the connection and two of the requests, at the least."""
    with Store() as store:
        store.empty("b")
        with Slow(store.url, request_ms=30, connect_ms=60) as slow:
            connection = http.client.HTTPConnection(slow.url.removeprefix("http://"), timeout=30)
            started = time.monotonic()
            for _ in range(2):
                connection.request("PUT", "/b/key", body=b"x" * 1_000)
                assert connection.getresponse().read() == b""
            took = time.monotonic() - started
            connection.close()
            counts = slow.counts()
            assert slow.counts()["requests"] == {}
    assert took >= 0.12
    assert (counts["requests"], counts["connections"]) == ({"PUT": 2}, 1)
    assert 2_000 < counts["up"] < 3_000
    assert counts["down"] > 100
