"""Merge what a run published into the newest manifest.

Jobs own disjoint keys, so a manifest that another run swapped in meanwhile is no conflict: our keys go on top of it.
"""

from collections.abc import Mapping
from dataclasses import replace

from hubdata.model.inventory import Stored
from hubdata.model.manifest import Entry, Manifest
from hubdata.model.snapshot import Artifact
from hubdata.model.stage import Promoted


def entry_of(artifact: Artifact, job: str, stored: Stored, changed_at: str, cache_tag: str = "") -> Entry:
    """Return the manifest's line for an artifact that `stored` confirms; `cache_tag` is known to be the object's."""
    return Entry(
        size=artifact.size,
        sha256=artifact.sha256,
        kind=artifact.kind,
        job=job,
        etag=stored.etag,
        version_id=stored.version_id,
        changed_at=changed_at,
        content_type=artifact.content_type,
        cache_control=artifact.cache_control,
        source=artifact.source,
        stats=artifact.stats,
        cache_tag=cache_tag,
    )


def merged(
    newest: Manifest,
    entries: Mapping[str, Entry],
    removed: frozenset[str],
    *,
    run_id: str,
    published_at: str,
    promoted: Promoted | None = None,
) -> Manifest:
    """Return the generation after `newest`, with `entries` put in and `removed` keys taken out.

    `promoted` is what it brings here from another target; what brings nothing of it (a rollback) ends what was partial.
    """
    files = {key: entry for key, entry in newest.files.items() if key not in removed}
    record = _latest(newest.promoted, promoted)
    return Manifest(newest.generation + 1, published_at, run_id, {**files, **entries}, record)


def _latest(before: Promoted | None, now: Promoted | None) -> Promoted | None:
    """Return the record of what was promoted last; it never goes back within one target's generations."""
    if now is None:
        return None if before is None else replace(before, partial=False)
    if before is not None and before.source == now.source and before.generation > now.generation:
        return before
    return now
