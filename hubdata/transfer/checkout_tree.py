"""A checkout that files are put into: never through a link, never half a file, and nothing but the files named.

Every path is opened segment by segment without following links, so that a link in the checkout, which whoever writes to
the repository may put there, leads nobody out of it. A new file is written under another name beside its place, synced,
and renamed. Unlike a published directory (`tree.py`), a checkout gets no directory of hubdata's own.
"""

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hubdata.errors import TargetError

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_LINKS = (errno.ELOOP, errno.ENOTDIR, errno.EMLINK)


class CheckoutTree:
    """The files below `root`, which must exist. Keys are safe names: checked before they get here."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def keys(self) -> Iterator[str]:
        """Yield the names of all regular files, git's own directory left out. No link is followed."""
        for directory, names, files in os.walk(self._root, onerror=self._unlistable):
            names[:] = sorted(name for name in names if name != ".git")
            above = Path(directory).relative_to(self._root)
            for name in sorted(files):
                path = Path(directory, name)
                if path.is_file() and not path.is_symlink():
                    yield (above / name).as_posix()

    def links(self) -> Iterator[tuple[str, bool]]:
        """Yield the name of each link, and whether it leads to a directory; git's own directory left out."""
        for directory, names, files in os.walk(self._root, onerror=self._unlistable):
            names[:] = sorted(name for name in names if name != ".git")
            above = Path(directory).relative_to(self._root)
            for name in sorted((*names, *files)):
                path = Path(directory, name)
                if path.is_symlink():
                    yield (above / name).as_posix(), path.is_dir()

    def read(self, key: str, *, max_bytes: int) -> bytes | None:
        """Return a file's bytes, None when there is none. Raises TargetError for what is too large, or no file."""
        try:
            with self._parent(key, create=False) as (parent, last):
                fd = os.open(last, _READ, dir_fd=parent)
        except FileNotFoundError:
            return None
        except OSError as err:
            raise self._trouble(key, err) from err
        try:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise self._no_file(key)
            with os.fdopen(fd, "rb", closefd=False) as file:
                body = file.read(max_bytes + 1)
        except OSError as err:
            raise self._trouble(key, err) from err
        finally:
            os.close(fd)
        if len(body) > max_bytes:
            raise TargetError(f"{self._root / key}: more than {max_bytes:,} bytes", advice="see what lies there")
        return body

    def replace(self, key: str, body: bytes) -> None:
        """Put a file in its place, with the permissions of the one before it. Raises TargetError."""
        try:
            with self._parent(key, create=True) as (parent, last):
                mode = self._mode_of(key, parent, last)
                part = f".{secrets.token_hex(8)}.part"
                fd = os.open(part, _CREATE, 0o666, dir_fd=parent)
                try:
                    with os.fdopen(fd, "wb") as file:
                        file.write(body)
                        if mode is not None:
                            os.fchmod(fd, mode)
                        file.flush()
                        os.fsync(fd)
                    os.rename(part, last, src_dir_fd=parent, dst_dir_fd=parent)
                finally:
                    with suppress(FileNotFoundError):
                        os.unlink(part, dir_fd=parent)
        except OSError as err:
            raise self._trouble(key, err) from err

    def _mode_of(self, key: str, parent: int, last: str) -> int | None:
        try:
            mode = os.stat(last, dir_fd=parent, follow_symlinks=False).st_mode
        except FileNotFoundError:
            return None
        if not stat.S_ISREG(mode):
            raise self._no_file(key)
        return stat.S_IMODE(mode)

    @contextmanager
    def _parent(self, key: str, *, create: bool) -> Iterator[tuple[int, str]]:
        """Give the open directory that holds `key`, and its last segment."""
        *segments, last = key.split("/")
        fd = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for segment in segments:
                if create:
                    with suppress(FileExistsError):
                        os.mkdir(segment, dir_fd=fd)
                below = os.open(segment, _DIRECTORY, dir_fd=fd)
                os.close(fd)
                fd = below
            yield fd, last
        finally:
            os.close(fd)

    def _no_file(self, key: str) -> TargetError:
        return TargetError(
            f"{self._root / key}: expected a plain file, found a link or something else",
            advice="nothing is read or written through links: put a plain file there, or take it away",
        )

    def _trouble(self, key: str, err: OSError) -> TargetError:
        if err.errno in _LINKS:
            return self._no_file(key)
        return TargetError(
            f"{self._root / key}: {err.strerror or err}", advice="see that hubdata may write to the checkout"
        )

    def _unlistable(self, err: OSError) -> None:
        raise TargetError(
            f"{err.filename or self._root}: {err.strerror or err}",
            advice="see that hubdata may read all of the checkout",
        ) from err
