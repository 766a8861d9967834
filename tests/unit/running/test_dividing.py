"""Dividing: every file is some helper's, from the back; what is said comes back the same; little work is not shared."""

import json
from pathlib import Path

import pytest

from hubdata.config.builtin import builtin_jobs_dir
from hubdata.config.jobs import load_jobs
from hubdata.model.job import Canary, FileRule, Job, Limits, SourceSpec
from hubdata.model.snapshot import SourceFile
from hubdata.planning.claims import Claim
from hubdata.running.dividing import (
    FILE_BYTES,
    LARGEST_BYTES,
    PAYS_FROM_BYTES,
    Post,
    Work,
    file_in,
    file_lines,
    helpers,
    posts_in,
    posts_line,
    useful,
    verdict_in,
    verdict_line,
)

LISTS, WORDS = FileRule("lists/*", "cidr"), FileRule("words/*", "needle")
NAME = "n" * 44


def work(*sizes: int, rule: FileRule = LISTS) -> Work:
    """Return one job with files of these sizes, and another one with one file."""
    claims = tuple(
        Claim(rule, SourceFile(f"lists/{n}", Path(f"/x/{n}"), size, {"a": "b"})) for n, size in enumerate(sizes)
    )
    other = Claim(WORDS, SourceFile("words/é\udcff", Path("/x/é\udcff"), 1, {}))
    jobs = (Job("lists", SourceSpec("test", {}), (rule,)), Job("words", SourceSpec("test", {}), (WORDS,)))
    return [(jobs[0], claims), (jobs[1], (other,))]


def keys(work: Work, helper: int, of: int, posts: dict[int, int] | None = None) -> list[str]:
    """Return which files one of so many helpers is told of."""
    known = {id(LISTS): 0, id(WORDS): 1} if posts is None else posts
    return [file_in(line)[1].key for line in file_lines(work, known, helper, of)]


@pytest.mark.parametrize(
    ("wanted", "cores", "expected"),
    [(None, 1, 0), (None, 2, 1), (None, 3, 2), (None, 64, 3), (1, 64, 0), (2, 1, 1), (16, 2, 15)],
)
def test_run_is_one_of_the_processes(wanted: int | None, cores: int, expected: int) -> None:
    """By itself a run takes a process a core, four at most; who says how many gets so many."""
    assert helpers(wanted, cores) == expected


def test_files_are_divided_from_the_back() -> None:
    """Each file is one helper's and one's only, and each helper begins with what the run would judge last."""
    assert keys(work(1, 1, 1, 1), 0, 1) == ["words/é\udcff", "lists/3", "lists/2", "lists/1", "lists/0"]
    assert keys(work(1, 1, 1, 1), 0, 2) == ["words/é\udcff", "lists/2", "lists/0"]
    assert keys(work(1, 1, 1, 1), 1, 2) == ["lists/3", "lists/1"]


def test_large_files_and_those_of_other_rules_are_the_run_s() -> None:
    """A helper is told of no file that would take much memory, nor of one that it cannot judge as the run does."""
    assert keys(work(1, LARGEST_BYTES, LARGEST_BYTES - 1), 0, 1) == ["words/é\udcff", "lists/2", "lists/0"]
    assert keys(work(1, 1), 0, 1, {id(LISTS): 0}) == ["lists/1", "lists/0"]


def test_line_of_a_file_comes_back() -> None:
    """Key, path and size are told, whatever bytes a path has, in one line; where a file came from is not."""
    (line,) = file_lines(work(), {id(WORDS): 7}, 0, 1)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert file_in(line) == (7, SourceFile("words/é\udcff", Path("/x/é\udcff"), 1, {}))


def test_built_in_rules_come_back_equal() -> None:
    """Options, limits and canaries of every built-in job are the same on the other side, tuples and all."""
    posts = tuple(Post(rule, job.canaries) for job in load_jobs(builtin_jobs_dir()) for rule in job.files)
    line = posts_line(posts)
    assert line is not None
    assert line.count(b"\n") == 1
    told = posts_in(line)
    assert [(p.rule.kind, p.rule.options, p.rule.limits, p.canaries) for p in told] == [
        (p.rule.kind, p.rule.options, p.rule.limits, p.canaries) for p in posts
    ]


def test_limits_and_canaries_come_back_equal() -> None:
    """What a rule may say besides is told too."""
    limits = Limits(min_entries=3, max_change=0.25, must_contain=("a", "b"), must_not_contain=("c",))
    post = Post(FileRule("**", "cidr", {"family": "ipv4"}, limits), (Canary("1.1.1.1", {"country.iso_code": "AU"}),))
    line = posts_line([post])
    assert line is not None
    assert posts_in(line) == (post,)
    assert post.job.canaries == post.canaries


def test_option_that_json_has_not_is_told_to_nobody() -> None:
    """A plug-in's option may be anything: then the run judges alone."""
    assert posts_line([Post(FileRule("**", "x", {"since": Path()}))]) is None


def test_little_work_is_no_work_for_a_helper() -> None:
    """Whether helpers are of use is a matter of bytes and of files; large ones, which they do not get, do not count."""
    assert useful([]) == 0
    assert useful(work(PAYS_FROM_BYTES - 3 * FILE_BYTES)) == 0
    assert useful(work(PAYS_FROM_BYTES)) == 1
    assert useful(work(*[PAYS_FROM_BYTES] * 3)) == 3
    assert useful(work(*[1] * (PAYS_FROM_BYTES // FILE_BYTES))) == 1
    assert useful(work(LARGEST_BYTES * 20)) == 0


def test_line_of_a_verdict_comes_back() -> None:
    """A verdict is told by its name."""
    found = verdict_in(verdict_line(NAME, [[], [1, None], None])[:-1])
    assert found is not None
    assert (found[0], json.loads(found[1])) == (NAME, [[], [1, None], None])


@pytest.mark.parametrize("line", [b"", b"nonsense", b"x" * 1000, NAME.encode(), b"\xff" * 44 + b"[]", b"{" * 50])
def test_line_that_is_none_tells_nothing(line: bytes) -> None:
    """Whatever else a process says is not heard."""
    assert verdict_in(line) is None
