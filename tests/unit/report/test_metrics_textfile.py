"""The textfile that runs leave: whole at every moment, read by a real node_exporter, and never a run's trouble."""

import errno
import fcntl
import os
import stat
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hubdata import __version__
from hubdata.model.job import Job, SourceSpec
from hubdata.model.monitoring import Monitoring
from hubdata.model.run import JobResult, RunResult
from hubdata.report.metrics import catalogue as c
from hubdata.report.metrics import textfile
from hubdata.report.metrics.exposition import read_back
from hubdata.report.metrics.trail import leave
from tests.support.prometheus import node_exporter, scraped
from tests.unit.report.samples import FAILED, HELD, PENDING, PUBLISHED, REFUSED, UNCHANGED

AT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
ALL = (PUBLISHED, UNCHANGED, REFUSED, HELD, FAILED, PENDING)
TARGETS = ("aws", "mirror")


def job(name: str) -> Job:
    """Return a job that may be a day old."""
    return Job(name, SourceSpec("git", {}), (), max_age=timedelta(days=1))


JOBS = tuple(job(each.job) for each in ALL)


def ran(
    path: Path, *jobs: JobResult, at: datetime = AT, known: tuple[Job, ...] = JOBS, **more: object
) -> tuple[str, ...]:
    """Leave what a run of `jobs` measured, and return what it remarks."""
    result = replace(RunResult("20261123T030000Z-1a2b", jobs, 0.7), **more)  # type: ignore[arg-type]
    return leave(Monitoring(textfile=path), result, known, TARGETS, ended_at=at)


def of(path: Path, metric: c.Metric) -> dict[tuple[str, ...], object]:
    """Return the series of one metric in the file, by their labels."""
    told = read_back(path.read_text())
    return {series.values: value for series, value in told.items() if series.metric is metric}


@contextmanager
def umask(mask: int) -> Iterator[None]:
    """Have files made with another mask."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def test_everybody_can_read_the_file_and_nothing_else_lies_there(tmp_path: Path) -> None:
    """node_exporter is another user; its directory is left as it was, whatever the umask."""
    path = tmp_path / "hubdata.prom"
    with umask(0o077):
        assert ran(path, PUBLISHED) == ()
        assert ran(path, PUBLISHED) == ()
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert list(tmp_path.iterdir()) == [path]


def test_jobs_that_took_no_part_keep_what_they_had(tmp_path: Path) -> None:
    """Runs of single jobs fill one file: counters go on, last successes stay, gauges are the last run's."""
    path = tmp_path / "hubdata.prom"
    later = AT + timedelta(hours=1)
    ran(path, PUBLISHED, PENDING)
    ran(path, UNCHANGED, REFUSED, at=later)
    ran(path, replace(PUBLISHED, targets=PUBLISHED.targets[:1]), at=later)
    assert of(path, c.RUNS)["allowlists", "published"] == 2
    assert of(path, c.RUNS)["web-patterns", "unchanged"] == 1
    assert of(path, c.LAST_SUCCESS) == {
        ("allowlists", "aws"): later.timestamp(),
        ("allowlists", "mirror"): AT.timestamp(),
        ("web-patterns", "aws"): later.timestamp(),
    }
    assert of(path, c.REFUSED)["lists",] == 1
    assert of(path, c.BYTES)["allowlists", "aws"] == 1624


def test_a_job_is_judged_only_where_it_runs(tmp_path: Path) -> None:
    """Where jobs run on machines of their own, none tells of another's job: an age without a success would be stale."""
    path = tmp_path / "hubdata.prom"
    ran(path, UNCHANGED)
    assert of(path, c.MAX_AGE) == {("web-patterns", "aws"): 86_400}
    assert {key[0] for key in of(path, c.RUNS)} == {"web-patterns"}
    assert of(path, c.RUNS)["web-patterns", "failed"] == 0


def test_jobs_and_limits_that_are_gone_go_from_the_file(tmp_path: Path) -> None:
    """What is configured no more is told no more, nor is an age that may be anything now."""
    path = tmp_path / "hubdata.prom"
    ran(path, PUBLISHED, UNCHANGED)
    ran(path, UNCHANGED, known=(replace(job("web-patterns"), max_age=None),))
    assert {key[0] for key in of(path, c.RUNS)} == {"web-patterns"}
    assert of(path, c.MAX_AGE) == {}
    assert of(path, c.BUILD_INFO) == {(__version__,): 1}


