"""What a worker tells Prometheus, from its board and from the runs that have ended."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hubdata.config.settings import Settings, load_settings
from hubdata.errors import ConfigError, Exit
from hubdata.model.event import Event
from hubdata.model.manifest import Entry, Manifest
from hubdata.model.run import Outcome, Problem, RunResult
from hubdata.model.snapshot import Stats
from hubdata.report.metrics import catalogue as c
from hubdata.report.metrics.exposition import CONTENT_TYPE, read_back
from hubdata.report.metrics.published import published
from hubdata.report.metrics.series import Told
from hubdata.worker.board import Board
from hubdata.worker.metering import Meter, telling
from hubdata.worker.runs import Ended
from hubdata.worker.schedule import Cause
from hubdata.worker.web.reading import METRICS_TYPE
from tests.unit.report.samples import HELD, PUBLISHED

START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
CITY = "mmdb_update/GeoLite2-City.mmdb"


def board(*jobs: str, **notes: Any) -> Board:
    """Return a board of `jobs` at the target `aws`, each with `notes`."""
    made = Board(START)
    made.keep(frozenset(jobs))
    made.tell(targets=("aws",))
    for job in jobs:
        made.note(job, **notes)
    return made


def of(told: Told, metric: c.Metric) -> dict[tuple[str, ...], object]:
    """Return the series of one metric by their labels."""
    return {series.values: value for series, value in told.items() if series.metric is metric}


def manifest(**builds: int) -> Manifest:
    """Return generation 5 with a database of each build."""
    source: dict[str, str] = {}
    files = {
        f"mmdb_update/{name}.mmdb": Entry(
            1, "ab", "mmdb", "geoip", "e", None, "2026-11-20T00:00:00Z", "t", "c", source, Stats(build_epoch=build)
        )
        for name, build in builds.items()
    }
    return Manifest(5, files=files)


def test_what_targets_remember_is_told_before_any_run() -> None:
    """A worker that has just started knows the last successes of whoever was before it, and tells them at once."""
    shown = board("lists", max_age=timedelta(hours=26), next_fire=START + timedelta(hours=1))
    shown.succeeded("lists", {"aws": START - timedelta(hours=3)})
    told = Meter().told(shown.state())
    assert of(told, c.LAST_SUCCESS) == {("lists", "aws"): (START - timedelta(hours=3)).timestamp()}
    assert of(told, c.MAX_AGE) == {("lists", "aws"): 26 * 3600}
    assert of(told, c.NEXT_RUN) == {("lists",): (START + timedelta(hours=1)).timestamp()}
    assert of(told, c.WORKER_START) == {(): START.timestamp()}
    assert of(told, c.RUNS)["lists", "failed"] == 0


def test_what_is_public_is_told_before_any_run() -> None:
    """The age of a database does not wait for its job, which may run once a day."""
    meter, shown = Meter(), board("geoip")
    meter.found(published("aws", manifest(**{"GeoLite2-City": 1_795_000_000})))
    told = meter.told(shown.state())
    assert of(told, c.GEOIP_BUILD) == {("geoip", "aws", CITY): 1_795_000_000}
    assert of(told, c.GENERATION) == {("aws",): 5}
    assert published("aws", Manifest()) == {}


def test_a_manifest_that_is_read_late_takes_nothing_back() -> None:
    """What a run has told meanwhile is newer than what was public when the worker started."""
    meter, shown = Meter(), board("allowlists")
    at = START + timedelta(seconds=9)
    meter.ended(Ended("allowlists", Cause.START, START, at, RunResult("r", (PUBLISHED,), 9.0)))
    meter.found(published("aws", manifest()))
    told = meter.told(shown.state())
    assert of(told, c.GENERATION) == {("aws",): 12}
    assert of(told, c.RUNS)["allowlists", "published"] == 1
    assert of(told, c.PUTS) == {("allowlists", "aws"): 1}


def test_a_run_without_a_result_is_counted_as_failed() -> None:
    """Nothing that ends a run is left out, whether settings, a bug or the worker's own end."""
    meter, shown = Meter(), board("lists")
    meter.ended(Ended("lists", Cause.SCHEDULE, START, START, problem=Problem("no", "", Exit.CONFIG)))
    meter.ended(Ended("lists", Cause.SCHEDULE, START, START, RunResult("r", (), 0.1)))
    told = meter.told(shown.state())
    assert of(told, c.RUNS)["lists", Outcome.FAILED.value] == 2


