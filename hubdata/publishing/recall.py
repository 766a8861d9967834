"""Recall what a target held before: the manifests of its past generations, and the exact bytes that one of them names.

A manifest names each file's SHA-256, so what comes back is what was published then or nothing. All of it is staged in
a private directory before anybody writes: a generation that the store keeps only in part is refused as a whole.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from hubdata.errors import TargetError
from hubdata.model import manifest as manifests
from hubdata.model.inventory import Stored
from hubdata.model.manifest import Entry, Manifest
from hubdata.model.snapshot import Artifact
from hubdata.ports import Archive, Target
from hubdata.publishing.survey import MANIFEST_MAX_BYTES, read_manifest
from hubdata.transfer.spool import spool_error

MOST = 50
"""Generations that are told of at once; a manifest may have megabytes."""

_SEARCHED = 1_000
_AT_ONCE = 8
_NAMED = 5
"""Expired files that a refusal names."""

_KEEPS_NOTHING = "its store keeps no older versions"
_KEEP = "let it: a bucket by its versioning, a directory by `keep_generations`"


def generations(target: Target, *, most: int = MOST) -> tuple[Manifest, ...]:
    """Return the manifests of the newest generations of `target`, the current one first, at most `most`.

    One GET for each, and one LIST. Versions that are no manifests are left out: somebody else wrote them. Without any
    publication it is empty. A target that keeps no past tells of its current generation alone. Raises TargetError.
    """
    current, etag = read_manifest(target)
    found = {} if etag is None else {current.generation: current}
    if isinstance(target, Archive) and etag is not None and most > 1:
        versions = target.history(manifests.KEY)[: most + 1]
        with _pool(target) as pool:
            for manifest in pool.map(lambda version: _manifest(target, version), versions):
                if manifest is not None:
                    found.setdefault(manifest.generation, manifest)
    return tuple(found.values())[:most]


def generation(target: Target, number: int) -> Manifest:
    """Return the manifest of one generation, the current one included.

    Raises TargetError when there is none such, or the store does not have it any more.
    """
    current, _ = read_manifest(target)
    if current.generation == number and number:
        return current
    if isinstance(target, Archive):
        versions = target.history(manifests.KEY)
        past = _halved(target, versions, number) or _searched(target, versions, number)
        if past is not None:
            return past
    raise _unknown(target, number, current.generation)


def recall(target: Target, manifest: Manifest, keys: Iterable[str], into: Path) -> Mapping[str, Artifact]:
    """Return the files of `keys` exactly as `manifest`, a generation of `target`, names them, staged in `into`.

    `into` is a private directory that exists; files there are numbered. Each has the size and SHA-256 that the manifest
    names, and its kind, content type, cache control, source and stats. One GET for each. Raises TargetError naming
    every file (the first ones, if many) that the store does not have any more, ConfigError when `into` takes no more.
    """
    wanted = sorted(keys)
    missing = [key for key in wanted if key not in manifest.files]
    if missing:
        raise TargetError(
            f"target {target.name}: generation {manifest.generation} has no {missing[0]}",
            advice="name files that `hubdata history` tells of",
        )
    if not wanted:
        return {}
    if not isinstance(target, Archive):
        raise TargetError(f"target {target.name}: {_KEEPS_NOTHING}", advice=_KEEP)
    archive: Archive = target
    recalled = _Recall(archive, into)
    with _pool(target) as pool:
        pending = [pool.submit(recalled.one, n, key, manifest.files[key]) for n, key in enumerate(wanted)]
        try:
            found = dict(zip(wanted, (each.result() for each in pending), strict=True))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    lost = [key for key, artifact in found.items() if artifact is None]
    if lost:
        raise _expired(target, manifest, lost)
    return {key: artifact for key, artifact in found.items() if artifact is not None}


@dataclass(frozen=True, slots=True)
class _Recall:
    archive: Archive
    into: Path

    def one(self, number: int, key: str, entry: Entry) -> Artifact | None:
        """Return one file, staged; None when its bytes are not to be had any more."""
        path = self.into / f"{number:06}"
        with _Staged(path) as file:
            if not self.archive.retrieve(key, Stored(entry.size, entry.etag, entry.version_id), file):
                return None
            size, sha256, md5 = file.finished()
        if (size, sha256) != (entry.size, entry.sha256):
            return None
        return Artifact(
            key=key,
            path=path,
            size=size,
            sha256=sha256,
            md5=md5,
            kind=entry.kind,
            content_type=entry.content_type,
            cache_control=entry.cache_control,
            source=entry.source,
            stats=entry.stats,
        )


class _Staged:
    """A new file that is digested as it is written. What the disk refuses is an error of the spool."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._explained():
            self._file = path.open("xb")
        self._sha256 = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False)

    def begin(self) -> None:
        """Forget what was written so far."""
        with self._explained():
            self._file.seek(0)
            self._file.truncate()
        self._sha256 = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False)

    def write(self, piece: bytes) -> None:
        """Take the next piece."""
        self._sha256.update(piece)
        self._md5.update(piece)
        with self._explained():
            self._file.write(piece)

    def finished(self) -> tuple[int, str, str]:
        """Return size, SHA-256 and MD5 of what was written, which is all on its way to the disk."""
        with self._explained():
            self._file.flush()
            return self._file.tell(), self._sha256.hexdigest(), self._md5.hexdigest()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        with suppress(OSError):
            self._file.close()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as err:
            raise spool_error(err, self._path.parent) from err


