"""`config check`: everything wrong anywhere, in one list, without an exception."""

from datetime import date
from pathlib import Path
from typing import Any

from hubdata.config.check import check
from hubdata.config.problems import Level, Problem
from tests.unit.config.conftest import Write

JOB = """\
schedule = "17 * * * *"
[source]
type = "git"
url = "https://example.net/lists"
[[files]]
match = "*"
kind = "cidr"
"""


def found(cwd: Path, config: Path | None = None, **flags: Any) -> tuple[Problem, ...]:
    """Return what `config check` finds in `cwd`, where the jobs lie in `jobs`."""
    flags = {"jobs": "jobs", **flags}
    return check(config=config, environment={}, flags=flags, cwd=cwd, today=date(2026, 11, 22))


def test_a_good_configuration_has_no_problem(tmp_path: Path, write: Write) -> None:
    """Nothing is made up."""
    write("jobs/a.toml", JOB)
    assert found(tmp_path) == ()


def test_mistakes_in_settings_and_in_jobs_come_together(tmp_path: Path, write: Write) -> None:
    """One mistake does not hide another in the next file."""
    write("hubdata.toml", 'spol = "x"\n')
    write("jobs/a.toml", JOB.replace("cidr", "cdir"))
    write("jobs/b.toml", "[source")
    assert [(p.file, p.line, p.key) for p in found(tmp_path)] == [
        ("hubdata.toml", 1, "spol"),
        ("jobs/a.toml", 7, "files[1].kind"),
        ("jobs/b.toml", 1, ""),
    ]


def test_a_schedule_is_read_as_the_worker_will_read_it(tmp_path: Path, write: Write) -> None:
    """`61` has the shape of a minute, but no hour has it: better known now than at the first start of the worker."""
    write("jobs/a.toml", "# first\n" + JOB.replace("17 *", "61 *"))
    (problem,) = found(tmp_path)
    assert (problem.file, problem.line, problem.key, problem.level) == ("jobs/a.toml", 2, "schedule", Level.ERROR)
    assert "61" in problem.message


def test_a_checkout_for_a_repository_that_no_job_reads_is_a_warning(tmp_path: Path, write: Write) -> None:
    """Most likely its URL is mistyped, and the job would be fetched from the network after all."""
    write("jobs/a.toml", JOB)
    assert found(tmp_path, checkout=["https://example.net/lists=here", "elsewhere"]) == ()
    (problem,) = found(tmp_path, checkout=["https://example.net/list=here"])
    assert problem.level is Level.WARNING
    assert problem.advice == "did you mean `https://example.net/lists`?"


def test_a_waiver_of_a_rule_that_there_is_not_is_told_with_the_nearest(tmp_path: Path, write: Write) -> None:
    """It would let nothing out, and the next run would refuse the file; a package's own rules are not ours to know."""
    waiver = '[[waivers]]\nkey = "lists/a.txt"\nrule = "{}"\nreason = "it is meant"\nuntil = 2027-06-30\n'
    rules = ("cidr.to-wide", "cidr.host-bits", "hostnames.malformed")
    write("jobs/a.toml", JOB + "".join(map(waiver.format, rules)))
    (problem,) = found(tmp_path)
    assert (problem.key, problem.level, problem.advice) == (
        "waivers[1].rule",
        Level.WARNING,
        "did you mean `cidr.too-wide`?",
    )
    assert problem.line is not None


def test_a_missing_settings_file_is_a_problem_not_an_exception(tmp_path: Path, write: Write) -> None:
    """`-c` with a wrong path is told like any other mistake."""
    write("jobs/a.toml", JOB)
    (problem,) = found(tmp_path, config=Path("nowhere.toml"))
    assert str(problem) == "nowhere.toml: there is no such file (name an existing file after -c/--config)"


def test_jobs_are_checked_where_the_settings_file_says(tmp_path: Path, write: Write) -> None:
    """The jobs of the file are read, relative to it, also when its other keys are wrong."""
    write("etc/hubdata.toml", 'jobs = "feeds"\nspol = 1\n')
    write("etc/feeds/a.toml", JOB.replace("kind", "knid"))
    problems = check(config=tmp_path / "etc/hubdata.toml", environment={}, flags={}, cwd=tmp_path)
    assert {(p.file, p.key) for p in problems} == {
        ("etc/hubdata.toml", "spol"),
        ("feeds/a.toml", "files[1].knid"),
        ("feeds/a.toml", "files[1].kind"),
    }
