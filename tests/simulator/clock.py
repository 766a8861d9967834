"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)


class SettableClock:
    """Tells the time it was given; sleeping moves it on at once."""

    def __init__(self, now: datetime = START) -> None:
        self._now = now
        self._slept = 0.0

    def now(self) -> datetime:
        """Return the time as last set."""
        return self._now

    def monotonic(self) -> float:
        """Return how long all sleeps were."""
        return self._slept

    def sleep(self, duration: timedelta) -> None:
        """Move on by `duration` without waiting."""
        self._now += duration
        self._slept += duration.total_seconds()

    def set(self, now: datetime) -> None:
        """Jump to `now`, forwards or back."""
        self._now = now
