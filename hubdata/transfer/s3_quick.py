"""Read a bucket over plain `http.client` when everything is simple, and decline whatever is not.

A run that finds nothing to change sends three small reads. botocore needs 0.2 s of CPU to be imported and built for
them, more than everything else that such a run does against the store (docs/adr/0007). So where credentials lie in
the environment and no profile, proxy or configuration file has a say, these reads are signed and sent from here.

`None` means "ask botocore": for any error, redirect, refusal, second page or answer that is not plainly good. Reads
may be repeated, so declining is always right; retries, regions and every error message stay botocore's.
"""

import re
import threading
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import quote, urlsplit

from hubdata import __version__
from hubdata.transfer.aws_simply import REGION, authorities_in, connection_to, credentials_where_simple
from hubdata.transfer.s3_whole import whole_etag
from hubdata.transfer.sigv4 import Credentials, Scope, Unsigned, signed
from hubdata.transfer.store_clock import StoreClock

TIMEOUT_S = 10
MAX_LISTING_BYTES = 16 << 20
"""Far beyond a page of 1,000 keys, each of 1,024 bytes at most."""
MAX_ERROR_BYTES = 64 << 10

_HOST_BUCKET = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_OTHER_BUCKETS = ("--x-s3", "--ol-s3", "-s3alias")  # directory buckets and access points live at other hosts
_WORDS = {
    "ETag": "etag",
    "VersionId": "x-amz-version-id",
    "ServerSideEncryption": "x-amz-server-side-encryption",
    "SSECustomerAlgorithm": "x-amz-server-side-encryption-customer-algorithm",
}
_ENDPOINTS = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3")


@dataclass(frozen=True, slots=True)
class Answer:
    """A store's answer to one read. `body` is whole; status 404 means that there is no such key, nothing else."""

    status: int
    body: bytes
    answer: Mapping[str, Any]
    """What the headers say, by botocore's names."""


class QuickBucket:
    """One bucket, read in the simplest way. `QuickBucket.where_simple` tells whether that will do."""

    def __init__(
        self,
        url: str,
        region: str,
        credentials: Credentials,
        headers: Mapping[str, str],
        authorities: str = "",
        *,
        clock: StoreClock | None = None,
    ) -> None:
        self._clock = clock
        self._url = urlsplit(url)
        self._region = region
        self._credentials = credentials
        self._headers = dict(headers)
        self._authorities = authorities
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._declined = False

    @classmethod
    def where_simple(
        cls,
        bucket: str,
        region: str | None,
        endpoint_url: str | None,
        *,
        path_style: bool,
        owner: str | None,
        environment: Mapping[str, str],
        clock: StoreClock | None = None,
    ) -> Self | None:
        """Return the bucket, or None where botocore's knowledge of profiles, proxies or partitions is wanted."""
        credentials = credentials_where_simple(environment)
        if credentials is None:
            return None
        if endpoint_url is not None and path_style and region:
            url = f"{endpoint_url.rstrip('/')}/{bucket}"
        elif (
            endpoint_url is None
            and not path_style
            and region
            and REGION.fullmatch(region)
            and _HOST_BUCKET.fullmatch(bucket)
            and not bucket.endswith(_OTHER_BUCKETS)
            and not any(map(environment.get, _ENDPOINTS))
        ):
            url = f"https://{bucket}.s3.{region}.amazonaws.com"
        else:
            return None
        own = {"x-amz-expected-bucket-owner": owner} if owner else {}
        return cls(url, region, credentials, own, authorities_in(environment), clock=clock)

    def requests(self) -> Mapping[str, int]:
        """Return how many requests were sent so far by method, LIST apart from GET."""
        with self._lock:
            return dict(self._counts)

    def listing(self, prefix: str) -> tuple[Mapping[str, Any], ...] | None:
        """Return every object below `prefix`, as botocore would, or None, also when they do not fit one page."""
        answer = self._ask("LIST", "", {"list-type": "2", "max-keys": "1000", "prefix": prefix}, MAX_LISTING_BYTES)
        return None if answer is None or answer.status != 200 else _listed(answer.body)

    def get(self, key: str, *, max_bytes: int) -> Answer | None:
        """Return one object of at most `max_bytes`, status 404 when there is none, or None."""
        return self._ask("GET", key, {}, max_bytes)

    def _ask(self, method: str, key: str, query: Mapping[str, str], max_bytes: int) -> Answer | None:
        from http.client import HTTPException

        if self._declined:  # what went wrong once may take as long again
            return None
        try:
            answer = self._exchange(method, key, query, max_bytes)
        except (OSError, HTTPException, ValueError):
            answer = None
        self._declined |= answer is None
        return answer

    def _exchange(self, method: str, key: str, query: Mapping[str, str], max_bytes: int) -> Answer | None:
        path = self._url.path + "/" + quote(key, safe="/~") if key else self._url.path or "/"
        words = "&".join(f"{name}={quote(query[name], safe='~')}" for name in sorted(query))
        request = Unsigned("GET", path, words, {"host": self._url.netloc, **self._headers})
        headers = signed(request, self._credentials, Scope("s3", self._region), now=datetime.now(UTC))
        headers["user-agent"] = f"hubdata/{__version__}"
        with closing(connection_to(self._url, self._authorities, timeout_s=TIMEOUT_S)) as connection:
            with self._lock:
                self._counts[method] += 1
            connection.request("GET", f"{path}?{words}" if words else path, headers=headers)
            response = connection.getresponse()
            if self._clock is not None:
                self._clock.hear(response.getheader("Date"))
            size = response.length  # None: in chunks, as S3 sends listings
            limit = max_bytes if response.status == 200 else MAX_ERROR_BYTES
            if response.status not in (200, 404) or (size is not None and size > limit):
                return None
            body = response.read(limit + 1)
            if len(body) > limit or (size is not None and len(body) != size):
                return None
            if response.status == 404 and b"<Code>NoSuchKey</Code>" not in body:
                return None
            if response.status == 200 and key and not whole_etag(response.getheader("ETag")):
                return None
            said = {word: text for word, name in _WORDS.items() if (text := response.getheader(name)) is not None}
            return Answer(response.status, body, {**said, "ContentLength": len(body)})


def _listed(body: bytes) -> tuple[Mapping[str, Any], ...] | None:
    """Return the objects of a whole listing, None when it is not one or goes on."""
    from xml.etree import ElementTree as ET

    try:
        root = ET.fromstring(body)  # noqa: S314 - from the store itself, bounded; expat refuses what expands without end
    except ET.ParseError:
        return None
    space = root.tag.removesuffix("ListBucketResult")
    if space == root.tag or root.findtext(f"{space}IsTruncated") != "false":
        return None
    found = []
    for item in root.iter(f"{space}Contents"):
        key, size, etag = (item.findtext(space + name) for name in ("Key", "Size", "ETag"))
        if not key or not etag or not size or not size.isdecimal():
            return None
        found.append({"Key": key, "Size": int(size), "ETag": etag})
    return tuple(found)
