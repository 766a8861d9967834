"""Send a file too large for one put in parts, so that it is stored whole, checked whole, and under its condition.

Each part carries a CRC32 and the object the CRC32 of all of it: of the checksums that S3 keeps for a whole multipart
object, the one that is in the standard library. The SHA-256 is compared as the file is read, before its last part is
sent. What fails is aborted: parts that nobody completes are paid for and never seen. (Amazon S3 user guide, "Checking
object integrity", "Uploading and copying objects using multipart upload".)
"""

import base64
import hashlib
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from hubdata.errors import TargetError
from hubdata.targets.s3.bucket import Bucket
from hubdata.targets.s3.objects import Parcel
from hubdata.transfer.digest import VerifiedReader

PART_BYTES = 64 << 20
"""What is held in memory at once. S3 takes 5 MiB to 5 GiB a part."""

_MOST_PARTS = 10_000


def send_in_parts(
    bucket: Bucket, parcel: Parcel, body: VerifiedReader, condition: Mapping[str, str], *, checksums: bool
) -> Mapping[str, Any]:
    """Return the store's answer to the completed upload. Raises TargetError; then nothing of it is left there."""
    client = bucket.client.build()
    how = {"ChecksumAlgorithm": "CRC32", "ChecksumType": "FULL_OBJECT"} if checksums else {}
    with bucket.explained("CreateMultipartUpload", parcel.key):
        begun = client.create_multipart_upload(**bucket.key(parcel.key), **parcel.served(), **how)
    upload = {**bucket.key(parcel.key), "UploadId": begun["UploadId"]}
    try:
        sent = _sent(bucket, parcel, body, upload, checksums=checksums)
        whole = sent.whole(parcel.size) if checksums else {}
        with bucket.explained("CompleteMultipartUpload", parcel.key):
            answer: Mapping[str, Any] = client.complete_multipart_upload(
                **upload, MultipartUpload={"Parts": sent.parts}, **whole, **condition
            )
    except BaseException:
        with suppress(TargetError), bucket.explained("AbortMultipartUpload", parcel.key):
            client.abort_multipart_upload(**upload)
        raise
    if not answer.get("ETag"):  # Ceph's gateway leaves it out
        answer = bucket.head(parcel.key) or {}
    etag, expected = str(answer.get("ETag", "")).strip('"'), sent.etag()
    if etag != expected and not str(answer.get("ServerSideEncryption", "")).startswith("aws:kms"):
        raise TargetError(
            f"{bucket.place(parcel.key)}: expected ETag {expected}, the store answered {etag or 'none'}",
            advice="the store keeps other bytes than were sent: do not trust it with data, and tell its maker",
        )
    return answer


@dataclass(slots=True)
class _Sent:
    """The parts that the store has, and what they come to."""

    parts: list[dict[str, Any]] = field(default_factory=list)
    md5s: list[bytes] = field(default_factory=list)
    crc32: int = 0

    def whole(self, size: int) -> dict[str, Any]:
        """Return what the whole object must come to."""
        return {"ChecksumCRC32": _text(self.crc32), "ChecksumType": "FULL_OBJECT", "MpuObjectSize": size}

    def etag(self) -> str:
        """Return the ETag that S3 gives an object of these parts."""
        return f"{hashlib.md5(b''.join(self.md5s), usedforsecurity=False).hexdigest()}-{len(self.md5s)}"


def _sent(bucket: Bucket, parcel: Parcel, body: VerifiedReader, upload: Mapping[str, str], *, checksums: bool) -> _Sent:
    """Send every part, one after the other. `body` raises before the last one if it is not what was checked."""
    size = max(PART_BYTES, -(-parcel.size // _MOST_PARTS))
    sent = _Sent()
    while part := body.read(size):
        number = len(sent.parts) + 1
        md5 = hashlib.md5(part, usedforsecurity=False).digest()
        crc32 = {"ChecksumCRC32": _text(zlib.crc32(part))} if checksums else {}
        check = crc32 or {"ContentMD5": base64.b64encode(md5).decode()}
        with bucket.explained("UploadPart", parcel.key):
            answer = bucket.client.build().upload_part(**upload, PartNumber=number, Body=part, **check)
        sent.parts.append({"PartNumber": number, "ETag": answer["ETag"], **crc32})
        sent.md5s.append(md5)
        sent.crc32 = zlib.crc32(part, sent.crc32)
    return sent


def _text(crc32: int) -> str:
    return base64.b64encode(crc32.to_bytes(4)).decode()
