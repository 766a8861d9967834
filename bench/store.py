"""A fast S3 in memory, for measurements: what it costs itself must not hide how the tools differ.

It keeps buckets as sorted keys, so a LIST page of 1,000 takes less than a millisecond however many keys there are; the
mock server of the tests takes time in proportion to all of them. It answers LIST (both versions), GET, HEAD, PUT with
conditions, COPY, DELETE, multipart uploads, and CloudFront's CreateInvalidation. It compares bodies with SHA-256, MD5
and CRC32 where these are sent; it does not look at signatures. It is a measuring instrument: what S3 does is tested
elsewhere, against other servers.

It is a process of its own (`Store`), told by lines of JSON what to prepare.
"""

import asyncio
import base64
import hashlib
import itertools
import re
import zlib
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from pathlib import Path
from time import process_time
from typing import Any
from urllib.parse import parse_qsl, quote, unquote
from xml.sax.saxutils import escape

from bench.arriving import Arriving, digest
from bench.child import Child, serve

PAGE = 1000
_KEPT = ("content-type", "cache-control", "content-encoding", "content-disposition")
_XML = "application/xml"
_TOLD = {200: "OK", 201: "Created", 204: "No Content", 206: "Partial Content", 304: "Not Modified"}
_LAST = "\U0010ffff"
_NUMBERS = itertools.count(1)

Headers = dict[str, str]


@dataclass(slots=True)
class Held:
    """One object."""

    body: bytes
    headers: Headers
    etag: str
    modified: datetime
    listed: dict[bool, str] = field(default_factory=dict)

    def row(self, key: str, encoded: bool) -> str:
        """Return the object's row in a listing."""
        if encoded not in self.listed:
            name = quote(key) if encoded else escape(key)
            self.listed[encoded] = (
                f"<Contents><Key>{name}</Key><LastModified>{self.modified:%Y-%m-%dT%H:%M:%S}.000Z</LastModified>"
                f"<ETag>&quot;{self.etag}&quot;</ETag><Size>{len(self.body)}</Size>"
                "<StorageClass>STANDARD</StorageClass></Contents>"
            )
        return self.listed[encoded]


@dataclass(slots=True)
class Bucket:
    """Objects by key, and their keys in order."""

    objects: dict[str, Held] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)

    def put(self, key: str, held: Held) -> None:
        """Store an object."""
        if key not in self.objects:
            insort(self.keys, key)
        self.objects[key] = held

    def delete(self, key: str) -> None:
        """Forget an object, if it is there."""
        if self.objects.pop(key, None) is not None:
            del self.keys[bisect_left(self.keys, key)]

    def page(self, query: Headers) -> str:
        """Return one page of a listing, of either version."""
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        second, encoded = query.get("list-type") == "2", query.get("encoding-type") == "url"
        size = min(int(query.get("max-keys", PAGE)), PAGE)
        after = query.get("continuation-token") or query.get("start-after", "") if second else query.get("marker", "")
        at = max(bisect_left(self.keys, prefix), bisect_right(self.keys, after) if after else 0)
        rows: list[str] = []
        last, more = "", False
        while at < len(self.keys) and (key := self.keys[at]).startswith(prefix):
            if len(rows) == size:
                more = True
                break
            cut = key.find(delimiter, len(prefix)) if delimiter else -1
            if cut < 0:
                rows.append(self.objects[key].row(key, encoded))
                last, at = key, at + 1
            else:
                below = key[: cut + len(delimiter)]
                name = quote(below) if encoded else escape(below)
                rows.append(f"<CommonPrefixes><Prefix>{name}</Prefix></CommonPrefixes>")
                last = below + _LAST
                at = bisect_left(self.keys, last)
        token = f"<{'NextContinuationToken' if second else 'NextMarker'}>"
        tail = f"{token}{quote(last) if encoded and not second else escape(last)}{token.replace('<', '</')}" * more
        how = "<EncodingType>url</EncodingType>" * encoded
        return (
            f"<ListBucketResult><Name>bucket</Name><Prefix>{escape(prefix)}</Prefix><MaxKeys>{size}</MaxKeys>"
            f"<KeyCount>{len(rows)}</KeyCount>{how}<IsTruncated>{str(more).lower()}</IsTruncated>{tail}"
            f"{''.join(rows)}</ListBucketResult>"
        )


