"""Try once what a store enforces, and keep the answer there for every run to come.

Six small requests, four of them at the same time: the record is created as an empty one, then created again, replaced
against a wrong ETag, sent with a wrong checksum; an object that does not exist is deleted against an ETag; and at last
the record is written under its right ETag, which tells how the store wants ETags written.
"""

import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from hubdata.errors import Conflict, TargetError
from hubdata.targets.s3.abilities import KEY, Abilities, Answers, decided
from hubdata.targets.s3.bucket import Bucket, refused
from hubdata.transfer.s3_quick import Declined

_ABSENT = ".hubdata/no-such-object"
_WRONG = "0" * 32
_WRONG_CHECKSUM = "A" * 43 + "="
_BODY = b'{"schema": 0}\n'
_SHA256 = hashlib.sha256(_BODY).hexdigest()
_HEADERS: Mapping[str, str] = {"ContentType": "application/json", "CacheControl": "private, no-store"}

Keep = Callable[[Abilities, bytes, str | None], object]
"""Writes the record as a store of such abilities takes it, over the ETag given. Raises Conflict."""


def probe(bucket: Bucket, keep: Keep, known: Callable[[], Abilities | None]) -> Abilities:
    """Return what the store enforces, kept there by `keep`. `known` reads what another run may have kept meanwhile.

    Raises TargetError when it cannot be found out.
    """

    def put(**headers: str) -> int:
        if (status := _quickly(bucket, {**_HEADERS, **headers})) is not None:
            return status
        return _status(
            bucket,
            "PutObject",
            lambda: bucket.client.build().put_object(**bucket.key(KEY), Body=_BODY, **_HEADERS, **headers),
        )

    def delete() -> int:
        if (status := _quickly(bucket, {"IfMatch": _WRONG}, absent=True)) is not None:
            return status
        try:
            return _status(
                bucket,
                "DeleteObject",
                lambda: bucket.client.build().delete_object(**bucket.key(_ABSENT), IfMatch=_WRONG),
            )
        except TargetError as err:
            if refused(err) == 403:  # who may not delete will not need to know
                return 403
            raise

    put(IfNoneMatch="*")
    with ThreadPoolExecutor(4, thread_name_prefix="probe") as pool:
        created_again = pool.submit(put, IfNoneMatch="*")
        replaced_wrongly = pool.submit(put, IfMatch=_WRONG)
        wrong_checksum = pool.submit(put, ChecksumSHA256=_WRONG_CHECKSUM)
        deleted_wrongly = pool.submit(delete)
    head = bucket.head(KEY) or {}
    able = decided(
        Answers(
            created_again.result(),
            replaced_wrongly.result(),
            deleted_wrongly.result(),
            wrong_checksum.result(),
            versioned=head.get("VersionId", "null") != "null",
        )
    )
    etag = str(head.get("ETag", "")).strip('"') or None
    for attempt in (able, replace(able, quotes=True), replace(able, replaces=False)):
        try:
            keep(attempt, attempt.to_bytes(), etag)
        except Conflict:
            found = known()
            if found is not None:
                return found
        else:
            return attempt
    return replace(able, replaces=False)


def _quickly(bucket: Bucket, said: Mapping[str, str], *, absent: bool = False) -> int | None:
    """Return the status of a plain answer to a put of the record, or to a delete of what is `absent`."""
    if bucket.quick is None:
        return None
    if absent:
        answer = bucket.quick.delete(bucket.prefix + _ABSENT, said, trial=True)
    else:
        answer = bucket.quick.put(bucket.prefix + KEY, _BODY, sha256=_SHA256, said=said, trial=True)
    if isinstance(answer, Declined):
        return None
    return 200 if answer.status == 204 else answer.status


def _status(bucket: Bucket, operation: str, call: Callable[[], object]) -> int:
    """Return the HTTP status of the answer. Raises TargetError where it says nothing about what was asked."""
    try:
        with bucket.explained(operation, KEY):
            call()
    except TargetError as err:
        status = refused(err)
        if status in (400, 404, 409, 412, 501):
            return status
        raise
    return 200
