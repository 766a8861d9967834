"""Readings: one fetch for all jobs of a source, and every finding given to exactly one of them."""

from dataclasses import replace
from pathlib import Path

import pytest

from hubdata.errors import Exit, SourceError
from hubdata.model.finding import Finding, Severity
from hubdata.model.job import Job
from hubdata.running.reading import Feed, Reading, read
from tests.simulator.clock import START
from tests.simulator.source import ScriptedSource, TextKind
from tests.simulator.world import Events, text_job

FILES = {"a/1": b"1\n", "b/1": b"2\n", "stray": b"3\n"}
A, B = text_job("a", "a/*"), text_job("b", "b/*")


@pytest.fixture
def source(tmp_path: Path) -> ScriptedSource:
    """Return a source with a file for each job and one for none."""
    return ScriptedSource(tmp_path, dict(FILES))


def readings(
    source: ScriptedSource, *jobs: Job, selected: str = "ab", events: Events | None = None
) -> tuple[Reading, ...]:
    """Return the readings of the `selected` ones of `jobs`."""
    feed = Feed(source, jobs, frozenset(selected))
    return read(feed, dict, lambda _: TextKind(), now=START, reporter=events or Events())


def finding(key: str) -> Finding:
    """Return an error of the source about `key`."""
    return Finding(key, None, "source.link", Severity.ERROR, "a link", "")


def test_source_is_fetched_once_and_shared_out(source: ScriptedSource) -> None:
    """Every job gets its own files and the revision they came from."""
    one, two = readings(source, B, A)

    assert source.fetches == 1
    assert [one.job.name, two.job.name] == ["a", "b"]
    assert [list(each.snapshot.artifacts) for each in (one, two)] == [["a/1"], ["b/1"]]
    assert one.source == {"type": "scripted", "revision": "r1"}


def test_unclaimed_file_is_told_once(source: ScriptedSource) -> None:
    """A file of nobody's is a finding of the first selected job, not of all."""
    one, two = readings(source, A, B)

    assert [f.key for f in one.findings] == ["stray"]
    assert two.findings == ()


def test_entry_that_could_not_be_fetched_belongs_to_the_job_that_names_it(source: ScriptedSource) -> None:
    """A link among b's files is b's finding; one that is ignored is nobody's; one of an unselected job is not told."""
    source.files.pop("stray")
    source.findings = (finding("b/link"), finding(".git/link"), finding("docs/link"))
    ignoring = replace(A, ignore=("docs/**",))

    one, two = readings(source, ignoring, B)
    (alone,) = readings(source, ignoring, B, selected="a")

    assert one.findings == ()
    assert [f.key for f in two.findings] == ["b/link"]
    assert two.snapshot.refused == {"b/link"}
    assert alone.findings == ()


def test_failing_source_is_a_problem_of_its_selected_jobs(source: ScriptedSource) -> None:
    """An upstream that cannot be read is a value with message, advice and exit code, for each job."""
    source.error = SourceError("no route", advice="wait")

    found = readings(source, A, B)

    assert [r.problem.exit_code for r in found if r.problem] == [Exit.SOURCE, Exit.SOURCE]
    assert all(r.problem and (r.problem.message, r.problem.advice) == ("no route", "wait") for r in found)


def test_kept_keys_go_to_the_job_whose_rule_names_them(source: ScriptedSource) -> None:
    """What upstream says is unchanged is kept by its own job only."""
    source.files.pop("stray")
    source.conditional = True
    feed = Feed(source, (A, B), frozenset("ab"))
    public = {key: {"type": "scripted", "revision": "r1"} for key in FILES}

    one, two = read(feed, lambda: public, lambda _: TextKind(), now=START, reporter=Events())

    assert one.snapshot.kept == {"a/1"}
    assert two.snapshot.kept == {"b/1"}
    assert one.findings == two.findings == ()


def test_nobody_selected_means_nothing_is_fetched(source: ScriptedSource) -> None:
    """A feed whose jobs all stay out of this run costs nothing."""
    assert readings(source, A, B, selected="") == ()
    assert source.fetches == 0