@dataclass(slots=True)
class Answer:
    """What a request is answered with."""

    status: int = 200
    body: bytes = b""
    headers: Headers = field(default_factory=dict)


def xml(text: str, status: int = 200) -> Answer:
    """Return an answer in XML."""
    return Answer(status, f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode(), {"Content-Type": _XML})


def refusal(status: int, code: str) -> Answer:
    """Return an error as S3 tells it."""
    return xml(f"<Error><Code>{code}</Code><Message>{code}</Message></Error>", status)


def wrong(body: bytes, headers: Headers) -> bool:
    """Tell whether a body is not what its checksums say."""
    expected: dict[str, Callable[[], bytes]] = {
        "content-md5": lambda: digest("md5", body),
        "x-amz-checksum-sha256": lambda: digest("sha256", body),
        "x-amz-checksum-crc32": lambda: zlib.crc32(body).to_bytes(4),
    }
    return any(name in headers and base64.b64encode(of()).decode() != headers[name] for name, of in expected.items())


def now() -> datetime:
    """Return the time to the second, as Last-Modified has it."""
    return datetime.now(UTC).replace(microsecond=0)


def held_of(body: bytes, headers: Headers) -> Held:
    """Return what is stored of a put."""
    kept = {name: v for name, v in headers.items() if name in _KEPT or name.startswith("x-amz-meta-")}
    return Held(body, kept, digest("md5", body).hex(), now())


