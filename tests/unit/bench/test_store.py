"""The store that tools are measured against answers as S3 does where they rely on it."""

import asyncio
import base64
import hashlib
import re

import pytest

from bench.arriving import LARGE
from bench.store import Answer, Bucket, Buckets, Connection, held_of


def store(*keys: str) -> Buckets:
    """Return a store with one bucket, `b`, that holds these keys."""
    made = Buckets()
    made.buckets["b"] = Bucket()
    for key in keys:
        made.answer("PUT", f"/b/{key}", {}, key.encode())
    return made


def listed(answer: Answer) -> tuple[list[str], str]:
    """Return a page's keys and prefixes, and where the next begins."""
    text = answer.body.decode()
    token = re.search(r"<NextContinuationToken>(.*?)<", text)
    names = re.findall(r"<(?:Key|CommonPrefixes><Prefix)>(.*?)</", text)
    return names, token[1] if token else ""


def test_pages_of_a_listing_hold_every_key_once_and_in_order() -> None:
    """A tool that follows the tokens sees all keys, a thousand at a time, and no other prefix's."""
    here = store(*(f"lists/{number:04}" for number in range(2_500)), "lists", "other/0")
    pages, token = [], ""
    while True:
        names, token = listed(here.answer("GET", f"/b?list-type=2&prefix=lists/&continuation-token={token}", {}, b""))
        pages.append(names)
        if not token:
            break
    assert [len(page) for page in pages] == [1_000, 1_000, 500]
    assert [name for page in pages for name in page] == [f"lists/{number:04}" for number in range(2_500)]


def test_a_delimiter_rolls_directories_up_also_across_pages() -> None:
    """Each directory is told once, however many keys it has and wherever a page ends."""
    here = store("a/1", "a/2", "b", "c/1", "c/d/2")
    first, token = listed(here.answer("GET", "/b?list-type=2&delimiter=/&max-keys=1", {}, b""))
    rest, end = listed(here.answer("GET", f"/b?list-type=2&delimiter=/&continuation-token={token}", {}, b""))
    assert (first, rest, end) == (["a/"], ["b", "c/"], "")


@pytest.mark.parametrize(
    ("method", "key", "headers", "status"),
    [
        ("PUT", "there", {"if-none-match": "*"}, 412),
        ("PUT", "new", {"if-none-match": "*"}, 200),
        ("PUT", "there", {"if-match": '"0"'}, 412),
        ("PUT", "new", {"if-match": '"0"'}, 404),
        ("PUT", "there", {"if-match": hashlib.md5(b"there").hexdigest()}, 200),
        ("DELETE", "there", {"if-match": '"0"'}, 412),
        ("DELETE", "there", {}, 204),
        ("GET", "there", {"if-none-match": f'"{hashlib.md5(b"there").hexdigest()}"'}, 304),
        ("HEAD", "new", {}, 404),
        ("PUT", "new", {"x-amz-checksum-sha256": "A" * 43 + "="}, 400),
        ("PUT", "new", {"content-encoding": "aws-chunked"}, 501),
    ],
)
def test_conditions_and_checksums_are_kept(method: str, key: str, headers: dict[str, str], status: int) -> None:
    """A tool that relies on them is not measured against a store that passes them over."""
    assert store("there").answer(method, f"/b/{key}", headers, b"body").status == status


class Wire(asyncio.Transport):
    """What a connection answers over."""

    def __init__(self) -> None:
        super().__init__()
        self.said = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep what is answered."""
        self.said += data


@pytest.mark.parametrize("step", [1 << 16, 300_001, 1 << 30])
def test_large_bodies_are_digested_as_they_arrive(step: int) -> None:
    """However they are cut, before and after small ones on one connection; and a wrong checksum refuses them."""
    here, wire, large = store(), Wire(), b"0123456789abcdef" * (LARGE // 16) + b"!"
    connection = Connection(here.answer)
    connection.connection_made(wire)
    sent = b""
    for key, body, of in (("a", b"a", b"a"), ("b", large, large), ("c", large, b"else"), ("d", large[:-1], large[:-1])):
        check = base64.b64encode(hashlib.sha256(of).digest()).decode()
        head = f"PUT /b/{key} HTTP/1.1\r\nContent-Length: {len(body)}\r\nx-amz-checksum-sha256: {check}\r\n\r\n"
        sent += head.encode() + body
    for start in range(0, len(sent), step):
        connection.data_received(sent[start : start + step])
    assert re.findall(rb"HTTP/1.1 (\d+)", wire.said) == [b"200", b"200", b"400", b"200"]
    told = {key: (held.body, held.etag) for key, held in here.buckets["b"].objects.items()}
    assert told == {
        key: (body, hashlib.md5(body).hexdigest()) for key, body in (("a", b"a"), ("b", large), ("d", large[:-1]))
    }


def test_an_upload_in_parts_becomes_one_object_with_an_etag_of_its_parts() -> None:
    """Large files of peers arrive whole, in the order of their numbers, whenever each came."""
    here = store()
    number = re.search(rb"<UploadId>(.*?)<", here.answer("POST", "/b/big?uploads", {}, b"").body)
    assert number
    upload = f"/b/big?uploadId={number[1].decode()}"
    for part, body in ((2, b"second"), (1, b"first")):
        assert here.answer("PUT", f"{upload}&partNumber={part}", {}, body).status == 200
    assert here.answer("POST", upload, {}, b"").status == 200
    answer = here.answer("GET", "/b/big", {}, b"")
    digests = hashlib.md5(b"first").digest() + hashlib.md5(b"second").digest()
    assert (answer.body, answer.headers["ETag"]) == (b"firstsecond", f'"{hashlib.md5(digests).hexdigest()}-2"')


def test_an_emptied_bucket_keeps_what_was_asked_for() -> None:
    """A first sync begins from nothing but the record of what the store can do."""
    here = store("kept", "gone")
    assert here.prepare({"do": "empty", "bucket": "b", "but": ["kept", "absent"]}) == {"objects": 1, "bytes": 4}
    assert here.buckets["b"].keys == ["kept"]


def test_a_put_is_told_apart_by_its_digest_and_keeps_its_headers() -> None:
    """What a reader is sent is what was put, with the metadata that tools look at."""
    held = held_of(b"body", {"content-type": "text/plain", "x-amz-meta-mtime": "1", "authorization": "no"})
    assert held.headers == {"content-type": "text/plain", "x-amz-meta-mtime": "1"}
    right = base64.b64encode(hashlib.sha256(b"body").digest()).decode()
    assert store().answer("PUT", "/b/k", {"x-amz-checksum-sha256": right}, b"body").headers["ETag"] == f'"{held.etag}"'
