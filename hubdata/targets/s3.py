"""An S3 bucket as a conditional store: AWS itself, or anything that speaks its protocol.

Every write is a single PutObject with If-None-Match or If-Match on the ETag the plan was made against, and with the
SHA-256 of the whole object, so that neither a race nor a broken line stores what was not checked. A single put also
keeps ETag = MD5, which is how an unchanged object is recognised without reading it. No ACL is sent: buckets behind
CloudFront's origin access control refuse them.

The body is signed as well, over TLS too: stores that ignore checksum headers still compare the signed SHA-256.
"""

import base64
import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from hubdata.errors import Conflict, TargetError
from hubdata.model.inventory import Past, Stored
from hubdata.model.manifest import KEY as MANIFEST
from hubdata.ports import Blob, Upload
from hubdata.transfer.aws import (
    AwsClient,
    Call,
    Settings,
    Trouble,
    failure_code,
    failure_status,
    pause,
    translated,
    was_retried,
)
from hubdata.transfer.digest import SMALL_BYTES, VerifiedReader, read_verified
from hubdata.transfer.s3_quick import QuickBucket
from hubdata.transfer.s3_versions import gathered
from hubdata.transfer.s3_whole import whole_etag
from hubdata.transfer.store_clock import StoreClock

MAX_PUT_BYTES = 5 * 1024**3
"""What S3 takes in one PutObject."""

_BUSY_ATTEMPTS = 5  # of a conditional put that S3 answers 409: botocore does not retry those
_READ_ATTEMPTS = 3  # of a body that breaks off: botocore retries only up to the headers
_MD5 = re.compile(r"[0-9a-f]{32}")
_PERMISSIONS = {
    "ListObjectsV2": "s3:ListBucket",
    "GetObject": "s3:GetObject (and s3:ListBucket on the bucket, or a missing object looks denied)",
    "ListObjectVersions": "s3:ListBucketVersions",
    "HeadObject": "s3:GetObject (and s3:ListBucket on the bucket, or a missing object looks denied)",
    "PutObject": "s3:PutObject (and s3:GetObject for conditional writes)",
    "DeleteObject": "s3:DeleteObject",
    "DeleteObjectVersion": "s3:DeleteObjectVersion",
}


@dataclass(frozen=True, slots=True)
class _Parcel:
    """One object on its way: its bytes, the headers it is sent with, and what they must come to."""

    key: str
    body: bytes | VerifiedReader
    headers: Mapping[str, Any]
    size: int
    md5: str
    sha256: str


