"""The ledger: what a target's CDN still has to be told, kept in the target itself.

A receipt is opened before the first write and closed when the CDN has accepted, so a crash in between needs no
person: whoever runs next finds it open and tells the CDN first, with the same reference. Closed receipts stay for
the last publications. One object, swapped under its ETag, holds all of it: reading it costs one request.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from hubdata.errors import Conflict, TargetError
from hubdata.ports import Target

KEY = ".hubdata/receipts.json"
_MAX_BYTES = 16 * 1024 * 1024
_CLOSED_KEPT = 50
_TRIES = 8


@dataclass(frozen=True, slots=True)
class Line:
    """One publication in the ledger. `reference` is the CDN's CallerReference; `opened_at` is UTC, ISO 8601."""

    reference: str
    run_id: str
    opened_at: str
    paths: tuple[str, ...]
    generation: int = 0
    invalidation_id: str = ""


@dataclass(frozen=True, slots=True)
class Ledger:
    """The ledger as read. `etag` is None when the target has none yet."""

    open: tuple[Line, ...] = ()
    closed: tuple[Line, ...] = ()
    etag: str | None = None


def read(target: Target) -> Ledger:
    """Return the target's ledger; empty when there is none.

    Raises TargetError when the record there is not one.
    """
    blob = target.read(KEY, max_bytes=_MAX_BYTES)
    if blob is None:
        return Ledger()
    try:
        data = json.loads(blob.body)
        return Ledger(
            tuple(_line(item) for item in data["open"]), tuple(_line(item) for item in data["closed"]), blob.stored.etag
        )
    except (ValueError, KeyError, TypeError) as err:
        raise TargetError(
            f"target {target.name}: {KEY} is not a ledger ({type(err).__name__}: {err})",
            advice="remove that object; the CDN may then serve old copies until they expire",
        ) from err


def opened(target: Target, ledger: Ledger, line: Line) -> Ledger:
    """Return the ledger after `line` was put into it as open."""
    return _swap(target, ledger, lambda now: replace(now, open=(*now.open, line)))


def closed(target: Target, ledger: Ledger, line: Line) -> Ledger:
    """Return the ledger after the open receipt with `line.reference` was replaced by `line`, closed."""

    def close(now: Ledger) -> Ledger:
        still_open = tuple(item for item in now.open if item.reference != line.reference)
        return replace(now, open=still_open, closed=(*now.closed, line)[-_CLOSED_KEPT:])

    return _swap(target, ledger, close)


def _swap(target: Target, ledger: Ledger, change: Callable[[Ledger], Ledger]) -> Ledger:
    for _ in range(_TRIES):
        new = change(ledger)
        try:
            stored = target.write(
                KEY,
                _to_bytes(new),
                content_type="application/json",
                cache_control="private, no-store",
                if_etag=ledger.etag,
            )
        except Conflict:
            ledger = read(target)
        else:
            return replace(new, etag=stored.etag)
    raise Conflict(
        f"target {target.name}: {KEY} changed {_TRIES} times while this run tried to write it",
        advice="too many runs at once on one target: run them one after the other",
        retryable=True,
    )


def _line(data: dict[str, Any]) -> Line:
    return Line(
        reference=str(data["reference"]),
        run_id=str(data["run_id"]),
        opened_at=str(data["opened_at"]),
        paths=tuple(str(path) for path in data["paths"]),
        generation=int(data["generation"]),
        invalidation_id=str(data["invalidation_id"]),
    )


def _to_bytes(ledger: Ledger) -> bytes:
    def plain(line: Line) -> dict[str, Any]:
        return {
            "reference": line.reference,
            "run_id": line.run_id,
            "opened_at": line.opened_at,
            "generation": line.generation,
            "invalidation_id": line.invalidation_id,
            "paths": list(line.paths),
        }

    body = {"open": [plain(line) for line in ledger.open], "closed": [plain(line) for line in ledger.closed]}
    return (json.dumps(body, indent=1) + "\n").encode()
