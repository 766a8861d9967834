"""Make one inventory of the two things a target tells about itself: its listing and its manifest.

The listing is the truth about what is there; the manifest knows digests and owners. Where their ETags agree, the
manifest's SHA-256 holds for the object; where they differ, somebody else wrote, and nobody knows the content.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from hubdata.model.inventory import Held, Inventory, Stored
from hubdata.model.key import PRIVATE, RESERVED
from hubdata.model.manifest import Manifest
from hubdata.model.snapshot import Artifact, Provenance, Snapshot

_MIB = 1024 * 1024
USUAL_PART_SIZES = tuple(n * _MIB for n in (8, 5, 16, 50, 64, 10, 15, 25, 32, 100, 128, 256, 512))
"""Part sizes that tools in the field upload with: awscli 8 MiB, rclone and SDKs 5, s5cmd 50, then round numbers."""


def reconcile(target: str, manifest: Manifest, manifest_etag: str | None, listing: Mapping[str, Stored]) -> Inventory:
    """Return what `target` holds under public keys, with digests where the manifest still vouches for them."""
    objects: dict[str, Held] = {}
    for key, stored in listing.items():
        if key in RESERVED or key.startswith(PRIVATE):
            continue
        entry = manifest.files.get(key)
        vouched = entry is not None and entry.etag == stored.etag and entry.size == stored.size
        objects[key] = Held(stored, entry.sha256 if entry is not None and vouched else None)
    return Inventory(target, manifest, manifest_etag, objects)


def recognise(inventory: Inventory, snapshot: Snapshot, multipart_etag: Callable[[Path, int], str]) -> Inventory:
    """Return `inventory` with the digest filled in of every object that provably is what `snapshot` holds.

    An ETag proves it when it is the MD5 of the bytes, or the MD5 of part MD5s for one of the usual part sizes. So a
    bucket filled by another tool is adopted without uploading a byte. `multipart_etag(path, part_size)` is asked
    only where size and number of parts fit.
    """
    found: dict[str, Held] = {}
    for key, artifact in snapshot.artifacts.items():
        held = inventory.objects.get(key)
        if held is not None and held.sha256 is None and _same_bytes(held.stored, artifact, multipart_etag):
            found[key] = Held(held.stored, artifact.sha256)
    return replace(inventory, objects={**inventory.objects, **found}) if found else inventory


def vouched(inventory: Inventory) -> Mapping[str, Provenance]:
    """Return the provenance of every object that is in place as the manifest says: what need not be fetched again."""
    return {
        key: entry.source
        for key, entry in inventory.manifest.files.items()
        if (held := inventory.objects.get(key)) is not None and held.sha256 == entry.sha256
    }


def published(inventories: Sequence[Inventory], *, complete: bool) -> Mapping[str, Provenance]:
    """Return the provenance of what is in place, the same, in all `inventories`: what need not be fetched again.

    Nothing is, unless the inventories are `complete`. What else their manifests name is there too, under keys that no
    file can have (`.hubdata/TARGET/KEY`): new data must follow it all the same, even if one target alone holds it, or
    held it until somebody overwrote or deleted it.
    """
    first, *others = [vouched(each) for each in inventories] if complete and inventories else [{}]
    found = {key: source for key, source in first.items() if all(other.get(key) == source for other in others)}
    known = {frozenset(source.items()) for source in found.values()}
    for each in inventories:
        for key, entry in each.manifest.files.items():
            state = frozenset(entry.source.items())
            if state not in known:
                known.add(state)
                found[f"{PRIVATE}{each.target}/{key}"] = entry.source
    return found


def touched(before: Manifest, now: Manifest) -> frozenset[str]:
    """Return the jobs of which something was published, or removed, between two manifests of one target."""
    changed = {entry.job for key, entry in now.files.items() if before.files.get(key) != entry}
    return frozenset(changed | {entry.job for key, entry in before.files.items() if key not in now.files})


def _same_bytes(stored: Stored, artifact: Artifact, multipart_etag: Callable[[Path, int], str]) -> bool:
    if stored.size != artifact.size:
        return False
    if stored.etag == artifact.md5:
        return True
    _, dash, count = stored.etag.rpartition("-")
    if not dash or not count.isdigit():
        return False
    fitting = (size for size in USUAL_PART_SIZES if -(-artifact.size // size) == int(count))
    return any(multipart_etag(artifact.path, size) == stored.etag for size in fitting)
