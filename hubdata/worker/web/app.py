"""The ASGI application: which path is whose, and what becomes of everything that goes wrong.

A path without its secret or its function is not there: 404 tells a stranger nothing. An error that nobody foresaw is
logged with its traceback and answered with one word.
"""

import logging
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from hubdata.worker.web.answers import Refusal, refused
from hubdata.worker.web.behind import Behind, Diary
from hubdata.worker.web.hooks import Hooks
from hubdata.worker.web.reading import Reading
from hubdata.worker.web.running import Running


def application(behind: Behind) -> ASGIApp:
    """Return the worker's surface."""
    diary = Diary(behind)
    reading, running, hooks = Reading(behind), Running(behind, diary), Hooks(behind, diary)
    routes = [
        Route("/", reading.page),
        Route("/healthz", reading.healthz),
        Route("/readyz", reading.readyz),
        Route("/status.json", reading.status),
        Route("/openapi.json", reading.openapi),
    ]
    if behind.metrics is not None:
        routes.append(Route("/metrics", reading.metrics))
    if behind.token is not None:
        routes.append(Route("/jobs/{name}/run", running.run, methods=["POST"]))
    if behind.github is not None:
        routes.append(Route("/hooks/github", hooks.github, methods=["POST"]))
    handlers: dict[Any, Any] = {Refusal: _refused, HTTPException: _not_here, Exception: _failed}
    app = Starlette(routes=routes, exception_handlers=handlers)
    app.router.redirect_slashes = False
    return app


async def _refused(request: Request, refusal: Refusal) -> Response:  # noqa: ARG001 - Starlette's own signature
    return refused(refusal)


async def _not_here(request: Request, err: HTTPException) -> Response:  # noqa: ARG001
    return refused(Refusal(err.status_code, HTTPStatus(err.status_code).phrase.lower(), headers=err.headers))


async def _failed(request: Request, err: Exception) -> Response:
    logging.getLogger(__name__).error("http.bug method=%s path=%r", request.method, request.scope["path"], exc_info=err)
    return refused(Refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "this is a bug; its log tells more"))
