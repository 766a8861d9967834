"""Read the dates that servers write in headers: an instant in UTC, or nothing, whatever is there.

The standard library raises six kinds of errors over texts that are no dates, the one of numbers too large among them,
and gives some dates that no other calendar can hold. A header is a stranger's word: it must end no run.
Format: RFC 9110, 5.6.7. The one form that servers are to send is read here; the library, whose import takes as long as
a thousand dates, reads whatever else there is.
"""

import re
from datetime import UTC, datetime

_USUAL = re.compile(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) (...) (\d{4}) (\d\d):(\d\d):(\d\d) GMT", re.ASCII)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def http_moment(text: str) -> datetime | None:
    """Return the instant that `text` means, aware UTC; None when it is no date."""
    usual = _USUAL.fullmatch(text)
    try:
        if usual is not None and usual[2] in _MONTHS:
            day, year, hour, minute, second = map(int, usual.group(1, 3, 4, 5, 6))
            return datetime(year, _MONTHS.index(usual[2]) + 1, day, hour, minute, second, tzinfo=UTC)
        from email.utils import parsedate_to_datetime

        moment = parsedate_to_datetime(text.strip())
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
