"""A CloudFront double over real HTTP with the limits that moto leaves out.

The same CallerReference and paths return the same invalidation, another body is refused; at most 3,000 paths a
request; a distribution that is busy says so. An invalidation completes after `polls` looks at it.
"""

import itertools
import re
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from xml.sax.saxutils import escape, unescape

DISTRIBUTION = "E1STRICT"


@dataclass
class Batch:
    """One invalidation."""

    number: str
    reference: str
    paths: tuple[str, ...]
    looks: int = 0


@dataclass
class StrictCloudfront:
    """The server. `refusals` (status, code) are used up by requests to invalidate, in order."""

    batches: list[Batch] = field(default_factory=list)
    refusals: deque[tuple[int, str]] = field(default_factory=deque)
    polls: int = 0
    asked: int = 0
    url: str = ""

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"store": self})
        self._numbers = itertools.count(1)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def create(self, reference: str, paths: tuple[str, ...]) -> Batch | tuple[int, str]:
        """Return the invalidation, or why it is refused."""
        self.asked += 1
        if self.refusals:
            return self.refusals.popleft()
        if len(paths) > 3_000:
            return 413, "BatchTooLarge"
        if any(not path.startswith("/") or not path.isascii() or " " in path for path in paths):
            return 400, "InvalidArgument"
        for batch in self.batches:
            if batch.reference == reference:
                return batch if batch.paths == paths else (400, "InvalidArgument")
        self.batches.append(Batch(f"I{next(self._numbers)}", reference, paths))
        return self.batches[-1]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store: StrictCloudfront

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        if f"/distribution/{DISTRIBUTION}/" not in self.path:
            self._refuse(404, "NoSuchDistribution")
            return
        paths = tuple(unescape(path) for path in re.findall(r"<Path>(.*?)</Path>", body))
        reference = re.findall(r"<CallerReference>(.*?)</CallerReference>", body)[0]
        made = self.store.create(unescape(reference), paths)
        if isinstance(made, Batch):
            self._tell(201, made, "InProgress")
        else:
            self._refuse(*made)

    def do_GET(self) -> None:
        number = self.path.rpartition("/")[2]
        found = next((batch for batch in self.store.batches if batch.number == number), None)
        if found is None:
            self._refuse(404, "NoSuchInvalidation")
            return
        found.looks += 1
        self._tell(200, found, "Completed" if found.looks > self.store.polls else "InProgress")

    def _tell(self, status: int, batch: Batch, state: str) -> None:
        paths = "".join(f"<Path>{escape(path)}</Path>" for path in batch.paths)
        self._answer(
            status,
            f"<Invalidation><Id>{batch.number}</Id><Status>{state}</Status><CreateTime>2026-01-01T00:00:00Z"
            f"</CreateTime><InvalidationBatch><Paths><Quantity>{len(batch.paths)}</Quantity><Items>{paths}</Items>"
            f"</Paths><CallerReference>{escape(batch.reference)}</CallerReference></InvalidationBatch></Invalidation>",
        )

    def _refuse(self, status: int, code: str) -> None:
        self._answer(
            status,
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>strict</Message></Error>"
            "<RequestId>1</RequestId></ErrorResponse>",
        )

    def _answer(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
