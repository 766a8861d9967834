"""A store's time is heard from its answers and carried on between them."""

from datetime import UTC, datetime

from hubdata.transfer.store_clock import StoreClock

SAID = "Wed, 01 Jul 2026 12:00:00 GMT"


def test_time_is_unknown_until_it_is_heard() -> None:
    """No answer, no time; and what is no date is not one."""
    clock = StoreClock()
    for date in (None, "", "soon", "Wed, 99 Jul 2026 12:00:00 GMT"):
        clock.hear(date)
        assert clock.now() is None


def test_time_goes_on_after_an_answer() -> None:
    """By this machine's steady count, whatever its clock says."""
    ticks = [100.0]
    clock = StoreClock(monotonic=lambda: ticks[0])
    clock.hear(SAID)
    ticks[0] = 107.5
    assert clock.now() == datetime(2026, 7, 1, 12, 0, 7, 500_000, tzinfo=UTC)


def test_later_answer_counts() -> None:
    """The store may set its clock back: the newest answer is what all others hear too."""
    clock = StoreClock(monotonic=lambda: 0.0)
    clock.hear(SAID)
    clock.hear("Wed, 01 Jul 2026 11:59:58 GMT")
    assert clock.now() == datetime(2026, 7, 1, 11, 59, 58, tzinfo=UTC)
