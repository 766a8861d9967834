"""The ledger: what still has to be deleted at a target and told to its CDN, kept in the target itself.

A receipt is opened before the first write and closed when the CDN has accepted, so a crash in between needs no
person: whoever runs next finds it open, finishes its deletes and tells the CDN, with the same reference. Closed
receipts stay for the last publications, without their paths: the ledger must stay small however large a publication
is. One object, swapped under its ETag, holds all of it: reading it costs one request.
"""

import json
from collections.abc import Callable, Container, Mapping
from dataclasses import field, replace
from typing import Any

from hubdata.errors import Conflict, TargetError
from hubdata.model.lease import GivenBack
from hubdata.ports import Target
from hubdata.values import frozen

KEY = ".hubdata/receipts.json"
_MAX_BYTES = 16 * 1024 * 1024
_CLOSED_KEPT = 50
_REST = "-rest"
_TRIES = 8


@frozen
class Line:
    """One publication in the ledger. `reference` is the CDN's CallerReference; `opened_at` is UTC, ISO 8601.

    `deletes` are keys to be deleted after the manifest swap, each with the ETag of the object that is meant. `puts` are
    keys that are new in the store, each with the MD5 of what is put there: should the run break off and nobody want
    them any more, they would lie there for ever. `upon` is the generation that the publication comes after: as long as
    the manifest is of that one, nothing was published. None where it no longer says anything.
    """

    reference: str
    run_id: str
    opened_at: str
    paths: tuple[str, ...]
    deletes: tuple[tuple[str, str], ...] = ()
    generation: int = 0
    invalidation_id: str = ""
    puts: tuple[tuple[str, str], ...] = ()
    upon: int | None = None


@frozen
class Inherited:
    """A receipt of which nothing was published: the next one takes over its paths; `rest` stays, under its own name."""

    line: Line
    rest: Line | None = None


@frozen
class Seal:
    """What was written beside the manifest with the ETag `manifest`: each file of it by key, with its own ETag.

    `signed_by` is the id of the key; empty where nothing is signed.
    """

    manifest: str
    signed_by: str
    files: Mapping[str, str]


@frozen
class Page:
    """The status page as it was written last: of the manifest with the ETag `manifest`, each file with its own ETag.

    `manifest` is empty where something could not be written. `foreign` files lie in the page's place, with the ETag
    that they had when somebody looked: others wrote them, so they stay.
    """

    manifest: str
    files: Mapping[str, str]
    foreign: Mapping[str, str] = field(default_factory=dict)


@frozen
class Ledger:
    """The ledger as read. `etag` is None when the target has none yet; `seal` and `page` are the last ones there.

    `lease` is by what one knows that whoever wrote it last gave its lease back.
    """

    open: tuple[Line, ...] = ()
    closed: tuple[Line, ...] = ()
    etag: str | None = None
    seal: Seal | None = None
    page: Page | None = None
    lease: GivenBack | None = None


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
            tuple(_line(item) for item in data["open"]),
            tuple(_line(item) for item in data["closed"]),
            blob.stored.etag,
            _seal(data.get("seal")),
            _page(data.get("page")),
            _lease(data.get("lease")),
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as err:
        raise TargetError(
            f"target {target.name}: {KEY} is not a ledger ({type(err).__name__}: {err})",
            advice="remove that object; the CDN may then serve old copies until they expire",
        ) from err


def opened(target: Target, ledger: Ledger, line: Line, inherited: tuple[Inherited, ...] = ()) -> Ledger:
    """Return the ledger after `line` was put into it as open, in the place of all that it has `inherited`."""
    gone = {each.line.reference for each in inherited}
    rests = tuple(each.rest for each in inherited if each.rest is not None)

    def take_over(now: Ledger) -> Ledger:
        return replace(now, open=(*(item for item in now.open if item.reference not in gone), *rests, line))

    return _swap(target, ledger, take_over)


def rest(line: Line, **left: Any) -> Line:
    """Return the receipt of what could not be finished with `line`, under a reference of its own."""
    return replace(line, reference=f"{line.reference}{_REST}", upon=None, **left)


