"""Tell an answer of S3 whose headers are all there from one that broke off amid them.

Python takes a connection that closes amid the headers for their end, so a put may be answered with half an ETag, and
what a HEAD says of an object may lack its size. An ETag in quotes that are not closed, or none where there must be
one, is such an answer: the request is sent again. Stores that never send what S3 must send fail after the last try.
"""

from collections.abc import Mapping
from typing import Any

_WITH_ETAG = ("PutObject", "HeadObject", "GetObject", "UploadPart")
_WITH_SIZE = ("HeadObject", "GetObject")
_PAUSE_S = 0.1


def whole_etag(text: str | None) -> bool:
    """Tell whether a header's value is an ETag from its first quote to its last."""
    text = text or ""
    return text.strip('"') != "" and text.startswith('"') == text.endswith('"')


def whole(operation: str, status: int, headers: Mapping[str, str]) -> bool:
    """Tell whether an answer says all that an answer to `operation` must."""
    if status != 200:
        return True
    if operation in _WITH_ETAG and not whole_etag(headers.get("ETag")):
        return False
    return operation not in _WITH_SIZE or "Content-Length" in headers or "Transfer-Encoding" in headers


def send_again(most: int) -> Any:
    """Return a handler for botocore's `needs-retry` that has broken answers asked for again, `most` times in all."""

    def handler(response: Any = None, operation: Any = None, attempts: int = 0, **_: Any) -> float | None:
        if response is None or attempts >= most:
            return None
        answer = response[0]
        return None if whole(operation.name, answer.status_code, answer.headers) else _PAUSE_S * 2**attempts

    return handler
