"""A local server with a few files and their digests, that misbehaves on demand.

`files` are by path; each has an ETag made of its digest, and is answered with 304 to whoever has it. Paths can be moved
to the other origin. The endpoint that can fail is the path itself, `missing` for every other.
"""

import hashlib

from tests.support.faulty_server import Answer, FaultyServer, Request, unmodified

LAST_MODIFIED = "Fri, 20 Nov 2026 17:00:00 GMT"


class UrlServer(FaultyServer):
    """Any web server."""

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__()
        self.files = files
        self.moved: set[str] = set()
        self.last_modified = LAST_MODIFIED

    def url(self, path: str) -> str:
        """Return the URL of a path."""
        return f"{self.origin}{path}"

    def answer(self, request: Request) -> Answer:
        """Return the file, 304, a redirect or 404."""
        path = request.path
        if path not in self.files:
            return Answer("missing", 404, {"Content-Type": "text/plain"}, b"not found\n")
        if path in self.moved and not request.at_store:
            return Answer(path, 302, {"Location": f"{self.store_origin}{path}"})
        body = self.files[path]
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        headers = {"Content-Type": "application/octet-stream", "ETag": etag, "Last-Modified": self.last_modified}
        if unmodified({k: v for k, v in request.headers.items() if k == "If-None-Match"}, etag, self.last_modified):
            return Answer(path, 304, headers)
        return Answer(path, 200, headers, body)
