"""Dates in headers: read, or passed over, and never the end of a run."""

import sys
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from hubdata.transfer.conditional import http_date
from hubdata.transfer.http_date import http_moment
from hubdata.transfer.retry import parse_retry_after
from hubdata.transfer.store_clock import StoreClock

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "Fri, 20 Nov 2026 12:00:00 GMT",
        "Fri, 20 Nov 2026 12:00:00 -0000",
        " Fri, 20 Nov 2026 14:00:00 +0200 ",
        "Friday, 20-Nov-26 12:00:00 GMT",
    ],
)
def test_a_date_is_an_instant_in_utc(text: str) -> None:
    """In any zone; where none is named, in UTC."""
    moment = http_moment(text)
    assert moment == NOON
    assert moment.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "Fri, 20 Nov 99999 12:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 -2300",
        "Fri, 20 Nov 2026 12:00:00 +" + "9" * 22,
        "Fri, 20 Nov 2026 12:00:00 +9900",
        "Fri, " + "9" * 5000 + " Nov 2026 12:00:00 GMT",
    ],
    ids=["nothing", "a word", "a far year", "beyond the calendar", "a huge zone", "no zone", "a huge day"],
)
def test_what_is_no_date_is_passed_over_by_all_who_read_one(text: str) -> None:
    """Whatever the header, nothing is raised: the zone may be a number that no date can hold."""
    clock = StoreClock()
    clock.hear(text)
    assert (http_moment(text), http_date(text), parse_retry_after(text, NOON), clock.now()) == (None, "", None, None)


def test_the_usual_form_needs_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every month of it means what the library says; what only looks like it is no date."""
    moments = [datetime(2026, month, 3, 4, 5, 6, tzinfo=UTC) for month in range(1, 13)]
    texts = [format_datetime(moment, usegmt=True) for moment in moments]
    monkeypatch.setitem(sys.modules, "email.utils", None)
    assert [http_moment(text) for text in texts] == moments
    assert http_moment("Fri, 31 Feb 2026 12:00:00 GMT") is None
    assert http_moment("Fri, 01 Jan 2026 24:00:00 GMT") is None
