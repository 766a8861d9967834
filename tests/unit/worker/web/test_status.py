"""What the worker's own page tells: what is published, and what became of the last run of each job."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from hubdata.errors import Exit, TargetError
from hubdata.model.finding import Finding, Severity
from hubdata.model.run import JobResult, Outcome, RunResult
from hubdata.ports import Target
from hubdata.report.page import page_html, status_json
from hubdata.targets.directory import DirectoryTarget
from hubdata.worker.board import LastRun, Standing, State
from hubdata.worker.schedule import Cause
from hubdata.worker.web.status import Gatherer
from tests.support.published_tree import publish
from tests.support.worker_surface import NOW

REFUSED = Finding("lists/bad.txt", 3, "cidr.syntax", Severity.ERROR, "this is no network", "mend it")


class Counted:
    """A target that counts what is read of it."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self.reads: list[str] = []
        self.gone = False

    def __getattr__(self, name: str) -> object:
        return getattr(self._target, name)

    def read(self, key: str, **how: object) -> object:
        """Read, having counted."""
        if self.gone:
            raise TargetError("target local: it is gone")
        self.reads.append(key)
        return self._target.read(key, **how)  # type: ignore[arg-type]


def last_run(outcome: Outcome, run_id: str, minutes: int, *findings: Finding) -> LastRun:
    """Return how a run ended so many minutes after noon."""
    code = Exit.REFUSED if findings else Exit.FINE
    job = JobResult("lists", outcome, {}, findings, (), None, code)
    at = NOW + timedelta(minutes=minutes)
    return LastRun(Cause.SCHEDULE, at, at, code, outcome, RunResult(run_id, (job,), 0.1, command=("sync",)))


@pytest.fixture
def gather(tmp_path: Path) -> Callable[[State], tuple[Gatherer, Counted]]:
    """Give what makes a gatherer of a published directory and a board."""
    publish(tmp_path, {"lists/good.txt": b"8.8.8.0/24\n"})
    target = DirectoryTarget("local", DirectoryTarget.Options(path=tmp_path))

    def made(state: State) -> tuple[Gatherer, Counted]:
        counted = Counted(target)
        return Gatherer(lambda: counted, lambda: state, lambda: NOW, "https://data.example/"), counted  # type: ignore[arg-type, return-value]

    return made


def test_a_run_that_was_refused_is_told_of_though_it_wrote_nothing(
    gather: Callable[[State], tuple[Gatherer, Counted]],
) -> None:
    """It left no record at the target: the worker itself knows of it, and a later one that went well mends it."""
    job = Standing("lists", successes={"local": NOW}, last_run=last_run(Outcome.REFUSED, "run-1", 1, REFUSED))
    given = gather(State(NOW, (job,), ("local",)))[0]()
    assert given.manifest.files.keys() == {"lists/good.txt"}
    status = json.loads(status_json(given))
    assert [(each["state"], each["key"], each["message"]) for each in status["troubles"]] == [
        ("refused", "lists/bad.txt", "this is no network")
    ]
    assert status["jobs"][0]["last_success_at"] == "2026-11-23T12:00:00Z"
    assert "https://data.example/lists/good.txt" in page_html(given)
    mended = replace(job, last_run=last_run(Outcome.UNCHANGED, "run-2", 2))
    assert json.loads(status_json(gather(State(NOW, (mended,), ("local",)))[0]()))["troubles"] == []


def test_the_past_is_read_once_where_no_page_is_published(
    gather: Callable[[State], tuple[Gatherer, Counted]],
) -> None:
    """Looking again costs two reads; a run that has ended since has it read anew."""
    jobs = [Standing("lists")]
    gatherer, target = gather(State(NOW, (), ("local",)))
    gatherer._state = lambda: State(NOW, tuple(jobs), ("local",))
    gatherer()
    first = len(target.reads)
    gatherer()
    assert target.reads[first:] == ["manifest.json", ".hubdata/page.json"]
    jobs[0] = Standing("lists", last_run=last_run(Outcome.UNCHANGED, "run-1", 1))
    gatherer()
    assert len(target.reads) > first + 4


def test_a_target_that_is_gone_is_an_error_and_no_empty_page(
    gather: Callable[[State], tuple[Gatherer, Counted]],
) -> None:
    """Nothing would be worse than a page that says that nothing is public."""
    gatherer, target = gather(State(NOW, (Standing("lists"),), ("local",)))
    target.gone = True
    with pytest.raises(TargetError, match="gone"):
        gatherer()
