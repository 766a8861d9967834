"""An S3 bucket as a conditional store: AWS itself, or anything that speaks its protocol.

Every write is one PutObject with If-None-Match or If-Match on the ETag the plan was made against, and with the
SHA-256 of the whole object, so that neither a race nor a broken line stores what was not checked. A single put also
keeps ETag = MD5, which is how an unchanged object is recognised without reading it; only what is too large for one
goes in parts. No ACL is sent: buckets behind CloudFront's origin access control refuse them.

The body is signed as well, over TLS too: stores that ignore checksum headers still compare the signed SHA-256.
"""

import hashlib
import os
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from typing import Any

from hubdata.errors import TargetError
from hubdata.model.inventory import Past, Stored
from hubdata.model.manifest import KEY as MANIFEST
from hubdata.ports import Blob, Sink, Upload
from hubdata.targets.s3 import abilities
from hubdata.targets.s3.abilities import Abilities
from hubdata.targets.s3.bucket import Bucket, refused
from hubdata.targets.s3.objects import Parcel, etag_of, is_md5, size_of, stored_of
from hubdata.targets.s3.options import S3Options
from hubdata.targets.s3.retrieving import retrieved
from hubdata.targets.s3.writing import Writer
from hubdata.transfer.aws import Settings, pause
from hubdata.transfer.digest import SMALL_BYTES, VerifiedReader, read_verified
from hubdata.transfer.s3_quick import Declined, QuickBucket, at_once
from hubdata.transfer.s3_versions import gathered
from hubdata.transfer.store_clock import StoreClock

_READ_ATTEMPTS = 3  # of a body that breaks off: botocore retries only up to the headers
_RECORD_MAX_BYTES = 64 * 1024
_CONNECTIONS = 32
_OWN_ENDPOINTS = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3")


