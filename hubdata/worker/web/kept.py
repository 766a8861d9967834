"""Make a slow value once for all who ask within some seconds, in a thread, so that a crowd costs what one costs.

Never two threads at a time: a store that hangs holds one, and nobody who asks is kept waiting for long.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from hubdata.errors import HubdataError, TargetError

T = TypeVar("T")

PATIENCE_S = 20.0
"""How long anybody is kept waiting: behind a store that hangs, askers would fill all connections."""


class Kept(Generic[T]):
    """A value that `make` makes, and that is kept for `for_s` seconds. So is its failure, if it is one of our own."""

    def __init__(
        self,
        make: Callable[[], T],
        for_s: float,
        monotonic: Callable[[], float] = time.monotonic,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._make, self._for_s, self._monotonic, self._patience_s = make, for_s, monotonic, patience_s
        self._made: Future[T] | None = None
        self._until = 0.0

    async def get(self) -> T:
        """Return the value. Raises what `make` raises, and TargetError when that takes too long."""
        if self._made is None or (self._made.done() and self._monotonic() >= self._until):
            self._made = self._begin()
        made = asyncio.wrap_future(self._made)
        made.add_done_callback(_heard)
        if not (await asyncio.wait([made], timeout=self._patience_s))[0]:
            raise TargetError("it takes too long", retryable=True)
        return made.result()

    def _begin(self) -> "Future[T]":
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()  # whoever gives up does not take it from the others
        # A daemon: a store that hangs must not keep the process from ending.
        threading.Thread(target=self._run, args=(future,), name="http-made", daemon=True).start()
        return future

    def _run(self, future: "Future[T]") -> None:
        try:
            made = self._make()
        except HubdataError as err:
            logging.getLogger(__name__).warning("http.not_made error=%s", err)
            self._until = self._monotonic() + self._for_s
            future.set_exception(err)
        except Exception as err:  # noqa: BLE001 - a bug is raised where it is asked for, and not kept
            self._until = 0.0
            future.set_exception(err)
        else:
            self._until = self._monotonic() + self._for_s
            future.set_result(made)


def _heard(made: "asyncio.Future[T]") -> None:
    """Take note of a failure that nobody waits for any more."""
    if not made.cancelled():
        made.exception()
