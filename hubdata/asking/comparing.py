"""Compare two sets of files by what they mean: a checkout, a commit, what is published, or single files.

Each side says what it holds with a size and, where it knows, a SHA-256. Only where these leave a doubt are bytes
read: comparing a checkout with a bucket that holds the same costs no download.
"""

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from hubdata.errors import ConfigError, SourceError, TargetError
from hubdata.meaning.difference import difference
from hubdata.meaning.table import is_understood, meaning_of
from hubdata.model.comparison import Comparison, FileDifference, State
from hubdata.model.finding import Finding
from hubdata.model.inventory import Stored
from hubdata.model.manifest import Entry
from hubdata.model.meaning import Meaning
from hubdata.model.snapshot import SourceFile
from hubdata.ports import Archive, Target
from hubdata.publishing import recall
from hubdata.publishing.survey import read_manifest, survey
from hubdata.transfer import git_repository
from hubdata.transfer.git import Git
from hubdata.transfer.git_changes import commit_of, fork_point

MAX_UNDERSTOOD_BYTES = 64 << 20
"""Larger files are compared by their bytes alone: no kind allows a list to be half as large."""

MAX_FILES = 200_000
MAX_BYTES = 1 << 30
_AT_ONCE = 8
_MAX_NOTICES = 10


@dataclass(frozen=True, slots=True)
class Lump:
    """The bytes of one file, somewhere. `sha256` is None where it is not known without reading them."""

    size: int
    sha256: str | None
    read: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two. `label` says to people what it is; `kinds` are those that it knows its files by.

    `alone` is the key of the one file that was named, None where a whole set was.
    """

    label: str
    files: Mapping[str, Lump]
    kinds: Mapping[str, str] = field(default_factory=dict)
    alone: str | None = None
    notices: tuple[str, ...] = ()


def compare(old: Side, new: Side, kind_of: Callable[[str], str | None], wanted: Callable[[str], bool]) -> Comparison:
    """Return every file that differs, by key, of those that are `wanted`.

    `kind_of` tells the kind of a key; where it does not, the sides' own knowledge counts. Two files that were named
    each alone are one file under the new one's key. Raises SourceError and TargetError when bytes cannot be read.
    """
    started = time.monotonic()
    old, new = _matched(old, new)
    keys = sorted(key for key in old.files.keys() | new.files.keys() if old.alone or new.alone or wanted(key))

    def one(key: str) -> FileDifference | None:
        kind = kind_of(key) or new.kinds.get(key) or old.kinds.get(key) or ""
        return _compared(key, kind, old.files.get(key), new.files.get(key))

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="compare") as pool:
        found = list(pool.map(one, keys))
    differing = tuple(file for file in found if file is not None)
    elapsed = round(time.monotonic() - started, 3)
    notices = tuple(dict.fromkeys((*old.notices, *new.notices)))
    return Comparison(old.label, new.label, differing, len(found) - len(differing), elapsed, notices)


def of_files(label: str, files: Iterable[SourceFile], findings: Iterable[Finding] = ()) -> Side:
    """Return files that lie on this machine; `findings` are entries that were not read."""
    notices = tuple(f"{finding.key}: {finding.message}" for finding in findings)
    return Side(label, {file.key: _on_disk(file.path, file.size) for file in files}, notices=notices)


def of_commit(git: Git, revision: str, workspace: Path) -> Side:
    """Return the plain files of the commit that `revision` names in `git`'s repository, spooled to `workspace`.

    `REV...` is the commit where the checkout left REV: what others did there meanwhile is no change of its own.
    Raises ConfigError when there is no such commit, SourceError when it cannot be read or is too large.
    """
    named = revision.removesuffix("...")
    commit = commit_of(git, named)
    if commit and named != revision:
        commit = fork_point(git, named)
    if not commit:
        raise ConfigError(
            f"git:{revision}: there is no such commit in {git.directory}",
            advice="name a branch, tag or commit that is here (git fetch it; in a workflow, set `fetch-depth: 0`)",
        )
    tree = git_repository.entries(git, commit, max_files=MAX_FILES)
    plain = [entry for entry in tree if entry.mode.startswith("100")]
    if sum(entry.size or 0 for entry in plain) > MAX_BYTES:
        raise SourceError(f"git:{revision}: more than {MAX_BYTES:,} bytes", advice="compare single files of it")
    paths: dict[str, Path] = {}
    directory = workspace / f"commit-{commit}"
    try:
        directory.mkdir(exist_ok=True)

        def open_file(object_id: str, size: int) -> IO[bytes]:  # noqa: ARG001 - the reader's own signature
            paths[object_id] = directory / object_id
            return paths[object_id].open("wb")

        git_repository.read(git, commit, {entry.object_id for entry in plain}, open_file)
    except OSError as err:
        raise SourceError(f"{workspace}: {err.strerror or err}", advice="free some space, then run again") from err
    files = {entry.path: _on_disk(paths[entry.object_id], entry.size or 0) for entry in plain}
    odd = [entry.path for entry in tree if not entry.mode.startswith("100")]
    notices = tuple(f"{path}: no plain file in {revision}, so it is not compared" for path in odd[:_MAX_NOTICES])
    return Side(f"{revision} ({commit[:7]})", files, notices=notices)


def of_published(target: Target) -> Side:
    """Return what `target` holds now, as its listing tells; what the manifest vouches for need not be read."""
    found = survey(target).inventory
    files = {
        key: Lump(held.stored.size, held.sha256, _remote(target, key, held.stored.etag))
        for key, held in found.objects.items()
    }
    kinds = {key: entry.kind for key, entry in found.manifest.files.items()}
    drifted = [key for key, held in found.objects.items() if held.sha256 is None and key in kinds]
    notices = tuple(
        f"{target.name}: {key} is not what the manifest says: somebody overwrote it" for key in drifted[:_MAX_NOTICES]
    )
    return Side(f"{target.name}, generation {found.manifest.generation}", files, kinds, notices=notices)


def of_generation(target: Target, generation: int) -> Side:
    """Return what `target` held in an older generation, from the versions that its store keeps.

    Raises TargetError when the store keeps none, or none so old.
    """
    current, _ = read_manifest(target)
    if current.generation == generation:
        return of_published(target)
    past = recall.generation(target, generation)
    assert isinstance(target, Archive)  # noqa: S101 - or there is no older generation
    files = {key: Lump(entry.size, entry.sha256, _past(target, key, entry)) for key, entry in past.files.items()}
    kinds = {key: entry.kind for key, entry in past.files.items()}
    return Side(f"{target.name}, generation {generation}", files, kinds)


def _past(archive: Archive, key: str, entry: Entry) -> Callable[[], bytes]:
    def read() -> bytes:
        body = _Memory()
        there = archive.retrieve(key, Stored(entry.size, entry.etag, entry.version_id), body)
        if not there or hashlib.sha256(body.bytes).hexdigest() != entry.sha256:
            raise TargetError(
                f"{key}: the store no longer keeps the version that was published ({entry.changed_at})",
                advice="compare with the revision that it was made from: git:REV",
            )
        return bytes(body.bytes)

    return read


class _Memory:
    """Where the bytes of one file go."""

    def __init__(self) -> None:
        self.bytes = bytearray()

    def begin(self) -> None:
        """Forget what was written so far."""
        self.bytes.clear()

    def write(self, piece: bytes) -> None:
        """Take the next piece."""
        self.bytes += piece


def _matched(old: Side, new: Side) -> tuple[Side, Side]:
    """Return both sides with one key for the one file that was named, where one was."""
    if old.alone is not None and new.alone is not None:
        renamed = {new.alone: old.files[old.alone]}
        return replace(old, files=renamed, alone=new.alone), new
    key = old.alone or new.alone
    if key is None:
        return old, new
    return _only(old, key), _only(new, key)


def _only(side: Side, key: str) -> Side:
    if key in side.files:
        return replace(side, files={key: side.files[key]})
    return replace(side, files={}, notices=(*side.notices, f"{side.label} holds no {key}"))


def _compared(key: str, kind: str, old: Lump | None, new: Lump | None) -> FileDifference | None:
    """Return how one file differs; None when both have the same bytes."""
    if old is not None and new is not None and old.size == new.size and _sha256(old) == _sha256(new):
        return None
    meant = difference(_meaning(kind, old), _meaning(kind, new))
    if old is None or new is None:
        return FileDifference(key, kind, State.ADDED if old is None else State.REMOVED, meant)
    return FileDifference(key, kind, State.EQUAL if meant.equal else State.CHANGED, meant)


def _meaning(kind: str, lump: Lump | None) -> Meaning | None:
    if lump is None:
        return None
    if is_understood(kind) and lump.size <= MAX_UNDERSTOOD_BYTES:
        return meaning_of(kind, lump.read())
    return Meaning(lump.size, _sha256(lump))


def _sha256(lump: Lump) -> str:
    return lump.sha256 or hashlib.sha256(lump.read()).hexdigest()


def _on_disk(path: Path, size: int) -> Lump:
    def read() -> bytes:
        try:
            return path.read_bytes()
        except OSError as err:
            raise SourceError(
                f"{path}: cannot be read ({err.strerror or err})", advice="see that it is there and readable"
            ) from err

    return Lump(size, None, read)


def _remote(target: Target, key: str, etag: str) -> Callable[[], bytes]:
    def read() -> bytes:
        blob = target.read(key, max_bytes=MAX_BYTES)
        if blob is None or blob.stored.etag != etag:
            raise TargetError(
                f"target {target.name}: {key} changed while it was compared", advice="run again", retryable=True
            )
        return blob.body

    return read
