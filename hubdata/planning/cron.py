"""Read five cron fields as cron means them, in UTC, and tell when they come next.

APScheduler's trigger finds the moments. Two things it means otherwise than cron are settled before it is asked: its
weekday 0 is Monday, where cron's is Sunday; and where both a day of the month and a weekday are named, it wants both,
where cron wants either. The first is translated, the second is refused, because readers would differ about it.
"""

from datetime import UTC, datetime
from typing import Any

from hubdata.errors import ConfigError

ADVICE = 'five cron fields in UTC: minute, hour, day of the month, month, day of the week ("17 * * * *")'

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


class Cron:
    """The moments at which a schedule comes. Raises ConfigError for a text that names none."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._trigger = _trigger(text)
        if self.after(datetime(2024, 1, 1, tzinfo=UTC)) is None:
            raise ConfigError(f"schedule {text}: no day is like that", advice=ADVICE)

    def after(self, moment: datetime) -> datetime | None:
        """Return the first moment later than `moment` (aware UTC); None when there is none for thousands of years."""
        found: datetime | None = self._trigger.get_next_fire_time(moment, moment)
        return found


def _trigger(text: str) -> Any:
    from apscheduler.triggers.cron import CronTrigger  # 50 ms that a run need not spend

    fields = text.split()
    try:
        minute, hour, day, month, weekday = fields
        if day != "*" and weekday != "*":
            raise ConfigError(
                f"schedule {text}: it names days of the month and of the week, and programs differ about what that is",
                advice="name one of them, and `*` for the other",
            )
        return CronTrigger(minute=minute, hour=hour, day=day, month=month, day_of_week=_weekdays(weekday), timezone=UTC)
    except ValueError as err:
        raise ConfigError(f"schedule {text}: the scheduler cannot use it: {err}", advice=ADVICE) from err


def _weekdays(field: str) -> str:
    """Return a weekday field by names, its numbers read as cron's: 0 and 7 are Sunday. Raises ValueError."""
    if field == "*":
        return field
    days = {day % 7 for part in field.split(",") for day in _range(part)}
    return ",".join(_DAYS[day] for day in sorted(days))


def _range(part: str) -> range:
    span, slash, step = part.partition("/")
    first, dash, last = span.partition("-")
    if span == "*":
        low, high = 0, 6
    else:
        low = _day(first)
        high = _day(last) if dash else (6 if slash else low)
        if dash and high == 0:  # to Sunday, at the week's end
            high = 7
    if high < low or (slash and not (step.isdigit() and int(step) > 0)):
        raise ValueError(f"`{part}` is no range of weekdays")
    return range(low, high + 1, int(step) if slash else 1)


def _day(word: str) -> int:
    if word.lower() in _DAYS:
        return _DAYS.index(word.lower())
    if not word.isdigit() or int(word) > 7:
        raise ValueError(f"`{word}` is no weekday")
    return int(word)
