"""Job files: what is right becomes plain jobs, and what is wrong is told with file, line and key, all at once."""

from datetime import date
from pathlib import Path

import pytest

from hubdata.config.jobs import load_jobs, read_jobs
from hubdata.config.problems import Level
from hubdata.errors import ConfigError
from hubdata.model.job import Canary, FileRule, Group, Job, Limits, SourceSpec, Unit, Waiver
from tests.unit.config.conftest import Write

CONTRACT = """\
description = "IP allowlists for scenarios and post-overflows"
schedule = "17 * * * *"            # cron, UTC
unit = "job"
prune = true

[source]
type = "git"
url = "https://example.net/lists"
ref = "master"

[[files]]
match = "whitelists/cdn_providers/*.txt"
kind = "cidr"
options = { family = "ipv4" }
cache_control = "public, max-age=300"
content_type = "text/plain; charset=utf-8"
limits = { min_entries = 1, max_change = 0.5, floor_entries = 25, max_prefix4 = 13, max_prefix6 = 29, max_bytes = 9 }

[[files]]
match = "**/*.mmdb"
kind = "mmdb"

[[waivers]]
key = "a/b.regex"
rule = "rdns-regexp.unanchored"
reason = "upstream fix pending"
until = 2027-03-31

[[ignore]]
match = "README.md"

[[canaries]]
ip = "2001:4860:4860::8888"
edition = "GeoLite2-ASN"
expect = { autonomous_system_number = 15169 }

[[groups]]
name = "crs"
match = ["a/*.conf", "a/*.data"]
"""

SMALL = '[source]\ntype = "git"\nurl = "https://example.net/lists"\n\n[[files]]\nmatch = "*.txt"\nkind = "cidr"\n'
TODAY = date(2026, 11, 22)


def problems(directory: Path) -> list[str]:
    """Return the error's lines when `directory` is refused."""
    with pytest.raises(ConfigError) as caught:
        load_jobs(directory)
    return str(caught.value).splitlines()


def test_every_key_of_the_contract_becomes_part_of_the_job(tmp_path: Path, write: Write) -> None:
    """A whole job file arrives as plain values; its name is the file's."""
    write("allowlists.toml", CONTRACT)
    assert load_jobs(tmp_path) == (
        Job(
            name="allowlists",
            source=SourceSpec("git", {"url": "https://example.net/lists", "ref": "master"}),
            files=(
                FileRule(
                    match="whitelists/cdn_providers/*.txt",
                    kind="cidr",
                    options={"family": "ipv4"},
                    limits=Limits(1, 9, 0.5, 25, 13, 29),
                    cache_control="public, max-age=300",
                    content_type="text/plain; charset=utf-8",
                ),
                FileRule(match="**/*.mmdb", kind="mmdb"),
            ),
            description="IP allowlists for scenarios and post-overflows",
            schedule="17 * * * *",
            unit=Unit.JOB,
            prune=True,
            ignore=("README.md",),
            waivers=(Waiver("a/b.regex", "rdns-regexp.unanchored", "upstream fix pending", date(2027, 3, 31)),),
            canaries=(Canary("2001:4860:4860::8888", {"autonomous_system_number": 15169}, "GeoLite2-ASN"),),
            groups=(Group("crs", ("a/*.conf", "a/*.data")),),
        ),
    )


def test_jobs_come_by_name_and_other_files_are_left_alone(tmp_path: Path, write: Write) -> None:
    """README.md and an editor's hidden file are no jobs."""
    for name in ("b.toml", "a.toml", "a-2.toml"):
        write(name, SMALL)
    write("README.md", "# Jobs")
    write(".#a.toml", "not TOML")
    assert [job.name for job in load_jobs(tmp_path)] == ["a", "a-2", "b"]


def test_equal_sources_are_equal_values(tmp_path: Path, write: Write) -> None:
    """Jobs with the same [source] table can be served by one fetch, whatever the order of its keys."""
    write("a.toml", SMALL.replace('url = "https://example.net/lists"', 'url = "u"\nref = "r"'))
    write("b.toml", SMALL.replace('url = "https://example.net/lists"', 'ref = "r"\nurl = "u"'))
    first, second = load_jobs(tmp_path)
    assert first.source == second.source


