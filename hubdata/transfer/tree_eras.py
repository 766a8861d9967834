"""Keep what a directory tree held before: every file that is about to be replaced or removed gets a second name.

Time is cut into eras, which end whenever the tree's own index (the manifest) is replaced. What an era's files were
when they ceased to be lies below a directory of that era, so what was in place at the end of an era is found there, or
in the next one that has the name, or in the tree itself. A name is kept once in an era: what was put and replaced
again before an index ever named it is nothing to go back to.

A second name is a hard link, which costs no space until the file is replaced, and a copy where the file system has
none. Eras go whole, the oldest first, once there are too many or they are too old.
"""

import errno
import os
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from io import BufferedReader
from itertools import pairwise

from hubdata.transfer.tree import Tree

_ERA = re.compile(r"([0-9]{10})-([0-9]{10,12})")
_NO_LINKS = frozenset({errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EXDEV, errno.EACCES})
_TAKEN = (FileExistsError, NotADirectoryError, IsADirectoryError)
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, order=True)
class Era:
    """One era: its number, and when it began, in seconds since 1970."""

    number: int
    began: int

    @property
    def name(self) -> str:
        """Return the name of its directory, which is also the version id of what is kept there."""
        return f"{self.number:010}-{self.began:010}"

    @classmethod
    def named(cls, name: str) -> "Era | None":
        """Return the era of a directory's name, None when it is none."""
        found = _ERA.fullmatch(name)
        return None if found is None else cls(int(found[1]), int(found[2]))


class Eras:
    """The past of `tree`: at most `most` eras that are over, none for longer than `days`. None at all keeps nothing.

    All methods raise OSError as the system does. What changes something is to be called under the tree's lock.
    """

    def __init__(self, tree: Tree, *, most: int, days: int) -> None:
        self._tree = tree
        self._most = most
        self._age_s = days * 86_400

    def keep(self, name: str) -> None:
        """Keep the file that is called so now, if there is one and its era has none of that name yet."""
        if not self._most:
            return
        with self._tree.opened(name) as file:
            if file is None:
                return
            era = max(self.all(), default=None) or self._begin(1)
            place = f"{self._tree.kept}/{era.name}/{name}"
            try:
                self._tree.link(name, place)
            except _TAKEN:
                return
            except OSError as err:
                if err.errno not in _NO_LINKS:
                    raise
                self._copy(file, place)

    def turn(self) -> None:
        """End the era, as the index is about to be replaced."""
        if self._most:
            self._begin(max((era.number for era in self.all()), default=0) + 1)

    def prune(self) -> None:
        """Remove what is kept for too long: an era is over when the next one began. The current one stays.

        Where nothing is kept any more, nothing stays.
        """
        eras, now = self.all(), time.time()
        gone = [
            era
            for place, (after, era) in enumerate(pairwise(eras), 1)
            if place > self._most or now - after.began > self._age_s
        ]
        for era in gone if self._most else eras:
            self._tree.clear(f"{self._tree.kept}/{era.name}")

    def all(self) -> tuple[Era, ...]:
        """Return every era of which something is kept, the newest first."""
        found = (Era.named(name) for name in self._tree.directories(self._tree.kept))
        return tuple(sorted((era for era in found if era is not None), reverse=True))

    @contextmanager
    def opened(self, name: str, era: Era) -> Iterator[BufferedReader | None]:
        """Give the file that was called so until that era, open for reading; None when none is kept."""
        with ExitStack() as stack:
            try:
                file = stack.enter_context(self._tree.opened(f"{self._tree.kept}/{era.name}/{name}"))
            except (NotADirectoryError, IsADirectoryError):  # then, another file's name was above or below this one
                file = None
            yield file

    def walk(self) -> Iterator[tuple[str, Era, BufferedReader]]:
        """Yield every file that is kept, by era, the newest first, open for reading."""
        for era in self.all():
            for name, file in self._tree.walk(f"{self._tree.kept}/{era.name}"):
                yield name, era, file

    def forget(self, name: str, era: Era) -> None:
        """Remove one file of an era; fine when it is gone."""
        with suppress(FileNotFoundError, NotADirectoryError):
            self._tree.remove(f"{self._tree.kept}/{era.name}/{name}", upto=f"{self._tree.kept}/{era.name}")

    def _begin(self, number: int) -> Era:
        era = Era(number, int(time.time()))
        self._tree.make(f"{self._tree.kept}/{era.name}")
        return era

    def _copy(self, file: BufferedReader, place: str) -> None:
        held = os.fstat(file.fileno())
        with self._tree.opened(place) as there, self._tree.draft() as draft:
            if there is not None:
                return
            while chunk := file.read(_CHUNK):
                draft.file.write(chunk)
            draft.file.flush()
            os.utime(draft.file.fileno(), ns=(held.st_atime_ns, held.st_mtime_ns))
            with suppress(*_TAKEN):
                self._tree.adopt(draft, place)
