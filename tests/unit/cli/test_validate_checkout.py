"""`hubdata validate` as a data repository's CI runs it: standard input, what changed since a commit, SARIF."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import Ended, hubdata
from tests.support.repos import Repo
from tests.support.sarif import run_of

GOOD, BAD = "1.1.1.0/24\n9.9.9.0/24\n", "1.1.1.0/24\n9.9.9.9/24\n"
RULES = """
[[files]]
match = "lists/*.txt"
kind = "cidr"

[[waivers]]
key = "lists/waived.txt"
rule = "cidr.host-bits"
reason = "known"
until = 2999-01-01

[[ignore]]
match = "**/*.toml"

[[ignore]]
match = "README.md"

[source]
type = "git"
url = "https://example.net/data"
"""
FIREWALL = """
unit = "job"

[[files]]
match = "waf/*.txt"
kind = "cidr"

[source]
type = "git"
url = "https://example.net/data"
"""
Validate = Callable[..., Ended]


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """Return a data repository with its rules in it: every file is well but one that is old and bad."""
    made = Repo.create(tmp_path / "repo")
    made.commit(
        {
            "jobs/lists.toml": RULES,
            "jobs/waf.toml": FIREWALL,
            "README.md": "about\n",
            "lists/old-and-bad.txt": BAD,
            "lists/good.txt": GOOD,
            "lists/waived.txt": BAD,
            "waf/a.txt": BAD,
            "waf/b.txt": GOOD,
        }
    )
    made.git("tag", "base")
    return made


@pytest.fixture
def validate(repo: Repo) -> Validate:
    """Return `hubdata validate`, run in the repository by its own job files."""

    def run(*arguments: str | Path, **more: Any) -> Ended:
        return hubdata("validate", "--jobs", "jobs", *arguments, cwd=repo.path, **more)

    return run


def _found(ended: Ended) -> set[tuple[str, str]]:
    return {(f["key"], f["rule"]) for f in ended.json["findings"] if f["severity"] == "error"}


def _files(ended: Ended) -> list[str]:
    return [file["key"] for file in ended.json["files"]]


def test_without_since_everything_is_judged(validate: Validate) -> None:
    """The whole checkout: the old sins too."""
    ended = validate(".", "--format", "json")
    assert ended.code == 3
    assert _found(ended) == {("lists/old-and-bad.txt", "cidr.host-bits"), ("waf/a.txt", "cidr.host-bits")}


def test_since_judges_only_what_changed(repo: Repo, validate: Validate) -> None:
    """A pull request answers for its own files: committed, uncommitted and new ones, not for what was there."""
    repo.commit({"lists/good.txt": GOOD + "8.8.8.0/24\n"})
    assert validate("--since", "base").code == 0
    repo.write({"lists/untracked.txt": BAD})
    ended = validate("--since", "base", "--format", "json")
    assert ended.code == 3
    assert _files(ended) == ["lists/good.txt", "lists/untracked.txt"]
    assert _found(ended) == {("lists/untracked.txt", "cidr.host-bits")}
    assert ended.json["notices"] == ["2 of 9 files differ from base, and are judged"]


def test_since_the_same_commit_judges_nothing(validate: Validate) -> None:
    """Nothing changed: nothing is judged, and the end is 0."""
    ended = validate("--since", "HEAD", "--format", "json")
    assert (ended.code, _files(ended)) == (0, [])


def test_a_renamed_file_is_judged_under_its_new_name(repo: Repo, validate: Validate) -> None:
    """A rename changes who claims the file: here nobody does any more."""
    repo.git("mv", "lists/good.txt", "lists/good.lst")
    ended = validate("--since", "base", "--format", "json")
    assert _found(ended) == {("lists/good.lst", "job.unclaimed")}


def test_a_deleted_file_leaves_its_waiver_and_perhaps_its_job_behind(repo: Repo, validate: Validate) -> None:
    """What went is a change too: a waiver for nothing is told, and a job that lost its last file is refused."""
    (repo.path / "lists/waived.txt").unlink()
    ended = validate("--since", "base", "--format", "json")
    assert ended.code == 0
    assert [f["rule"] for f in ended.json["findings"]] == ["waiver.unused"]
    for name in ("waf/a.txt", "waf/b.txt"):
        (repo.path / name).unlink()
    ended = validate("--since", "base", "--format", "json")
    assert ("", "job.empty") in _found(ended)


def test_a_waived_finding_of_a_changed_file_stays_waived(repo: Repo, validate: Validate) -> None:
    """Waivers hold for a part as for the whole."""
    repo.write({"lists/waived.txt": BAD + "8.8.8.0/24\n"})
    ended = validate("--since", "base", "--format", "json")
    assert ended.code == 0
    assert ended.json["findings"][0]["waived"]


@pytest.mark.parametrize("change", ["jobs/lists.toml", "hubdata.toml"])
def test_changed_rules_have_every_file_judged(repo: Repo, validate: Validate, change: str) -> None:
    """A job file, a waiver in it, or the settings: they may change the verdict on any file."""
    if change == "hubdata.toml":
        repo.commit({change: 'jobs = "jobs"\n'})
    else:
        repo.commit({change: RULES.replace('"known"', '"known well"')})
    ended = validate("--since", "base", "--format", "json")
    assert ("lists/old-and-bad.txt", "cidr.host-bits") in _found(ended)
    assert ended.json["notices"] == ["the rules changed since base: every file is judged"]


def test_a_job_that_is_refused_whole_is_judged_whole(repo: Repo, validate: Validate) -> None:
    """Its files load together, so a change to one has them all looked at."""
    repo.commit({"waf/b.txt": GOOD + "8.8.8.0/24\n"})
    ended = validate("--since", "base", "--format", "json")
    assert _files(ended) == ["waf/a.txt", "waf/b.txt"]
    assert _found(ended) == {("waf/a.txt", "cidr.host-bits")}


def test_what_others_changed_meanwhile_is_not_this_pull_requests(repo: Repo, validate: Validate) -> None:
    """The base branch went on: compared is with the commit where this one left it."""
    repo.git("checkout", "--quiet", "-b", "feature")
    repo.commit({"lists/mine.txt": GOOD})
    repo.git("checkout", "--quiet", "master")
    repo.commit({"lists/good.txt": GOOD + "7.7.7.0/24\n"})
    repo.git("checkout", "--quiet", "feature")
    assert _files(validate("--since", "master", "--format", "json")) == ["lists/mine.txt"]


def test_a_shallow_checkout_compares_with_the_commit_itself(repo: Repo, tmp_path: Path) -> None:
    """Without the history between them, all that differs from the named commit is judged: more, never less."""
    repo.commit({"lists/mine.txt": BAD})
    clone = Repo.create(tmp_path / "clone")
    clone.git("fetch", "--quiet", "--depth=1", repo.url, "refs/tags/base:refs/tags/base")
    clone.git("fetch", "--quiet", "--depth=1", repo.url, "master")
    clone.git("checkout", "--quiet", "FETCH_HEAD")
    ended = hubdata("validate", "--jobs", "jobs", "--since", "base", "--format", "json", cwd=clone.path)
    assert _files(ended) == ["lists/mine.txt"]


@pytest.mark.parametrize("revision", ["nowhere", "--output=pwned", "", "HEAD:README.md", "base\nHEAD"])
def test_a_revision_that_is_not_there_is_a_wrong_flag(repo: Repo, validate: Validate, revision: str) -> None:
    """It ends with 2 and advice, judges nothing, and no revision is ever an option to git."""
    ended = validate(f"--since={revision}", ".")
    assert ended.code == 2
    assert "no such commit" in ended.stderr
    assert "fetch-depth" in ended.stderr
    assert not (repo.path / "pwned").exists()


def test_nothing_that_the_checkout_configures_is_run(repo: Repo, validate: Validate) -> None:
    """A stranger's checkout may name filters, diff drivers and monitors: finding what changed starts none of them."""
    trap = f"touch {repo.path / 'pwned'}; cat"
    repo.commit({".gitattributes": "* filter=trap diff=trap\n"})
    for name in ("filter.trap.clean", "diff.trap.command", "diff.trap.textconv", "core.fsmonitor", "diff.external"):
        repo.git("config", name, trap)
    repo.write({"lists/good.txt": GOOD + "8.8.8.0/24\n"})
    ended = validate("--since", "base", "--format", "json")
    assert _files(ended) == ["lists/good.txt"]
    assert not (repo.path / "pwned").exists()


