"""Write and digest what is being unpacked in a second thread: zlib, hashlib and the disk do without the interpreter.

Only so much waits to be written that memory stays bounded; who brings more waits. Little is written on the spot. What
the disk refuses is told to whoever brings the pieces. Where no thread is to be had, all is written on the spot.
"""

import hashlib
import threading
from queue import Queue
from types import TracebackType
from typing import BinaryIO, Self

_BATCH_BYTES = 512 * 1024
_MOST_WAITING = 4


class WrittenAlongside:
    """A file that is written in another thread; it and its digests are complete once the `with` block has ended.

    MD5 and SHA-1 may be asked for because vendors publish them: they find damage, not malice.
    """

    def __init__(self, file: BinaryIO, *algorithms: str) -> None:
        self._file = file
        self._digests = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}
        self._batch: list[bytes] = []
        self._left = _BATCH_BYTES
        self._waiting: Queue[list[bytes]] = Queue(_MOST_WAITING)
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, at: TracebackType | None) -> None:
        """Wait until all is written. Raises OSError when it could not be, unless the block failed anyhow."""
        if self._thread is not None:
            self._waiting.put([])
            self._thread.join()
        if err is None:
            self._check()
            self._take(self._batch)

    def update(self, piece: bytes) -> None:
        """Take the next piece. Raises OSError when an earlier one could not be written."""
        self._batch.append(piece)
        self._left -= len(piece)
        if self._left > 0:
            return
        self._check()
        batch, self._batch, self._left = self._batch, [], _BATCH_BYTES
        if self._works():
            self._waiting.put(batch)
        else:
            self._take(batch)

    def hexdigest(self, algorithm: str) -> str:
        """Return one of the digests asked for, in lower-case hex."""
        return self._digests[algorithm].hexdigest()

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _works(self) -> bool:
        """Tell whether there is a thread that writes; begin it if need be."""
        if self._thread is None:
            thread = threading.Thread(target=self._work, name="writing", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # this user, container or machine may have no more of them
                return False
            self._thread = thread
        return True

    def _work(self) -> None:
        while batch := self._waiting.get():
            if self._failure is None:  # else only so that nobody waits for room
                try:
                    self._take(batch)
                except BaseException as err:  # noqa: BLE001 - raised again where it can be told
                    self._failure = err

    def _take(self, batch: list[bytes]) -> None:
        for piece in batch:
            self._file.write(piece)
            for digest in self._digests.values():
                digest.update(piece)
