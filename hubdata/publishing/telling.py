"""What a target's CDN is told of a publication: the paths, fixed before the first write, and what they come to.

A CDN that charges by the path is told as few as make sense (`planning/invalidation.py` chooses), any other one path a
key. The files that hubdata writes itself always have paths of their own: they change with every publication.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hubdata.model import manifest as manifests
from hubdata.model.inventory import Inventory
from hubdata.model.tariff import Estimate
from hubdata.planning.invalidation import estimate, fewest
from hubdata.ports import Cdn, Priced

OWN = (manifests.KEY,)
"""Keys that each publication changes besides the data; those of its seal and its page come on top."""

TAG_METADATA = "cache-tag"
"""The name of the metadata that S3 serves as the header `x-amz-meta-cache-tag`."""


@dataclass(frozen=True, slots=True)
class Telling:
    """The paths a CDN is told, in order, and what they come to; no estimate where there is no path."""

    paths: tuple[str, ...]
    estimate: Estimate | None


def telling(cdn: Cdn, changed: tuple[str, ...], inventory: Inventory, ours: tuple[str, ...] = ()) -> Telling:
    """Return what to tell `cdn` after a publication that changes the `changed` keys of `inventory`, and `ours`."""
    own = cdn.paths((*OWN, *ours))
    if not isinstance(cdn, Priced):
        paths = (*cdn.paths(changed), *own)
        return Telling(paths, Estimate(len(paths)) if paths else None)
    tariff = cdn.tariff
    left = replace(
        tariff, free_paths=max(0, tariff.free_paths - len(own)), max_plain=max(0, tariff.max_plain - len(own))
    )
    sizes = {key: held.stored.size for key, held in inventory.objects.items()}
    chosen = fewest(changed, sizes, left, lambda: _carried(cdn, inventory))
    told = (*cdn.paths(chosen.keys), *cdn.wildcards(chosen.directories), *cdn.tagged(chosen.tags), *own)
    paths = tuple(dict.fromkeys(told))  # two names that only a wildcard reaches may share it
    return Telling(paths, estimate(chosen, len(paths), tariff))


def metadata_of(cdn: Cdn, job: str) -> Mapping[str, str]:
    """Return the metadata that a job's objects are put with: its tag, where the CDN reads tags."""
    tag = cdn.tag(job) if isinstance(cdn, Priced) else ""
    return {TAG_METADATA: tag} if tag else {}


def _carried(cdn: Priced, inventory: Inventory) -> Mapping[str, str]:
    """Return by key the tag of its cached copy, of all objects that are in place as they were put with it."""
    return {
        key: entry.cache_tag
        for key, entry in inventory.manifest.files.items()
        if entry.cache_tag
        and (held := inventory.objects.get(key)) is not None
        and held.sha256 == entry.sha256
        and entry.cache_tag == cdn.tag(entry.job)
    }
