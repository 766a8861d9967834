"""Survey a target before anything is planned: its listing, its manifest and its ledger, read side by side."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from hubdata.errors import TargetError
from hubdata.model import lease as leases
from hubdata.model import manifest as manifests
from hubdata.model.inventory import Inventory
from hubdata.model.manifest import Manifest
from hubdata.planning.inventory import reconcile
from hubdata.ports import Target
from hubdata.publishing import ledger as ledgers
from hubdata.publishing.ledger import Ledger

MANIFEST_MAX_BYTES = 256 * 1024 * 1024
"""Room for some 500,000 files."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What one target holds, and what its CDN still has to be told.

    `lease_etag` is that of the lease as it was then: if it still is, nobody has written since. None: there was none.
    """

    inventory: Inventory
    ledger: Ledger
    lease_etag: str | None = None


def survey(target: Target) -> Survey:
    """Return what `target` holds now. Costs one LIST per 1,000 keys and two GETs.

    Raises TargetError when it cannot be read.
    """
    with ThreadPoolExecutor(max_workers=3, thread_name_prefix=f"survey-{target.name}") as pool:
        listing = pool.submit(target.listing)
        manifest = pool.submit(read_manifest, target)
        ledger = pool.submit(ledgers.read, target)
        current, etag = manifest.result()
        listed = listing.result()
        lease = listed.get(leases.KEY)
        inventory = reconcile(target.name, current, etag, listed)
        return Survey(inventory, ledger.result(), None if lease is None else lease.etag)


def read_manifest(target: Target) -> tuple[Manifest, str | None]:
    """Return the target's manifest and its ETag; generation 0 and None when there is none yet.

    Raises TargetError when it cannot be read, or is not one that this hubdata understands.
    """
    blob = target.read(manifests.KEY, max_bytes=MANIFEST_MAX_BYTES)
    if blob is None:
        return Manifest(), None
    try:
        return Manifest.from_bytes(blob.body), blob.stored.etag
    except TargetError as err:
        raise TargetError(f"target {target.name}: {err}", advice=err.advice) from err
