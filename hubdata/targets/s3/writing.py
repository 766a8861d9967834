"""Write objects only over what was planned against, whatever the store itself can do about it.

Every put says in its condition what it was planned against, so a race stores nothing that was not meant. Where a store
passes conditions over (`Abilities`), the object is looked at right before. 409 says that two conditional writes met:
it is sent again. A condition that fails after a lost answer may have met our own object: then all is well.

A write goes the quick way first (`transfer/s3_quick.py`), once. What that declines goes through botocore, and if the
store may have got it already, as a write that is sent again.
"""

from collections.abc import Mapping
from typing import Any

from hubdata.errors import TargetError
from hubdata.model.inventory import Stored
from hubdata.targets.s3.abilities import Abilities
from hubdata.targets.s3.bucket import Bucket, refused
from hubdata.targets.s3.multipart import send_in_parts
from hubdata.targets.s3.objects import Parcel, etag_of, is_md5, same
from hubdata.transfer.aws import pause, was_retried
from hubdata.transfer.digest import VerifiedReader
from hubdata.transfer.s3_quick import Answer, Declined

_BUSY_ATTEMPTS = 5  # of a conditional put that S3 answers 409: botocore does not retry those


class Writer:
    """The writes to one bucket. `abilities` are what the store is known to enforce; all, until it is probed."""

    def __init__(self, bucket: Bucket, *, multipart_over_bytes: int) -> None:
        self.abilities = Abilities()
        self._bucket = bucket
        self._multipart_over_bytes = multipart_over_bytes

    def put(self, parcel: Parcel, planned_etag: str | None, *, same_is_done: bool) -> Stored:
        """Return what is stored now; `same_is_done` takes equal bytes at the key for success.

        Raises Conflict when the object is not `planned_etag` (None: when there is one), TargetError for trouble.
        """
        done = self._looked_at(parcel, planned_etag, same_is_done=same_is_done)
        if done is not None:
            return done
        condition = self.abilities.condition(planned_etag)
        quick = self._sent_quickly(parcel, condition)
        if isinstance(quick, Answer) and quick.status == 200:
            return self._confirmed(parcel, quick.answer)
        if isinstance(quick, Answer):
            mine = same(parcel, self._bucket.head(parcel.key))
            if mine is not None and (same_is_done or quick.sends > 1):
                return mine
            raise self._bucket.conflict(parcel.key, planned_etag)
        for attempt in range(2 if quick.sent else 1, _BUSY_ATTEMPTS + 1):
            try:
                return self._confirmed(parcel, self._sent(parcel, condition))
            except TargetError as err:
                status = refused(err)
                if status == 409 and attempt < _BUSY_ATTEMPTS:
                    pause(attempt)
                    if isinstance(parcel.body, VerifiedReader):
                        parcel.body.seek(0)
                    continue
                if status not in (404, 409, 412):
                    raise
                # The first answer may have been lost and the retry met our own object: then all is well.
                mine = same(parcel, self._bucket.head(parcel.key))
                retried = isinstance(err.__cause__, Exception) and was_retried(err.__cause__)
                if mine is not None and (same_is_done or retried or attempt > 1):
                    return mine
                raise self._bucket.conflict(parcel.key, planned_etag) from err.__cause__
        raise AssertionError("unreachable: the last attempt returns or raises")

    def delete(self, key: str, if_etag: str | None) -> None:
        """Remove an object; fine when it is gone. Raises Conflict when its ETag is not `if_etag`, if given."""
        condition = {}
        if if_etag is not None and self.abilities.deletes:
            condition = {"IfMatch": f'"{if_etag}"' if self.abilities.quotes else if_etag}
        elif if_etag is not None:
            head = self._bucket.head(key)
            if head is None:
                return
            if etag_of(head) != if_etag:
                raise self._bucket.conflict(key, if_etag)
        quick = self._bucket.quick.delete(self._bucket.prefix + key, condition) if self._bucket.quick else None
        if isinstance(quick, Answer):
            if quick.status == 412:
                raise self._bucket.conflict(key, if_etag)
            return
        try:
            with self._bucket.explained("DeleteObject", key):
                self._bucket.client.build().delete_object(**self._bucket.key(key), **condition)
        except TargetError as err:
            if refused(err) == 404:
                return
            if refused(err) == 412:
                raise self._bucket.conflict(key, if_etag) from err.__cause__
            raise

    def _looked_at(self, parcel: Parcel, planned_etag: str | None, *, same_is_done: bool) -> Stored | None:
        """Look at the object where the store will not; return what is stored if nothing has to be done."""
        able = self.abilities.creates if planned_etag is None else self.abilities.replaces
        if able:
            return None
        head = self._bucket.head(parcel.key)
        if (None if head is None else etag_of(head)) == planned_etag:
            return None
        mine = same(parcel, head)
        if mine is None or not same_is_done:
            raise self._bucket.conflict(parcel.key, planned_etag)
        return mine

    def _sent_quickly(self, parcel: Parcel, condition: Mapping[str, str]) -> Answer | Declined:
        """Return the store's plain answer, or that there was none; then the body may be read from its start."""
        quick = self._bucket.quick
        if quick is None or parcel.size > self._multipart_over_bytes:
            return Declined(sent=False)
        headers = parcel.served() | parcel.checks(sha256=self.abilities.checksums) | dict(condition)
        done = quick.put(self._bucket.prefix + parcel.key, parcel.body, sha256=parcel.sha256, said=headers)
        if isinstance(done, Declined):
            if done.wait:
                pause(1)
            if isinstance(parcel.body, VerifiedReader):
                parcel.body.seek(0)
        return done

    def _sent(self, parcel: Parcel, condition: Mapping[str, str]) -> Mapping[str, Any]:
        if parcel.size > self._multipart_over_bytes and isinstance(parcel.body, VerifiedReader):
            return send_in_parts(self._bucket, parcel, parcel.body, condition, checksums=self.abilities.checksums)
        headers = parcel.served() | parcel.checks(sha256=self.abilities.checksums)
        with self._bucket.explained("PutObject", parcel.key):
            client = self._bucket.client.build()
            answer: Mapping[str, Any] = client.put_object(
                **self._bucket.key(parcel.key), Body=parcel.body, **headers, **condition
            )
            return answer

    def _confirmed(self, parcel: Parcel, answer: Mapping[str, Any]) -> Stored:
        etag = etag_of(answer)
        if is_md5(etag, answer) and etag != parcel.md5:
            raise TargetError(
                f"{self._bucket.place(parcel.key)}: expected ETag {parcel.md5}, the store answered {etag}",
                advice="the store keeps other bytes than were sent: do not trust it with data, and tell its maker",
            )
        return Stored(size=parcel.size, etag=etag, version_id=answer.get("VersionId"))
