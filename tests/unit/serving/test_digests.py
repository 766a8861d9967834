"""Digests of served files: always of the bytes at hand, read as seldom as can be defended."""

import asyncio
import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hubdata.serving import digests
from hubdata.serving.digests import Changing, Digests, State
from tests.support.public_server import open_files

LONG_AGO_NS = 60_000_000_000


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Give the list of what was read from files, one item a file."""
    seen: list[int] = []
    real = digests._sha256

    def counted(fd: int, state: State) -> str:
        seen.append(state.inode)
        return real(fd, state)

    monkeypatch.setattr(digests, "_sha256", counted)
    before = open_files()
    yield seen
    assert open_files() == before


def opened(path: Path) -> tuple[int, State]:
    """Return an open file and its state, as if nobody had touched it for a minute."""
    fd = os.open(path, os.O_RDONLY)
    state = State.of(fd)
    return fd, replace(state, changed_ns=state.changed_ns - LONG_AGO_NS)


def test_the_digest_is_that_of_the_bytes_and_read_once(tmp_path: Path, reads: list[int]) -> None:
    """Twenty readers at once, and one more later, cost one reading."""
    body = os.urandom(3_000_000)
    (tmp_path / "f").write_bytes(body)

    async def ask() -> set[str]:
        fd, state = opened(tmp_path / "f")
        known = Digests()
        found = await asyncio.gather(*(known.sha256(fd, state) for _ in range(20)))
        found.append(await known.sha256(fd, state))
        os.close(fd)
        return set(found)

    assert asyncio.run(ask()) == {hashlib.sha256(body).hexdigest()}
    assert len(reads) == 1


def test_a_file_of_just_now_is_read_again(tmp_path: Path, reads: list[int]) -> None:
    """Within one tick of the clock it could be written again and look the same."""
    (tmp_path / "f").write_bytes(b"x")

    async def ask() -> None:
        known = Digests()
        fd, state = opened(tmp_path / "f")
        just_now = replace(state, changed_ns=time.time_ns())
        for _ in range(3):
            await known.sha256(fd, just_now)
        os.close(fd)

    asyncio.run(ask())
    assert len(reads) == 3


def test_settled_depends_on_how_fine_the_clock_is() -> None:
    """A file system that keeps whole seconds, or every other one, needs longer until a change would show."""
    fine, coarse = State(1, 2, 3, 4, 10_123_456_789), State(1, 2, 3, 4, 10_000_000_000)
    assert not fine.settled(fine.changed_ns + 40_000_000)
    assert fine.settled(fine.changed_ns + 60_000_000)
    assert not coarse.settled(coarse.changed_ns + 1_900_000_000)
    assert coarse.settled(coarse.changed_ns + 2_100_000_000)
    assert not fine.settled(fine.changed_ns - LONG_AGO_NS)  # the file server's clock is ahead


def test_a_file_that_changes_is_no_file_yet(tmp_path: Path, reads: list[int]) -> None:
    """No digest is told of a mixture, and none is remembered."""
    path = tmp_path / "f"
    path.write_bytes(b"old bytes")

    async def ask() -> str:
        known = Digests()
        fd, state = opened(path)
        path.write_bytes(b"new bytes, and more of them")
        with pytest.raises(Changing):
            await known.sha256(fd, state)
        os.close(fd)
        fd, state = opened(path)
        try:
            return await known.sha256(fd, state)
        finally:
            os.close(fd)

    assert asyncio.run(ask()) == hashlib.sha256(b"new bytes, and more of them").hexdigest()
    assert len(reads) == 2


def test_whoever_asked_first_may_go_away(tmp_path: Path, reads: list[int]) -> None:
    """The reading goes on for the others, on an open file of its own."""
    body = os.urandom(8_000_000)
    (tmp_path / "f").write_bytes(body)

    async def ask() -> str:
        known = Digests()
        fd, state = opened(tmp_path / "f")
        first = asyncio.create_task(known.sha256(fd, state))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        second = asyncio.create_task(known.sha256(fd, state))
        first.cancel()
        os.close(fd)
        with pytest.raises(asyncio.CancelledError):
            await first
        return await second

    assert asyncio.run(ask()) == hashlib.sha256(body).hexdigest()
    assert len(reads) == 1


def test_what_is_remembered_is_bounded(tmp_path: Path, reads: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond that all is forgotten, and read again when it is asked for."""
    monkeypatch.setattr(digests, "_MAX_REMEMBERED", 2)

    async def ask() -> None:
        known = Digests()
        for name in ("a", "b", "c", "a"):
            (tmp_path / name).touch()
            fd, state = opened(tmp_path / name)
            await known.sha256(fd, replace(state, changed_ns=1))
            os.close(fd)

    asyncio.run(ask())
    assert len(reads) == 4
