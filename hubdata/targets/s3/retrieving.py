"""Fetch what an object once was, by the version that a manifest names, or by its ETag where it names none.

A manifest knows no version of objects that were in the bucket before hubdata, and a version that has expired may have
had the bytes of one that has not. So where a version is gone, the store is asked which of them have that ETag.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

from hubdata.errors import TargetError
from hubdata.model.inventory import Stored
from hubdata.ports import Sink
from hubdata.targets.s3.bucket import Bucket
from hubdata.targets.s3.objects import size_of
from hubdata.transfer.aws import failure_code, failure_status, pause

_ATTEMPTS = 3  # of a body that breaks off: botocore retries only up to the headers
_CHUNK = 1 << 20
_MOST_LOOKED_AT = 10_000
_GONE = frozenset({"NoSuchKey", "NoSuchVersion", "MethodNotAllowed", "InvalidArgument", "InvalidVersion"})
"""No such version, a deletion, or an id of another bucket's making."""


def retrieved(bucket: Bucket, key: str, state: Stored, into: Sink) -> bool:
    """Write the bytes of `state`; False when no version has them. Raises TargetError for trouble."""
    if state.version_id is not None and _got(bucket, key, state.version_id, state, into):
        return True
    same = (version_id for version_id in _with_etag(bucket, key, state) if version_id != state.version_id)
    return any(_got(bucket, key, version_id, state, into) for version_id in same)


def _with_etag(bucket: Bucket, key: str, state: Stored) -> Iterator[str]:
    """Return the versions with the ETag and size of `state`, the newest first, of as many as are looked at."""
    looked_at = 0
    with bucket.explained("ListObjectVersions"):
        pages = bucket.client.build().get_paginator("list_object_versions")
        for page in pages.paginate(**bucket.names, Prefix=bucket.prefix + key):
            for item in page.get("Versions", ()):
                looked_at += 1
                if item["Key"] != bucket.prefix + key or looked_at > _MOST_LOOKED_AT:
                    return
                if item["Size"] == state.size and str(item["ETag"]).strip('"') == state.etag:
                    yield str(item["VersionId"])


def _got(bucket: Bucket, key: str, version_id: str, state: Stored, into: Sink) -> bool:
    for attempt in range(1, _ATTEMPTS + 1):
        into.begin()
        try:
            with bucket.explained("GetObjectVersion", key):
                answer = bucket.client.build().get_object(**bucket.key(key), VersionId=version_id)
                return _copied(answer, state, into)
        except TargetError as err:
            cause = err.__cause__
            if isinstance(cause, Exception) and (failure_code(cause) in _GONE or failure_status(cause) == 404):
                return False
            if not err.retryable or attempt == _ATTEMPTS:
                raise
            pause(attempt)
    raise AssertionError("unreachable: the last attempt returns or raises")


def _copied(answer: Mapping[str, Any], state: Stored, into: Sink) -> bool:
    with closing(answer["Body"]) as body:
        if size_of(answer) != state.size:
            return False
        while chunk := body.read(_CHUNK):
            into.write(chunk)
    return True
