"""A CloudFront double over real HTTP with the limits that moto leaves out.

The same CallerReference and paths return the same invalidation, another body is refused; at most 3,000 paths a
request, and 3,000 paths and 15 wildcards in progress at once. A distribution that is busy says so. An invalidation
completes after `polls` further requests of any sort, so that tests need no real time.
"""

import re
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from xml.sax.saxutils import escape, unescape

DISTRIBUTION = "E1STRICT"


MAX_PATHS = 3_000
MAX_WILDCARDS = 15
_TAKEN = "Your request contains a caller reference that was used for a previous invalidation batch"


@dataclass
class Batch:
    """One invalidation. `born` is the number of the request that made it."""

    number: str
    reference: str
    paths: tuple[str, ...]
    born: int = 0
    looks: int = 0

    @property
    def wildcards(self) -> int:
        """Return how many of its paths end in a wildcard."""
        return sum(path.endswith("*") for path in self.paths)


@dataclass
class StrictCloudfront:
    """The server. `refusals` (status, code) are used up by requests to invalidate, `look_refusals` by looks, in order.

    `tag_header` is what the distribution's CacheTagConfig names; `said` is the error for a reference used otherwise:
    the first is what CloudFront says, the second what its reference documents.
    """

    batches: list[Batch] = field(default_factory=list)
    refusals: deque[tuple[int, str]] = field(default_factory=deque)
    look_refusals: deque[tuple[int, str]] = field(default_factory=deque)
    polls: int = 0
    asked: int = 0
    requests: int = 0
    tag_header: str = ""
    config_refusal: tuple[int, str] | None = None
    said: str = "InvalidArgument"
    busiest: tuple[int, int] = (0, 0)
    url: str = ""

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"store": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(60)

    def create(
        self, reference: str, paths: tuple[str, ...], quantity: int
    ) -> Batch | tuple[int, str] | tuple[int, str, str]:
        """Return the invalidation, or why it is refused."""
        self.asked += 1
        if self.refusals:
            return self.refusals.popleft()
        if quantity != len(paths):
            return 400, "InconsistentQuantities"
        if len(paths) > MAX_PATHS:
            return 413, "BatchTooLarge"
        if not paths or not all(map(_is_path, paths)):
            return 400, "InvalidArgument"
        for batch in self.batches:
            if batch.reference == reference:
                return batch if batch.paths == paths else (400, self.said, _TAKEN)
        made = Batch(f"I{len(self.batches) + 1}", reference, paths, self.requests)
        busy = [batch for batch in self.batches if not self.is_completed(batch)]
        wildcards = sum(batch.wildcards for batch in (*busy, made))
        plain = sum(len(batch.paths) for batch in (*busy, made)) - wildcards
        if plain > MAX_PATHS or wildcards > MAX_WILDCARDS:
            return 400, "TooManyInvalidationsInProgress"
        self.busiest = max(self.busiest[0], plain), max(self.busiest[1], wildcards)
        self.batches.append(made)
        return made

    def is_completed(self, batch: Batch) -> bool:
        """Tell whether `polls` requests came since it was made, the present one apart."""
        return self.requests - batch.born > self.polls


def _is_path(path: str) -> bool:
    if path.startswith("#"):  # a tag: visible ASCII, no comma, no wildcard (developer guide, "invalidating tags")
        return re.fullmatch(r"#[!-+\--~]{1,256}", path) is not None and "*" not in path
    return path.startswith("/") and path.isascii() and " " not in path and len(path) <= 4_000


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store: StrictCloudfront

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def do_POST(self) -> None:
        self.store.requests += 1
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        if f"/distribution/{DISTRIBUTION}/" not in self.path:
            self._refuse(404, "NoSuchDistribution")
            return
        paths = tuple(unescape(path) for path in re.findall(r"<Path>(.*?)</Path>", body))
        reference = re.findall(r"<CallerReference>(.*?)</CallerReference>", body)[0]
        quantity = int(re.findall(r"<Quantity>(.*?)</Quantity>", body)[0])
        made = self.store.create(unescape(reference), paths, quantity)
        if isinstance(made, Batch):
            self._tell(201, made, "InProgress")
        else:
            self._refuse(*made)

    def do_GET(self) -> None:
        self.store.requests += 1
        if self.path.endswith(f"/distribution/{DISTRIBUTION}/config"):
            self._configuration()
            return
        number = self.path.rpartition("/")[2]
        found = next((batch for batch in self.store.batches if batch.number == number), None)
        if found is None:
            self._refuse(404, "NoSuchInvalidation")
            return
        if self.store.look_refusals:
            self._refuse(*self.store.look_refusals.popleft())
            return
        found.looks += 1
        self._tell(200, found, "Completed" if self.store.is_completed(found) else "InProgress")

    def _tell(self, status: int, batch: Batch, state: str) -> None:
        paths = "".join(f"<Path>{escape(path)}</Path>" for path in batch.paths)
        self._answer(
            status,
            f"<Invalidation><Id>{batch.number}</Id><Status>{state}</Status><CreateTime>2026-01-01T00:00:00Z"
            f"</CreateTime><InvalidationBatch><Paths><Quantity>{len(batch.paths)}</Quantity><Items>{paths}</Items>"
            f"</Paths><CallerReference>{escape(batch.reference)}</CallerReference></InvalidationBatch></Invalidation>",
        )

    def _configuration(self) -> None:
        if self.store.config_refusal:
            self._refuse(*self.store.config_refusal)
            return
        header = self.store.tag_header
        tags = f"<CacheTagConfig><HeaderName>{header}</HeaderName></CacheTagConfig>" if header else ""
        self._answer(200, f"<DistributionConfig><Comment>strict</Comment>{tags}</DistributionConfig>")

    def _refuse(self, status: int, code: str, words: str = "strict") -> None:
        self._answer(
            status,
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{words}</Message></Error>"
            "<RequestId>1</RequestId></ErrorResponse>",
        )

    def _answer(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
