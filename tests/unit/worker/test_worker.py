"""The worker's loop by a controlled clock: a year with its nights out, stages that have soaked, jobs grown too old."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hubdata.errors import Exit
from hubdata.model.run import Problem
from hubdata.model.stage import Coming, StageResult
from hubdata.worker.schedule import Cause
from hubdata.worker.soaking import Soaking
from hubdata.worker.worker import GIVE_BACK, GRACE
from tests.support.clocked_worker import JOB, SETTINGS, START, ClockedWorker
from tests.support.webhook import Conduct, Webhook

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
STAGED = SETTINGS + '[targets.production]\ntype = "directory"\npath = "production"\nafter = "mirror"\nsoak = "30m"\n'
DOWN = Problem("the upstream is down", "wait", Exit.TARGET)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be where the settings are."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    """Give a webhook that the settings name."""
    with Webhook() as running:
        monkeypatch.setenv("HUBDATA_NOTIFY_URL", running.url)
        yield running


def times(world: ClockedWorker, job: str) -> list[datetime]:
    """Return when each run of a job began."""
    return [at for name, _, at in world.runs if name == job]


def test_a_year_with_downtime_and_long_runs_loses_and_doubles_none(tmp_path: Path) -> None:
    """Each moment has its run; of those in a night without a worker, the last has, when it is back.

    Every fiftieth run lasts past the job's next moment: that one is made up for afterwards, once. The clocks of
    Europe and America change in between, and no schedule minds: times are UTC.
    """
    world = ClockedWorker(tmp_path, {"daily": "43 5 * * *", "often": "0 */8 * * *"})
    slept: list[datetime] = []

    def long(job: str) -> None:
        if job == "often" and len(times(world, job)) % 50 == 0:
            world.clock.sleep(9 * HOUR)
            slept.append(world.clock.now())
            while len(world.named("job.already_running")) < len(slept):  # the loop goes on meanwhile
                time.sleep(0.001)

    world.during = long
    nights = [START + days * DAY + 3 * HOUR for days in range(30, 360, 60)]
    for night in nights:
        world.until(night)
        world.clock.sleep(2 * DAY)
        world.begin()  # another process, with what the target keeps
    end = START + 365 * DAY - MINUTE
    world.until(end)
    assert len(slept) >= 20
    for job, first, every in (("daily", 5 * HOUR + 43 * MINUTE, DAY), ("often", timedelta(), 8 * HOUR)):
        moments = [START + first + n * every for n in range(int((end - START - first) / every) + 1)]
        served = [max((moment for moment in moments if moment <= at), default=None) for at in times(world, job)]
        assert len(served) == len(set(served)), f"{job} ran twice for one moment"
        lost = set(moments) - set(served)
        assert lost == {m for m in moments for out in nights if out <= m <= out + 2 * DAY - every}, job
    causes = [cause for _, cause, _ in world.runs]
    assert causes.count(Cause.CATCH_UP) == 2 + 2 * len(nights), "two at the very first, and two after each night"
    assert set(causes) == {Cause.CATCH_UP, Cause.SCHEDULE}
    assert len(world.named("job.already_running")) == len(slept)


def soaking(generation: int, minutes: float) -> StageResult:
    """Return what a run says while `generation` soaks for some minutes yet."""
    left = timedelta(minutes=minutes)
    coming = Coming(generation, START + left, left)
    return StageResult("production", "mirror", 30 * MINUTE, coming=coming)


def test_a_stage_is_fed_when_it_is_due_and_not_when_a_job_is(tmp_path: Path) -> None:
    """Jobs that run once a day; what soaks since this morning is promoted half an hour later, without their sources."""
    world = ClockedWorker(tmp_path, {"a": "0 6 * * *", "b": "0 7 * * *"}, STAGED)
    world.turn()
    world.runs.clear()
    world.chosen.clear()
    world.stages = (soaking(3, 30),)
    world.until(START + 6 * HOUR)
    assert [(job, cause) for job, cause, _ in world.runs] == [("a", Cause.SCHEDULE)]
    world.stages = ()
    world.until(START + 6 * HOUR + 29 * MINUTE)
    assert len(world.runs) == 1
    world.until(START + 6 * HOUR + 31 * MINUTE)
    assert [(job, cause) for job, cause, _ in world.runs[1:]] == [("a", Cause.SOAK), ("b", Cause.SOAK)]
    assert all(at - START - 6 * HOUR < 31 * MINUTE for _, _, at in world.runs)
    assert world.chosen == [("a", ()), ("a", ("production",)), ("b", ("production",))]
    world.until(START + 6 * HOUR + 59 * MINUTE)
    assert len(world.runs) == 3, "it is due once"
    assert world.named("stage.awaited") == [{"target": "production"}]
    last = world.worker.board.state().jobs[0].last_run
    assert last is not None
    assert last.cause is Cause.SCHEDULE, "what a run for the stages alone came to says nothing of the job's source"


def test_a_worker_that_starts_finds_out_what_soaks(tmp_path: Path) -> None:
    """It was down when the generation was published, or when it was due: it looks, without asking any source."""
    world = ClockedWorker(tmp_path, {"a": "0 6 * * *"}, STAGED)
    world.turn()
    assert [(cause, targets) for (_, cause, _), (_, targets) in zip(world.runs, world.chosen, strict=True)] == [
        (Cause.CATCH_UP, ()),
        (Cause.SOAK, ("production",)),
    ]


def test_what_a_run_knows_of_stages() -> None:
    """A newer generation takes the place of an older one; a run that knows of none, or of an older one, nothing."""
    held = Soaking()
    assert held.wakes_at is None
    held.note((soaking(3, 30),), START)
    held.note((StageResult("production", "mirror", 30 * MINUTE),), START + MINUTE)
    held.note((soaking(2, 60),), START + MINUTE)
    assert held.due(START + 30 * MINUTE) == ()
    held.note((soaking(4, 30),), START + 10 * MINUTE)
    assert held.due(START + 31 * MINUTE) == ()
    assert held.due(START + 41 * MINUTE) == ("production",)
    assert held.due(START + 41 * MINUTE) == ()


def test_a_job_that_grows_too_old_is_told_when_it_does(tmp_path: Path, hook: Webhook) -> None:
    """Between its runs; once; by another worker neither, and when it is well again, that once."""
    world = ClockedWorker(tmp_path, {"daily": "0 6 * * *"}, extra='max_age = "26h"\n')
    world.until(START + 7 * HOUR)
    world.problem = DOWN
    world.until(START + DAY + 6 * HOUR)
    assert hook.news == []
    world.until(START + DAY + 8 * HOUR + MINUTE)
    assert hook.news == [[("daily", "mirror", "stale")]]
    change = hook.messages[0]["changes"][0]
    assert change["reason"].startswith("its last success was 26 h ago")
    world.until(START + 5 * DAY)
    world.begin()
    world.until(START + 6 * DAY)
    assert len(hook.news) == 1
    assert len(world.named("job.stale")) == 2, "each process has looked once whether people know"


def test_what_cannot_be_told_is_told_later(tmp_path: Path, hook: Webhook) -> None:
    """Every few minutes, not at every wake; a success of another worker is no news but good."""
    world = ClockedWorker(tmp_path, {"daily": "0 6 * * *"}, extra='max_age = "26h"\n')
    world.until(START + 7 * HOUR)
    world.problem = DOWN
    hook.conduct = Conduct(500)
    for minutes in range(12):
        world.until(START + DAY + 8 * HOUR + minutes * MINUTE)
    assert 2 <= len(hook.requests) <= 3
    kept = tmp_path / "mirror/.hubdata/last/daily.json"
    kept.write_text(kept.read_text().replace("2026-01-01T06", "2026-01-02T08"))
    hook.forget()
    hook.conduct = Conduct()
    world.until(START + DAY + 9 * HOUR)
    assert hook.news == []
    assert world.worker.board.state().jobs[0].successes["mirror"] > START + DAY


def test_a_run_that_comes_to_nothing_is_told(tmp_path: Path, hook: Webhook) -> None:
    """An error that ends a run before it has a result is a failure like any other, told once."""
    world = ClockedWorker(tmp_path, {"daily": "0 6 * * *"})
    world.turn()

    def fall(job: str) -> None:
        raise RuntimeError(f"nobody foresaw this of {job}, with token=sentinel-token-123456")

    world.during = fall
    world.until(START + 2 * DAY)
    assert hook.news == [[("daily", "mirror", "failed")]]
    assert "this is a bug" in hook.messages[0]["changes"][0]["reason"]


@pytest.mark.parametrize(
    ("heads", "told"),
    [(("",), 1), (("", 'schedule = "0 6 * * *"\n'), 0), (("run_on_start = true\n",), 0)],
    ids=["none", "one-of-two", "on-start"],
)
def test_a_worker_without_any_schedule_says_that_it_waits_for_nothing(
    tmp_path: Path, heads: tuple[str, ...], told: int
) -> None:
    """Whoever forgot `--once`, or every schedule, is told what to do; one job with a schedule is enough for silence."""
    (tmp_path / "jobs").mkdir()
    for number, head in enumerate(heads):
        (tmp_path / f"jobs/job{number}.toml").write_text(head + JOB)
    world = ClockedWorker(tmp_path, {})
    world.turn()
    said = world.named("schedule.none")
    assert [("--once" in str(each["advice"])) for each in said] == [True] * told
    assert len(world.named("job.scheduled")) == len(heads)


def test_it_is_gone_before_whoever_ends_it_loses_patience() -> None:
    """Containers get ten seconds; what stands beside the limits, a start's worth of work, has two of them."""
    limits = GRACE + GIVE_BACK
    assert limits <= timedelta(seconds=8)


@pytest.mark.parametrize("zone", ["Europe/Paris", "America/New_York", "Pacific/Apia"])
def test_no_clock_that_is_put_forward_or_back_matters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    """Where the machine's own night has 23 or 25 hours, every half hour of UTC has its run, and none has two."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        world = ClockedWorker(tmp_path, {"often": "*/30 * * * *"})
        for day in (
            datetime(2026, 3, 8, tzinfo=UTC),
            datetime(2026, 3, 29, tzinfo=UTC),
            datetime(2026, 10, 25, tzinfo=UTC),
        ):
            world.clock.at = day - MINUTE
            world.turn()
            world.runs.clear()
            world.until(day + DAY - MINUTE)
            assert times(world, "often") == [day + half * 30 * MINUTE for half in range(48)]
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()