class S3Target:
    """One bucket, or one prefix of it."""

    class Options(BaseModel):
        """What `[targets.NAME]` may hold for `type = "s3"`. Empty strings count as not set."""

        model_config = ConfigDict(extra="forbid", frozen=True)

        bucket: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$")
        prefix: str = ""
        region: str | None = None
        endpoint_url: str | None = None
        addressing_style: Literal["auto", "path", "virtual"] = "auto"
        expected_bucket_owner: str | None = Field(default=None, pattern=r"^\d{12}$")

        @field_validator("region", "endpoint_url", "expected_bucket_owner", mode="before")
        @classmethod
        def _empty_is_unset(cls, value: object) -> object:
            return None if value == "" else value

        @field_validator("endpoint_url")
        @classmethod
        def _plain_url(cls, value: str | None) -> str | None:
            if value is not None and not re.fullmatch(r"https?://[^/@\s?#]+(/[^@\s?#]*)?", value):
                raise ValueError("expected http(s)://host[:port], without user, password or query")
            return value

        @field_validator("prefix")
        @classmethod
        def _whole_segments(cls, value: str) -> str:
            inner = value.strip("/")
            if any(segment in ("", ".", "..") for segment in inner.split("/")) and inner:
                raise ValueError("expected a path like `data/public`, without empty, `.` or `..` segments")
            return f"{inner}/" if inner else ""

    def __init__(self, name: str, options: Options) -> None:
        self._name = name
        self._options = options
        self._prefix = options.prefix
        self._bucket: dict[str, str] = {"Bucket": options.bucket}
        if options.expected_bucket_owner:
            self._bucket["ExpectedBucketOwner"] = options.expected_bucket_owner
        style = options.addressing_style
        # Stores that are not AWS rarely have a DNS name for each bucket.
        if style == "auto" and options.endpoint_url is not None:
            style = "path"
        self._settings = Settings("s3", options.region, options.endpoint_url, style, self.concurrency)
        self._clock = StoreClock()
        self._client = AwsClient(self._settings, clock=self._clock)
        self._quick = QuickBucket.where_simple(
            options.bucket,
            options.region,
            options.endpoint_url,
            path_style=style == "path",
            owner=options.expected_bucket_owner,
            environment=os.environ,
            clock=self._clock,
        )

    @property
    def name(self) -> str:
        """Return the name the settings give this target."""
        return self._name

    @property
    def concurrency(self) -> int:
        """Return how many writes at once serve S3 best: 32, measured at 40 ms a request; 64 is no faster."""
        return 32

    @property
    def key_prefix(self) -> str:
        """Return what stands before every key in the bucket: empty, or a path that ends in a slash."""
        return self._prefix

    def warm(self) -> None:
        """Import and build the client now; for a thread that has nothing better to do. Raises as any call would."""
        with self._explained("ListObjectsV2"):
            self._client.build()

    def requests(self) -> Mapping[str, int]:
        """Return how many requests were sent so far by method, retries included."""
        quick = self._quick.requests() if self._quick else {}
        return {method: count + quick.get(method, 0) for method, count in self._client.requests().items()}

    def now(self) -> datetime:
        """Return the store's time, as its last answer had it; asks where there was none yet."""
        if self._clock.now() is None:
            self._head(MANIFEST)
        told = self._clock.now()
        if told is None:
            advice = "ask its maker: every HTTP server with a clock must send one"
            raise TargetError(f"{self._place()}: the store sends no Date header", advice=advice)
        return told

    def listing(self) -> Mapping[str, Stored]:
        """Return every object below the prefix, 1,000 a request."""
        quick = self._quick.listing(self._prefix) if self._quick else None
        if quick is not None:
            return {key: stored for item in quick for key, stored in self._listed(item)}
        found: dict[str, Stored] = {}
        page: dict[str, Any] = {"Prefix": self._prefix, "MaxKeys": 1000}
        while True:
            with self._explained("ListObjectsV2"):
                answer = self._client.build().list_objects_v2(**self._bucket, **page)
            found.update(pair for item in answer.get("Contents", ()) for pair in self._listed(item))
            if not answer.get("IsTruncated"):
                return found
            page["ContinuationToken"] = answer["NextContinuationToken"]

    def _listed(self, item: Mapping[str, Any]) -> Iterator[tuple[str, Stored]]:
        key = item["Key"].removeprefix(self._prefix)
        if key and not key.endswith("/"):  # consoles make "folders": empty objects that no engine reads
            yield key, Stored(size=item["Size"], etag=_etag(item))

    def stat(self, key: str) -> Stored | None:
        """Return size, ETag and version of one object, or None."""
        head = self._head(key)
        return None if head is None else _stored(head)

    def history(self, key: str) -> tuple[str, ...]:
        """Return the version ids of all states of one object that the bucket keeps, the newest first."""
        return tuple(state.version_id for state in self.past(key) if state.key == key and not state.deleted)

    def past(self, prefix: str) -> tuple[Past, ...]:
        """Return every state that the bucket keeps of objects whose key begins so, by key, the newest first."""
        with self._explained("ListObjectVersions"):
            pages = self._client.build().get_paginator("list_object_versions")
            return gathered(pages.paginate(**self._bucket, Prefix=self._prefix + prefix), self._prefix, self._place())

    def forget(self, key: str, version_id: str) -> None:
        """Remove one version of an object for good; fine when it is gone."""
        with self._explained("DeleteObjectVersion", key):
            self._client.build().delete_object(**self._bucket, Key=self._prefix + key, VersionId=version_id)

    def read(self, key: str, *, max_bytes: int, version_id: str | None = None) -> Blob | None:
        """Return one small object whole, as it is or was, or None. Raises TargetError beyond `max_bytes`."""
        for attempt in range(1, _READ_ATTEMPTS + 1):
            try:
                return self._read(key, max_bytes, version_id)
            except TargetError as err:
                if not err.retryable or attempt == _READ_ATTEMPTS:
                    raise
                pause(attempt)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def put(self, upload: Upload) -> Stored:
        """Store an artifact's bytes, hashed again on their way, if the object is still `planned_etag`."""
        artifact = upload.artifact
        place = self._place(artifact.key)
        if artifact.size > MAX_PUT_BYTES:
            advice = "refuse such a file with max_bytes"
            raise TargetError(f"{place}: {artifact.size} bytes are more than S3 takes in one put", advice=advice)

        def error(message: str) -> TargetError:
            return TargetError(f"{place}: {message}", advice="nothing was stored: run again")

        def parcel(body: bytes | VerifiedReader) -> _Parcel:
            headers = _headers(artifact.sha256, artifact.content_type, artifact.cache_control, upload.metadata)
            return _Parcel(artifact.key, body, headers, artifact.size, artifact.md5, artifact.sha256)

        size, sha256 = artifact.size, artifact.sha256
        if size <= SMALL_BYTES:
            # Bytes travel in one piece with their headers; a file would cost a round trip for `Expect: 100-continue`.
            small = read_verified(artifact.path, size=size, sha256=sha256, error=error)
            return self._put(parcel(small), upload.planned_etag, same_is_done=True)
        with VerifiedReader(artifact.path, size=size, sha256=sha256, error=error) as large:
            try:
                return self._put(parcel(large), upload.planned_etag, same_is_done=True)
            except TargetError as err:
                if large.failure is not None:  # botocore wraps what a body raises while it is sent
                    raise large.failure from err
                raise

    def write(self, key: str, body: bytes, *, content_type: str, cache_control: str, if_etag: str | None) -> Stored:
        """Store a small object of hubdata's own if its ETag is `if_etag` (None: if there is none)."""
        sha256 = hashlib.sha256(body).hexdigest()
        md5 = hashlib.md5(body, usedforsecurity=False).hexdigest()
        parcel = _Parcel(key, body, _headers(sha256, content_type, cache_control), len(body), md5, sha256)
        return self._put(parcel, if_etag, same_is_done=False)

    def delete(self, key: str, *, if_etag: str | None = None) -> None:
        """Remove one object; fine when it is gone. Raises Conflict when its ETag is not `if_etag`, if given."""
        condition = {} if if_etag is None else {"IfMatch": if_etag}
        try:
            with self._explained("DeleteObject", key):
                self._client.build().delete_object(**self._bucket, Key=self._prefix + key, **condition)
        except TargetError as err:
            cause = err.__cause__
            if isinstance(cause, Exception) and failure_code(cause) != "NoSuchBucket":
                if failure_status(cause) == 404:
                    return
                if failure_status(cause) == 412:
                    raise self._conflict(key, if_etag) from cause
            raise

    def _put(self, parcel: _Parcel, planned_etag: str | None, *, same_is_done: bool) -> Stored:
        """Put once, with the 409s waited out; `same_is_done` takes equal bytes at the key for success."""
        condition = {"IfNoneMatch": "*"} if planned_etag is None else {"IfMatch": planned_etag}
        key = self._prefix + parcel.key
        for attempt in range(1, _BUSY_ATTEMPTS + 1):
            try:
                with self._explained("PutObject", parcel.key):
                    s3 = self._client.build()
                    answer = s3.put_object(**self._bucket, Key=key, Body=parcel.body, **parcel.headers, **condition)
                return self._confirmed(parcel, answer)
            except TargetError as err:
                cause = err.__cause__
                if not isinstance(cause, Exception) or failure_code(cause) == "NoSuchBucket":
                    raise
                status = failure_status(cause)
                if status == 409 and attempt < _BUSY_ATTEMPTS:
                    pause(attempt)
                    if isinstance(parcel.body, VerifiedReader):
                        parcel.body.seek(0)
                    continue
                if status not in (404, 409, 412):
                    raise
                # The first answer may have been lost and the retry met our own object: then all is well.
                mine = self._same(parcel)
                if mine is not None and (same_is_done or was_retried(cause) or attempt > 1):
                    return mine
                raise self._conflict(parcel.key, planned_etag) from cause
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _confirmed(self, parcel: _Parcel, answer: Mapping[str, Any]) -> Stored:
        etag = _etag(answer)
        if _is_md5(etag, answer) and etag != parcel.md5:
            raise TargetError(
                f"{self._place(parcel.key)}: expected ETag {parcel.md5}, the store answered {etag}",
                advice="the store keeps other bytes than were sent: do not trust it with data, and tell its maker",
            )
        return Stored(size=parcel.size, etag=etag, version_id=answer.get("VersionId"))

    def _same(self, parcel: _Parcel) -> Stored | None:
        """Return what the store holds if it is exactly these bytes."""
        head = self._head(parcel.key)
        if head is None or _size(head) != parcel.size:
            return None
        etag = _etag(head)
        known = _is_md5(etag, head)
        same = etag == parcel.md5 if known else head.get("Metadata", {}).get("sha256") == parcel.sha256
        return _stored(head) if same else None

    def _head(self, key: str) -> Mapping[str, Any] | None:
        try:
            with self._explained("HeadObject", key):
                head: Mapping[str, Any] = self._client.build().head_object(**self._bucket, Key=self._prefix + key)
                return head
        except TargetError as err:
            if isinstance(err.__cause__, Exception) and failure_status(err.__cause__) == 404:
                return None
            raise

    def _read(self, key: str, max_bytes: int, version_id: str | None) -> Blob | None:
        past = {} if version_id is None else {"VersionId": version_id}
        quick = self._quick.get(self._prefix + key, max_bytes=max_bytes) if self._quick and not past else None
        if quick is not None:
            return None if quick.status == 404 else self._blob(key, quick.body, quick.answer)
        try:
            with self._explained("GetObject", key):
                answer = self._client.build().get_object(**self._bucket, Key=self._prefix + key, **past)
                with closing(answer["Body"]) as stream:
                    if _size(answer) > max_bytes:
                        self._refuse_size(key, _size(answer), max_bytes)
                    body: bytes = stream.read()
        except TargetError as err:
            cause = err.__cause__
            if isinstance(cause, Exception) and failure_status(cause) == 404 and failure_code(cause) != "NoSuchBucket":
                return None
            raise
        return self._blob(key, body, answer)

    def _blob(self, key: str, body: bytes, answer: Mapping[str, Any]) -> Blob:
        stored = _stored(answer)
        if _is_md5(stored.etag, answer) and hashlib.md5(body, usedforsecurity=False).hexdigest() != stored.etag:
            advice = "the bytes changed on their way: run again"
            raise TargetError(f"{self._place(key)}: its bytes do not match its ETag", advice=advice, retryable=True)
        return Blob(body, stored)

    def _refuse_size(self, key: str, size: int, max_bytes: int) -> None:
        raise TargetError(
            f"{self._place(key)}: expected at most {max_bytes} bytes, found {size}",
            advice="somebody else wrote it: restore the last good version, or remove it",
        )

    def _conflict(self, key: str, planned_etag: str | None) -> Conflict:
        expected = "no object" if planned_etag is None else f"ETag {planned_etag}"
        message = f"{self._place(key)}: expected {expected}, but somebody else wrote meanwhile"
        return Conflict(message, advice="run again: the next plan starts from what is there now", retryable=True)

    def _place(self, key: str = "") -> str:
        return f"s3://{self._options.bucket}/{self._prefix}{key}".rstrip("/")

    def _explained(self, operation: str, key: str | None = None) -> AbstractContextManager[None]:
        resource = f"arn:aws:s3:::{self._options.bucket}" + ("" if key is None else f"/{self._prefix}*")
        place = self._place(key or "")
        return translated(_target_error, Call(operation, place, _PERMISSIONS[operation], resource, self._settings))


