"""What is signed here is signed as botocore signs it, whatever the method, the body, the headers or the service."""

import hashlib
from datetime import UTC, datetime

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials

from hubdata.transfer.sigv4 import EMPTY, Credentials, Scope, Unsigned, signed

_PUT = {
    "host": "bucket.s3.eu-west-1.amazonaws.com",
    "content-type": "text/plain; charset=utf-8",
    "cache-control": "public, max-age=60,  s-maxage=86400",
    "if-match": "0cc175b9c0f1b6a831c399e269772661",
    "x-amz-checksum-sha256": "A" * 43 + "=",
    "x-amz-meta-sha256": "0" * 64,
    "x-amz-meta-note": "  spaces   within and around  ",
}
_HOST = {"host": "127.0.0.1:9000", "x-amz-expected-bucket-owner": "123456789012"}


def of_botocore(request: Unsigned, credentials: Credentials, scope: Scope, headers: dict[str, str]) -> tuple[str, str]:
    """Return the signature that botocore gives the request at the same time, and which headers it signs."""
    whole = {**request.headers, "X-Amz-Date": headers["x-amz-date"]}
    url = f"https://{request.headers['host']}{request.path}{'?' if request.query else ''}{request.query}"
    asked = AWSRequest(request.method, url, headers=whole)
    asked.context["timestamp"] = headers["x-amz-date"]
    if credentials.token:
        asked.headers["X-Amz-Security-Token"] = credentials.token
    by = BotoCredentials(credentials.access_key, credentials.secret_key, credentials.token or None)
    signer: SigV4Auth
    if scope.service == "s3":
        asked.headers["X-Amz-Content-SHA256"] = request.payload
        signer = S3SigV4Auth(by, scope.service, scope.region)
    else:
        signer = SigV4Auth(by, scope.service, scope.region)
        asked.data = b"<body/>" if request.payload != EMPTY else b""
    canonical = signer.canonical_request(asked)
    names = signer.signed_headers(signer.headers_to_sign(asked))
    return signer.signature(signer.string_to_sign(asked, canonical), asked), names


@pytest.mark.parametrize("token", ["", "a-session-token"])
@pytest.mark.parametrize(
    ("request_", "service"),
    [
        (Unsigned("GET", "/b/lists/a.txt", "", _HOST), "s3"),
        (Unsigned("GET", "/b", "list-type=2&max-keys=1000&prefix=data%2F", _HOST), "s3"),
        (Unsigned("GET", "/b/a%20b/%C3%A9~%2B%25.txt", "", _HOST), "s3"),
        (Unsigned("HEAD", "/b//odd/../key", "", _HOST), "s3"),
        (Unsigned("DELETE", "/b/a.txt", "versionId=abc%2F", {**_HOST, "if-match": '"x"'}), "s3"),
        (Unsigned("PUT", "/lists/a%20b.txt", "", _PUT, hashlib.sha256(b"body").hexdigest()), "s3"),
        (
            Unsigned(
                "POST",
                "/2020-05-31/distribution/E1/invalidation",
                "",
                {"host": "cloudfront.amazonaws.com", "content-type": "text/xml"},
                hashlib.sha256(b"<body/>").hexdigest(),
            ),
            "cloudfront",
        ),
        (
            Unsigned("GET", "/2020-05-31/a%20b", "Marker=x&MaxItems=1", {"host": "cloudfront.amazonaws.com"}),
            "cloudfront",
        ),
    ],
)
def test_the_signature_is_botocores(request_: Unsigned, service: str, token: str) -> None:
    """The same request at the same time is signed alike, with a session token or without."""
    credentials, scope = Credentials("AKIDEXAMPLE", "secret", token), Scope(service, "eu-west-1")
    headers = signed(request_, credentials, scope, now=datetime.now(UTC))
    signature, names = of_botocore(request_, credentials, scope, headers)
    assert headers["authorization"].endswith(f"Signature={signature}")
    assert f"SignedHeaders={names}," in headers["authorization"]
    assert headers.items() >= dict(request_.headers).items()


def test_the_bodys_hash_is_a_header_for_s3_alone() -> None:
    """S3 compares it with the bytes that arrive; other services would not know it."""
    request, credentials = Unsigned("GET", "/", "", {"host": "h"}), Credentials("A", "s")
    for service, told in (("s3", True), ("cloudfront", False)):
        headers = signed(request, credentials, Scope(service, "us-east-1"), now=datetime.now(UTC))
        assert ("x-amz-content-sha256" in headers) is told


def test_credentials_are_never_shown() -> None:
    """Neither in a traceback nor in a log."""
    assert "secret" not in repr(Credentials("AKIDEXAMPLE", "secret", "token"))
