"""What a page remembers for the next one: bounded, honest about what it does not know, and dispensable."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from hubdata.errors import Exit
from hubdata.model.manifest import Manifest
from hubdata.model.run import JobResult, Outcome, Problem, RunResult
from hubdata.model.snapshot import Stats
from hubdata.report.page import MAX_BYTES, Given, page_html, status_json
from hubdata.report.page.memory import MOST_FILES, MOST_GENERATIONS, MOST_RUNS, MOST_STATES, Memory
from hubdata.report.page.series import past
from tests.unit.report.page import samples
from tests.unit.report.samples import ERROR


def generation(number: int, **versions: int) -> Manifest:
    """Return a generation in which each file has the version that is named; one of 0 is as it always was."""
    hours = float(1_000 - number)
    files = {
        key: replace(
            samples.entry(key, hours=hours if version else 2_000, version=version),
            size=100 + version,
            stats=Stats(version),
        )
        for key, version in versions.items()
    }
    return Manifest(number, samples.stamp(samples.at(hours)), f"run-{number}", files)


def remembered(*row: Manifest, memory: Memory | None = None) -> Memory:
    """Return the memory after these generations, each published upon the one before."""
    memory = memory or Memory()
    for before, manifest in zip((None, *row), row, strict=False):
        memory = Memory.from_bytes(memory.after(manifest, before).to_bytes())
    return memory


def test_charts_from_memory_are_those_from_the_manifests() -> None:
    """What is drawn does not depend on where it comes from."""
    row = [generation(n, a=n, b=n // 3, c=0, **({"late": n} if n > 4 else {})) for n in range(1, 9)]

    drawn, known = remembered(*row).growth(row[-1]), past(row[-1], row[:-1], 9)

    assert drawn.generations == known.generations == tuple(range(1, 9))
    assert drawn.published_at == known.published_at
    by_key = {series.key: series for series in known.series}
    assert {series.key: series for series in drawn.series} == by_key
    assert by_key.keys() == {"a", "b", "late"}


def test_it_begins_with_what_was_there_before() -> None:
    """The first page of an old target knows the generation before it, and no further."""
    memory = Memory().after(generation(41, a=41, b=0), generation(40, a=7, b=0))
    assert [number for number, _ in memory.generations] == [40, 41]
    (series,) = memory.growth(generation(41, a=41, b=0)).series
    assert (series.key, series.size) == ("a", (107, 141))


def test_a_generation_that_no_page_saw_is_a_gap_and_no_error() -> None:
    """Files that are followed go on with what is there now; what else changed meanwhile nobody can tell."""
    memory = remembered(generation(1, a=1, b=1), generation(2, a=2, b=1))
    memory = memory.after(generation(5, a=5, b=5), None)
    growth = memory.growth(generation(5, a=5, b=5))
    assert growth.generations == (1, 2, 5)
    assert [(series.key, series.size) for series in growth.series] == [("a", (101, 102, 105))]


def test_a_file_that_went_and_came_back_has_a_gap() -> None:
    """It was not public meanwhile, which is not the same as empty."""
    row = [generation(1, a=1), generation(2, a=2), generation(3), generation(4, a=4)]
    (series,) = remembered(*row).growth(row[-1]).series
    assert series.size == (101, 102, None, 104)


def test_the_same_generation_again_is_remembered_once() -> None:
    """A page that is mended tells nothing new."""
    memory = remembered(generation(1, a=1), generation(2, a=2))
    assert memory.after(generation(2, a=2), None) == memory


def test_a_target_that_began_anew_is_remembered_anew() -> None:
    """Numbers that go back are another target's past."""
    memory = remembered(generation(7, a=1), generation(8, a=2))
    again = memory.after(generation(1, a=3), None)
    assert [number for number, _ in again.generations] == [1]
    assert again.growth(generation(1, a=3)).series == ()


def test_it_stays_small_however_much_happens() -> None:
    """At most so many generations, files, states and runs; what is left out, the page says."""
    keys = {f"list-{number:02}": 1 for number in range(40)}
    row = [generation(n, **dict.fromkeys(keys, n)) for n in range(1, MOST_GENERATIONS + 60)]
    memory = Memory()
    for before, manifest in zip((None, *row), row, strict=False):
        memory = memory.after(manifest, before)
    assert len(memory.generations) == MOST_GENERATIONS
    assert memory.generations[-1][0] == row[-1].generation
    assert 9 <= len(memory.files) <= MOST_FILES
    assert sum(map(len, memory.files.values())) <= MOST_STATES
    assert memory.cut
    assert len(memory.to_bytes()) < 250_000
    for number in range(MOST_RUNS + 5):
        run = RunResult(f"{samples.stamp(samples.at(90 - number))}-{number}", (refused(),), 1.0)
        memory = memory.told(run, "aws", samples.NOW)
    assert len(memory.runs) == MOST_RUNS
    assert len(memory.to_bytes()) < 300_000
    given = Given(row[-1], samples.NOW, runs=memory.runs, growth=memory.growth(row[-1]))
    page = page_html(given)
    assert len(page) < MAX_BYTES
    assert f"generations {row[-MOST_GENERATIONS].generation} to {row[-1].generation}" in page


