"""Whether a target answers, what it lets us do, and what it keeps and enforces: S3 in detail, others by their port.

Looks only, unless it is told to write: then one throw-away object is written, written again, and removed, where the
records of runs lie, because even a publisher that never prunes may delete there. Runs take no notice of it.
"""

import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hubdata.doctor.catalogue import About
from hubdata.doctor.machine import nearest
from hubdata.doctor.skew import clock
from hubdata.errors import Conflict, HubdataError, TargetError
from hubdata.model import manifest as manifests
from hubdata.model.checkup import Check
from hubdata.model.key import PRIVATE
from hubdata.ports import Archive, Target
from hubdata.targets.s3 import abilities
from hubdata.targets.s3.abilities import Abilities
from hubdata.targets.s3.bucket import Bucket, refused
from hubdata.targets.s3.options import S3Options
from hubdata.transfer.aws import Settings
from hubdata.transfer.store_clock import StoreClock

_BODY = b'{"doctor": true}\n'
_HEADERS: Mapping[str, Any] = {"ContentType": "application/json", "CacheControl": "private, no-store"}
_WRONG_ETAG = '"' + "0" * 32 + '"'
_WRONG_CHECKSUM = "A" * 43 + "="
_MAX_RECORD = 64 * 1024
_NOT_TRIED = "not tried: it would have to be written to"
_TRY = "`hubdata doctor --write` tries it with a throw-away object"


