"""The real clock."""

import time
from datetime import UTC, datetime, timedelta

from hubdata.transfer import ending


class SystemClock:
    """Time as the machine tells it."""

    def now(self) -> datetime:
        """Return the present as an aware UTC datetime."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds since some moment, whatever is done to the machine's time."""
        return time.monotonic()

    def sleep(self, duration: timedelta) -> None:
        """Return after `duration`, or as soon as this process is to end."""
        ending.wait(duration.total_seconds())
