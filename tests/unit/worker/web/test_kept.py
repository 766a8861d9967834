"""A slow value is made once for all who ask at the same time, in a thread, and so is its failure."""

import asyncio
import contextlib
import threading

import pytest

from hubdata.errors import TargetError
from hubdata.worker.web.kept import Kept


class Maker:
    """Makes numbers, or fails, and counts."""

    def __init__(self) -> None:
        self.made = 0
        self.fails: Exception | None = None
        self.at = 0.0
        self.threads: set[int] = set()

    def __call__(self) -> int:
        """Make one."""
        self.made += 1
        self.threads.add(threading.get_ident())
        if self.fails is not None:
            raise self.fails
        return self.made


def test_a_crowd_costs_what_one_costs() -> None:
    """All get the same; when its time is over, it is made anew; never where requests are answered."""
    maker = Maker()

    async def main() -> None:
        kept = Kept(maker, 5, lambda: maker.at)
        assert await asyncio.gather(*(kept.get() for _ in range(100))) == [1] * 100
        maker.at = 4.9
        assert await kept.get() == 1
        maker.at = 5.0
        assert await kept.get() == 2

    asyncio.run(main())
    assert threading.get_ident() not in maker.threads


def test_nobody_waits_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    """A store that hangs holds one thread and no asker; once it answers again, so does this."""
    maker, release = Maker(), threading.Event()

    def hang() -> int:
        release.wait(60)
        return maker()

    async def main() -> None:
        kept = Kept(hang, 5, patience_s=0.2)
        for _ in range(2):
            found = await asyncio.gather(*(kept.get() for _ in range(20)), return_exceptions=True)
            assert {type(each) for each in found} == {TargetError}
        assert sum(thread.name == "http-made" for thread in threading.enumerate()) == 1
        release.set()
        while True:
            with contextlib.suppress(TargetError):
                assert await kept.get() > 0
                break

    asyncio.run(main())
    assert maker.made <= 2


def test_a_failure_is_kept_too_and_passes() -> None:
    """A store that does not answer is not asked by each of a crowd; a bug is nobody's to keep."""
    maker = Maker()

    async def main() -> None:
        kept = Kept(maker, 5, lambda: maker.at)
        maker.fails = TargetError("it is gone")
        for _ in range(10):
            with pytest.raises(TargetError):
                await kept.get()
        assert maker.made == 1
        maker.at, maker.fails = 5.0, RuntimeError("a bug")
        for _ in range(2):
            with pytest.raises(RuntimeError):
                await kept.get()
        maker.fails = None
        assert await kept.get() == 4

    asyncio.run(main())