def test_jobs_that_are_gone_and_targets_that_are_not_judged_are_left_out() -> None:
    """A job whose file is gone is told of no more; a target that is fed by another waits by design."""
    meter, shown = Meter(), board("geoip", max_age=timedelta(days=1))
    shown.tell(targets=("aws", "late"))
    meter.ended(Ended("gone", Cause.START, START, START, RunResult("r", (), 9.0)))
    meter.ended(Ended("geoip", Cause.START, START, START, RunResult("r", (HELD,), 9.0)))
    told = meter.told(shown.state(), frozenset({"late"}))
    assert {series.label("job_name") for series in told} == {"", "geoip"}
    assert of(told, c.MAX_AGE) == {("geoip", "aws"): 86_400}
    assert of(told, c.HELD) == {("geoip", "aws"): 1}


def test_broken_files_and_running_jobs_are_shown() -> None:
    """While an older version is in force, the file's own metric is 0; and so for the settings."""
    shown = board("lists", "words")
    shown.note("lists", file_problem="line 3: no")
    shown.note("words", running_since=START)
    shown.tell(problem="hubdata.toml: no")
    told = Meter().told(shown.state())
    assert of(told, c.JOB_FILE_OK) == {("lists",): 0, ("words",): 1}
    assert of(told, c.RUNNING) == {("lists",): 0, ("words",): 1}
    assert of(told, c.SETTINGS_OK) == {(): 0}


def test_a_thousand_runs_leave_no_more_series_than_one() -> None:
    """What is told is bounded by jobs, targets, rules and outcomes, not by time."""
    meter, shown = Meter(), board("allowlists")
    for number in range(1000):
        at = START + timedelta(hours=number)
        meter.ended(Ended("allowlists", Cause.SCHEDULE, at, at, RunResult(f"r{number}", (PUBLISHED,), 1.0)))
        if number == 0:
            before = len(meter.told(shown.state()))
    after = meter.told(shown.state())
    assert len(after) == before
    assert of(after, c.RUNS)["allowlists", "published"] == 1000


class Silent:
    """A reporter that keeps quiet."""

    def emit(self, event: Event) -> None:
        """Say nothing."""


class FakeWorker:
    """What `telling` asks of a worker."""

    def __init__(self, settings: Settings, shown: Board) -> None:
        self.settings, self.board = settings, shown


def settings(tmp_path: Path, listen: str = "") -> Settings:
    """Return settings with one directory, of a worker that listens or not."""
    environment = {"HUBDATA_TARGETS__LOCAL__PATH": str(tmp_path / "public")}
    environment |= {"HUBDATA_HTTP_LISTEN": listen} if listen else {}
    return load_settings(config=None, environment=environment, flags={}, cwd=tmp_path)


def test_a_worker_that_does_not_listen_tells_nothing(tmp_path: Path) -> None:
    """Then nothing is read, and the library stays where it is."""
    watched: Any = FakeWorker(settings(tmp_path), board("lists"))
    assert telling(Meter(), watched, Silent()) is None


def test_what_is_told_is_the_format_that_the_page_announces(tmp_path: Path) -> None:
    """The text and its content type belong together."""
    watched: Any = FakeWorker(settings(tmp_path, "127.0.0.1:0"), board("lists"))
    told = telling(Meter(), watched, Silent())
    assert told is not None
    assert of(read_back(told().decode()), c.JOB_FILE_OK) == {("lists",): 1}
    assert METRICS_TYPE == CONTENT_TYPE


def test_a_library_that_is_missing_is_told_before_the_first_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever wants the endpoint is told what to install, and not with a traceback."""
    monkeypatch.delitem(sys.modules, "hubdata.report.metrics.exposition", raising=False)
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    watched: Any = FakeWorker(settings(tmp_path, "127.0.0.1:0"), board("lists"))
    with pytest.raises(ConfigError, match="prometheus_client is not installed") as refused:
        telling(Meter(), watched, Silent())
    assert refused.value.advice == "install it: pip install 'hubdata[worker]'"
