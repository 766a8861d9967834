"""A published directory made by hand: files, and the manifest that names them."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def entry(body: bytes, **more: Any) -> dict[str, Any]:
    """Return what a manifest says of a file with these bytes."""
    return {
        "size": len(body),
        "sha256": hashlib.sha256(body).hexdigest(),
        "kind": "cidr",
        "job": "lists",
        "etag": hashlib.md5(body).hexdigest(),
        "version_id": None,
        "changed_at": "2026-01-01T00:00:00Z",
        "content_type": "text/plain; charset=utf-8",
        "cache_control": "public, max-age=300",
        "source": {"type": "git"},
        "stats": {},
    } | more


def publish(root: Path, files: Mapping[str, bytes], generation: int = 1, **more: Mapping[str, Any]) -> None:
    """Put the files below `root`, each by a rename, and the manifest of just these; `more` changes entries by key."""
    for key, body in files.items():
        swap(root / key, body)
    named = {key: entry(body, **more.get(key, {})) for key, body in files.items()}
    about = {"schema": 1, "generation": generation, "published_at": "2026-01-01T00:00:00Z", "run_id": "r"}
    swap(root / "manifest.json", json.dumps({**about, "files": named}).encode())


def swap(path: Path, body: bytes) -> None:
    """Put a file in place as one act."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(body)
    draft.replace(path)


def quoted_sha256(body: bytes) -> str:
    """Return the ETag that these bytes have."""
    return f'"{hashlib.sha256(body).hexdigest()}"'
