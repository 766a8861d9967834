"""Uploads in parts for the strict S3 double: part by part, checked by CRC32, complete or gone."""

import base64
import hashlib
import itertools
import re
import zlib
from dataclasses import dataclass, field

Answer = tuple[int, str, bytes, dict[str, str]]
"""Status, error code if any, body, headers."""


@dataclass
class Upload:
    """One upload: the headers it began with, and its parts by number."""

    key: str
    headers: dict[str, str]
    full: bool
    parts: dict[int, bytes] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        """Return all parts, in order."""
        return b"".join(body for _, body in sorted(self.parts.items()))

    @property
    def etag(self) -> str:
        """Return the MD5 of the parts' MD5s, and their number."""
        md5s = b"".join(hashlib.md5(body).digest() for _, body in sorted(self.parts.items()))
        return f"{hashlib.md5(md5s).hexdigest()}-{len(self.parts)}"


@dataclass
class Uploads:
    """All uploads of one bucket. `open` are those that neither completed nor were aborted."""

    open: dict[str, Upload] = field(default_factory=dict)
    done: dict[str, Upload] = field(default_factory=dict)
    smallest_part: int = 5 << 20

    def answer(
        self, method: str, key: str, body: bytes, headers: dict[str, str], query: dict[str, list[str]]
    ) -> Answer:
        """Return the answer to one request. What it completes is in `done`; its condition was looked at before."""
        number = query.get("uploadId", [""])[0]
        if not number:
            number = f"upload-{next(_NUMBERS)}"
            full = headers.get("x-amz-checksum-type") == "FULL_OBJECT"
            self.open[number] = Upload(key, kept_of(headers), full)
            xml = f"<InitiateMultipartUploadResult><UploadId>{number}</UploadId></InitiateMultipartUploadResult>"
            return 200, "", xml.encode(), {"Content-Type": "application/xml"}
        upload = self.open.get(number)
        if upload is None:
            return 404, "NoSuchUpload", b"", {}
        if method == "PUT":
            upload.parts[int(query["partNumber"][0])] = body
            return 200, "", b"", {"ETag": f'"{hashlib.md5(body).hexdigest()}"'}
        if method == "DELETE":
            del self.open[number]
            return 204, "", b"", {}
        return self._complete(number, upload, body, headers)

    def _complete(self, number: str, upload: Upload, body: bytes, headers: dict[str, str]) -> Answer:
        named = [int(one) for one in re.findall(rb"<PartNumber>([0-9]+)</PartNumber>", body)]
        if named != sorted(upload.parts):
            return 400, "InvalidPart", b"", {}
        if any(len(upload.parts[one]) < self.smallest_part for one in named[:-1]):
            return 400, "EntityTooSmall", b"", {}
        if headers.get("x-amz-checksum-crc32", crc32(upload.body)) != crc32(upload.body):
            return 400, "BadDigest", b"", {}
        if headers.get("x-amz-mp-object-size", str(len(upload.body))) != str(len(upload.body)):
            return 400, "InvalidRequest", b"", {}
        self.done[number] = self.open.pop(number)
        xml = f"<CompleteMultipartUploadResult><ETag>&quot;{upload.etag}&quot;</ETag></CompleteMultipartUploadResult>"
        return 200, "", xml.encode(), {"Content-Type": "application/xml"}


_NUMBERS = itertools.count(1)


def crc32(body: bytes) -> str:
    """Return the CRC32 as its header has it."""
    return base64.b64encode(zlib.crc32(body).to_bytes(4)).decode()


def kept_of(headers: dict[str, str]) -> dict[str, str]:
    """Return the headers of an upload that are served with the object."""
    kept = ("content-type", "cache-control")
    return {name: value for name, value in headers.items() if name in kept or name.startswith("x-amz-meta-")}