def test_a_link_that_came_is_told_and_one_that_was_there_is_not(repo: Repo, validate: Validate) -> None:
    """A link in place of a file is this change's; an old one is not."""
    (repo.path / "lists/old-link.txt").symlink_to("good.txt")
    repo.commit()
    repo.git("tag", "linked")
    assert validate("--since", "linked").code == 0
    (repo.path / "lists/good.txt").unlink()
    (repo.path / "lists/good.txt").symlink_to("/etc/hostname")
    ended = validate("--since", "linked", "--format", "json")
    assert {key for key, _ in _found(ended)} == {"lists/good.txt"}


def test_annotations_and_sarif_name_files_as_the_repository_has_them(repo: Repo, tmp_path: Path) -> None:
    """A checkout below the workspace: the reports' paths begin at the workspace, where the service looks for them."""
    run = ("validate", "--jobs", repo.path / "jobs", repo.path)
    env = {"GITHUB_WORKSPACE": str(tmp_path)}
    annotated = hubdata(*run, "--format", "github", cwd=tmp_path, env=env)
    assert "::error file=repo/lists/old-and-bad.txt,line=2," in annotated.stdout
    log = hubdata(*run, "--format", "sarif", cwd=tmp_path, env=env).json
    uris = {r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in run_of(log)["results"]}
    assert "repo/lists/old-and-bad.txt" in uris
    at_root = hubdata("validate", "--jobs", "jobs", ".", "--format", "github", cwd=repo.path)
    assert "::error file=lists/old-and-bad.txt,line=2," in at_root.stdout


