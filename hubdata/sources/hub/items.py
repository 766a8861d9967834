"""Read a hub's items, from a directory, a repository or an index: each data entry, and all that cannot be read.

Nothing is followed out of a directory, nothing of a repository becomes a path here, and an item that an index names is
used only if it has the digest that the index says. Bounds are on the number of files, on each and on all together.
"""

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Any

from hubdata.errors import SourceError
from hubdata.grammar.data_entries import Entry, data_entries, is_item_file, unreadable
from hubdata.grammar.yaml_text import MAX_BYTES, YamlProblem, documents
from hubdata.model.finding import ITEM_FAILED, Finding, Severity
from hubdata.model.key import key_problem
from hubdata.transfer import entries, git_repository
from hubdata.transfer.git import Git
from hubdata.transfer.spool import spool_error

MAX_INDEX_BYTES = 64 << 20
_MAX_ALL_BYTES = 512 << 20
_MAX_ENTRIES = 1000
_MARK = b"source_url"
"""An item without it names no data; a whole hub is read in a tenth of the time for knowing."""

Item = tuple[str, bytes]
"""An item's path in the hub, and its text; one byte more than may be of a text that is too long."""


@dataclass(frozen=True, slots=True)
class Named:
    """One data entry, and the item that it stands in."""

    item: str
    entry: Entry


@dataclass(slots=True)
class Hub:
    """What the items name. `whole` is False when some could not be read: then nobody knows what else they name."""

    named: list[Named] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    revision: str | None = None
    items: int = 0

    @property
    def whole(self) -> bool:
        """Tell whether every item was understood."""
        return not any(finding.severity is Severity.ERROR for finding in self.findings)

    def take(self, item: Item) -> None:
        """Read one item."""
        key, body = item
        self.items += 1
        if _MARK not in body:
            return
        try:
            found = documents(body)
        except YamlProblem as err:
            self.findings.append(unreadable(key, err.line, str(err)))
            return
        named: list[Named] = []
        findings: list[Finding] = []
        for document in found:
            entries_of_it = islice(data_entries(key, document, findings), _MAX_ENTRIES - len(named) + 1)
            named += (Named(key, entry) for entry in entries_of_it)
        if len(named) > _MAX_ENTRIES:  # by aliases, a small text can hold very many
            self.findings.append(unreadable(key, None, f"more than {_MAX_ENTRIES:,} data entries"))
            return
        self.named += named
        self.findings += findings

    def failed(self, key: str, why: str) -> None:
        """Note an item that could not be had."""
        advice = "the next run tries again; until then its data files stay as they are"
        self.findings.append(Finding(key, None, ITEM_FAILED, Severity.ERROR, why, advice))


def of_directory(root: Path, hub: Hub, max_items: int) -> Iterator[Item]:
    """Yield the items below `root`; a link is a finding. Raises SourceError."""
    bounds = _Bounds(max_items)
    pending = [root]
    try:
        while pending:
            with os.scandir(pending.pop()) as found:
                for entry in sorted(found, key=lambda each: each.name):
                    key = Path(entry.path).relative_to(root).as_posix()
                    if entry.name.startswith("."):
                        continue
                    if entry.is_symlink():
                        if is_item_file(key) or Path(entry.path).is_dir():
                            hub.findings.append(entries.link(key))
                    elif entry.is_dir(follow_symlinks=False):
                        pending.append(Path(entry.path))
                        bounds.directory()
                    elif not entry.is_file(follow_symlinks=False) or not is_item_file(key):
                        continue
                    elif finding := entries.unsafe_name(key):
                        hub.findings.append(finding)
                    else:
                        with _plain(Path(entry.path)) as file:
                            yield key, bounds.took(file.read(MAX_BYTES + 1))
    except OSError as err:
        raise SourceError(
            f"hub {err.filename or root}: {err.strerror or err}",
            advice="check `path` (relative to the job file), and that hubdata may read all of it",
        ) from err