def test_a_relative_path_in_a_source_is_relative_to_the_job_file(tmp_path: Path, write: Write) -> None:
    """A job that reads a directory beside it works wherever the command is started."""
    write("jobs/a.toml", SMALL.replace('"git"\nurl = "https://example.net/lists"', '"directory"\npath = "../data"'))
    (job,) = load_jobs(tmp_path / "jobs")
    assert Path(job.source.options["path"]).resolve() == (tmp_path / "data").resolve()
    assert Path(job.source.options["path"]).is_absolute()


def test_a_directory_without_jobs_stops(tmp_path: Path) -> None:
    """No job at all is a mistake, not a run with nothing to do."""
    assert problems(tmp_path) == [
        (
            f"{tmp_path}: there is no job file in this directory "
            "(a job is a file NAME.toml; jobs/README.md tells how to write one)"
        )
    ]
    (line,) = problems(tmp_path / "absent")
    assert line.startswith(f"{tmp_path}/absent: no job files: No such file or directory")


def test_all_mistakes_of_all_files_are_told_at_once(tmp_path: Path, write: Write) -> None:
    """A reviewer sees every mistake, with its line and the word that was probably meant."""
    write("jobs/a.toml", SMALL.replace("[[files]]", "prun = true\n[[files]]") + 'kinds = "x"\n')
    write("jobs/b.toml", SMALL.replace('"cidr"', '"cdir"').replace('"git"', '"gti"'))
    write("jobs/Not_A_Name.toml", SMALL)
    write("jobs/syntax.toml", "schedule = 17 * * * *\n")
    assert problems(tmp_path / "jobs")[:-1] == [
        (
            "jobs/Not_A_Name.toml: `Not_A_Name` cannot be a job's name "
            "(a job's name is its file's: lower-case letters, digits and hyphens)"
        ),
        "jobs/a.toml:5: source.prun: unknown key (known are: ref, type, url)",
        "jobs/a.toml:9: files[1].kinds: unknown key (did you mean `kind`?)",
        "jobs/b.toml:2: source.type: unknown source `gti` (did you mean `git`?)",
        "jobs/b.toml:7: files[1].kind: unknown kind `cdir` (did you mean `cidr`?)",
    ]
    assert problems(tmp_path / "jobs")[-1].startswith("jobs/syntax.toml:1: is not valid TOML: ")


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('"17 * * * *"', '"every hour"', 2, "schedule: expected five cron fields"),
        ('unit = "job"\n', "", 36, "groups[1]: files that are loaded together are refused together"),
        ('"a/*.conf"', '"[b-a]"', 39, "groups[1].match"),
        ('"job"', '"all"', 3, "unit: expected 'file' or 'job', found 'all'"),
        ("prune = true", 'prune = "yes"', 4, "prune: expected a valid boolean, found 'yes'"),
        ('type = "git"\n', "", 6, "source.type: a required key is missing"),
        ('url = "https://example.net/lists"\n', "", 6, "source.url: a required key is missing"),
        ('"whitelists/cdn_providers/*.txt"', '"../x"', 12, "files[1].match: no file can match: "),
        ('"whitelists/cdn_providers/*.txt"', '""', 12, "files[1].match: no file can match: it is empty"),
        ('"**/*.mmdb"', '"whitelists/cdn_providers/*.txt"', 20, "files[2].match: an earlier entry has the same"),
        ('"ipv4"', '"ipv5"', 14, "files[1].options.family: expected 'ipv4' or 'ipv6', found 'ipv5'"),
        ('"public, max-age=300"', '"public\\r\\nX: y"', 15, "files[1].cache_control: "),
        ('"text/plain; charset=utf-8"', '"text"', 16, "files[1].content_type: "),
        (
            "min_entries = 1",
            'min_entries = "1"',
            17,
            "files[1].limits.min_entries: expected a valid integer, found '1'",
        ),
        ("max_prefix4 = 13", "max_prefix4 = 33", 17, "files[1].limits.max_prefix4: expected less than or equal to 32"),
        ("max_change", "max_chnage", 17, "files[1].limits.max_chnage: unknown key (did you mean `max_change`?)"),
        ('"a/b.regex"', '"/a"', 24, "waivers[1].key: this is not a file's key"),
        ('"rdns-regexp.unanchored"', '"any"', 25, "waivers[1].rule: expected the rule of a finding"),
        ('"upstream fix pending"', '" "', 26, "waivers[1].reason: a waiver needs a reason"),
        ("until = 2027-03-31", 'until = "2027-03-31"', 27, "waivers[1].until: "),
        ("until = 2027-03-31\n", "", 23, "waivers[1].until: a required key is missing"),
        ('"2001:4860:4860::8888"', '"8.8.8"', 33, "canaries[1].ip: "),
        ('"2001:4860:4860::8888"', '"fe80::1%eth0"', 33, "canaries[1].ip: an address with a zone"),
        ("{ autonomous_system_number = 15169 }", "{}", 35, "canaries[1].expect: "),
        ("15169", "[15169]", 35, "canaries[1].expect: expected plain values"),
        ("[source]", "[sources]", 6, "sources: unknown key (did you mean `source`?)"),
    ],
)
def test_each_mistake_names_its_line_and_key(
    tmp_path: Path, write: Write, old: str, new: str, line: int, words: str
) -> None:
    """One wrong value is told where it stands, in words that say what was expected."""
    assert CONTRACT.count(old) == 1
    write("jobs/a.toml", CONTRACT.replace(old, new))
    found = problems(tmp_path / "jobs")
    assert any(text.startswith(f"jobs/a.toml:{line}: {words}") for text in found), found


