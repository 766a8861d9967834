"""Ask CloudFront to forget paths over a plain connection where everything is simple, and decline whatever is not.

A publication sends CloudFront one request. botocore needs 0.25 s of CPU to be imported and built for it, as much as all
the rest of a run that changes one file. So where `aws_simply` finds nothing that botocore would have to know, it is
signed and sent from here (docs/adr/0027).

`None` means "ask botocore": for any error, refusal or answer that is not plainly the invalidation that was asked for.
The same CallerReference with the same paths is the same request, so asking twice is always right; throttling, retries
and every message to a person stay botocore's.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Self
from urllib.parse import SplitResult, urlsplit

from hubdata import __version__
from hubdata.transfer.aws_simply import authorities_in, credentials_where_simple, wire_to
from hubdata.transfer.sigv4 import Credentials, Scope, Unsigned, signed
from hubdata.transfer.wire import Broken, Sending

_CONNECTIONS = 4
_ENDPOINT = "https://cloudfront.amazonaws.com"
_REGION = "us-east-1"
_API = "2020-05-31"
_SPACE = f"http://cloudfront.amazonaws.com/doc/{_API}/"
_ENDPOINTS = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_CLOUDFRONT")
_ID = re.compile(r"[A-Za-z0-9]{1,64}")
_DISTRIBUTION = _ID
_MIN_ANSWER_BYTES = 64 << 10


class QuickCloudfront:
    """CloudFront, asked in the simplest way. `QuickCloudfront.where_simple` tells whether that will do."""

    def __init__(self, url: SplitResult, credentials: Credentials, authorities: str = "") -> None:
        self._url = url
        self._credentials = credentials
        self._wire = wire_to(self._url, authorities, most=_CONNECTIONS)
        self._declined = False

    @classmethod
    def where_simple(cls, region: str | None, endpoint_url: str | None, environment: Mapping[str, str]) -> Self | None:
        """Return it, or None where botocore's knowledge of profiles, proxies, partitions or regions is wanted."""
        credentials = credentials_where_simple(environment)
        if credentials is None or region != _REGION:
            return None
        if endpoint_url is None and any(map(environment.get, _ENDPOINTS)):
            return None
        return cls(urlsplit((endpoint_url or _ENDPOINT).rstrip("/")), credentials, authorities_in(environment))

    def warm(self) -> None:
        """Begin to connect. What goes wrong is met again by who asks."""
        self._wire.reach(1)

    def invalidate(self, distribution: str, paths: tuple[str, ...], reference: str) -> str | None:
        """Return the id of the invalidation of `paths`, or None."""
        if self._declined or not _DISTRIBUTION.fullmatch(distribution) or not all(map(_plain, (*paths, reference))):
            return None
        body = document(paths, reference)
        path = f"{self._url.path}/{_API}/distribution/{distribution}/invalidation"
        try:
            found = self._asked(path, body, reference)
        except Broken:
            found = None
        self._declined = found is None  # what went wrong once may take as long again
        return found

    def _asked(self, path: str, body: bytes, reference: str) -> str | None:
        own = {"host": self._url.netloc, "content-type": "application/xml"}
        request = Unsigned("POST", path, "", own, sha256(body).hexdigest())
        headers = signed(request, self._credentials, Scope("cloudfront", _REGION), now=datetime.now(UTC))
        most = _MIN_ANSWER_BYTES + 8 * len(body)  # it tells the paths again
        sending = Sending("POST", path, {**headers, "user-agent": f"hubdata/{__version__}"}, body)
        reply = self._wire.exchange(sending, max_bytes=most)
        return _id_in(reply.body, reference) if reply.status == 201 else None


def document(paths: tuple[str, ...], reference: str) -> bytes:
    """Return the body of a CreateInvalidation of `paths`, which are plain text (CloudFront API, InvalidationBatch)."""
    items = "".join([f"<Path>{_escaped(path)}</Path>" for path in paths])
    return (
        f'<InvalidationBatch xmlns="{_SPACE}"><Paths><Quantity>{len(paths)}</Quantity><Items>{items}</Items></Paths>'
        f"<CallerReference>{_escaped(reference)}</CallerReference></InvalidationBatch>"
    ).encode("ascii")


def _plain(text: str) -> bool:
    """Tell whether `text` is the same on the other side of any XML parser: visible ASCII and spaces."""
    return text.isascii() and text.isprintable()


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _id_in(body: bytes, reference: str) -> str | None:
    """Return the id of the invalidation that `body` tells of, None when it is not the one with `reference`."""
    from xml.etree import ElementTree as ET

    if b"<!" in body:  # a type declaration, with entities perhaps: CloudFront sends none
        return None
    try:
        root = ET.fromstring(body)  # noqa: S314 - from CloudFront itself, bounded, without declarations
    except ET.ParseError:
        return None
    space = root.tag.removesuffix("Invalidation")
    number = root.findtext(f"{space}Id") or ""
    told = root.findtext(f"{space}InvalidationBatch/{space}CallerReference")
    if space == root.tag or told != reference or not _ID.fullmatch(number):
        return None
    return number