def refused(count: int = 400) -> JobResult:
    """Return a job that refused so many files."""
    findings = tuple(replace(ERROR, key=f"whitelists/{number}.txt", message="m" * 5_000) for number in range(count))
    return replace(samples.ended("allowlists", Outcome.REFUSED), findings=findings, exit_code=Exit.REFUSED)


def test_what_was_refused_is_told_of_the_newest_run_of_a_job() -> None:
    """In full up to a number, and counted beyond; a newer run of the job takes it away, one of another does not."""
    memory = Memory().told(RunResult("20261122T100000Z-a", (refused(),), 1.0), "aws", samples.NOW)
    other = RunResult("20261122T110000Z-b", (samples.ended("geoip", Outcome.PUBLISHED),), 1.0)
    memory = Memory.from_bytes(memory.told(other, "aws", samples.NOW).to_bytes())
    manifest = generation(1, a=1)
    told = json.loads(status_json(Given(manifest, samples.NOW, runs=memory.runs, jobs=samples.notes())))
    assert told["counts"]["refused"] == len(told["troubles"]) == 50
    assert "And 380 findings more" in page_html(Given(manifest, samples.NOW, runs=memory.runs, jobs=samples.notes()))

    mended = RunResult("20261122T120000Z-c", (samples.ended("allowlists", Outcome.PUBLISHED),), 1.0)
    memory = memory.told(mended, "aws", samples.NOW)
    assert b"mmmm" not in memory.to_bytes()
    assert memory.successes == {"allowlists": samples.NOW, "geoip": samples.NOW}


def test_of_a_failure_only_its_kind_is_remembered() -> None:
    """The memory is read back into public pages: no host, bucket or path may be in it."""
    problem = Problem("git at https://internal.example/x: no", "ask bob", Exit.SOURCE)
    failed = JobResult("geoip", Outcome.FAILED, {"type": "git"}, problem=problem, exit_code=Exit.SOURCE)
    body = Memory().told(RunResult("20261122T100000Z-a", (failed,), 1.0), "aws", samples.NOW).to_bytes()
    assert b"internal.example" not in body
    assert b"bob" not in body
    told = json.loads(
        status_json(Given(Manifest(), samples.NOW, runs=Memory.from_bytes(body).runs, jobs=samples.notes()))
    )
    assert [(each["state"], each["exit_code"]) for each in told["troubles"]] == [("failed", 5)]


def test_a_later_success_that_others_know_of_counts() -> None:
    """And an earlier one does not."""
    memory = Memory(successes={"a": samples.NOW, "b": samples.NOW})
    later = samples.NOW + timedelta(hours=1)
    known = memory.reminded({"a": later, "b": samples.at(1), "c": samples.at(1)}).successes
    assert known == {"a": later, "b": samples.NOW, "c": samples.at(1)}


@pytest.mark.parametrize(
    "body",
    [
        None,
        b"",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"schema":2}',
        b'{"schema":1,"generations":[[-1,"x"]],"files":{},"cut":false,"runs":[],"successes":{}}',
        b'{"schema":1,"generations":[],"files":{"a":[[1,true,2,"x"]]},"cut":false,"runs":[],"successes":{}}',
        b'{"schema":1,"generations":[],"files":{},"cut":false,"runs":["x"],"successes":{}}',
        b'{"schema":1,"generations":[],"files":{},"cut":false,"runs":[],"successes":{"a":7}}',
    ],
)
def test_what_is_no_memory_is_forgotten(body: bytes | None) -> None:
    """Somebody else wrote it, or half of it: nothing is known, and nothing fails."""
    assert Memory.from_bytes(body) == Memory()


def test_hostile_runs_that_lie_in_it_are_bounded_like_any_other() -> None:
    """Whoever can write the bucket can write the memory: the page still has its size, and obeys nothing."""
    body = json.loads(Memory().to_bytes())
    evil = {
        "job": "<script>alert(1)</script>",
        "outcome": "failed",
        "targets": "x",
        "findings": [{"severity": "error"}],
    }
    body["runs"] = [{"run_id": "<b>" * 9_000, "command": ["x" * 9_000], "jobs": [evil] * 500, "untold": -1}] * 500
    memory = Memory.from_bytes(json.dumps(body).encode())
    page = page_html(Given(generation(1, a=1), samples.NOW, runs=memory.runs))
    assert len(page) < MAX_BYTES
    assert "<script>alert" not in page