def test_a_job_without_files_stops(tmp_path: Path, write: Write) -> None:
    """A job that could never publish anything is a mistake."""
    write("jobs/a.toml", SMALL.partition("[[files]]")[0])
    assert problems(tmp_path / "jobs") == ["jobs/a.toml: files: a required key is missing"]


def test_a_secret_in_a_job_file_is_refused_and_not_repeated(tmp_path: Path, write: Write) -> None:
    """Job files are public: a key that holds a secret, and a URL with a password, both stop."""
    write("jobs/a.toml", SMALL.replace("example.net", "me:hunter2hunter2@example.net"))
    write("jobs/b.toml", SMALL.replace("[[files]]", 'license_key = "hunter2hunter2"\n[[files]]'))
    text = "\n".join(problems(tmp_path / "jobs"))
    assert "jobs/a.toml:3: source.url: the URL holds a password" in text
    assert "jobs/b.toml:5: source.license_key: secrets are not accepted in this file" in text
    assert "hunter2" not in text


def test_a_waiver_that_has_ended_is_a_warning_and_the_job_still_loads(tmp_path: Path, write: Write) -> None:
    """The end of a waiver is told a month ahead and afterwards; that it no longer waives is the run's to decide."""
    write("jobs/a.toml", CONTRACT.replace("2027-03-31", "2026-11-21"))
    write("jobs/b.toml", CONTRACT.replace("2027-03-31", "2026-11-22"))
    write("jobs/c.toml", CONTRACT.replace("2027-03-31", "2026-12-22"))
    reading = read_jobs(tmp_path / "jobs", TODAY)
    assert [job.name for job in reading.jobs] == ["a", "b", "c"]
    assert [(p.file, p.line, p.level) for p in reading.problems] == [
        ("jobs/a.toml", 27, Level.WARNING),
        ("jobs/b.toml", 27, Level.WARNING),
    ]
    assert "ended on 2026-11-21" in reading.problems[0].message
    assert "ends on 2026-11-22" in reading.problems[1].message


def test_a_second_waiver_for_the_same_finding_is_a_mistake(tmp_path: Path, write: Write) -> None:
    """Two ends for one waiver: nobody could tell which holds."""
    waiver = CONTRACT[CONTRACT.index("[[waivers]]") : CONTRACT.index("[[ignore]]")]
    write("jobs/a.toml", CONTRACT + waiver)
    (line,) = problems(tmp_path / "jobs")
    assert line.startswith("jobs/a.toml:40: waivers[2]: an earlier waiver names the same key and rule")
