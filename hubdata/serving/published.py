"""Open what is public in a published directory, and tell how it is to be served.

A file is opened once, and all that is said of it comes from the open file: when a run replaces it meanwhile, readers of
the old one get the old bytes to their end under the old headers. No link is followed, nothing but regular files is
read. While there is no manifest, nothing is public: that keeps a directory that was named by mistake private.
"""

import errno
import os
import re
import stat
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path, PurePosixPath

from hubdata.errors import TargetError
from hubdata.model import manifest
from hubdata.model.event import Event
from hubdata.model.key import PRIVATE
from hubdata.ports import Reporter
from hubdata.serving.digests import State
from hubdata.transfer.tree import Tree

MAX_MANIFEST_BYTES = 256 << 20

_CACHE_CONTROL = "public, max-age=60"
_CONTENT_TYPES = {
    "": "text/plain; charset=utf-8",  # SHA256SUMS, LICENSE
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".minisig": "text/plain; charset=utf-8",
    ".md": "text/plain; charset=utf-8",
    ".regex": "text/plain; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
}
_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EISDIR, errno.ENAMETOOLONG, errno.ENXIO})
_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,1022}[\x21-\x7e])?")

Entries = Mapping[str, manifest.Entry]


class Unpublished(Exception):
    """There is no manifest: either nothing was published yet, or this is not a published directory."""


class OpenFile:
    """One regular file, open. Give it back with `close`."""

    def __init__(self, fd: int, holder: ExitStack, content_type: str, cache_control: str) -> None:
        self.fd = fd
        self.state = State.of(fd)
        self.content_type = content_type
        self.cache_control = cache_control
        self._holder = holder

    def read(self, start: int, length: int) -> bytes:
        """Return that part of the file. Raises OSError when it was written into since it was opened."""
        body = os.pread(self.fd, length, start)
        if len(body) != length or not self.state.same_bytes(State.of(self.fd)):
            raise OSError(errno.ESTALE, "somebody wrote into the file while it was served; replace it by a rename")
        return body

    def close(self) -> None:
        """Give the file back."""
        self._holder.close()


class Published:
    """The public files below `root`. Its methods block: they are called from threads."""

    def __init__(self, root: Path, reporter: Reporter) -> None:
        self._tree = Tree(root, private=PRIVATE.rstrip("/"), lock_timeout_s=0)
        self._reporter = reporter
        self._reading = threading.Lock()
        self._manifest: tuple[State | None, Entries] = (None, {})

    @property
    def anything(self) -> bool:
        """Tell whether there is a manifest, and so something public."""
        with ExitStack() as stack:
            return self._opened(manifest.KEY, stack) is not None

    def open(self, key: str) -> OpenFile | None:
        """Return a public file, or None when there is none.

        Raises Unpublished while there is no manifest, OSError when the system will not give the file.
        """
        with ExitStack() as stack:
            fd = self._opened(key, stack)
            entries = self._entries()
            if fd is None:
                return None
            entry = entries.get(key)
            content_type = _header(entry.content_type if entry else "", _usual_type(key))
            cache_control = _header(entry.cache_control if entry else "", _CACHE_CONTROL)
            return OpenFile(fd, stack.pop_all(), content_type, cache_control)

    def _opened(self, key: str, stack: ExitStack) -> int | None:
        try:
            file = stack.enter_context(self._tree.opened(key))
        except OSError as err:
            if err.errno in _ABSENT:
                return None
            raise
        return None if file is None else file.fileno()

    def _entries(self) -> Entries:
        """Return what the manifest says of files. One that cannot be read changes nothing, and is told of once."""
        with ExitStack() as stack:
            fd = self._opened(manifest.KEY, stack)
            if fd is None:
                raise Unpublished
            state = State.of(fd)
            known, entries = self._manifest
            if state == known:
                return entries
            with self._reading:
                known, entries = self._manifest
                if state != known:
                    entries = self._read(fd, entries)
                    self._manifest = (state, entries)
            return entries

    def _read(self, fd: int, before: Entries) -> Entries:
        body = os.pread(fd, MAX_MANIFEST_BYTES + 1, 0)
        reason = f"{manifest.KEY}: it has more than {MAX_MANIFEST_BYTES} bytes"
        if len(body) <= MAX_MANIFEST_BYTES:
            try:
                return manifest.Manifest.from_bytes(body).files
            except TargetError as err:
                reason = str(err)
        self._reporter.emit(Event("serve.manifest_ignored", {"reason": reason}))
        return before


def is_directory(path: Path) -> bool:
    """Tell whether `path` leads to a directory that may be read."""
    try:
        return stat.S_ISDIR(path.stat().st_mode) and os.access(path, os.R_OK | os.X_OK)
    except OSError:
        return False


def _usual_type(key: str) -> str:
    return _CONTENT_TYPES.get(PurePosixPath(key).suffix.lower(), "application/octet-stream")


def _header(value: str, usual: str) -> str:
    """Return `value` where it can stand in a header, else what is usual."""
    return value if _HEADER_VALUE.fullmatch(value) else usual
