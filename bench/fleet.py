"""What an engine downloads: it asks HEAD for each of its files and fetches those that are newer than its copy."""

import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import quote, urlsplit

ENGINES = 100_000
"""How large a fleet is spoken of: engines that have every file, and poll between any two commits."""


@dataclass
class Engine:
    """One engine that reads a bucket over HTTP. `held` is the digest of each copy, `at` when it was downloaded."""

    url: str
    bucket: str
    held: dict[str, str] = field(default_factory=dict)
    at: dict[str, float] = field(default_factory=dict)

    def poll(self, keys: Iterable[str]) -> int:
        """Return how many bytes of bodies are downloaded to be up to date."""
        place = urlsplit(self.url)
        connection = HTTPConnection(place.hostname or "", place.port, timeout=30)
        got = 0
        for key in keys:
            told = self._ask(connection, "HEAD", key)
            told.read()
            modified = parsedate_to_datetime(told.headers["Last-Modified"]).timestamp()
            if not newer(modified, self.at.get(key)):
                continue
            body = self._ask(connection, "GET", key).read()
            got += len(body)
            self.held[key], self.at[key] = hashlib.md5(body).hexdigest(), time.time()
        connection.close()
        return got

    def _ask(self, connection: HTTPConnection, method: str, key: str) -> HTTPResponse:
        connection.request(method, f"/{self.bucket}/{quote(key)}")
        answer = connection.getresponse()
        if answer.status != 200:
            raise RuntimeError(f"an engine was answered {answer.status} for {key}")
        return answer


def newer(modified: float, local: float | None) -> bool:
    """Tell whether an engine downloads: not when its copy's time is later than Last-Modified."""
    return local is None or local <= modified


def terabytes(bytes_each: float, engines: int = ENGINES) -> float:
    """Return what a fleet downloads, in TB of 10^12 bytes, when each engine downloads so much."""
    return bytes_each * engines / 1e12


def ratio(incumbent: Iterable[int], ours: Iterable[int]) -> float:
    """Return how many times less the fleet downloads; infinite when it is nothing at all."""
    less, more = sum(ours), sum(incumbent)
    return more / less if less else float("inf")
