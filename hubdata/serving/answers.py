"""Decide what to answer to a request for a file: status, headers, and which of its bytes.

Pure: the file is known by its facts, the request by its headers. The order of conditions and what each of them means
are RFC 9110's (13.2.2, 14). Starlette's FileResponse decides some of this too, but otherwise than the RFC wants: it
answers HEAD with 206, refuses range units it does not know with 400, and 416 to a list with one good range. Here a list
of ranges is answered with the whole file, as S3 does: no client of ours asks so, and it is how small requests are made
to cost much.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate

from hubdata.transfer.http_date import http_moment

_ONE_RANGE = re.compile(r"\s*bytes\s*=\s*([0-9]{0,40})\s*-\s*([0-9]{0,40})\s*", re.IGNORECASE)
_TAG = re.compile(r'(W/)?("[^"]*")')
_SAME_SECOND_S = 2


@dataclass(frozen=True, slots=True)
class Facts:
    """A file as it was opened. `etag` is strong, in its quotes; `modified_at` is in whole seconds since 1970."""

    size: int
    modified_at: int
    etag: str
    content_type: str
    cache_control: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request says, as far as an answer depends on it. Headers sent several times are joined by commas."""

    method: str
    if_match: str | None = None
    if_none_match: str | None = None
    if_modified_since: str | None = None
    if_unmodified_since: str | None = None
    range: str | None = None
    if_range: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and headers, and the part of the file that is the body of an answer to GET."""

    status: int
    headers: Mapping[str, str]
    start: int = 0
    length: int = 0


def answer(asked: Asked, facts: Facts, now: int) -> Answer:
    """Return the answer to a GET or HEAD for a file that is there. `now` is in seconds since 1970."""
    modified_at = max(0, min(facts.modified_at, now))  # RFC 9110, 8.8.2.1: no date that is yet to come
    validators = {
        "ETag": facts.etag,
        "Last-Modified": formatdate(modified_at, usegmt=True),
        "Cache-Control": facts.cache_control,
    }
    if _precondition_failed(asked, facts.etag, modified_at):
        return Answer(412, {"Cache-Control": "no-store", "Content-Length": "0"})
    if _not_modified(asked, facts.etag, modified_at):
        return Answer(304, validators)
    whole = validators | {"Content-Type": facts.content_type, "Accept-Ranges": "bytes"}
    if (
        asked.method == "GET"
        and asked.range is not None
        and _range_wanted(asked.if_range, facts.etag, modified_at, now)
    ):
        match _part(asked.range, facts.size):
            case (start, length):
                said = {"Content-Range": f"bytes {start}-{start + length - 1}/{facts.size}"}
                return Answer(206, whole | said | {"Content-Length": str(length)}, start, length)
            case "unsatisfiable":
                said = {"Content-Range": f"bytes */{facts.size}", "Content-Length": "0", "Cache-Control": "no-store"}
                return Answer(416, said)
    return Answer(200, whole | {"Content-Length": str(facts.size)}, 0, facts.size)


def _precondition_failed(asked: Asked, etag: str, modified_at: int) -> bool:
    if asked.if_match is not None:
        return asked.if_match.strip() != "*" and ("", etag) not in _TAG.findall(asked.if_match)
    since = _seconds(asked.if_unmodified_since)
    return since is not None and modified_at > since


def _not_modified(asked: Asked, etag: str, modified_at: int) -> bool:
    if asked.if_none_match is not None:
        tags = {tag for _, tag in _TAG.findall(asked.if_none_match)}  # weak comparison: W/ makes no difference
        return asked.if_none_match.strip() == "*" or etag in tags
    since = _seconds(asked.if_modified_since)
    return since is not None and modified_at <= since


def _range_wanted(if_range: str | None, etag: str, modified_at: int, now: int) -> bool:
    """Tell whether what the client has a part of is this very file. A date says so only when it is not of just now."""
    if if_range is None:
        return True
    if '"' in if_range:
        return if_range.strip() == etag
    return _seconds(if_range) == modified_at and modified_at + _SAME_SECOND_S <= now


def _part(text: str, size: int) -> tuple[int, int] | str | None:
    """Return start and length of the one range that `text` asks for; None for anything else, which is ignored."""
    found = _ONE_RANGE.fullmatch(text)
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        length = min(int(found[2]), size)
        return (size - length, length) if length else "unsatisfiable"
    first = int(found[1])
    last = min(int(found[2]), size - 1) if found[2] else size - 1
    if found[2] and int(found[2]) < first:
        return None
    return (first, last - first + 1) if first < size else "unsatisfiable"


def _seconds(text: str | None) -> int | None:
    moment = http_moment(text) if text else None
    return int(moment.timestamp()) if moment else None
