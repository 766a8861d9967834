"""Digest what is being unpacked and written in a second thread: neither zlib nor hashlib needs the interpreter.

Only so much waits to be digested that memory stays bounded; who brings more waits. Little is digested on the spot.
"""

import hashlib
import threading
from queue import Queue
from types import TracebackType
from typing import Self

_BATCH_BYTES = 512 * 1024
_MOST_WAITING = 4


class DigestsAlongside:
    """Digests of all pieces given to `update`, which are complete once the `with` block has ended.

    MD5 and SHA-1 may be asked for because vendors publish them: they find damage, not malice.
    """

    def __init__(self, *algorithms: str) -> None:
        self._digests = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}
        self._batch: list[bytes] = []
        self._left = _BATCH_BYTES
        self._waiting: Queue[list[bytes]] = Queue(_MOST_WAITING)
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, at: TracebackType | None) -> None:
        if self._thread is not None:
            self._waiting.put([])
            self._thread.join()
        self._digest(self._batch)

    def update(self, piece: bytes) -> None:
        """Take the next piece."""
        self._batch.append(piece)
        self._left -= len(piece)
        if self._left > 0:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="digests", daemon=True)
            self._thread.start()
        self._waiting.put(self._batch)
        self._batch, self._left = [], _BATCH_BYTES

    def hexdigest(self, algorithm: str) -> str:
        """Return one of the digests asked for, in lower-case hex."""
        return self._digests[algorithm].hexdigest()

    def _work(self) -> None:
        while batch := self._waiting.get():
            self._digest(batch)

    def _digest(self, batch: list[bytes]) -> None:
        for piece in batch:
            for digest in self._digests.values():
                digest.update(piece)
