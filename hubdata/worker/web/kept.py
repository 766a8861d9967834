"""Make a slow value once for all who ask within some seconds, in a thread, so that a crowd costs what one costs."""

import logging
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from anyio import CapacityLimiter, Lock, to_thread

from hubdata.errors import HubdataError

T = TypeVar("T")


class Kept(Generic[T]):
    """A value that `make` makes, and that is kept for `for_s` seconds. So is its failure, if it is one of our own."""

    def __init__(self, make: Callable[[], T], for_s: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._make, self._for_s, self._monotonic = make, for_s, monotonic
        self._lock = Lock()
        self._thread = CapacityLimiter(1)
        self._until: float | None = None
        self._value: T | HubdataError

    async def get(self) -> T:
        """Return the value. Raises what `make` raises; a HubdataError again and again until it is made anew."""
        async with self._lock:
            if self._until is None or self._monotonic() >= self._until:
                try:
                    # A store that hangs must not keep the process from ending.
                    self._value = await to_thread.run_sync(self._make, limiter=self._thread, abandon_on_cancel=True)
                except HubdataError as err:
                    logging.getLogger(__name__).warning("http.not_made error=%s", err)
                    self._value = err
                self._until = self._monotonic() + self._for_s
            if isinstance(self._value, HubdataError):
                raise self._value
            return self._value