def _target_error(trouble: Trouble) -> TargetError:
    return TargetError(trouble.message, advice=trouble.advice, retryable=trouble.retryable)


def _headers(
    sha256: str, content_type: str, cache_control: str, metadata: Mapping[str, str] = MappingProxyType({})
) -> Mapping[str, Any]:
    headers: dict[str, Any] = {
        "ChecksumSHA256": base64.b64encode(bytes.fromhex(sha256)).decode(),
        "ContentType": content_type,
        "Metadata": {"sha256": sha256, **metadata},
    }
    return headers | {"CacheControl": cache_control} if cache_control else headers


def _etag(answer: Mapping[str, Any]) -> str:
    etag = str(answer.get("ETag", ""))
    if not whole_etag(etag):
        raise TargetError("the store answered without an ETag: it is not S3", advice="check `endpoint_url`")
    return etag.strip('"')


def _size(answer: Mapping[str, Any]) -> int:
    if "ContentLength" not in answer:
        raise TargetError("the store did not say how long an object is: it is not S3", advice="check `endpoint_url`")
    return int(answer["ContentLength"])


def _is_md5(etag: str, answer: Mapping[str, Any]) -> bool:
    """Tell whether the ETag is the bytes' MD5: not for multipart objects, nor under KMS or customer keys."""
    encrypted = str(answer.get("ServerSideEncryption", "")).startswith("aws:kms") or "SSECustomerAlgorithm" in answer
    return not encrypted and _MD5.fullmatch(etag) is not None


def _stored(answer: Mapping[str, Any]) -> Stored:
    return Stored(_size(answer), _etag(answer), answer.get("VersionId"))