class Buckets:
    """All that is stored, and how requests are answered."""

    def __init__(self) -> None:
        self.buckets: dict[str, Bucket] = {}
        self.uploads: dict[str, tuple[Headers, dict[int, bytes]]] = {}

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> Answer:
        """Return the answer to one request."""
        path, _, asked = target.partition("?")
        query = dict(parse_qsl(asked, keep_blank_values=True))
        if path.startswith("/2020-05-31/distribution/"):
            return _invalidation(body)
        name, _, key = unquote(path).lstrip("/").partition("/")
        bucket = self.buckets.get(name)
        if bucket is None:
            return refusal(404, "NoSuchBucket")
        if not key:
            return self._of_bucket(method, bucket, query, body)
        if "uploads" in query or "uploadId" in query:
            return self._in_parts(method, (bucket, key), query, headers, body)
        if method in ("GET", "HEAD"):
            return _read(bucket, key, headers)
        if method in ("PUT", "DELETE"):
            refused = _refused(bucket, key, headers, method)
            if refused:
                return refused
        if method == "PUT":
            return self._put(bucket, key, headers, body)
        if method == "DELETE":
            bucket.delete(key)
            return Answer(204)
        return refusal(501, "NotImplemented")

    def _of_bucket(self, method: str, bucket: Bucket, query: Headers, body: bytes) -> Answer:
        if method in ("HEAD", "PUT"):
            return Answer(200, b"", {"x-amz-bucket-region": "us-east-1"})
        if method == "POST" and "delete" in query:
            for key in re.findall(rb"<Key>(.*?)</Key>", body):
                bucket.delete(key.decode())
            return xml("<DeleteResult/>")
        if "location" in query:
            return xml('<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>')
        if "versioning" in query:
            return xml("<VersioningConfiguration/>")
        return xml(bucket.page(query)) if method == "GET" else refusal(501, "NotImplemented")

    def _put(self, bucket: Bucket, key: str, headers: Headers, body: bytes) -> Answer:
        if "aws-chunked" in headers.get("content-encoding", ""):
            return refusal(501, "NotImplemented")
        source = headers.get("x-amz-copy-source")
        if source:
            from_bucket, _, from_key = unquote(source).lstrip("/").partition("/")
            found = self.buckets[from_bucket].objects[from_key]
            replaced = headers.get("x-amz-metadata-directive", "COPY") == "REPLACE"
            made = held_of(found.body, headers if replaced else found.headers)
            bucket.put(key, made)
            told = f"<LastModified>{made.modified:%Y-%m-%dT%H:%M:%S}.000Z</LastModified><ETag>&quot;{made.etag}&quot;"
            return xml(f"<CopyObjectResult>{told}</ETag></CopyObjectResult>")
        if wrong(body, headers):
            return refusal(400, "BadDigest")
        made = held_of(body, headers)
        bucket.put(key, made)
        return Answer(200, b"", {"ETag": f'"{made.etag}"'})

    def _in_parts(
        self, method: str, place: tuple[Bucket, str], query: Headers, headers: Headers, body: bytes
    ) -> Answer:
        bucket, key = place
        if method == "POST" and "uploads" in query:
            number = f"upload-{next(_NUMBERS)}"
            self.uploads[number] = headers, {}
            return xml(
                f"<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>{escape(key)}</Key>"
                f"<UploadId>{number}</UploadId></InitiateMultipartUploadResult>"
            )
        of, parts = self.uploads[query["uploadId"]]
        if method == "PUT":
            if wrong(body, headers):
                return refusal(400, "BadDigest")
            parts[int(query["partNumber"])] = body
            return Answer(200, b"", {"ETag": f'"{digest("md5", body).hex()}"'})
        del self.uploads[query["uploadId"]]
        if method == "DELETE":
            return Answer(204)
        digests = b"".join(hashlib.md5(parts[number]).digest() for number in sorted(parts))
        made = held_of(b"".join(parts[number] for number in sorted(parts)), of)
        made.etag = f"{hashlib.md5(digests).hexdigest()}-{len(parts)}"
        bucket.put(key, made)
        return xml(
            f"<CompleteMultipartUploadResult><Key>{escape(key)}</Key><ETag>&quot;{made.etag}&quot;</ETag>"
            "</CompleteMultipartUploadResult>"
        )

    def prepare(self, wish: dict[str, Any]) -> dict[str, Any]:
        """Do what a line of control asks: make, empty or fill a bucket, or tell of it."""
        name = wish.get("bucket", "")
        if wish["do"] == "cpu":
            return {"cpu_s": process_time()}
        if wish["do"] == "empty":
            before, left = self.buckets.get(name, Bucket()), Bucket()
            for key in wish.get("but", ()):
                if key in before.objects:
                    left.put(key, before.objects[key])
            self.buckets[name] = left
        if wish["do"] == "fill":
            bucket, root = self.buckets.setdefault(name, Bucket()), Path(wish["directory"])
            for path in root.rglob("*"):
                if path.is_file():
                    bucket.objects[path.relative_to(root).as_posix()] = held_of(path.read_bytes(), {})
            bucket.keys = sorted(bucket.objects)
        objects = self.buckets[name].objects
        if wish["do"] == "told":
            return {key: [held.etag, len(held.body)] for key, held in objects.items()}
        return {"objects": len(objects), "bytes": sum(len(held.body) for held in objects.values())}


def _read(bucket: Bucket, key: str, headers: Headers) -> Answer:
    held = bucket.objects.get(key)
    if held is None:
        return refusal(404, "NoSuchKey")
    told = {
        "ETag": f'"{held.etag}"',
        "Last-Modified": formatdate(held.modified.timestamp(), usegmt=True),
        "Accept-Ranges": "bytes",
        **held.headers,
    }
    if headers.get("if-none-match", "").strip('"') == held.etag:
        return Answer(304, b"", told)
    asked = re.fullmatch(r"bytes=(\d+)-(\d*)", headers.get("range", ""))
    if asked:
        first, end = int(asked[1]), min(int(asked[2] or len(held.body)) + 1, len(held.body))
        return Answer(206, held.body[first:end], told | {"Content-Range": f"bytes {first}-{end - 1}/{len(held.body)}"})
    return Answer(200, held.body, told)


