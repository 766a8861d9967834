"""Make the answers: short JSON, or a page; what every one of them says of itself; and how a request is refused.

Nothing of this machine gets into an answer: no path, no message of a library, no traceback. Those go to the log.
"""

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

_ALWAYS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_NOTHING_ACTS = "default-src 'none'; frame-ancestors 'none'"

JSON = "application/json"


class Refusal(Exception):
    """A request is not done as asked. `why` is for the log; `error` and `advice` are what the client is told."""

    def __init__(
        self, status: int, error: str, *, advice: str = "", why: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(error)
        self.status, self.error, self.advice = status, error, advice
        self.why = why or error
        self.headers = headers or {}


def answer(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Response:
    """Return `value` as JSON in ASCII."""
    return content(json.dumps(value).encode() + b"\n", JSON, status=status, headers=headers)


def refused(refusal: Refusal) -> Response:
    """Return what a refused client is told."""
    said = {"error": refusal.error, **({"advice": refusal.advice} if refusal.advice else {})}
    return answer(refusal.status, said, refusal.headers)


def content(
    body: bytes,
    content_type: str,
    *,
    status: int = 200,
    policy: str = _NOTHING_ACTS,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return `body` under the strictest rules for whoever shows it."""
    said = {**_ALWAYS, "Content-Security-Policy": policy, "Content-Type": content_type, **(headers or {})}
    return Response(body, status, said)
