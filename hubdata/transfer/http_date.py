"""Read the dates that servers write in headers: an instant in UTC, or nothing, whatever is there.

The standard library raises six kinds of errors over texts that are no dates, the one of numbers too large among them,
and gives some dates that no other calendar can hold. A header is a stranger's word: it must end no run.
Format: RFC 9110, 5.6.7.
"""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def http_moment(text: str) -> datetime | None:
    """Return the instant that `text` means, aware UTC; None when it is no date."""
    try:
        moment = parsedate_to_datetime(text.strip())
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
