"""One bucket, or one prefix of it, and the two ways to it: places, heads and errors in hubdata's words.

`quick` is asked first, where there is one; what it declines is asked through botocore, whose errors a person sees.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from hubdata.errors import Conflict, TargetError
from hubdata.transfer.aws import AwsClient, Call, Settings, Trouble, failure_code, failure_status, translated
from hubdata.transfer.s3_quick import QuickBucket
from hubdata.transfer.store_clock import StoreClock

_PERMISSIONS = {
    "ListObjectsV2": "s3:ListBucket",
    "GetObject": "s3:GetObject (and s3:ListBucket on the bucket, or a missing object looks denied)",
    "GetObjectVersion": "s3:GetObjectVersion",
    "ListObjectVersions": "s3:ListBucketVersions",
    "HeadObject": "s3:GetObject (and s3:ListBucket on the bucket, or a missing object looks denied)",
    "PutObject": "s3:PutObject (and s3:GetObject for conditional writes)",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject (and s3:GetObject for conditional writes)",
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
    "DeleteObject": "s3:DeleteObject",
    "DeleteObjectVersion": "s3:DeleteObjectVersion",
}


class Bucket:
    """Where objects lie. `names` go into every request; `client` counts them."""

    def __init__(
        self,
        name: str,
        prefix: str,
        owner: str | None,
        settings: Settings,
        *,
        clock: StoreClock,
        quick: QuickBucket | None = None,
    ) -> None:
        self.name = name
        self.prefix = prefix
        self.names: dict[str, str] = {"Bucket": name, **({"ExpectedBucketOwner": owner} if owner else {})}
        self.settings = settings
        self.client = AwsClient(settings, clock=clock)
        self.quick = quick

    def key(self, key: str) -> dict[str, str]:
        """Return what names the object `key` in a request."""
        return {**self.names, "Key": self.prefix + key}

    def place(self, key: str = "") -> str:
        """Return the object's, or the bucket's, name for people."""
        return f"s3://{self.name}/{self.prefix}{key}".rstrip("/")

    def explained(self, operation: str, key: str | None = None) -> AbstractContextManager[None]:
        """Turn what botocore raises meanwhile into a TargetError that says what to do."""
        resource = f"arn:aws:s3:::{self.name}" + ("" if key is None else f"/{self.prefix}*")
        place = self.place(key or "")
        return translated(_target_error, Call(operation, place, _PERMISSIONS[operation], resource, self.settings))

    def head(self, key: str) -> Mapping[str, Any] | None:
        """Return what the store says of an object, or None."""
        quick = self.quick.head(self.prefix + key) if self.quick else None
        if quick is not None:
            return None if quick.status == 404 else quick.answer
        try:
            with self.explained("HeadObject", key):
                head: Mapping[str, Any] = self.client.build().head_object(**self.key(key))
                return head
        except TargetError as err:
            if refused(err) == 404:
                return None
            raise

    def conflict(self, key: str, planned_etag: str | None) -> Conflict:
        """Return the error of a write that came too late."""
        expected = "no object" if planned_etag is None else f"ETag {planned_etag}"
        message = f"{self.place(key)}: expected {expected}, but somebody else wrote meanwhile"
        return Conflict(message, advice="run again: the next plan starts from what is there now", retryable=True)


def refused(err: TargetError) -> int:
    """Return the HTTP status that the store answered with; 0 when it did not, or has no such bucket at all."""
    cause = err.__cause__
    if not isinstance(cause, Exception) or failure_code(cause) == "NoSuchBucket":
        return 0
    return failure_status(cause)


def _target_error(trouble: Trouble) -> TargetError:
    return TargetError(trouble.message, advice=trouble.advice, retryable=trouble.retryable)
