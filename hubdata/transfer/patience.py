"""A budget for waiting on a service that is busy, made once for a run and spent by whoever meets it.

Not a deadline: time in which the service works for us costs nothing of it, only time in which we stand and wait.
"""

import threading
from collections.abc import Callable
from datetime import timedelta


class Patience:
    """So many seconds of waiting in all, however many requests they are spent on. Safe for threads."""

    def __init__(self, budget: timedelta, sleep: Callable[[float], None]) -> None:
        self.budget_s = budget.total_seconds()
        self.left_s = self.budget_s
        self._sleep = sleep
        self._lock = threading.Lock()

    @property
    def waited_s(self) -> float:
        """Return how much of it is spent."""
        return self.budget_s - self.left_s

    def wait(self, seconds: float, *, whole: bool = False) -> bool:
        """Wait for `seconds`, or for what is left of them, and return True; False at once when there is nothing left.

        `whole` waits for all of `seconds` or not at all: the service has said that sooner is too soon.
        """
        with self._lock:
            granted = min(seconds, self.left_s)
            if granted <= 0 or (whole and granted < seconds):
                return seconds <= 0
            self.left_s -= granted
        self._sleep(granted)
        return True
