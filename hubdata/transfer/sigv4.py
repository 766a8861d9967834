"""Sign a request to AWS, or to a store that speaks its protocol, by Signature Version 4.

For requests that are simple enough to be sent without botocore (docs/adr/0028). A request is signed once, right before
it is sent; what is sent again is signed again. The tests hold every signature against botocore's own signer. Nothing
here reads an environment or a file: callers know the credentials. (AWS, "Signature Version 4 signing process".)
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote

from hubdata.values import frozen

EMPTY = hashlib.sha256().hexdigest()
"""The payload of a request without a body."""


@frozen
class Credentials:
    """What requests are signed with."""

    access_key: str
    secret_key: str
    token: str = ""

    def __repr__(self) -> str:
        return "Credentials(...)"


@frozen
class Scope:
    """Whom a signature is for: a `service` (`s3`, `cloudfront`) in a region (`us-east-1` where a service has none)."""

    service: str
    region: str


@frozen
class Unsigned:
    """A request as it will be sent, without what signs it.

    `path` is quoted as in the URL; `query` sorted by name and quoted, without the question mark; `headers` have
    names in lower case, `host` among them. `payload` is the SHA-256 of the body in hex.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    payload: str = EMPTY


def signed(request: Unsigned, credentials: Credentials, scope: Scope, *, now: datetime) -> dict[str, str]:
    """Return the headers of `request` with those that sign it; all of them are signed. `now` is aware UTC.

    S3 has its path quoted once, and wants the body's hash in a header of its own; any other service quotes its path
    twice. Paths with empty or dot segments are S3's alone.
    """
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    whole = {**request.headers, "x-amz-date": stamp}
    path = request.path
    if scope.service == "s3":
        whole["x-amz-content-sha256"] = request.payload
    else:
        path = quote(path, safe="/~")
    if credentials.token:
        whole["x-amz-security-token"] = credentials.token
    ordered = sorted(whole)
    names = ";".join(ordered)
    lines = "".join([f"{name}:{' '.join(whole[name].split())}\n" for name in ordered])
    canonical = f"{request.method}\n{path}\n{request.query}\n{lines}\n{names}\n{request.payload}"
    words = (stamp[:8], scope.region, scope.service, "aws4_request")
    within = "/".join(words)
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{within}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{credentials.secret_key}".encode()
    for word in words:
        key = hmac.digest(key, word.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    whole["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{within}, SignedHeaders={names}, Signature={signature}"
    )
    return whole