def test_a_dry_run_leaves_nothing(tmp_path: Path) -> None:
    """What would be done is not measured."""
    path = tmp_path / "hubdata.prom"
    assert ran(path, PUBLISHED, dry_run=True) == ()
    assert not path.exists()


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe",
        b"# TYPE hubdata_generation gauge\nhubdata_generation{",
        b"# TYPE hubdata_generation gauge\n" + b'hubdata_generation{target="aws"} 1\n' + b"#\n" * textfile.MAX_BYTES,
        b"a b c d\n",
        b"up 1\n",
    ],
    ids=["binary", "cut off", "too large", "foreign", "others' metrics"],
)
def test_a_file_that_holds_something_else_is_begun_anew(tmp_path: Path, body: bytes) -> None:
    """The run says so, and what it measured is there."""
    path = tmp_path / "hubdata.prom"
    path.write_bytes(body)
    (remark,) = ran(path, PUBLISHED)
    assert f"{path} held no metrics of hubdata and was begun anew" in remark
    assert of(path, c.GENERATION) == {("aws",): 12, ("mirror",): 7}


def test_trouble_with_the_file_is_a_notice(tmp_path: Path) -> None:
    """A directory that is not there is nothing to fail a run for; the notice says what to do."""
    (notice,) = ran(tmp_path / "gone" / "hubdata.prom", PUBLISHED)
    assert "gone/hubdata.prom cannot be written: No such file or directory" in notice
    assert "let the user that runs hubdata write into its directory" in notice


def test_without_the_library_a_notice_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run is none the worse for it."""
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    (notice,) = ran(tmp_path / "hubdata.prom", PUBLISHED)
    assert notice.endswith("pip install 'hubdata[worker]'")


def test_a_full_disk_leaves_the_old_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old file stays whole, and no half of a new one lies beside it."""
    path = tmp_path / "hubdata.prom"
    ran(path, PUBLISHED)
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    (notice,) = ran(path, UNCHANGED)
    assert "No space left on device" in notice
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_runs_that_end_at_once_all_count(tmp_path: Path) -> None:
    """None overwrites what another has just written."""
    path = tmp_path / "hubdata.prom"
    with ThreadPoolExecutor(8) as pool:
        remarks = list(pool.map(lambda _: ran(path, PUBLISHED), range(24)))
    assert remarks == [()] * 24
    assert of(path, c.RUNS)["allowlists", "published"] == 24


def test_a_lock_that_is_never_given_back_ends_in_a_notice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever holds the directory keeps no run for long."""
    monkeypatch.setattr(textfile, "_WAITS_S", 0.1)
    fd = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    try:
        (notice,) = ran(tmp_path / "hubdata.prom", PUBLISHED)
    finally:
        os.close(fd)
    assert "locked for 0.1 s" in notice


def test_whoever_reads_meanwhile_sees_a_whole_file(tmp_path: Path) -> None:
    """The file is replaced by a rename: a reader gets all of one state, and never none."""
    path = tmp_path / "hubdata.prom"
    ran(path, *ALL)
    done, seen = threading.Event(), set()

    def read() -> None:
        while not done.is_set():
            text = path.read_text()
            seen.add((text.endswith("\n"), text.count("# TYPE")))

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(40):
        ran(path, *ALL)
    done.set()
    reader.join()
    assert seen == {(True, path.read_text().count("# TYPE"))}


def test_a_real_node_exporter_tells_all_of_it(tmp_path: Path) -> None:
    """What Prometheus scrapes from it is what runs left, series by series, and it has nothing to complain about."""
    path = tmp_path / "textfiles" / "hubdata.prom"
    path.parent.mkdir()
    ran(path, *ALL)
    with node_exporter(tmp_path, path.parent) as url:
        text = scraped(url)
    assert "node_textfile_scrape_error 0" in text
    assert read_back(text) == read_back(path.read_text())
