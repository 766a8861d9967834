"""A bare repository in the spool: filled by a bounded fetch, read by object, never checked out.

Without a checkout no name from upstream ever becomes a path here, and neither filters, hooks nor links have a chance.
Each step is one git process: fetch, list the tree, stream the blobs; the repository itself is made by hand, for a
`git init` costs as much as reading the tree. Objects are checked as they arrive (`fetch.fsckObjects`).
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

from hubdata.errors import SourceError
from hubdata.transfer import process
from hubdata.transfer.git import Git, is_object_id
from hubdata.values import frozen

_CONFIG = """\
[core]
	repositoryformatversion = 0
	bare = true
	hooksPath = /dev/null
	bigFileThreshold = 32m
[gc]
	auto = 0
[credential]
	helper =
[http]
	followRedirects = false
[submodule]
	recurse = false
[fetch]
	fsckObjects = true
	unpackLimit = 1
	recurseSubmodules = false
[fetch "fsck"]
	hasDot = ignore
	hasDotdot = ignore
	hasDotgit = ignore
	zeroPaddedFilemode = ignore
"""
# bigFileThreshold: larger blobs stream through git instead of filling memory. unpackLimit: all that arrives lands in
# objects/pack, where its growth is watched. fsck's ignored ids are names that only a checkout would suffer from; they
# become findings by name instead of stopping the whole source.

_LONGEST_RECORD = 1 << 16
_FETCH = ("fetch", "--quiet", "--no-tags", "--no-auto-maintenance", "--no-recurse-submodules")


@frozen
class TreeEntry:
    """One entry of a commit's tree. `path` has undecodable bytes as surrogates; `size` is None if git was not asked."""

    mode: str
    object_id: str
    size: int | None
    path: str


class RefNotFound(SourceError):
    """The upstream has no such ref."""


def create(path: Path) -> None:
    """Make an empty bare repository at `path`, which must not exist. Raises OSError."""
    (path / "objects" / "pack").mkdir(parents=True)
    (path / "refs").mkdir()
    (path / "HEAD").write_text("ref: refs/heads/none\n")
    (path / "config").write_text(_CONFIG)


def fetch(git: Git, ref: str, *, max_bytes: int, history: bool = False) -> str:
    """Return the full name of what was fetched, now FETCH_HEAD: one commit with its files, or all commits without them.

    A branch wins over a tag of the same name, so that nobody who may only push tags can take a branch's place. With
    `history`, hosts that cannot leave out files send them all. Raises RefNotFound, or SourceError, also when more than
    `max_bytes` would arrive.
    """
    extent = ("--filter=tree:0",) if history else ("--depth=1",)
    packs = git.directory / "objects" / "pack"
    for name in _full_names(ref):
        result = git.run(*_FETCH, *extent, "--", git.url, name, watch=lambda: _bytes_below(packs) > max_bytes)
        if result.ok:
            if _bytes_below(packs) > max_bytes:
                raise _too_big(git, max_bytes)
            return name
        if result.ending is process.Ending.STOPPED:
            raise _too_big(git, max_bytes)
        if "couldn't find remote ref" not in result.stderr:
            raise git.error(result)
    raise _not_found(git, ref)


def entries(git: Git, commit: str, *, max_files: int, sizes: bool = True) -> tuple[TreeEntry, ...]:
    """Return every file, link and submodule in the tree of `commit` (below the directory git runs in).

    Raises SourceError beyond `max_files`, before they are all read: a tree of a few kilobytes can hold billions.
    """
    found: list[TreeEntry] = []

    def add(record: bytes) -> None:
        if len(found) >= max_files:
            raise SourceError(
                f"{git.name}: expected at most {max_files} files, found more",
                advice="see whether upstream really grew that much; if so, raise max_files in the job",
            )
        found.append(_entry(record))

    records = _Records(add)
    long = ("-l",) if sizes else ()
    result = git.run("ls-tree", "-r", "-z", *long, commit, consume=records.feed)
    if not result.ok:
        raise git.error(result)
    return tuple(found)


def read(git: Git, commit: str, object_ids: Iterable[str], open_file: Callable[[str, int], IO[bytes]]) -> str:
    """Return the id of `commit` (a tag is followed to it), after streaming each blob into a file of its own.

    `open_file` gets a blob's id and size and gives the file to write; it is closed here. Raises SourceError when an
    object is absent or not as announced; OSError when a file cannot be written.
    """
    wanted = list(object_ids)
    batch = _Batch(wanted, open_file)
    names = "\n".join([f"{commit}^{{commit}}", *wanted, ""]).encode()
    try:
        result = git.run("cat-file", "--batch", "--buffer", stdin=names, consume=batch.feed)
    finally:
        batch.close()
    if not result.ok:
        raise git.error(result)
    if not batch.complete:
        raise SourceError(f"{git.name}: git broke off while giving out the files", retryable=True)
    return batch.commit


