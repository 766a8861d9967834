"""Mend a seal: sign what is published and has no signature, or one by an earlier key; and tell the CDN.

A run that crashed between the swap and the seal leaves such a publication, and so does a change of keys. The next run
finds it in its listing and ledger and mends it, though it has nothing to publish.
"""

import hashlib

from hubdata.errors import CdnError, Conflict
from hubdata.model import manifest as manifests
from hubdata.model.event import Event
from hubdata.model.receipt import Invalidation
from hubdata.ports import Cdn, Reporter
from hubdata.publishing import ledger as ledgers
from hubdata.publishing.ledger import Ledger, Line
from hubdata.publishing.sealing import Sealing
from hubdata.publishing.survey import MANIFEST_MAX_BYTES


def reseal(
    sealing: Sealing, cdn: Cdn, ledger: Ledger, manifest_etag: str, *, run_id: str, reporter: Reporter
) -> Invalidation | None:
    """Return what the CDN was told once the manifest with `manifest_etag` is sealed; None where that was nothing.

    Raises TargetError when the store refuses, Conflict when it is another manifest by now or the lease is lost.
    """
    target = sealing.target
    blob = target.read(manifests.KEY, max_bytes=MANIFEST_MAX_BYTES)
    if blob is None or blob.stored.etag != manifest_etag:
        raise Conflict(
            f"target {target.name}: {manifests.KEY} changed while this run was about to seal it",
            advice="run again: the next run seals what is there then",
            retryable=True,
        )
    files = sealing.sealer.files(blob.body)
    stands = all(
        sealing.etags.get(key) == hashlib.md5(body, usedforsecurity=False).hexdigest() for key, body in files.items()
    )
    paths = () if stands else cdn.paths(sealing.sealer.keys)
    stamp = sealing.lease.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    line = Line(f"hubdata-{run_id}-{target.name}", run_id, stamp, paths)
    if paths:
        ledger = ledgers.opened(target, ledger, line)
    seal = sealing.seal(blob.body, manifest_etag)
    reporter.emit(Event("manifest.sealed", {"target": target.name, "files": len(seal.files)}))
    told = None
    if paths:
        try:
            told = cdn.invalidate(paths, line.reference)
        except CdnError as err:
            reporter.emit(Event("cdn.pending", {"target": target.name, "reference": line.reference, "error": str(err)}))
            return Invalidation(paths, line.reference, pending=True, reason=str(err), advice=err.advice)
        line = Line(line.reference, run_id, stamp, (), invalidation_id=told.id or "")
        ledgers.closed(target, ledger, line, seal=seal)
    else:
        ledgers.noted(target, ledger, seal=seal)
    return told
