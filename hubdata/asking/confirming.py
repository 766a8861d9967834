"""Confirm a copy on disk: that its manifest is signed by a key one knows, and that each file is as the manifest says.

This is for networks that the public copy cannot be reached from. Nothing of the manifest is believed before its
signature holds; no link in the copy is followed, so a copy cannot pass off a file from elsewhere as its own.
"""

import hashlib
import time
from collections.abc import Iterator, Sequence
from io import BufferedReader
from pathlib import Path

from hubdata.errors import ConfigError
from hubdata.model import manifest as manifests
from hubdata.model.finding import Finding, Severity
from hubdata.model.key import PRIVATE, key_problem
from hubdata.model.manifest import Entry, Manifest
from hubdata.model.validation import CheckedFile, ValidationResult
from hubdata.signing.minisign import MAX_SIGNATURE_BYTES, PublicKey
from hubdata.signing.verify import MAX_MANIFEST_BYTES, judge
from hubdata.transfer.tree import Tree

_CHUNK = 1 << 20
_AGAIN = "copy the tree again, the manifest last; if it stays so, find out who changed it"


def confirm(
    manifest: Path,
    signature: Path,
    keys: Sequence[PublicKey],
    *,
    min_generation: int = 0,
    directory: Path | None = None,
) -> ValidationResult:
    """Return what is wrong with a manifest, its signature, and the files below `directory` that it names.

    Without a `directory` no file is looked at. Raises ConfigError when a file that was named cannot be read.
    """
    began = time.monotonic()
    body, signed = _read(manifest, MAX_MANIFEST_BYTES), _read(signature, MAX_SIGNATURE_BYTES)
    judged = judge(body, signed, keys, min_generation=min_generation)
    files = [CheckedFile(manifests.KEY, "manifest", findings=judged.findings)]
    notices: list[str] = []
    if judged.manifest is not None and judged.key is not None:
        found = judged.manifest
        said = f"generation {found.generation} of {found.published_at}, {len(found.files):,} files"
        notices.append(f"signed by {judged.key.name}: {said}")
        if directory is not None:
            files += _files(found, directory)
    return ValidationResult(tuple(files), elapsed_s=time.monotonic() - began, notices=tuple(notices))


def _files(manifest: Manifest, directory: Path) -> Iterator[CheckedFile]:
    if not directory.is_dir():
        raise ConfigError(f"--dir {directory}: there is no such directory", advice="name the copy's root")
    tree = Tree(directory, private=PRIVATE.rstrip("/"), lock_timeout_s=0)
    for key, entry in sorted(manifest.files.items()):
        problem = _problem(tree, key, entry)
        yield CheckedFile(key, entry.kind, entry.stats, () if problem is None else (problem,))


def _problem(tree: Tree, key: str, entry: Entry) -> Finding | None:
    if (why := key_problem(key)) is not None:
        return Finding(key, None, "mirror.missing", Severity.ERROR, f"no file can be called so: {why}", _AGAIN)
    try:
        with tree.opened(key) as file:
            if file is not None:
                return _compared(key, entry, file)
            why = "there is no such file"
    except OSError as err:
        why = f"it cannot be read: {err.strerror or type(err).__name__}"
    return Finding(key, None, "mirror.missing", Severity.ERROR, f"expected {entry.size} bytes; {why}", _AGAIN)


def _compared(key: str, entry: Entry, file: BufferedReader) -> Finding | None:
    digest, size = hashlib.sha256(), 0
    while size <= entry.size and (chunk := file.read(_CHUNK)):
        digest.update(chunk)
        size += len(chunk)
    if size == entry.size and digest.hexdigest() == entry.sha256:
        return None
    found = f"{'more' if size > entry.size else size}, SHA-256 {digest.hexdigest()}"
    said = f"expected {entry.size} bytes with SHA-256 {entry.sha256}, found {found}"
    return Finding(key, None, "mirror.bytes", Severity.ERROR, said, _AGAIN)


def _read(path: Path, most: int) -> bytes:
    """Return a file, or one byte more than may be of it, for whoever judges sizes."""
    try:
        with path.open("rb") as file:
            return file.read(most + 1)
    except OSError as err:
        raise ConfigError(
            f"{path} cannot be read: {err.strerror or type(err).__name__}",
            advice=f"name the copy's {manifests.KEY} after --manifest and its signature after --signature",
        ) from err
