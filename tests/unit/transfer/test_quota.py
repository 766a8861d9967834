"""When one more download may be made: over any 24 hours, after a 429, after failures, forced or not."""

from datetime import UTC, datetime, timedelta

import pytest

from hubdata.transfer.quota import (
    DAY,
    LONGEST_WAIT,
    Past,
    Tries,
    Wait,
    recent,
    wait_for,
    with_begun,
    with_refusal,
    with_success,
)

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def made(*ago: timedelta) -> Past:
    """Return a past of downloads that ended well, so long ago."""
    return Past(tuple(sorted(NOW - each for each in ago)))


def wait(past: Past, *, per_day: int = 30, forced: bool = False, what: str = "City a") -> Wait | None:
    """Return what `past` says to one more download at NOW."""
    return wait_for(recent(past, NOW), what, NOW, per_day=per_day, forced=forced)


def test_the_last_sixth_of_a_day_is_left_to_people() -> None:
    """25 of 30 by schedule; the other five are for who forces, and then nobody has any."""
    for count in range(30):
        past = made(*[MINUTE * (n + 1) for n in range(count)])
        assert (wait(past) is None) == (count < 25)
        assert wait(past, forced=True) is None
    refused = wait(made(*[MINUTE * (n + 1) for n in range(30)]), forced=True)
    assert refused is not None
    assert "30 downloads were made within 24 hours" in refused.why


def test_the_next_download_is_possible_when_enough_of_the_old_ones_are_a_day_old() -> None:
    """The moment that is named is the first at which it is true."""
    past = made(*[HOUR * (n % 23) + MINUTE for n in range(27)])
    told = wait(past)
    assert told is not None
    for at, free in ((told.until - MINUTE, False), (told.until, True)):
        later = wait_for(recent(past, at), "City a", at, per_day=30, forced=False)
        assert (later is None) is free


def test_a_quota_of_one_leaves_nothing_to_keep_back() -> None:
    """Then the one is for the schedule."""
    assert wait(Past(), per_day=1) is None
    assert wait(made(HOUR), per_day=1) == Wait(
        NOW - HOUR + DAY,
        "1 downloads were made within 24 hours and 0 more are kept for people who force one (`daily_downloads` = 1)",
    )


@pytest.mark.parametrize(
    ("asked", "pause"),
    [(None, HOUR), (timedelta(seconds=37), timedelta(seconds=37)), (timedelta(days=900), DAY)],
    ids=["no Retry-After", "37 s", "years"],
)
@pytest.mark.parametrize("forced", [False, True])
def test_a_429_is_believed_for_a_day_at_most(asked: timedelta | None, pause: timedelta, forced: bool) -> None:
    """An hour where it names no time; nobody can force against it."""
    past = with_refusal(Past(), NOW, asked)
    told = wait(past, forced=forced)
    assert told is not None
    assert told.until == NOW + pause
    assert "429" in told.why
    later = NOW + pause
    assert wait_for(recent(past, later), "City a", later, per_day=30, forced=forced) is None


def test_the_longer_of_two_waits_counts() -> None:
    """A second 429 that asks for less takes nothing back."""
    past = with_refusal(with_refusal(Past(), NOW, 5 * HOUR), NOW, MINUTE)
    assert past.refused_until == NOW + 5 * HOUR


def test_what_fails_again_and_again_is_tried_less_and_less() -> None:
    """Twice at once, then after 5, 10, 20 ... minutes, at most 4 hours: a dead store never eats a day's downloads."""
    past, now, gaps = Past(), NOW, []
    began = NOW
    while now < began + DAY:
        told = wait_for(recent(past, now), "City a", now, per_day=30, forced=False)
        if told is not None:
            gaps.append(told.until - now)
            now = told.until
        past = with_begun(recent(past, now), "City a", now)
    assert gaps[:7] == [MINUTE * n for n in (5, 10, 20, 40, 80, 160, 240)]
    assert set(gaps[6:]) == {LONGEST_WAIT}
    assert len(recent(past, now).downloads) < 15


def test_failures_count_for_one_release_and_not_for_people() -> None:
    """Another edition, the next release and a forced download do not wait for them; a good end forgets them."""
    past = with_begun(with_begun(Past(), "City a", NOW), "City a", NOW)
    assert wait(past) is not None
    assert wait(past, what="ASN a") is None
    assert wait(past, what="City b") is None
    assert wait(past, forced=True) is None
    assert wait(with_success(past, "City a")) is None


def test_what_is_a_day_old_or_lies_ahead_is_forgotten() -> None:
    """A clock that was wrong must not stop downloads for years."""
    ahead = NOW + timedelta(days=400)
    past = Past(
        (NOW - DAY, NOW - HOUR, ahead),
        ahead,
        {"old": Tries(9, NOW - DAY), "new": Tries(1, NOW), "far": Tries(9, ahead)},
    )
    assert recent(past, NOW) == Past((NOW - HOUR,), None, {"new": Tries(1, NOW)})
    assert recent(Past((NOW - DAY,)), NOW).is_empty
