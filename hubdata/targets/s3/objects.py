"""What S3 says of an object, and what an object is sent with."""

import base64
import re
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from hubdata.errors import TargetError
from hubdata.model.inventory import Stored
from hubdata.transfer.digest import VerifiedReader
from hubdata.transfer.s3_whole import whole_etag
from hubdata.values import frozen

_MD5 = re.compile(r"[0-9a-f]{32}")


@frozen
class Parcel:
    """One object on its way: its bytes, how it is served, and what its bytes must come to. Digests are in hex."""

    key: str
    body: bytes | VerifiedReader
    size: int
    md5: str
    sha256: str
    content_type: str
    cache_control: str
    metadata: Mapping[str, str] = field(default_factory=dict)

    def served(self) -> dict[str, Any]:
        """Return the headers that are kept with the object. The SHA-256 is how it is recognised without an MD5."""
        metadata = {"sha256": self.sha256, **self.metadata}
        headers: dict[str, Any] = {"ContentType": self.content_type, "Metadata": metadata}
        return headers | {"CacheControl": self.cache_control} if self.cache_control else headers

    def checks(self, *, sha256: bool) -> dict[str, str]:
        """Return the headers by which the store compares the bytes: their SHA-256, or MD5 where it looks at no other.

        The body's SHA-256 is signed besides, always.
        """
        if sha256:
            return {"ChecksumSHA256": base64.b64encode(bytes.fromhex(self.sha256)).decode()}
        return {"ContentMD5": base64.b64encode(bytes.fromhex(self.md5)).decode()}


def etag_of(answer: Mapping[str, Any]) -> str:
    """Return the ETag of an answer, without quotes. Raises TargetError when there is none."""
    etag = str(answer.get("ETag", ""))
    if not whole_etag(etag):
        raise TargetError("the store answered without an ETag: it is not S3", advice="check `endpoint_url`")
    return etag.strip('"')


def size_of(answer: Mapping[str, Any]) -> int:
    """Return how many bytes an object has. Raises TargetError when the answer does not say."""
    if "ContentLength" not in answer:
        raise TargetError("the store did not say how long an object is: it is not S3", advice="check `endpoint_url`")
    return int(answer["ContentLength"])


def is_md5(etag: str, answer: Mapping[str, Any]) -> bool:
    """Tell whether the ETag is the bytes' MD5: not for multipart objects, nor under KMS or customer keys."""
    encrypted = str(answer.get("ServerSideEncryption", "")).startswith("aws:kms") or "SSECustomerAlgorithm" in answer
    return not encrypted and _MD5.fullmatch(etag) is not None


def stored_of(answer: Mapping[str, Any]) -> Stored:
    """Return what an answer to HEAD or GET says is stored."""
    return Stored(size_of(answer), etag_of(answer), answer.get("VersionId"))


def same(parcel: Parcel, head: Mapping[str, Any] | None) -> Stored | None:
    """Return what is stored if it is exactly the parcel's bytes."""
    if head is None or size_of(head) != parcel.size:
        return None
    etag = etag_of(head)
    known = is_md5(etag, head)
    equal = etag == parcel.md5 if known else head.get("Metadata", {}).get("sha256") == parcel.sha256
    return stored_of(head) if equal else None
