"""Sign a large put with the digest that its bytes must have, instead of reading them all once to find it out.

S3 wants the SHA-256 of a body in the signed header `x-amz-content-sha256`, and refuses other bytes. botocore reads a
file from end to end for it before the first byte is sent. A `VerifiedReader` knows the digest: it is the one that the
file was checked under, and bytes with another are never handed out whole. So the file is read, and hashed, once.
"""

from typing import Any

from hubdata.transfer.digest import VerifiedReader

_USUAL = "s3v4"
_OURS = "s3v4-verified"


def sign_by_known_digest(client: Any) -> None:
    """Have `client` sign what it puts by the digest that the body knows; other bodies as ever."""
    from botocore import auth

    if auth.AUTH_TYPE_MAPS[_USUAL] is not auth.S3SigV4Auth:
        return  # another library signs; it reads the body as it likes

    class Verified(auth.S3SigV4Auth):
        def payload(self, request: Any) -> str:
            body = request.body
            return body.sha256 if isinstance(body, VerifiedReader) else str(super().payload(request))

    auth.AUTH_TYPE_MAPS.setdefault(_OURS, Verified)
    client.meta.events.register_first("choose-signer.s3.PutObject", _chosen)


def _chosen(signature_version: Any = None, **_: Any) -> str | None:
    """Return our signer where botocore would take its usual one, which it still calls `v4` at this point."""
    return _OURS if signature_version in ("v4", _USUAL) else None
