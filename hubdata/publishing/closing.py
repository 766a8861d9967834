"""Bring a publication to its end: tell the CDN, and close the receipt with the seal and the page that came of it.

What could not be deleted, or may have been put, stays open as a receipt of its own. While the CDN refuses, the receipt
stays open, and whoever runs next tells it first.
"""

from dataclasses import dataclass, replace

from hubdata.errors import CdnError
from hubdata.model.event import Event
from hubdata.model.manifest import Manifest
from hubdata.model.receipt import Applied, Invalidation
from hubdata.ports import Cdn, Reporter, Target
from hubdata.publishing import ledger as ledgers
from hubdata.publishing.ledger import Ledger, Line, Page, Seal
from hubdata.publishing.paging import Paging


@dataclass(frozen=True, slots=True)
class Begun:
    """An apply that has begun: its receipt, which is open in the ledger where that was `noted`, and its time."""

    line: Line
    deletes: tuple[tuple[str, str], ...]
    noted: bool
    ledger: Ledger
    stamp: str


def closed(
    done: Applied,
    begun: Begun,
    target: Target,
    cdn: Cdn,
    manifest: Manifest,
    *,
    seal: Seal | None,
    paging: Paging | None,
    reporter: Reporter,
) -> Applied:
    """Tell the CDN and close the receipt; what could not be finished stays open as a receipt of its own."""
    line, ledger = replace(begun.line, generation=manifest.generation), begun.ledger
    left = tuple(each for each in begun.deletes if each[0] in done.failures)
    doubtful = tuple(each for each in line.puts if each[0] in done.failures)
    if left or doubtful:
        again = ledgers.rest(line, deletes=left, puts=doubtful, paths=cdn.paths(tuple(key for key, _ in left)))
        ledger = ledgers.opened(target, ledger, again)
    if paging is not None and line.paths:
        paging.settle()
    told = _told(cdn, target, line, reporter) if line.paths else None
    shown = None if paging is None else paging.shown()
    page, remark = (None, "") if shown is None else (shown.page, shown.remark)
    if told is not None and not told.pending:
        told = _heard(cdn, target, ledger, line, told, manifest=manifest, seal=seal, page=page, reporter=reporter)
    elif told is None and (begun.noted or ledger.open or seal or page):
        ledgers.closed(target, ledger, line, listed=manifest.files, seal=seal, page=page)
    return replace(done, receipt=replace(done.receipt, invalidation=told), remark=remark)


def _told(cdn: Cdn, target: Target, line: Line, reporter: Reporter) -> Invalidation:
    try:
        invalidation = cdn.invalidate(line.paths, line.reference)
    except CdnError as err:
        reporter.emit(Event("cdn.pending", {"target": target.name, "reference": line.reference, "error": str(err)}))
        return Invalidation(line.paths, line.reference, pending=True, reason=str(err), advice=err.advice)
    told = invalidation.id or ""
    reporter.emit(Event("cdn.invalidated", {"target": target.name, "id": told, "paths": len(line.paths)}))
    return invalidation


def _heard(
    cdn: Cdn,
    target: Target,
    ledger: Ledger,
    line: Line,
    told: Invalidation,
    *,
    manifest: Manifest,
    seal: Seal | None,
    page: Page | None,
    reporter: Reporter,
) -> Invalidation:
    """Close the receipt of what the CDN was told; return what it was told in the end."""
    done = replace(line, invalidation_id=told.id or "")
    ledger, was_open = ledgers.closed(target, ledger, done, listed=manifest.files, seal=seal, page=page)
    if was_open:
        return told
    # Another run took this one for crashed and told the CDN under our reference, maybe before our last put: tell anew.
    anew = replace(line, reference=f"{line.reference}-again", upon=None)
    ledger = ledgers.opened(target, ledger, anew)
    told = _told(cdn, target, anew, reporter)
    if told.pending:
        return told
    return _heard(cdn, target, ledger, anew, told, manifest=manifest, seal=seal, page=page, reporter=reporter)
