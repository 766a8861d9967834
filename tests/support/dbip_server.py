"""A local server that has DB-IP's free files, one a month and edition, and misbehaves on demand.

As at the vendor: `/free/dbip-city-lite-2026-11.mmdb.gz`, no credentials, an ETag made of time and size, 304 for a file
that one has, and a page with 404 for a month that is not there. Endpoints that can fail: `file` and `missing`.
"""

import gzip
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from tests.support.faulty_server import PAGE, Answer, FaultyServer, Request, unmodified


class DbipServer(FaultyServer):
    """The vendor's download host."""

    def __init__(self) -> None:
        super().__init__()
        self.knows_conditions = True
        self._files: dict[str, tuple[bytes, str, str]] = {}
        self._written = datetime(2026, 11, 1, 3, 0, tzinfo=UTC)

    @property
    def url(self) -> str:
        """Return the base URL, for the option `url`."""
        return f"{self.origin}/free"

    def publish(self, edition: str, month: str, database: bytes) -> None:
        """Put a month's file there, or replace it."""
        self._written += timedelta(minutes=1)
        body = gzip.compress(database, mtime=0)
        etag = f'"{int(self._written.timestamp()):x}-{len(body):x}"'
        self._files[f"/free/{edition}-{month}.mmdb.gz"] = body, etag, format_datetime(self._written, usegmt=True)

    def withdraw(self, edition: str, month: str) -> None:
        """Take a month's file away."""
        del self._files[f"/free/{edition}-{month}.mmdb.gz"]

    def answer(self, request: Request) -> Answer:
        """Return the file, 304 or the page."""
        if request.path not in self._files:
            return Answer("missing", 404, {"Content-Type": "text/html"}, PAGE)
        body, etag, written = self._files[request.path]
        headers = {"Content-Type": "application/octet-stream", "ETag": etag, "Last-Modified": written}
        if self.knows_conditions and unmodified(request.headers, etag, written):
            return Answer("file", 304, headers)
        return Answer("file", 200, headers, body)
