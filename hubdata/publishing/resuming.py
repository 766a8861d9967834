"""Finish what a broken-off run has left at a target: what it was to delete, put for nothing, and never told.

A run that had swapped its manifest has published: its CDN is told at once, under the same reference, which a CDN that
heard it already takes as the same request. One that had not has told nobody anything, and what it put is put or taken
back by the run that comes now: its paths are told together with that run's own, in one request, once that is done.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from hubdata.errors import Conflict
from hubdata.model.event import Event
from hubdata.model.manifest import Entry, Manifest
from hubdata.model.receipt import Invalidation
from hubdata.ports import Cdn, Reporter, Target
from hubdata.publishing import ledger as ledgers
from hubdata.publishing.lease import Held
from hubdata.publishing.ledger import Inherited, Ledger, Line
from hubdata.publishing.survey import read_manifest


@dataclass(frozen=True, slots=True)
class Resumed:
    """What came of it: the ledger as it is now, what the CDN was told, and what is left to the next receipt."""

    ledger: Ledger
    told: tuple[Invalidation, ...] = ()
    inherited: tuple[Inherited, ...] = ()


def resume(
    target: Target,
    cdn: Cdn,
    ledger: Ledger,
    wanted: frozenset[str],
    *,
    publishes: bool,
    lease: Held,
    reporter: Reporter,
) -> Resumed:
    """Return what became of every open receipt: closed, oldest first, or left to the receipt of a run that `publishes`.

    What a crashed run could not delete is deleted now, and what it put for nothing, unless it is `wanted` or named by
    the manifest. What is wanted but not listed yet stays open as a rest, until it is the one or no longer the other:
    whoever may want it has perhaps not spoken in this run.
    Raises CdnError when the CDN still refuses, TargetError when the store does, Conflict when the lease is lost.
    """
    manifest = read_manifest(target)[0] if ledger.open else Manifest()
    told, inherited = [], []
    for line in ledger.open:
        if ledgers.waits(line, manifest.files, wanted):
            continue
        left = _clear(line, target, manifest.files, wanted, lease)
        paths = cdn.paths(tuple(key for key, _ in left))
        rest = ledgers.rest(line, deletes=(), puts=left, paths=paths) if left else None
        if publishes and line.paths and line.upon == manifest.generation:
            inherited.append(Inherited(line, rest))
            continue
        invalidation = Invalidation((), line.reference)
        if line.paths:
            invalidation = cdn.invalidate(line.paths, line.reference)
            told.append(invalidation)
        done = replace(line, invalidation_id=invalidation.id or "")
        ledger, _ = ledgers.closed(target, ledger, done, left=rest)
        reporter.emit(Event("cdn.resumed", {"target": target.name, "reference": line.reference}))
    return Resumed(ledger, tuple(told), tuple(inherited))


def _clear(
    line: Line, target: Target, files: Mapping[str, Entry], wanted: frozenset[str], lease: Held
) -> tuple[tuple[str, str], ...]:
    """Delete what a broken-off run was to delete, and what it put and never committed; return what may be wanted."""
    left = []
    for key, etag in (*line.deletes, *line.puts):
        if key in files:
            continue
        if key in wanted:
            left.append((key, etag))
            continue
        lease.check()
        with suppress(Conflict):  # somebody put another object there: it is theirs
            target.delete(key, if_etag=etag)
    return tuple(left)
