"""Heed a push at GitHub: run the configured jobs, once for each signed delivery, and no oftener than is sensible.

In this order, so that a stranger costs little: what the headers rule out is refused before a byte of the body is read;
the body is bounded in size, time and, with all others under way, in memory; its signature is made while it comes; only
what is signed is looked into. A job that runs already is run once more afterwards: what it fetched may be older than
the push.
"""

import re
from dataclasses import dataclass
from http import HTTPStatus
from math import ceil

from anyio import CapacityLimiter, fail_after, to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from hubdata.worker.agenda import Answer
from hubdata.worker.schedule import Cause
from hubdata.worker.web.answers import JSON, Refusal, answer
from hubdata.worker.web.behind import Behind, Diary, Github
from hubdata.worker.web.bucket import Bucket, Share, Store
from hubdata.worker.web.proof import is_signed, signature, signing
from hubdata.worker.web.pushes import Sense, Unreadable, sense
from hubdata.worker.web.repeats import Repeats

BURST, PER_S = 10, 1 / 60
"""Pushes that may begin runs at once, and then one a minute: what else is pushed meanwhile, the last run sees too."""
BODIES = 8
"""Room for so many bodies of the largest size; others are told to come back."""
_LARGE = 64 << 10
"""Smaller bodies are read into values where we stand: a thread costs more."""

_DELIVERY = re.compile(r"[0-9A-Za-z-]{1,72}")
_EVENT = re.compile(r"[a-z_]{1,64}")


@dataclass(frozen=True, slots=True)
class _Head:
    """What the headers of a delivery say, as far as it may be worth reading."""

    event: str
    delivery: str
    signed: bytes


class Hooks:
    """The endpoint that GitHub delivers to."""

    def __init__(self, behind: Behind, diary: Diary) -> None:
        self._behind, self._diary = behind, diary
        self._repeats = Repeats()
        self._bucket = Bucket(BURST, PER_S, behind.clock.monotonic)
        self._store = Store(BODIES * behind.github.spec.max_bytes if behind.github else 0)
        self._thread = CapacityLimiter(1)

    async def github(self, request: Request) -> Response:
        """Heed one delivery."""
        github = self._behind.github
        if github is None:
            raise Refusal(HTTPStatus.NOT_FOUND, "not found")
        try:
            with self._store.share() as share:
                head = _head(request, github)
                body = await self._body(request, head, github, share)
                return await self._heed(request, head, body, github)
        except Refusal as refusal:
            self._diary.denied(request, "github", refusal.status, refusal.why)
            raise

    async def _body(self, request: Request, head: _Head, github: Github, share: Share) -> bytes:
        """Return the body, having seen that it is GitHub's. Raises Refusal."""
        made, pieces, size = signing(github.secret), [], 0
        try:
            with fail_after(self._behind.body_s):
                async for piece in request.stream():
                    size += len(piece)
                    if size > github.spec.max_bytes:
                        raise _too_large(github)
                    if not share.take(len(piece)):
                        raise _busy("too many bodies at once", 5)
                    made.update(piece)
                    pieces.append(piece)
        except TimeoutError:
            raise Refusal(
                HTTPStatus.REQUEST_TIMEOUT, "the body took too long", headers={"Connection": "close"}
            ) from None
        except ClientDisconnect:
            raise Refusal(HTTPStatus.BAD_REQUEST, "the body broke off") from None
        if not is_signed(head.signed, made):
            raise _unsigned("wrong signature")
        return b"".join(pieces)

    async def _heed(self, request: Request, head: _Head, body: bytes, github: Github) -> Response:
        """Do what a signed delivery asks for, if anything."""
        try:
            if len(body) > _LARGE:
                found = await to_thread.run_sync(sense, head.event, body, github.spec, limiter=self._thread)
            else:
                found = sense(head.event, body, github.spec)
        except Unreadable as err:
            raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, f"this is no {head.event} of GitHub's: {err}") from None
        marks = (head.delivery, head.signed)
        if found is not Sense.PUSH:
            said = "pong" if found is Sense.PING else f"ignored: {found}"
            return self._answer(request, head, said, {})
        if marks in self._repeats:
            return self._answer(request, head, "repeated: it was heeded before", {})
        if wait_s := self._bucket.take():
            raise Refusal(
                HTTPStatus.TOO_MANY_REQUESTS, "too many pushes at once", headers={"Retry-After": str(ceil(wait_s))}
            )
        self._repeats.remember(marks)
        became = {job: self._behind.trigger(job, Cause.PUSH, owe=True) for job in github.spec.jobs}
        if Answer.ENDING in became.values() or set(became.values()) == {Answer.UNKNOWN}:
            # Nobody knows its jobs: the worker has just begun, or their files are gone. GitHub shows a failure then.
            self._repeats.forget(marks)
            raise _busy("ending" if Answer.ENDING in became.values() else "its jobs are not known", 10)
        return self._answer(request, head, "heeded", became, HTTPStatus.ACCEPTED)

    def _answer(
        self, request: Request, head: _Head, said: str, jobs: dict[str, Answer], status: int = HTTPStatus.OK
    ) -> Response:
        told = {"jobs": ",".join(f"{job}:{became}" for job, became in jobs.items())} if jobs else {}
        self._diary.accepted(
            request, "github", event=head.event, delivery=head.delivery, answer=said.partition(":")[0], **told
        )
        return answer(status, {"answer": said, "jobs": jobs})


def _head(request: Request, github: Github) -> _Head:
    """Return what the headers say. Raises Refusal for what is not worth reading."""
    signed = signature(_one(request, "x-hub-signature-256"))
    if signed is None:
        raise _unsigned("no signature")
    if (length := _one(request, "content-length")) and int(length) > github.spec.max_bytes:
        raise _too_large(github)
    kind = (_one(request, "content-type") or "").partition(";")[0].strip().lower()
    if kind != JSON:
        raise Refusal(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "expected application/json",
            advice="set the webhook's content type to application/json",
        )
    event, delivery = _one(request, "x-github-event") or "", _one(request, "x-github-delivery") or ""
    if _EVENT.fullmatch(event) is None or _DELIVERY.fullmatch(delivery) is None:
        raise Refusal(HTTPStatus.BAD_REQUEST, "expected X-GitHub-Event and X-GitHub-Delivery, as GitHub sends them")
    return _Head(event, delivery, signed)


def _one(request: Request, name: str) -> str | None:
    """Return a header that was sent once; None for one that was not, or twice."""
    values = request.headers.getlist(name)
    return values[0] if len(values) == 1 else None


def _unsigned(why: str) -> Refusal:
    return Refusal(HTTPStatus.UNAUTHORIZED, "the signature is missing or wrong", why=why)


def _too_large(github: Github) -> Refusal:
    said = f"at most {github.spec.max_bytes} bytes are accepted"
    return Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, said, why="too large")


def _busy(why: str, retry_s: int) -> Refusal:
    return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "come back later", why=why, headers={"Retry-After": str(retry_s)})