def waits(line: Line, listed: Container[str], wanted: Container[str]) -> bool:
    """Tell whether `line` is a rest with which nothing can be done yet: all may be wanted, and none is listed."""
    unlisted = all(key in wanted and key not in listed for key, _ in line.puts)
    return _is_rest_of_puts(line) and unlisted


def noted(target: Target, ledger: Ledger, *, seal: Seal | None = None, page: Page | None = None) -> Ledger:
    """Return the ledger after what was written beside the manifest was noted in it, and nothing else."""
    return _swap(target, ledger, lambda now: replace(now, seal=seal or now.seal, page=page or now.page))


def closed(
    target: Target,
    ledger: Ledger,
    line: Line,
    *,
    left: Line | None = None,
    listed: Container[str] = (),
    seal: Seal | None = None,
    page: Page | None = None,
) -> tuple[Ledger, bool]:
    """Return the ledger after the receipt with `line.reference` was closed as `line`, and whether it was open till now.

    If it was not, another run took it for a crashed one's and told the CDN on its behalf, perhaps too early. What is
    `left` of it is opened at once; rests of objects that are `listed` by now go too. Its seal and page are noted.
    """
    was_open = True

    def stays(item: Line) -> bool:
        settled = _is_rest_of_puts(item) and all(key in listed for key, _ in item.puts)
        return item.reference != line.reference and not settled

    def close(now: Ledger) -> Ledger:
        nonlocal was_open
        was_open = any(item.reference == line.reference for item in now.open)
        still_open = (*(item for item in now.open if stays(item)), *([left] if left else []))
        others = tuple(item for item in now.closed if item.reference != line.reference)
        kept = replace(line, paths=(), deletes=(), puts=(), upon=None)
        past = (*others, kept)[-_CLOSED_KEPT:]
        return replace(now, open=still_open, closed=past, seal=seal or now.seal, page=page or now.page)

    return _swap(target, ledger, close), was_open


def _is_rest_of_puts(line: Line) -> bool:
    return line.reference.endswith(_REST) and bool(line.puts) and not line.deletes


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
        deletes=tuple((str(key), str(etag)) for key, etag in data.get("deletes", ())),
        generation=int(data["generation"]),
        invalidation_id=str(data["invalidation_id"]),
        puts=tuple((str(key), str(etag)) for key, etag in data.get("puts", ())),
        upon=None if data.get("upon") is None else int(data["upon"]),
    )


def _seal(data: dict[str, Any] | None) -> Seal | None:
    if data is None:
        return None
    files = {str(key): str(etag) for key, etag in data["files"].items()}
    return Seal(str(data["manifest"]), str(data["signed_by"]), files)


def _page(data: dict[str, Any] | None) -> Page | None:
    if data is None:
        return None
    files, foreign = ({str(k): str(v) for k, v in data[name].items()} for name in ("files", "foreign"))
    return Page(str(data["manifest"]), files, foreign)


def _lease(data: dict[str, Any] | None) -> GivenBack | None:
    return None if data is None else GivenBack(str(data["etag"]), int(data["fence"]))


def _to_bytes(ledger: Ledger) -> bytes:
    def plain(line: Line) -> dict[str, Any]:
        return {
            "reference": line.reference,
            "run_id": line.run_id,
            "opened_at": line.opened_at,
            "generation": line.generation,
            "invalidation_id": line.invalidation_id,
            "paths": list(line.paths),
            "deletes": [list(each) for each in line.deletes],
            "puts": [list(each) for each in line.puts],
            **({} if line.upon is None else {"upon": line.upon}),
        }

    body: dict[str, Any] = {
        "open": [plain(line) for line in ledger.open],
        "closed": [plain(line) for line in ledger.closed],
    }
    if (seal := ledger.seal) is not None:
        body["seal"] = {"manifest": seal.manifest, "signed_by": seal.signed_by, "files": dict(seal.files)}
    if (page := ledger.page) is not None:
        body["page"] = {"manifest": page.manifest, "files": dict(page.files), "foreign": dict(page.foreign)}
    if (lease := ledger.lease) is not None:
        body["lease"] = {"etag": lease.etag, "fence": lease.fence}
    return (json.dumps(body, indent=1) + "\n").encode()