def test_single_files_of_one_checkout_are_judged_together(repo: Repo, validate: Validate) -> None:
    """As a hook names them: keys count from the checkout's root, wherever the command runs."""
    ended = validate("lists/good.txt", repo.path / "waf/a.txt", "--format", "json")
    assert _files(ended) == ["lists/good.txt", "waf/a.txt"]
    assert ended.code == 3


def test_standard_input_is_judged_by_kind_or_by_name(validate: Validate) -> None:
    """An editor or a script pipes a text in: `--kind` says what it is, or `--name` which of the files it will be."""
    assert validate("-", "--kind", "cidr", stdin=GOOD).code == 0
    by_name = validate("-", "--name", "lists/new.txt", "--format", "json", stdin=BAD)
    assert by_name.code == 3
    assert _found(by_name) == {("lists/new.txt", "cidr.host-bits")}
    assert validate("-", "--name", "lists/waived.txt", stdin=BAD).code == 0
    nobody = validate("-", "--name", "elsewhere.txt", "--format", "json", stdin=GOOD)
    assert _found(nobody) == {("elsewhere.txt", "job.unclaimed")}


def test_one_file_may_be_judged_as_another(repo: Repo, validate: Validate, tmp_path: Path) -> None:
    """A draft that lies elsewhere is judged under the name it will have."""
    draft = tmp_path / "draft"
    draft.write_text(BAD)
    ended = validate(draft, "--name", "lists/draft.txt", "--format", "json")
    assert _found(ended) == {("lists/draft.txt", "cidr.host-bits")}


def test_an_empty_standard_input_is_refused_like_an_empty_file(validate: Validate) -> None:
    """A pipe whose writer failed gives nothing, and nothing is no list."""
    ended = validate("-", "--kind", "cidr", "--format", "json", stdin="")
    assert ended.code == 3
    assert [f["rule"] for f in ended.json["findings"]] == ["text.empty"]
