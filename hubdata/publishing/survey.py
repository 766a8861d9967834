"""Survey a target before anything is planned: its listing, its manifest and its ledger, read side by side."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import field

from hubdata.errors import TargetError
from hubdata.model import lease as leases
from hubdata.model import manifest as manifests
from hubdata.model import success
from hubdata.model.inventory import Inventory, Stored
from hubdata.model.key import PRIVATE, RESERVED
from hubdata.model.manifest import Manifest
from hubdata.planning.inventory import reconcile
from hubdata.ports import Target
from hubdata.publishing import ledger as ledgers
from hubdata.publishing import records
from hubdata.publishing.ledger import Ledger
from hubdata.transfer.turns import COMPUTING
from hubdata.values import frozen

MANIFEST_MAX_BYTES = 256 * 1024 * 1024
"""Room for some 500,000 files."""

_OWN = (*RESERVED, *(f"{PRIVATE}{key}" for key in RESERVED))


@frozen
class Survey:
    """What one target holds, and what its CDN still has to be told.

    `lease_etag` is that of the lease as it was then: if it still is, nobody has written since. None: there was none.
    `own` are the ETags of hubdata's other files, by key; `records` the keys of what runs have left there, oldest first,
    `lasts` those of jobs' last successes.
    """

    inventory: Inventory
    ledger: Ledger
    lease_etag: str | None = None
    own: Mapping[str, str] = field(default_factory=dict)
    records: tuple[str, ...] = ()
    lasts: frozenset[str] = frozenset()


def survey(target: Target) -> Survey:
    """Return what `target` holds now. Costs one LIST per 1,000 keys and two GETs.

    What was read before another run swapped it, and listed afterwards, is read again: nothing here is older than the
    listing, so what its lease is good for holds for all. What is newer than the listing has another lease.
    Raises TargetError when it cannot be read.
    """
    with ThreadPoolExecutor(max_workers=3, thread_name_prefix=f"survey-{target.name}") as pool:
        listing = pool.submit(target.listing)
        manifest = pool.submit(read_manifest, target)
        ledger = pool.submit(ledgers.read, target)
        current, etag = manifest.result()
        listed, receipts = listing.result(), ledger.result()
    if etag != _etag(listed, manifests.KEY):
        current, etag = read_manifest(target)
    if receipts.etag != _etag(listed, ledgers.KEY):
        receipts = ledgers.read(target)
    own = {key: listed[key].etag for key in _OWN if key in listed}
    with COMPUTING:
        inventory = reconcile(target.name, current, etag, listed)
    lasts = frozenset(key for key in listed if key.startswith(success.PREFIX))
    return Survey(inventory, receipts, _etag(listed, leases.KEY), own, records.listed(listed), lasts)


def _etag(listed: Mapping[str, Stored], key: str) -> str | None:
    stored = listed.get(key)
    return None if stored is None else stored.etag


def read_manifest(target: Target) -> tuple[Manifest, str | None]:
    """Return the target's manifest and its ETag; generation 0 and None when there is none yet.

    Raises TargetError when it cannot be read, or is not one that this hubdata understands.
    """
    blob = target.read(manifests.KEY, max_bytes=MANIFEST_MAX_BYTES)
    if blob is None:
        return Manifest(), None
    try:
        with COMPUTING:
            return Manifest.from_bytes(blob.body), blob.stored.etag
    except TargetError as err:
        raise TargetError(f"target {target.name}: {err}", advice=err.advice) from err
