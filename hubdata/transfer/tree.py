"""A directory tree that several processes change safely: no link is followed, no reader sees half a file.

Every path below the root is opened segment by segment without following links, so nothing outside the root can be
read, written or removed through a name, even while somebody else swaps directories for links. New files are written
beside the tree, synced, and renamed into place. One lock file serves all writers of all processes.
"""

import errno
import fcntl
import os
import secrets
import shutil
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader, BufferedWriter
from pathlib import Path

_MAX_DEPTH = 128
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # NONBLOCK: a pipe must not hang the run
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_LOCK = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


class Draft:
    """A new file that is not in the tree yet: write to `file`, then `Tree.adopt` it, or forget it."""

    def __init__(self, file: BufferedWriter, name: str, directory: int) -> None:
        self.file = file
        self.name = name
        self.directory = directory


class Tree:
    """The files below `root`. `private` is the directory of drafts, lock and past, readable for its owner alone.

    Names are relative, `/` between segments, and already checked: no empty, `.` or `..` segments. All methods raise
    OSError as the system does. Reading never creates anything; a root that does not exist is empty.
    """

    def __init__(self, root: Path, *, private: str, lock_timeout_s: float) -> None:
        self.root = root
        self.lock = f"{private}/lock"
        self.drafts = f"{private}/tmp"  # noqa: S108 - below the root
        self.kept = f"{private}/versions"
        self._private = private
        self._timeout_s = lock_timeout_s
        self._writing = threading.Lock()
        self._swept = False

    def walk(self, below: str = "") -> Iterator[tuple[str, BufferedReader]]:
        """Yield every regular file by its name `below`, open for reading; links and devices are left out.

        So are drafts, lock, what is kept of the past, and names that are not UTF-8.
        """
        try:
            if below:
                with self._parent(below, create=False) as (parent, last):
                    root = os.open(last, _DIRECTORY, dir_fd=parent)
            else:
                root = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        try:
            yield from self._walk(root, "", 0)
        finally:
            os.close(root)

    def directories(self, name: str) -> list[str]:
        """Return the names of the directories in one, none when it does not exist."""
        try:
            with self._parent(f"{name}/x", create=False) as (parent, _), os.scandir(parent) as entries:
                return [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
        except FileNotFoundError:
            return []

    def make(self, name: str) -> None:
        """Make one directory, and those above it; fine when it is there."""
        with self._parent(f"{name}/x", create=True):
            pass

    def clear(self, name: str) -> None:
        """Remove a directory and all that is in it; fine when it is gone. No link is followed."""
        with suppress(FileNotFoundError), self._parent(name, create=False) as (parent, last):
            shutil.rmtree(last, ignore_errors=True, dir_fd=parent)

    def link(self, name: str, other: str) -> None:
        """Give a file a second name. Raises FileExistsError when that is taken."""
        with self._parent(name, create=False) as (source, was), self._parent(other, create=True) as (parent, last):
            # Not synced: the journal that brings the rename after it to the disk brings this one too.
            os.link(was, last, src_dir_fd=source, dst_dir_fd=parent, follow_symlinks=False)

    @contextmanager
    def opened(self, name: str) -> Iterator[BufferedReader | None]:
        """Give one regular file, open for reading; None when there is none."""
        fd = self._open(name)
        if fd is None:
            yield None
            return
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)  # fdopen would refuse a directory and leave it open
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        with os.fdopen(fd, "rb") as file:
            yield file

    @contextmanager
    def draft(self) -> Iterator[Draft]:
        """Give a new file beside the tree; it is gone afterwards unless adopted. Those of dead writers are removed."""
        with self._parent(f"{self.drafts}/x", create=True) as (directory, _):
            if not self._swept:
                self._swept = True
                _sweep(directory)
            fd, name = _create(directory)
            with os.fdopen(fd, "wb") as file:
                try:
                    yield Draft(file, name, directory)
                finally:
                    with suppress(FileNotFoundError):
                        os.unlink(name, dir_fd=directory)

    def adopt(self, draft: Draft, name: str) -> None:
        """Rename a draft, which is on disk already, to its place; readers see the old bytes or the new ones."""
        with self._parent(name, create=True) as (parent, last):
            os.rename(draft.name, last, src_dir_fd=draft.directory, dst_dir_fd=parent)
            os.fsync(parent)

    def remove(self, name: str, upto: str | None = None) -> None:
        """Remove one file, and the directories above it that are empty now, but not `upto`."""
        with self._parent(name, create=False) as (parent, last):
            os.unlink(last, dir_fd=parent)
            os.fsync(parent)
        above = name.rpartition("/")[0]
        while above and above not in (self._private, upto):
            try:
                with self._parent(above, create=False) as (parent, last):
                    os.rmdir(last, dir_fd=parent)
            except OSError:
                return
            above = above.rpartition("/")[0]

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the tree's lock against other threads and processes. Raises TimeoutError when it stays taken."""
        until = time.monotonic() + self._timeout_s
        if not self._writing.acquire(timeout=self._timeout_s):
            raise TimeoutError(errno.ETIMEDOUT, self._busy())
        try:
            with self._parent(self.lock, create=True) as (parent, name):
                fd = os.open(name, _LOCK, 0o666, dir_fd=parent)
            try:
                self._flock(fd, until)
                yield
            finally:
                os.close(fd)
        finally:
            self._writing.release()

    def _flock(self, fd: int, until: float) -> None:
        pause = 0.001
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > until:
                    raise TimeoutError(errno.ETIMEDOUT, self._busy()) from None
                time.sleep(pause)
                pause = min(pause * 2, 0.05)
            else:
                return

    def _busy(self) -> str:
        return f"another process has held {self.lock} for {self._timeout_s:.0f} s"

    def _walk(self, directory: int, prefix: str, depth: int) -> Iterator[tuple[str, BufferedReader]]:
        if depth > _MAX_DEPTH:
            raise OSError(errno.ELOOP, f"more than {_MAX_DEPTH} directories deep", prefix)
        with os.scandir(directory) as entries:
            found = sorted(
                (e.name, e.is_dir(follow_symlinks=False))
                for e in entries
                if e.is_dir(follow_symlinks=False) or e.is_file(follow_symlinks=False)
            )
        for last, is_directory in found:
            name = prefix + last
            if name in (self.lock, self.drafts, self.kept) or not _is_text(last):
                continue
            try:
                fd = os.open(last, _DIRECTORY if is_directory else _READ, dir_fd=directory)
            except FileNotFoundError:
                continue  # removed meanwhile
            if is_directory:
                try:
                    yield from self._walk(fd, f"{name}/", depth + 1)
                finally:
                    os.close(fd)
            else:
                with os.fdopen(fd, "rb") as file:
                    yield name, file

    def _open(self, name: str) -> int | None:
        try:
            with self._parent(name, create=False) as (parent, last):
                return os.open(last, _READ, dir_fd=parent)
        except FileNotFoundError:
            return None

    @contextmanager
    def _parent(self, name: str, *, create: bool) -> Iterator[tuple[int, str]]:
        """Give the open directory that holds `name`, and its last segment."""
        *segments, last = name.split("/")
        if create:
            self.root.mkdir(parents=True, exist_ok=True)
        fd = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for segment in segments:
                below = self._descend(fd, segment, create=create)
                os.close(fd)
                fd = below
            yield fd, last
        finally:
            os.close(fd)

    def _descend(self, fd: int, segment: str, *, create: bool) -> int:
        try:
            return os.open(segment, _DIRECTORY, dir_fd=fd)
        except FileNotFoundError:
            if not create:
                raise
        with suppress(FileExistsError):  # another writer was quicker
            os.mkdir(segment, 0o700 if segment == self._private else 0o777, dir_fd=fd)
            os.fsync(fd)
        return os.open(segment, _DIRECTORY, dir_fd=fd)


def _create(directory: int) -> tuple[int, str]:
    """Return a new file, locked for as long as it is open: that is how the living are told from the dead."""
    while True:
        name = secrets.token_hex(8)
        fd = os.open(name, _CREATE, 0o666, dir_fd=directory)
        fcntl.flock(fd, fcntl.LOCK_EX)
        if os.fstat(fd).st_nlink:  # else another process swept it away before the lock was ours
            return fd, name
        os.close(fd)


def _sweep(directory: int) -> None:
    """Remove the drafts that nobody holds: their writers died."""
    with os.scandir(directory) as entries:
        names = [entry.name for entry in entries if entry.is_file(follow_symlinks=False)]
    for name in names:
        with suppress(OSError):
            fd = os.open(name, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(name, dir_fd=directory)
            finally:
                os.close(fd)


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