def missing_from_history(git: Git, commit: str, revisions: Iterable[str]) -> tuple[str, ...]:
    """Return those of `revisions` that `commit` does not descend from, sorted. Raises SourceError if it is absent."""
    missing = {revision.encode(): revision for revision in revisions}
    records = _Records(lambda line: missing.pop(line, None), separator=b"\n")
    result = git.run("rev-list", "--end-of-options", commit, consume=records.feed)
    if not result.ok:
        raise git.error(result)
    return tuple(sorted(missing.values()))


def _full_names(ref: str) -> tuple[str, ...]:
    if ref == "HEAD" or ref.startswith("refs/") or is_object_id(ref):
        return (ref,)
    return (f"refs/heads/{ref}", f"refs/tags/{ref}")


def _bytes_below(directory: Path) -> int:
    size = 0
    for path in directory.iterdir():
        try:
            size += path.stat().st_size
        except FileNotFoundError:
            continue  # a temporary name that git has just changed
    return size


def _too_big(git: Git, max_bytes: int) -> SourceError:
    return SourceError(
        f"{git.name}: expected at most {max_bytes} bytes, found more",
        advice="see whether upstream really grew that much; if so, raise max_bytes in the job",
    )


def _not_found(git: Git, ref: str) -> SourceError:
    """Tell an empty repository from a wrong name, and name what there is."""
    result = git.run("ls-remote", "--quiet", "--heads", "--tags", "--", git.url, max_stdout=4 << 20)
    if not result.ok:
        return git.error(result)
    names = [line.partition("\t")[2] for line in result.stdout.decode("utf-8", "replace").splitlines()]
    if not names:
        return RefNotFound(f"{git.name}: the repository is empty", advice="push a first commit, or check the URL")
    branches = sorted(n.removeprefix("refs/heads/") for n in names if n.startswith("refs/heads/"))
    shown = ", ".join(n for n in branches[:5] if n.isprintable()) + (", ..." if len(branches) > 5 else "")
    return RefNotFound(
        f"{git.name}: there is no branch or tag {ref!r}",
        advice=f"set `ref` to one that exists (branches: {shown or 'none'})",
    )


def _entry(record: bytes) -> TreeEntry:
    head, _, path = record.partition(b"\t")
    mode, _kind, object_id, *size = head.decode("ascii").split()
    known = int(size[0]) if size and size[0] != "-" else None
    return TreeEntry(mode, object_id, known, path.decode("utf-8", "surrogateescape"))


class _Records:
    """Cuts a stream into records at a separator."""

    def __init__(self, take: Callable[[bytes], object], separator: bytes = b"\0") -> None:
        self.take = take
        self.separator = separator
        self.rest = b""

    def feed(self, chunk: bytes) -> None:
        *records, self.rest = (self.rest + chunk).split(self.separator)
        if len(self.rest) > _LONGEST_RECORD:
            raise SourceError(f"git gave a name of more than {_LONGEST_RECORD} bytes", advice="rename it upstream")
        for record in records:
            self.take(record)


class _Batch:
    """Reads the answers of `git cat-file --batch`: `ID TYPE SIZE`, line feed, that many bytes, line feed; and so on."""

    def __init__(self, wanted: list[str], open_file: Callable[[str, int], IO[bytes]]) -> None:
        self.commit = ""
        self._wanted = wanted
        self._open_file = open_file
        self._next = 0
        self._header = bytearray()
        self._left = -1  # bytes of the present object still to come, its line feed included; -1: a header comes next
        self._file: IO[bytes] | None = None

    @property
    def complete(self) -> bool:
        return bool(self.commit) and self._next == len(self._wanted) and self._left < 0

    def feed(self, chunk: bytes) -> None:
        view = memoryview(chunk)
        while view:
            view = self._take_header(view) if self._left < 0 else self._take_body(view)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _take_header(self, view: memoryview) -> memoryview:
        part = bytes(view[:256])
        end = part.find(b"\n")
        self._header += part if end < 0 else part[:end]
        if len(self._header) > 256:
            raise SourceError("git gave an answer that is not understood")
        if end < 0:
            return view[len(part) :]
        words = self._header.decode("ascii", "replace").split(" ")
        self._header.clear()
        self._begin(words)
        return view[end + 1 :]

    def _begin(self, words: list[str]) -> None:
        expected = self._wanted[self._next] if self.commit else None
        kind = "blob" if self.commit else "commit"
        if len(words) != 3 or words[1] != kind or (expected is not None and words[0] != expected):
            raise SourceError(
                f"expected the {kind} {expected or ''} from git, found {' '.join(words)!r}",
                advice="`ref` must name a commit, a branch, or a tag of a commit; if it does, run `git fsck` upstream",
            )
        size = int(words[2])
        if expected is None:
            self.commit = words[0]
        else:
            self._file = self._open_file(expected, size)
            self._next += 1
        self._left = size + 1

    def _take_body(self, view: memoryview) -> memoryview:
        part = view[: self._left]
        self._left -= len(part)
        if self._left == 0:
            self._left = -1
            self._write(part[:-1])
            self.close()
        else:
            self._write(part)
        return view[len(part) :]

    def _write(self, part: memoryview) -> None:
        if self._file is not None:
            self._file.write(part)