class S3Target:
    """One bucket, or one prefix of it."""

    Options = S3Options

    def __init__(self, name: str, options: S3Options) -> None:
        self._name = name
        style = options.addressing_style
        # Stores that are not AWS rarely have a DNS name for each bucket.
        if style == "auto" and options.endpoint_url is not None:
            style = "path"
        self._settings = Settings("s3", options.region, options.endpoint_url, style, _CONNECTIONS)
        self._clock = StoreClock()
        self._quick = QuickBucket.where_simple(
            options.bucket,
            options.region,
            options.endpoint_url,
            path_style=style == "path",
            owner=options.expected_bucket_owner,
            environment=os.environ,
            clock=self._clock,
        )
        place = (options.bucket, options.prefix, options.expected_bucket_owner)
        self._bucket = Bucket(*place, self._settings, clock=self._clock, quick=self._quick)
        self._writer = Writer(self._bucket, multipart_over_bytes=options.multipart_over_bytes)
        self._multipart_over_bytes = options.multipart_over_bytes
        self._probed = options.endpoint_url is None and not any(map(os.environ.get, _OWN_ENDPOINTS))
        self._record: str | None = None
        self._looked = False

    @property
    def name(self) -> str:
        """Return the name the settings give this target."""
        return self._name

    @property
    def concurrency(self) -> int:
        """Return how many writes at once serve this store best.

        Through botocore 32, measured at 40 ms a request: 64 are no faster, for each costs it much CPU. The quick way as
        many as the time that answers took so far is worth.
        """
        quick = self._quick
        if quick is None or quick.given_up or quick.fastest_s is None:
            return _CONNECTIONS
        return at_once(quick.fastest_s)

    @property
    def key_prefix(self) -> str:
        """Return what stands before every key in the bucket: empty, or a path that ends in a slash."""
        return self._bucket.prefix

    def reach(self, connections: int) -> None:
        """Begin to have so many connections at hand; botocore makes its own when it is asked."""
        if self._quick is not None and not self._quick.given_up:
            self._quick.reach(connections)

    def requests(self) -> Mapping[str, int]:
        """Return how many requests were sent so far by method, retries included."""
        quick = self._quick.requests() if self._quick else {}
        return {method: count + quick.get(method, 0) for method, count in self._bucket.client.requests().items()}

    def now(self) -> datetime:
        """Return the store's time, as its last answer had it; asks where there was none yet."""
        if self._clock.now() is None:
            self._bucket.head(MANIFEST)
        told = self._clock.now()
        if told is None:
            advice = "ask its maker: every HTTP server with a clock must send one"
            raise TargetError(f"{self._bucket.place()}: the store sends no Date header", advice=advice)
        return told

    def listing(self) -> Mapping[str, Stored]:
        """Return every object below the prefix, 1,000 a request."""
        found = self._listed_quickly()
        if found is None:
            found = self._listed_by_botocore()
        self._looked = True  # whether a record of what the store enforces lies there is known
        return found

    def _listed_by_botocore(self) -> dict[str, Stored]:
        found: dict[str, Stored] = {}
        page: dict[str, Any] = {"Prefix": self._bucket.prefix, "MaxKeys": 1000}
        while True:
            with self._bucket.explained("ListObjectsV2"):
                answer = self._bucket.client.build().list_objects_v2(**self._bucket.names, **page)
            for item in answer.get("Contents", ()):
                self._note(found, item["Key"], item["Size"], etag_of(item))
            if not answer.get("IsTruncated"):
                return found
            page["ContinuationToken"] = answer["NextContinuationToken"]

    def _listed_quickly(self) -> dict[str, Stored] | None:
        if self._quick is None:
            return None
        found: dict[str, Stored] = {}
        for page in self._quick.pages(self._bucket.prefix):
            if isinstance(page, Declined):
                return None
            for key, size, etag in page:
                self._note(found, key, size, etag)
        return found

    def _note(self, found: dict[str, Stored], whole_key: str, size: int, etag: str) -> None:
        """Put one listed object into `found`."""
        key = whole_key.removeprefix(self._bucket.prefix)
        if key and not key.endswith("/"):  # consoles make "folders": empty objects that no engine reads
            found[key] = Stored(size, etag)
            if key == abilities.KEY:
                self._record = etag

    def stat(self, key: str) -> Stored | None:
        """Return size, ETag and version of one object, or None."""
        head = self._bucket.head(key)
        return None if head is None else stored_of(head)

    def history(self, key: str) -> tuple[str, ...]:
        """Return the version ids of all states of one object that the bucket keeps, the newest first."""
        return tuple(state.version_id for state in self.past(key) if state.key == key and not state.deleted)

    def past(self, prefix: str) -> tuple[Past, ...]:
        """Return every state that the bucket keeps of objects whose key begins so, by key, the newest first."""
        with self._bucket.explained("ListObjectVersions"):
            pages = self._bucket.client.build().get_paginator("list_object_versions")
            return gathered(
                pages.paginate(**self._bucket.names, Prefix=self._bucket.prefix + prefix),
                self._bucket.prefix,
                self._bucket.place(),
            )

    def retrieve(self, key: str, state: Stored, into: Sink) -> bool:
        """Write the bytes that an object had in `state`; False when the bucket has them no more."""
        return retrieved(self._bucket, key, state, into)

    def forget(self, key: str, version_id: str) -> None:
        """Remove one version of an object for good; fine when it is gone."""
        with self._bucket.explained("DeleteObjectVersion", key):
            self._bucket.client.build().delete_object(**self._bucket.key(key), VersionId=version_id)

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

        def error(message: str) -> TargetError:
            place = self._bucket.place(artifact.key)
            return TargetError(f"{place}: {message}", advice="nothing was stored: run again")

        def parcel(body: bytes | VerifiedReader) -> Parcel:
            sums, served = (artifact.md5, artifact.sha256), (artifact.content_type, artifact.cache_control)
            return Parcel(artifact.key, body, artifact.size, *sums, *served, upload.metadata)

        size, sha256 = artifact.size, artifact.sha256
        if size <= min(SMALL_BYTES, self._multipart_over_bytes):
            # Bytes travel in one piece with their headers; a file would cost a round trip for `Expect: 100-continue`.
            small = read_verified(artifact.path, size=size, sha256=sha256, error=error)
            return self._writer.put(parcel(small), upload.planned_etag, same_is_done=True)
        with VerifiedReader(artifact.path, size=size, sha256=sha256, error=error) as large:
            try:
                return self._writer.put(parcel(large), upload.planned_etag, same_is_done=True)
            except TargetError as err:
                if (
                    large.failure is not None and large.failure is not err
                ):  # botocore wraps what a body raises while it is sent
                    raise large.failure from err
                raise

    def write(self, key: str, body: bytes, *, content_type: str, cache_control: str, if_etag: str | None) -> Stored:
        """Store a small object of hubdata's own if its ETag is `if_etag` (None: if there is none)."""
        sha256 = hashlib.sha256(body).hexdigest()
        md5 = hashlib.md5(body, usedforsecurity=False).hexdigest()
        parcel = Parcel(key, body, len(body), md5, sha256, content_type, cache_control)
        return self._writer.put(parcel, if_etag, same_is_done=False)

    def delete(self, key: str, *, if_etag: str | None = None) -> None:
        """Remove one object; fine when it is gone. Raises Conflict when its ETag is not `if_etag`, if given."""
        self._writer.delete(key, if_etag)

    def probe(self) -> None:
        """Find out what the store enforces before anything is written: once for a store, then it is known there.

        AWS is known to enforce everything. Raises TargetError when it cannot be found out.
        """
        if self._probed:
            return
        known = Abilities.of_etag(self._record) if self._record else None
        if known is None and not (self._looked and self._record is None):
            known = self._recorded()
        if known is None:
            from hubdata.targets.s3.probe import probe

            known = probe(self._bucket, self._keep, self._recorded)
        self._writer.abilities = known
        self._probed = True

    def without(self) -> tuple[str, ...]:
        """Return what runs at this store do without, as far as it was probed: a line each, for a person."""
        return self._writer.abilities.without()

    def _recorded(self) -> Abilities | None:
        blob = self.read(abilities.KEY, max_bytes=_RECORD_MAX_BYTES)
        return None if blob is None else Abilities.from_bytes(blob.body)

    def _keep(self, able: Abilities, body: bytes, etag: str | None) -> None:
        self._writer.abilities = able
        planned = etag if able.replaces else self._now_at(abilities.KEY)
        self.write(
            abilities.KEY, body, content_type="application/json", cache_control="private, no-store", if_etag=planned
        )

    def _now_at(self, key: str) -> str | None:
        held = self.stat(key)
        return None if held is None else held.etag

    def _read(self, key: str, max_bytes: int, version_id: str | None) -> Blob | None:
        past = {} if version_id is None else {"VersionId": version_id}
        quick = self._quick.get(self._bucket.prefix + key, max_bytes=max_bytes) if self._quick and not past else None
        if quick is not None:
            return None if quick.status == 404 else self._blob(key, quick.body, quick.answer)
        try:
            with self._bucket.explained("GetObject", key):
                answer = self._bucket.client.build().get_object(**self._bucket.key(key), **past)
                with closing(answer["Body"]) as stream:
                    if size_of(answer) > max_bytes:
                        self._refuse_size(key, size_of(answer), max_bytes)
                    body: bytes = stream.read()
        except TargetError as err:
            if refused(err) == 404:
                return None
            raise
        return self._blob(key, body, answer)

    def _blob(self, key: str, body: bytes, answer: Mapping[str, Any]) -> Blob:
        stored = stored_of(answer)
        if is_md5(stored.etag, answer) and hashlib.md5(body, usedforsecurity=False).hexdigest() != stored.etag:
            advice = "the bytes changed on their way: run again"
            raise TargetError(
                f"{self._bucket.place(key)}: its bytes do not match its ETag", advice=advice, retryable=True
            )
        return Blob(body, stored)

    def _refuse_size(self, key: str, size: int, max_bytes: int) -> None:
        raise TargetError(
            f"{self._bucket.place(key)}: expected at most {max_bytes} bytes, found {size}",
            advice="somebody else wrote it: restore the last good version, or remove it",
        )