def _manifest(archive: Archive, version_id: str) -> Manifest | None:
    """Return one version of the manifest, None when it is gone or is no manifest."""
    blob = archive.read(manifests.KEY, max_bytes=MANIFEST_MAX_BYTES, version_id=version_id)
    if blob is None:
        return None
    try:
        return Manifest.from_bytes(blob.body)
    except TargetError:
        return None


def _halved(archive: Archive, versions: tuple[str, ...], number: int) -> Manifest | None:
    """Return the manifest of a generation, found by halving: generations grow, unless somebody began anew."""
    low, high = 0, len(versions)
    while low < high:
        middle = (low + high) // 2
        found = _manifest(archive, versions[middle])
        if found is None or found.generation == number:
            return found
        if found.generation > number:
            low = middle + 1
        else:
            high = middle
    return None


def _searched(archive: Archive, versions: tuple[str, ...], number: int) -> Manifest | None:
    """Return the manifest of a generation, the newest of that number among those that are looked at."""
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="recall") as pool:
        for start in range(0, min(len(versions), _SEARCHED), _AT_ONCE):
            for found in pool.map(lambda version: _manifest(archive, version), versions[start : start + _AT_ONCE]):
                if found is not None and found.generation == number:
                    return found
    return None


def _pool(target: Target) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(min(_AT_ONCE, target.concurrency), thread_name_prefix=f"recall-{target.name}")


def _unknown(target: Target, number: int, current: int) -> TargetError:
    if number > current or number < 1:
        message = f"target {target.name}: expected generation {number}, found {current}"
        return TargetError(message, advice="name an older one: `hubdata history` tells which there are")
    message = f"target {target.name}: generation {number} is wanted, {current} is published"
    if not isinstance(target, Archive):
        return TargetError(f"{message}; {_KEEPS_NOTHING}", advice=_KEEP)
    advice = "name one that `hubdata history` tells of, or publish the revision it was made from"
    return TargetError(f"{message}; its store no longer has it", advice=advice)


def _expired(target: Target, manifest: Manifest, lost: list[str]) -> TargetError:
    def one(key: str) -> str:
        entry = manifest.files[key]
        version = f"version {entry.version_id}" if entry.version_id else f"ETag {entry.etag}"
        return f"{key} ({version}, of {entry.changed_at})"

    more = f" and {len(lost) - _NAMED:,} more" if len(lost) > _NAMED else ""
    return TargetError(
        f"target {target.name}: generation {manifest.generation} is no longer whole: its store does not have"
        f" {', '.join(map(one, lost[:_NAMED]))}{more} any more",
        advice="nothing was written. Name a newer generation or other jobs, or publish the revision it was made from",
    )
