"""A year of schedules by a controlled clock: nothing lost, nothing doubled, one run of a job at a time."""

from datetime import UTC, datetime, timedelta

import pytest

from hubdata.model.job import FileRule, Job, SourceSpec
from hubdata.model.success import Success
from hubdata.planning.cron import Cron
from hubdata.worker.agenda import Agenda, Answer, Due
from hubdata.worker.schedule import SKEW, Cause, at_start, missed

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def a_job(name: str, schedule: str | None, *, jitter: timedelta = timedelta(), run_on_start: bool = False) -> Job:
    """Return a job of which nothing but its times matters."""
    rule = FileRule("*.txt", "cidr")
    return Job(name, SourceSpec("directory", {}), (rule,), schedule=schedule, jitter=jitter, run_on_start=run_on_start)


def an_agenda(*jobs: Job, now: datetime = START) -> Agenda:
    """Return an agenda of `jobs`, whose lot is always the latest."""
    agenda = Agenda(lot=lambda: 1.0)
    agenda.admit({job.name: job for job in jobs}, now)
    return agenda


def success(started_at: datetime) -> Success:
    """Return a success of a run that began then."""
    return Success("daily", "r", started_at, started_at + MINUTE)


def test_a_year_of_daily_and_hourly_runs_loses_and_doubles_none() -> None:
    """Woken whenever something is due, each run comes once at its moment, jitter included."""
    jitter = timedelta(seconds=10)
    agenda = an_agenda(a_job("daily", "43 5 * * *", jitter=jitter), a_job("hourly", "17 * * * *", jitter=jitter))
    begun: dict[str, list[datetime]] = {"daily": [], "hourly": []}
    now = START
    while now < START + 365 * DAY:
        for due in agenda.due(now):
            assert agenda.begin(due.job, due.cause) is Answer.BEGUN
            begun[due.job].append(now)
            assert agenda.ended(due.job) is None
        wakes_at = agenda.wakes_at
        assert wakes_at is not None
        now = wakes_at
    assert begun["daily"] == [START + n * DAY + timedelta(hours=5, minutes=43) + jitter for n in range(365)]
    assert begun["hourly"] == [START + n * HOUR + timedelta(minutes=17) + jitter for n in range(365 * 24)]


def test_what_was_missed_while_the_machine_slept_is_made_up_for_once() -> None:
    """Three days late, a daily job runs once, and then at its next moment."""
    agenda = an_agenda(a_job("daily", "43 5 * * *"))
    late = START + 3 * DAY + 12 * HOUR
    assert agenda.due(late) == (Due("daily", Cause.SCHEDULE),)
    assert agenda.due(late) == ()
    assert agenda.wakes_at == START + 4 * DAY + timedelta(hours=5, minutes=43)


def test_a_moment_that_comes_during_a_run_is_owed_once() -> None:
    """However many moments pass meanwhile, each is told, and one run follows."""
    agenda = an_agenda(a_job("hourly", "17 * * * *"))
    assert agenda.begin("hourly", Cause.SCHEDULE) is Answer.BEGUN
    for hours in (1, 2, 3):
        assert agenda.due(START + hours * HOUR) == (Due("hourly", Cause.SCHEDULE, owed=True),)
    assert agenda.ended("hourly") is Cause.SCHEDULE
    assert agenda.begin("hourly", Cause.SCHEDULE) is Answer.BEGUN
    assert agenda.ended("hourly") is None


def test_whoever_asks_for_a_run_is_told_what_became_of_it() -> None:
    """A second run of a job is never begun beside the first, and no asking goes unanswered."""
    agenda = an_agenda(a_job("daily", None))
    assert agenda.begin("daily", Cause.REQUEST) is Answer.BEGUN
    assert agenda.begin("daily", Cause.REQUEST) is Answer.ALREADY_RUNNING
    assert agenda.begin("weekly", Cause.REQUEST) is Answer.UNKNOWN
    assert agenda.ended("daily") is None
    assert agenda.begin("daily", Cause.REQUEST) is Answer.BEGUN


def test_jobs_come_and_go_while_others_keep_their_times() -> None:
    """A new job is scheduled, one that is gone is not, a changed schedule holds at once; a run outlives its job."""
    kept, gone = a_job("kept", "0 0 * * *"), a_job("gone", "30 0 * * *")
    agenda = an_agenda(kept, gone)
    agenda.begin("gone", Cause.SCHEDULE)
    now = START + 10 * MINUTE
    assert agenda.admit({"kept": kept, "new": a_job("new", "15 * * * *")}, now) == (("new",), ("gone",))
    assert agenda.wakes_at == START + 15 * MINUTE
    assert agenda.ended("gone") is None
    agenda.admit({"kept": a_job("kept", "12 * * * *")}, now)
    assert agenda.wakes_at == START + 12 * MINUTE


def test_a_clock_that_was_years_ahead_does_not_silence_a_job() -> None:
    """Once the time is put right, what was planned for another decade is planned anew; an hour back doubles nothing."""
    agenda = an_agenda(a_job("hourly", "17 * * * *"), now=START + 3650 * DAY)
    assert agenda.due(START + 3650 * DAY) == ()
    assert agenda.due(START) == ()
    assert agenda.wakes_at == START + 17 * MINUTE
    assert len(agenda.due(START + 20 * MINUTE)) == 1
    assert agenda.due(START - HOUR) == ()
    assert agenda.wakes_at == START + 77 * MINUTE


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        pytest.param(None, True, id="never"),
        pytest.param(START + 5 * HOUR + 43 * MINUTE, False, id="at the last moment itself"),
        pytest.param(START + 5 * HOUR + 42 * MINUTE, True, id="just before it"),
        pytest.param(START - 90 * DAY, True, id="long ago"),
        pytest.param(START + 12 * HOUR + SKEW, False, id="a clock that is ahead"),
        pytest.param(START + 3650 * DAY, True, id="a clock that was wrong"),
    ],
)
def test_a_moment_was_missed_if_one_came_since_the_last_success_began(last: datetime | None, expected: bool) -> None:
    """So a run that succeeded late counts, one before the moment does not, and one in the far future is nobody's."""
    kept = None if last is None else success(last)
    assert missed(Cron("43 5 * * *"), kept, START + 12 * HOUR) is expected


def test_why_a_job_runs_at_the_start() -> None:
    """One target without a success is enough; a job without a schedule misses nothing; `run_on_start` always runs."""
    cron, now = Cron("43 5 * * *"), START + 12 * HOUR
    fresh = success(START + 6 * HOUR)
    daily = a_job("daily", cron.text)
    assert at_start(daily, cron, (fresh, fresh), now) is None
    assert at_start(daily, cron, (fresh, None), now) is Cause.CATCH_UP
    assert at_start(a_job("a", None), None, (None,), now) is None
    assert at_start(a_job("a", None, run_on_start=True), None, (fresh,), now) is Cause.START