def of_repository(git: Git, ref: str, hub: Hub, max_items: int) -> Iterator[Item]:
    """Yield the items of a commit, whose id becomes the hub's revision. Raises SourceError, and ConfigError."""
    bounds = _Bounds(max_items)
    try:
        git_repository.create(git.directory)
    except OSError as err:
        raise spool_error(err, git.directory.parent) from err
    git_repository.fetch(git, ref, max_bytes=_MAX_ALL_BYTES)
    wanted: list[git_repository.TreeEntry] = []
    for entry in git_repository.entries(git, "FETCH_HEAD", max_files=max_items * 10):
        if not is_item_file(entry.path):
            continue
        if not entry.mode.startswith("100"):
            hub.findings.append(entries.link(entry.path))
        elif finding := entries.unsafe_name(entry.path):
            hub.findings.append(finding)
        elif (entry.size or 0) > MAX_BYTES:
            hub.findings.append(unreadable(entry.path, None, f"{entry.size:,} bytes, more than {MAX_BYTES:,}"))
        else:
            wanted.append(entry)
    paths: dict[str, Path] = {}
    directory = git.directory.with_name(f"{git.directory.name}-items")

    def open_file(object_id: str, size: int) -> IO[bytes]:  # noqa: ARG001 - the port's signature
        paths[object_id] = directory / str(len(paths))
        return paths[object_id].open("xb")

    try:
        directory.mkdir()
        ids = dict.fromkeys(entry.object_id for entry in wanted)
        hub.revision = git_repository.read(git, "FETCH_HEAD", ids, open_file)
        for entry in wanted:
            yield entry.path, bounds.took(paths[entry.object_id].read_bytes())
    except OSError as err:
        raise spool_error(err, directory) from err


@dataclass(frozen=True, slots=True)
class Listed:
    """An item as an index names it. `body` is None where the index does not have its text."""

    path: str
    sha256: str
    body: bytes | None


def listed_in(index: bytes, where: str, hub: Hub, max_items: int) -> Iterator[Listed]:
    """Yield the items of an index as hubs publish it; those that it names wrongly are findings. Raises SourceError.

    `{"scenarios": {"NAME": {"path", "version", "versions": {"V": {"digest"}}, "content" (base64, or none)}}, ...}`.
    """
    bounds = _Bounds(max_items)
    for name, item in _items_of(index, where):
        path = item.get("path")
        if not isinstance(path, str) or key_problem(path) is not None or not is_item_file(path):
            hub.failed(name, f"the index names no usable path for it: {str(path)[:200]!r}")
            continue
        versions, version = item.get("versions"), item.get("version")
        told = versions.get(version) if isinstance(versions, dict) and isinstance(version, str) else None
        digest = told.get("digest") if isinstance(told, dict) else None
        content = item.get("content")
        try:
            body = base64.b64decode(content, validate=True) if isinstance(content, str) and content else None
        except binascii.Error:
            hub.failed(path, "its content in the index is no base64")
            continue
        bounds.took(body or b"")
        yield Listed(path, digest.lower() if isinstance(digest, str) else "", body)


def checked(listed: Listed, body: bytes, hub: Hub) -> Iterator[Item]:
    """Yield the item if `body` is what the index says it is."""
    found = hashlib.sha256(body).hexdigest()
    if listed.sha256 and found != listed.sha256:
        hub.failed(listed.path, f"expected SHA-256 {listed.sha256[:64]} as the index has it, found {found}")
    else:
        yield listed.path, body


def bodies_below(root: Path) -> Callable[[Listed], bytes]:
    """Return what reads the items of an index that lies at the top of a hub's directory. It raises OSError."""

    def body(listed: Listed) -> bytes:
        here = root
        for part in listed.path.split("/"):
            here = here / part
            if here.is_symlink():
                raise OSError(0, "it is, or lies behind, a link")
        with _plain(here) as file:
            return file.read(MAX_BYTES + 1)

    return body


def _items_of(index: bytes, where: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        found = json.loads(index)
    except (ValueError, RecursionError) as err:
        raise SourceError(f"{where}: this is no index of a hub: not JSON", advice=_INDEX) from err
    if not isinstance(found, dict) or not any(isinstance(kind, dict) for kind in found.values()):
        raise SourceError(f"{where}: this is no index of a hub: expected tables of items", advice=_INDEX)
    for kind in found.values():
        if isinstance(kind, dict):
            for name, item in kind.items():
                if isinstance(item, dict):
                    yield entries.printable(str(name)[:200]), item


_INDEX = "name the hub's .index.json; or name a checkout of the hub (`path`), or its repository (`url`)"


def _plain(path: Path) -> IO[bytes]:
    """Open a file of a hub, and no link, pipe or device that took its place. Raises OSError."""
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb")


@dataclass(slots=True)
class _Bounds:
    """Counts items and their bytes."""

    max_items: int
    items: int = 0
    size: int = 0
    directories: int = 0

    def took(self, body: bytes) -> bytes:
        self.items += 1
        self.size += len(body)
        self._judge()
        return body

    def directory(self) -> None:
        self.directories += 1
        self._judge()

    def _judge(self) -> None:
        if self.items > self.max_items or self.directories > self.max_items or self.size > _MAX_ALL_BYTES:
            raise SourceError(
                f"hub: expected at most {self.max_items:,} items and {_MAX_ALL_BYTES:,} bytes, found more",
                advice="see whether it is a hub; if all of this is meant, raise `max_items` in the job",
            )
