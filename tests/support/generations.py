"""Write generations into any target as a publication does: the files that differ, then the manifest that names all."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

from hubdata.model import manifest as manifests
from hubdata.model.manifest import Entry, Manifest
from hubdata.model.snapshot import Artifact, Stats
from hubdata.ports import Target, Upload
from hubdata.publishing.survey import read_manifest


def publish(target: Target, files: Mapping[str, bytes], scratch: Path) -> Manifest:
    """Return the next generation, which holds exactly `files`; what is the same already is not written."""
    before, etag = read_manifest(target)
    number = before.generation + 1
    entries: dict[str, Entry] = {}
    for key, body in files.items():
        old = before.files.get(key)
        sha256 = hashlib.sha256(body).hexdigest()
        if old is not None and old.sha256 == sha256:
            entries[key] = old
            continue
        path = scratch / uuid4().hex
        path.write_bytes(body)
        md5 = hashlib.md5(body, usedforsecurity=False).hexdigest()
        source = {"type": "directory", "revision": f"r{number}"}
        served = ("needle", "text/plain", "public, max-age=60")
        artifact = Artifact(key, path, len(body), sha256, md5, *served, source, Stats(entries=number))
        stored = target.put(Upload(artifact, old.etag if old else None))
        entries[key] = Entry(
            len(body),
            sha256,
            "needle",
            "job",
            stored.etag,
            stored.version_id,
            f"day {number}",
            "text/plain",
            "public, max-age=60",
            source,
            artifact.stats,
        )
    manifest = Manifest(number, f"2026-01-{number:02}T00:00:00Z", f"run-{number}", entries)
    written = {"content_type": "application/json", "cache_control": ""}
    target.write(manifests.KEY, manifest.to_bytes(), **written, if_etag=etag)
    for key in before.files.keys() - files.keys():
        target.delete(key, if_etag=before.files[key].etag)
    return manifest