def _refused(bucket: Bucket, key: str, headers: Headers, method: str) -> Answer | None:
    held, wanted = bucket.objects.get(key), headers.get("if-match", "").strip('"')
    if wanted and held is None:
        return refusal(404, "NoSuchKey")
    if wanted and held and held.etag != wanted:
        return refusal(412, "PreconditionFailed")
    if method == "PUT" and held and headers.get("if-none-match") == "*":
        return refusal(412, "PreconditionFailed")
    return None


def _invalidation(body: bytes) -> Answer:
    batch = re.search(rb"<InvalidationBatch.*?>(.*)</InvalidationBatch>", body, re.DOTALL)
    inner = batch[1].decode() if batch else ""
    return xml(
        '<Invalidation xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/">'
        f"<Id>I{next(_NUMBERS):012}</Id><Status>Completed</Status><CreateTime>2026-01-01T00:00:00Z</CreateTime>"
        f"<InvalidationBatch>{inner}</InvalidationBatch></Invalidation>",
        201,
    )


class Connection(asyncio.Protocol):
    """One connection: reads requests, one after the other, and answers them."""

    def __init__(self, answer: Callable[[str, str, Headers, bytes], Answer]) -> None:
        self._answer = answer
        self._arriving = Arriving()
        self._asked: tuple[str, str, Headers, int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._arriving.add(data)
        while True:
            if self._asked is None:
                head = self._arriving.head()
                if head is None:
                    return
                self._asked = self._head(head.decode("latin-1"))
                if "expect" in self._asked[2]:  # for an empty body, too: older botocore waits a minute for it
                    self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            method, target, headers, length = self._asked
            body = self._arriving.body(length)
            if body is None:
                return
            self._asked = None
            self._reply(method, self._answer(method, target, headers, body))

    @staticmethod
    def _head(text: str) -> tuple[str, str, Headers, int]:
        first, *lines = text.split("\r\n")
        method, target, _ = first.split(" ")
        split = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in split}
        if "transfer-encoding" in headers:
            raise RuntimeError("the store for measurements reads no chunks")
        return method, target, headers, int(headers.get("content-length", 0))

    def _reply(self, method: str, answer: Answer) -> None:
        lines = [
            f"HTTP/1.1 {answer.status} {_TOLD.get(answer.status, 'Refused')}",
            f"Date: {formatdate(usegmt=True)}",
            "Server: bench",
            "x-amz-request-id: 0123456789ABCDEF",
            *(f"{name}: {value}" for name, value in answer.headers.items()),
        ]
        if answer.status not in (204, 304):
            lines.append(f"Content-Length: {len(answer.body)}")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        self._transport.write(head + answer.body if method != "HEAD" else head)


class Store(Child):
    """The store as a process. `url` is its endpoint."""

    def __init__(self) -> None:
        super().__init__("bench.store")

    def empty(self, name: str, *but: str) -> None:
        """Make a bucket that holds nothing, or nothing `but` these keys."""
        self.ask(do="empty", bucket=name, but=but)

    def fill(self, name: str, directory: Path) -> None:
        """Put every file of a directory into a bucket, as any tool's first sync does."""
        self.ask(do="fill", bucket=name, directory=str(directory))

    def told(self, name: str) -> dict[str, tuple[str, int]]:
        """Return the ETag and size of every object."""
        return {key: (etag, size) for key, (etag, size) in self.ask(do="told", bucket=name).items()}

    def cpu_s(self) -> float:
        """Return the CPU that the server has used."""
        return float(self.ask(do="cpu")["cpu_s"])


def main() -> None:
    """Serve until the standard input ends."""
    buckets = Buckets()
    serve(lambda: Connection(buckets.answer), buckets.prepare)


if __name__ == "__main__":
    main()
