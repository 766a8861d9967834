"""Small values for the tests of planning: artifacts, entries and inventories that fit together."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from hubdata.model.inventory import Inventory, Stored
from hubdata.model.manifest import Entry, Manifest
from hubdata.model.snapshot import Artifact, Snapshot, Stats
from hubdata.planning.inventory import reconcile
from hubdata.planning.merge import entry_of

STAMP = "2026-07-01T00:00:00Z"
UNCOUNTED = Stats()


def md5(body: bytes) -> str:
    """Return the ETag of a plain put."""
    return hashlib.md5(body).hexdigest()


def artifact(key: str, body: bytes, *, stats: Stats = UNCOUNTED, revision: str = "r1", kind: str = "text") -> Artifact:
    """Return an artifact of `body`; its path leads nowhere."""
    return Artifact(
        key=key,
        path=Path("nowhere"),
        size=len(body),
        sha256=hashlib.sha256(body).hexdigest(),
        md5=md5(body),
        kind=kind,
        content_type="text/plain",
        cache_control="max-age=60",
        source={"type": "scripted", "revision": revision},
        stats=stats,
    )


def snapshot(files: Mapping[str, bytes], job: str = "job") -> Snapshot:
    """Return a snapshot of `files`."""
    return Snapshot(job, {key: artifact(key, body) for key, body in files.items()})


def entry(key: str, body: bytes, *, job: str = "job", stats: Stats = UNCOUNTED, revision: str = "r1") -> Entry:
    """Return the manifest's line for `body` as published by `job`."""
    return entry_of(artifact(key, body, stats=stats, revision=revision), job, Stored(len(body), md5(body)), STAMP)


def inventory(listed: Mapping[str, Entry], there: Mapping[str, bytes]) -> Inventory:
    """Return the inventory of a target whose manifest has `listed` and whose store holds `there`."""
    listing = {key: Stored(len(body), md5(body)) for key, body in there.items()}
    return reconcile("t", Manifest(1, STAMP, "run", dict(listed)), "etag", listing)
