"""Do beside a run what nothing in it waits for, and have it done when the run has ended.

A lease is given back while the record of the run is written: neither needs the other, and each is a round trip.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

_MOST = 32


class Beside:
    """What is under way beside one run. Call it with what is to be done; `settle` when nothing else is left to do."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_MOST, thread_name_prefix="beside")
        self._under_way: list[Future[None]] = []

    def __call__(self, work: Callable[[], None]) -> None:
        """Begin `work`; at once and here where the process is ending, and no thread can begin any more."""
        try:
            self._under_way.append(self._pool.submit(work))
        except RuntimeError:
            work()

    def settle(self) -> None:
        """Return when all of it is done. Raises the first error of it, which is a bug."""
        self._pool.shutdown()
        for each in self._under_way:
            each.result()
