"""A total budget of time, made once and passed down to everything that waits.

A timeout on each read does not bound a transfer: a server that sends one byte a second never lets it expire. So
whoever waits asks the deadline how long it may, and nobody starts a wait that cannot end in time.
"""

import time
from collections.abc import Callable
from datetime import timedelta

from hubdata.values import frozen


@frozen
class Deadline:
    """The moment by which all work must have ended. `ends_at` is in seconds on the `monotonic` clock."""

    ends_at: float
    budget: timedelta
    monotonic: Callable[[], float] = time.monotonic

    @classmethod
    def after(cls, budget: timedelta, *, monotonic: Callable[[], float] = time.monotonic) -> "Deadline":
        """Return the deadline that lies `budget` ahead of now."""
        return cls(monotonic() + budget.total_seconds(), budget, monotonic)

    @property
    def remaining_s(self) -> float:
        """Return the seconds that are left; 0.0 when it has passed."""
        return max(0.0, self.ends_at - self.monotonic())

    @property
    def expired(self) -> bool:
        """Tell whether the time is up."""
        return self.remaining_s <= 0.0

    def allows(self, wait: timedelta) -> bool:
        """Tell whether a wait of `wait` would leave any time to do something afterwards."""
        return wait.total_seconds() < self.remaining_s

    def clip(self, seconds: float) -> float:
        """Return `seconds`, or what is left if that is less; never below a millisecond, as a socket needs."""
        return max(0.001, min(seconds, self.remaining_s))