class S3Store:
    """One bucket, asked once and in haste."""

    def __init__(self, name: str, options: S3Options) -> None:
        style = options.addressing_style
        if style == "auto" and options.endpoint_url is not None:
            style = "path"
        self._name = name
        self._clock = StoreClock()
        self._region = options.region
        self._aws = options.endpoint_url is None and not any(
            map(os.environ.get, ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"))
        )
        settings = Settings("s3", options.region, options.endpoint_url, style, 4, hasty=True)
        place = (options.bucket, options.prefix, options.expected_bucket_owner)
        self._bucket = Bucket(*place, settings, clock=self._clock)

    def look(self, *, write: bool) -> Iterator[Check]:
        """Yield all that can be said of the bucket; where it cannot be listed, that and the clock alone."""
        store, read = About("store", self._name), About("read", self._name)
        try:
            client, bucket = self._bucket.client.build(), self._bucket
            with bucket.explained("ListObjectsV2"):
                answer = client.list_objects_v2(**bucket.names, Prefix=bucket.prefix, MaxKeys=1)
        except TargetError as err:
            denied = refused(err) == 403
            yield from self._time()
            if denied:
                yield store.ok(f"{bucket.place()} answers")
            yield (read if denied else store).fail(str(err), err.advice)
            return
        yield from self._time()
        yield self._place(store, answer)
        head = yield from self._reading(read)
        if write:
            head = (yield from self._trial()) or head
        else:
            yield About("write", self._name).skipped(_NOT_TRIED, _TRY)
            yield from self._known()
        yield self._keeping(head)

    def _time(self) -> Iterator[Check]:
        there = self._clock.now()
        if there is not None:
            yield clock(f"store {self._name}", datetime.now(UTC), there)

    def _place(self, about: About, answer: Mapping[str, Any]) -> Check:
        headers = answer["ResponseMetadata"].get("HTTPHeaders", {})
        region = str(headers.get("x-amz-bucket-region", ""))
        place = self._bucket.place()
        if self._region and region and region != self._region:
            advice = f'set region = "{region}" for this target: each request is sent twice otherwise'
            return about.warn(f"{place} is in {region}, and the settings say {self._region}", advice)
        return about.ok(f"{place} answers" + (f" in {region}" if region else ""))

    def _reading(self, about: About) -> "Iterator[Check] | Any":
        """Yield whether objects can be read; return what the store says of the manifest, None where there is none."""
        try:
            head = self._bucket.head(manifests.KEY)
        except TargetError as err:
            yield about.fail(str(err), err.advice)
            return None
        yield about.ok("may list and read" + ("" if head else "; nothing is published here yet"))
        return head

    def _keeping(self, head: Mapping[str, Any] | None) -> Check:
        about = About("versions", self._name)
        advice = "switch versioning on for the bucket: without it nothing can be gone back to"
        if head is not None:
            if head.get("VersionId", "null") == "null":
                return about.warn("the bucket keeps no versions", advice)
            return self._archive(about)
        bucket = self._bucket
        try:
            with bucket.explained("ListObjectVersions"):
                answer = bucket.client.build().get_bucket_versioning(**bucket.names)
        except TargetError as err:
            why = "this login may not ask (s3:GetBucketVersioning)" if refused(err) == 403 else "the store does not say"
            return about.skipped(f"nothing is published yet, and {why}", "look again after the first publication")
        on = answer.get("Status") == "Enabled"
        return self._archive(about) if on else about.warn("the bucket keeps no versions", advice)

    def _archive(self, about: About) -> Check:
        """Return whether the versions that are kept may be listed by this login."""
        bucket = self._bucket
        try:
            with bucket.explained("ListObjectVersions"):
                bucket.client.build().list_object_versions(**bucket.names, Prefix=bucket.prefix, MaxKeys=1)
        except TargetError as err:
            if refused(err) != 403:
                raise
            return about.warn("versioning is on, but this login may not list versions: no rollback by it", err.advice)
        return about.ok("versioning is on")

    def _known(self) -> Iterator[Check]:
        """Yield what the store enforces, as far as that is known without writing."""
        conditions, checksums = About("conditions", self._name), About("checksums", self._name)
        if self._aws:
            yield conditions.ok("AWS enforces If-Match and If-None-Match")
            yield checksums.ok("AWS compares SHA-256 checksums")
            return
        able = self._recorded()
        if able is None:
            yield conditions.skipped(_NOT_TRIED, f"{_TRY}; so does the first run")
            yield checksums.skipped(_NOT_TRIED, f"{_TRY}; so does the first run")
            return
        yield _told(conditions, able.creates and able.replaces, able)
        yield _told(checksums, able.checksums, able)

    def _recorded(self) -> Abilities | None:
        bucket = self._bucket
        try:
            with bucket.explained("GetObject", abilities.KEY):
                answer = bucket.client.build().get_object(**bucket.key(abilities.KEY))
                with answer["Body"] as stream:
                    return Abilities.from_bytes(stream.read(_MAX_RECORD))
        except TargetError:
            return None

    def _trial(self) -> "Iterator[Check] | Any":
        """Write, write again as nobody may, and remove: yield what was allowed, and what was refused as it must be.

        Return what the store said of the object, None when it took none.
        """
        key = f"{PRIVATE}runs/doctor-{secrets.token_hex(6)}"
        write, bucket = About("write", self._name), self._bucket
        put = bucket.client.build().put_object
        try:
            with bucket.explained("PutObject", key):
                stored = put(**bucket.key(key), Body=_BODY, **_HEADERS)
        except TargetError as err:
            yield write.fail(str(err), err.advice)
            return None
        try:
            yield self._refuses(
                About("conditions", self._name),
                {
                    "If-None-Match": lambda: put(**bucket.key(key), Body=_BODY, **_HEADERS, IfNoneMatch="*"),
                    "If-Match": lambda: put(**bucket.key(key), Body=_BODY, **_HEADERS, IfMatch=_WRONG_ETAG),
                },
                key,
                "writes over what somebody else wrote are refused",
            )
            yield self._refuses(
                About("checksums", self._name),
                {
                    "x-amz-checksum-sha256": lambda: put(
                        **bucket.key(key), Body=_BODY, **_HEADERS, ChecksumSHA256=_WRONG_CHECKSUM
                    )
                },
                key,
                "bytes that changed on their way are refused",
            )
        finally:
            yield self._removed(write, key)
        return stored

    def _removed(self, write: About, key: str) -> Check:
        bucket = self._bucket
        try:
            with bucket.explained("DeleteObject", key):
                bucket.client.build().delete_object(**bucket.key(key))
        except TargetError as err:
            return write.warn(f"it may be written to, but {key} could not be removed: {err}", err.advice)
        return write.ok("may write, and delete below .hubdata/runs/ (tried)")

    def _refuses(self, about: About, calls: Mapping[str, Callable[[], object]], key: str, well: str) -> Check:
        """Return whether the store refuses all of `calls`, as it must."""
        through = [
            header for header, call in calls.items() if self._status("PutObject", key, call) not in (400, 404, 409, 412)
        ]
        if not through:
            return about.ok(well)
        return about.warn(
            f"the store does not enforce {' nor '.join(through)}",
            "hubdata looks right before each write instead, and only its lease keeps two runs apart",
        )

    def _status(self, operation: str, key: str, call: Callable[[], object]) -> int:
        """Return the HTTP status of the answer. Raises TargetError where it says nothing about what was asked."""
        try:
            with self._bucket.explained(operation, key):
                call()
        except TargetError as err:
            status = refused(err)
            if status in (400, 404, 409, 412, 501):
                return status
            raise
        return 200


def _told(about: About, able: bool, abilities_: Abilities) -> Check:
    if able:
        return about.ok("enforced, as was tried by an earlier run")
    return about.warn("; ".join(abilities_.without()), "a run does without; a store that enforces it is safer")


def directory(name: str, path: Path, target: Target, *, write: bool) -> Iterator[Check]:
    """Yield what can be said of a directory that is published into; it need not be there yet."""
    store = About("store", name)
    try:
        there = nearest(path)
    except OSError as err:
        yield store.fail(f"{path}: {err.strerror or err}", "let hubdata's user look and write there")
        return
    if not there.is_dir():
        yield store.fail(f"{there} is not a directory", "correct `path`, or move that file away")
        return
    if not os.access(there, os.W_OK | os.X_OK):
        yield store.fail(f"{there} cannot be written to by this user", "let hubdata's user write there")
        return
    yield store.ok(str(path) if there == path else f"{path} (it will be made)")
    yield from by_port(name, target, write=write, told=True)


def by_port(name: str, target: Target, *, write: bool, told: bool = False) -> Iterator[Check]:
    """Yield what any target can be asked by its port. `told` tells that its being there has been said already."""
    held = target.stat(manifests.KEY)
    if not told:
        yield About("store", name).ok("it answers")
    yield About("read", name).ok("may read" + ("" if held else "; nothing is published here yet"))
    versions = About("versions", name)
    if isinstance(target, Archive):
        yield versions.ok("it keeps what was published")
    else:
        yield versions.warn("it keeps no past: nothing can be gone back to", "publish to another target as well")
    if not write:
        yield About("write", name).skipped(_NOT_TRIED, _TRY)
        return
    key = f"{PRIVATE}runs/doctor-{secrets.token_hex(6)}"
    put = {"content_type": "application/json", "cache_control": "private, no-store"}
    stored = target.write(key, _BODY, **put, if_etag=None)
    conditions = About("conditions", name)
    try:
        target.write(key, _BODY + b"\n", **put, if_etag=None)
        yield conditions.warn("it lets a write go over what somebody else wrote", "let one run at a time publish there")
    except Conflict:
        yield conditions.ok("writes over what somebody else wrote are refused")
    try:
        held = target.stat(key)
        target.delete(key, if_etag=held.etag if held else stored.etag)
    except HubdataError as err:
        yield About("write", name).warn(f"it may be written to, but {key} could not be removed: {err}", err.advice)
    else:
        yield About("write", name).ok("may write and delete (tried)")
