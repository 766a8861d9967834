"""Know the size and the digests of a stream that somebody else is writing somewhere."""

import hashlib
from collections.abc import Iterable, Iterator


class Hashed:
    """Passes pieces through; once they are through, `size` and `hexdigest` are of all of them.

    MD5 and SHA-1 are here because vendors publish them: they find damage, not malice.
    """

    def __init__(self, pieces: Iterable[bytes], *algorithms: str) -> None:
        self.size = 0
        self._pieces = pieces
        self._digests = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self.size += len(piece)
            for digest in self._digests.values():
                digest.update(piece)
            yield piece

    def hexdigest(self, algorithm: str) -> str:
        """Return one of the digests asked for, in lower-case hex."""
        return self._digests[algorithm].hexdigest()
