"""What is written and digested in a second thread is what came, however it is cut, and the thread always ends."""

import errno
import hashlib
import io
import threading
from collections.abc import Iterable

import pytest

from hubdata.transfer.alongside import WrittenAlongside

BODY = bytes(range(256)) * 13_007


class FullDisk(io.BytesIO):
    """A file that takes nothing beyond `room` bytes, and counts how often it was asked."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room
        self.refusals = 0

    def write(self, piece: bytes) -> int:  # type: ignore[override]
        """Take the piece if there is room."""
        if self.tell() + len(piece) > self.room:
            self.refusals += 1
            raise OSError(errno.ENOSPC, "no space left on device")
        return super().write(piece)


def bring(disk: FullDisk, pieces: Iterable[bytes]) -> None:
    """Have all pieces written."""
    with WrittenAlongside(disk, "sha256") as written:
        for piece in pieces:
            written.update(piece)


def alive() -> list[str]:
    """Return the threads that write."""
    return [thread.name for thread in threading.enumerate() if thread.name == "writing"]


@pytest.mark.parametrize("size", [1 << 24, 600_000, 65_536, 4_099])
def test_all_pieces_are_written_and_digested_in_order(size: int) -> None:
    """Several batches of them, and the rest that fills none."""
    file = io.BytesIO()
    with WrittenAlongside(file, "md5", "sha256") as written:
        for start in range(0, len(BODY), size):
            written.update(BODY[start : start + size])
    assert file.getvalue() == BODY
    assert written.hexdigest("sha256") == hashlib.sha256(BODY).hexdigest()
    assert written.hexdigest("md5") == hashlib.md5(BODY, usedforsecurity=False).hexdigest()
    assert not alive()


def test_little_is_written_without_a_thread() -> None:
    """A small file pays for none."""
    file = io.BytesIO()
    with WrittenAlongside(file, "sha256") as written:
        written.update(b"little")
        assert not alive()
    assert file.getvalue() == b"little"
    assert written.hexdigest("sha256") == hashlib.sha256(b"little").hexdigest()


def test_all_is_written_where_no_thread_is_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads run out on a machine; a download does without, later ones of the same file included."""
    tries = []

    def refused(thread: threading.Thread) -> None:
        tries.append(thread)
        raise RuntimeError("can't start new thread")

    file = io.BytesIO()
    with monkeypatch.context() as patched, WrittenAlongside(file, "sha256") as written:
        patched.setattr(threading.Thread, "start", refused)
        for start in range(0, len(BODY), 300_000):
            written.update(BODY[start : start + 300_000])
            if len(tries) == 2:
                patched.undo()
    assert len(tries) == 2
    assert file.getvalue() == BODY
    assert written.hexdigest("sha256") == hashlib.sha256(BODY).hexdigest()
    assert not alive()
    with monkeypatch.context() as patched, pytest.raises(OSError, match="no space"):  # noqa: PT012 - as on the spot
        patched.setattr(threading.Thread, "start", refused)
        bring(FullDisk(1 << 20), [bytes(1 << 20)] * 3)


def test_nothing_at_all_has_a_digest() -> None:
    """It is that of no bytes."""
    with WrittenAlongside(io.BytesIO(), "sha256") as written:
        pass
    assert written.hexdigest("sha256") == hashlib.sha256().hexdigest()


def test_a_failure_amid_the_pieces_ends_the_thread() -> None:
    """A download that breaks off leaves no thread behind."""
    written = WrittenAlongside(io.BytesIO(), "sha256")
    with pytest.raises(ConnectionError, match="lost"), written:  # noqa: PT012 - what comes first matters
        written.update(bytes(1 << 20))
        assert alive()
        raise ConnectionError("lost")
    assert not alive()


def test_a_disk_that_fills_up_ends_the_download() -> None:
    """Whoever brings pieces is told soon, however many he has, and nothing is tried behind the gap."""
    disk, pieces = FullDisk(3 << 20), iter([bytes(1 << 20)] * 1000)
    with pytest.raises(OSError, match="no space") as caught:
        bring(disk, pieces)
    assert caught.value.errno == errno.ENOSPC
    assert len(list(pieces)) > 980
    assert disk.refusals == 1
    assert not alive()


@pytest.mark.parametrize("count", [1, 4], ids=["written at the end", "written alongside"])
def test_a_disk_that_refuses_the_last_piece_is_told_of_at_the_end(count: int) -> None:
    """No file passes for whole because nothing came after what could not be written."""
    with pytest.raises(OSError, match="no space"):
        bring(FullDisk((count - 1) << 18), [bytes(1 << 18)] * count)


def test_a_lost_connection_is_not_hidden_by_a_full_disk() -> None:
    """What failed first, where the pieces come from, is what is told."""
    with pytest.raises(ConnectionError), WrittenAlongside(FullDisk(0), "sha256") as written:  # noqa: PT012
        written.update(bytes(1 << 20))
        raise ConnectionError("lost")
    assert not alive()
