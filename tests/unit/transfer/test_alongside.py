"""Digests made in a second thread are those made in one, however the pieces are cut, and the thread always ends."""

import hashlib
import threading

import pytest

from hubdata.transfer.alongside import DigestsAlongside

BODY = bytes(range(256)) * 13_007


def alive() -> list[str]:
    """Return the threads that digest."""
    return [thread.name for thread in threading.enumerate() if thread.name == "digests"]


@pytest.mark.parametrize("size", [1 << 24, 600_000, 65_536, 4_099])
def test_digests_are_of_all_pieces_in_order(size: int) -> None:
    """Several batches of them, and the rest that fills none."""
    with DigestsAlongside("md5", "sha256") as digests:
        for start in range(0, len(BODY), size):
            digests.update(BODY[start : start + size])
    assert digests.hexdigest("sha256") == hashlib.sha256(BODY).hexdigest()
    assert digests.hexdigest("md5") == hashlib.md5(BODY, usedforsecurity=False).hexdigest()
    assert not alive()


def test_little_is_digested_without_a_thread() -> None:
    """A small file pays for none."""
    with DigestsAlongside("sha256") as digests:
        digests.update(b"little")
        assert not alive()
    assert digests.hexdigest("sha256") == hashlib.sha256(b"little").hexdigest()


def test_nothing_at_all_has_a_digest() -> None:
    """It is that of no bytes."""
    with DigestsAlongside("sha256") as digests:
        pass
    assert digests.hexdigest("sha256") == hashlib.sha256().hexdigest()


def test_a_failure_amid_the_pieces_ends_the_thread() -> None:
    """A download that breaks off leaves no thread behind."""
    digests = DigestsAlongside("sha256")
    with pytest.raises(OSError, match="disk"), digests:  # noqa: PT012 - what comes first matters
        digests.update(bytes(1 << 20))
        assert alive()
        raise OSError("disk full")
    assert not alive()
