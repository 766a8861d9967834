"""Answer whoever wants to know how the jobs stand. Nothing here changes anything, and nothing here is secret."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from hubdata.errors import HubdataError
from hubdata.report.html import policy
from hubdata.report.page import page_html, status_json
from hubdata.report.page.style import CSS, SCRIPT
from hubdata.transfer import ending
from hubdata.worker.web.answers import JSON, Refusal, answer, content
from hubdata.worker.web.behind import Behind
from hubdata.worker.web.kept import Kept, T
from hubdata.worker.web.openapi import document
from hubdata.worker.web.readiness import Readiness, readiness, told

_PAGE_POLICY = f"{policy(CSS, SCRIPT)}; frame-ancestors 'none'"
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Prometheus' text format."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """The status, as a page and as JSON, of one moment."""

    page: bytes
    status: bytes


class Reading:
    """The endpoints that tell."""

    def __init__(self, behind: Behind) -> None:
        self._behind = behind
        self._shown = Kept(self._show, behind.kept_s)
        self._metrics = None if behind.metrics is None else Kept(behind.metrics, min(1.0, behind.kept_s))
        has = {"token": behind.token is not None, "github": behind.github is not None}
        self._document = document(metrics=behind.metrics is not None, **has)

    async def healthz(self, request: Request) -> Response:  # noqa: ARG002 - so are all endpoints called
        """Tell that the process answers."""
        return answer(200, {"status": "alive"})

    async def readyz(self, request: Request) -> Response:  # noqa: ARG002
        """Tell whether every job's last success is young enough."""
        found = readiness(self._behind.state(), self._behind.clock.now(), self._behind.fed)
        found = Readiness(found.jobs, found.ending or ending.begun())
        return answer(200 if found.ready else 503, told(found))

    async def page(self, request: Request) -> Response:  # noqa: ARG002
        """Return the status page."""
        return content((await _made(self._shown)).page, "text/html; charset=utf-8", policy=_PAGE_POLICY)

    async def status(self, request: Request) -> Response:  # noqa: ARG002
        """Return the same for programs."""
        return content((await _made(self._shown)).status, JSON)

    async def metrics(self, request: Request) -> Response:  # noqa: ARG002
        """Return the metrics."""
        if self._metrics is None:
            raise Refusal(404, "not found")
        return content(await _made(self._metrics), METRICS_TYPE)

    async def openapi(self, request: Request) -> Response:  # noqa: ARG002
        """Return the description of all this."""
        return answer(200, self._document)

    def _show(self) -> _Shown:
        given = self._behind.status()
        return _Shown(page_html(given).encode("ascii"), status_json(given).encode("ascii"))


async def _made(kept: Kept[T]) -> T:
    """Return what is kept. Raises Refusal while it cannot be made."""
    try:
        return await kept.get()
    except HubdataError as err:
        raise Refusal(503, "the target cannot be read just now", headers={"Retry-After": "10"}) from err
