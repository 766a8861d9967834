"""Tells a store's own time from the Date header of its answers.

Machines that share a store may have clocks hours apart, so what is decided between them (whether a lease is over) is
decided by the one clock that all of them hear.
"""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from hubdata.transfer.http_date import http_moment


class StoreClock:
    """The time at one store, carried on from its last answer. Whole seconds, as the Date header has them."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._heard: tuple[datetime, float] | None = None

    def hear(self, date: str | None) -> None:
        """Take note of a Date header, just received. None, and what is no date, are passed over."""
        said = http_moment(date or "")
        if said is None:
            return
        with self._lock:
            self._heard = (said, self._monotonic())

    def now(self) -> datetime | None:
        """Return the store's time, aware UTC; None while it has not told any."""
        with self._lock:
            if self._heard is None:
                return None
            said, at = self._heard
            return said + timedelta(seconds=self._monotonic() - at)
