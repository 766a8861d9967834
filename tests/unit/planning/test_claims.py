"""Claims: every file has one owner, is ignored by name, or is a finding."""

from dataclasses import replace
from pathlib import Path

import pytest

from hubdata.errors import ConfigError
from hubdata.model.finding import Severity
from hubdata.model.job import FileRule, Job, SourceSpec
from hubdata.model.snapshot import SourceFile
from hubdata.planning.claims import claim, ignored, rule_for


def job(name: str, *matches: str, ignore: tuple[str, ...] = ()) -> Job:
    """Return a job with a rule for each of `matches`, of a kind named like its place."""
    rules = tuple(FileRule(match, f"kind{n}") for n, match in enumerate(matches))
    return replace(Job(name, SourceSpec("git", {}), rules), ignore=ignore)


def files(*keys: str) -> tuple[SourceFile, ...]:
    """Return source files with these keys."""
    return tuple(SourceFile(key, Path(key), 1, {}) for key in keys)


def test_each_file_goes_to_the_job_that_names_it() -> None:
    """Claims are shared out by job, in the source's order, each with the rule that matched."""
    claims = claim((job("a", "a/*"), job("b", "b/**")), files("a/1", "b/2/3", "a/4"))

    assert {name: [c.file.key for c in mine] for name, mine in claims.by_job.items()} == {
        "a": ["a/1", "a/4"],
        "b": ["b/2/3"],
    }
    assert claims.findings == ()


def test_first_rule_of_a_job_wins() -> None:
    """A special rule before a general one decides the kind."""
    rule = rule_for(job("a", "x/special.txt", "x/*"), "x/special.txt")

    assert rule is not None
    assert rule.kind == "kind0"


def test_unclaimed_file_is_an_error_unless_ignored() -> None:
    """A file nobody speaks for is a finding; any job of the source may ignore it; dot names need no one."""
    jobs = (job("a", "*.txt"), job("b", "*.json", ignore=("README.md",)))

    claims = claim(jobs, files("README.md", ".github/x.yml", "sub/.hidden", "new.bin"))

    assert [(f.key, f.rule, f.severity) for f in claims.findings] == [("new.bin", "job.unclaimed", Severity.ERROR)]
    assert ignored(jobs, "sub/.hidden")
    assert not ignored(jobs, "../x.txt"), "a way out of the tree is no dot name"
    assert not ignored(jobs, "sub/./x.txt")


def test_dot_file_is_published_when_a_rule_names_it() -> None:
    """Names that begin with a dot are only ignored while no rule matches them."""
    claims = claim((job("a", ".well-known/*"),), files(".well-known/x"))

    assert [c.file.key for c in claims.by_job["a"]] == [".well-known/x"]


def test_key_with_two_owners_is_a_config_error() -> None:
    """Two jobs that name one key contradict each other, even where one of them ignores it."""
    with pytest.raises(ConfigError, match="jobs a and b: both claim x"):
        claim((job("a", "*"), job("b", "x", ignore=("x",))), files("x"))


@pytest.mark.parametrize("key", ["../x", "manifest.json", ".hubdata/lease.json", "a//b", "a\nb", "a\\b"])
def test_unsafe_name_is_never_claimed(key: str) -> None:
    """A key that must not be written is a finding even when a rule names it."""
    claims = claim((job("a", "**"),), files(key))

    assert claims.by_job["a"] == ()
    assert [f.rule for f in claims.findings] == ["job.unsafe-key"]
