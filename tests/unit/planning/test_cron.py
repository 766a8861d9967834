"""Cron fields mean what cron means by them, in UTC."""

from datetime import UTC, datetime, timedelta

import pytest

from hubdata.errors import ConfigError
from hubdata.planning.cron import Cron

MONDAY = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("field", "days"),
    [
        ("0", {6}),
        ("7", {6}),
        ("1", {0}),
        ("1-5", {0, 1, 2, 3, 4}),
        ("5-7", {4, 5, 6}),
        ("fri-sun", {4, 5, 6}),
        ("mon,WED", {0, 2}),
        ("*/3", {6, 2, 5}),
        ("2/2", {1, 3, 5}),
        ("*", set(range(7))),
    ],
)
def test_weekdays_are_crons(field: str, days: set[int]) -> None:
    """0 and 7 are Sunday, as crontab(5) has it; the scheduler by itself would take 0 for Monday."""
    cron, moment = Cron(f"0 3 * * {field}"), MONDAY
    found: set[int] = set()
    for _ in range(7):
        fire = cron.after(moment)
        assert fire is not None
        found, moment = found | {fire.weekday()}, fire
    assert found == days


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("61 * * * *", "61"),
        ("0 0 1 * 1", "differ"),
        ("0 0 * * 8", "weekday"),
        ("0 0 * * 5-3", "range"),
        ("0 0 * * */0", "range"),
        ("0 0 * *", "schedule"),
        ("0 0 30 2 *", "no day"),
    ],
)
def test_what_names_no_moment_is_refused(text: str, word: str) -> None:
    """A schedule that never comes, or that programs read differently, is told of before a worker starts."""
    with pytest.raises(ConfigError, match=word) as caught:
        Cron(text)
    assert caught.value.advice


def test_the_next_moment_is_later_than_now_and_none_is_skipped() -> None:
    """Asked at a moment of the schedule itself, the next one is a whole period on, through both changes of clocks."""
    cron, moment = Cron("30 2 * * *"), datetime(2026, 1, 1, 2, 30, tzinfo=UTC)
    for _ in range(730):
        following = cron.after(moment)
        assert following == moment + timedelta(days=1)
        moment = following
