"""The directory source against real directories and real checkouts."""

import os
import shutil
import socket
from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import ValidationError

from hubdata.clock import SystemClock
from hubdata.errors import SourceError
from hubdata.model.snapshot import Provenance
from hubdata.ports import SourceContext
from hubdata.sources.directory import DirectorySource
from tests.support.real import SEC_LISTS, needs_real
from tests.support.repos import Repo

_URL = "https://example.net/lists"
_ENVIRONMENT = {"PATH": os.environ["PATH"]}


def nothing() -> Mapping[str, Provenance]:
    """Answer as targets that hold nothing."""
    return {}


def public(*revisions: str) -> Mapping[str, Provenance]:
    """Return what targets say that hold files of these revisions, published by the git source."""
    return {f"file{i}": {"type": "git", "url": _URL, "revision": r} for i, r in enumerate(revisions)}


def source(path: Path, environment: Mapping[str, str] = _ENVIRONMENT, **options: object) -> DirectorySource:
    """Build the source that a job file would describe."""
    options_of = DirectorySource.Options.model_validate({"path": str(path), **options})
    return DirectorySource(options_of, SourceContext(path, environment, SystemClock()))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Give a directory that is no checkout."""
    tree = tmp_path / "tree"
    (tree / "a" / "deep").mkdir(parents=True)
    (tree / "b.txt").write_text("two\n")
    (tree / "a" / "list.txt").write_text("192.0.2.0/24\n")
    (tree / "a" / "deep" / ".dot").touch()
    return tree


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """Give a checkout with two commits."""
    repo = Repo.create(tmp_path / "checkout")
    repo.commit({"b.txt": "one\n", "a/list.txt": "192.0.2.0/24\n"})
    repo.commit({"b.txt": "two\n"})
    return repo


# What is read


def test_files_are_read_in_place(tree: Path) -> None:
    """Every file is delivered where it lies, sorted by key, without a revision."""
    fetched = source(tree).fetch(nothing)
    assert [(f.key, f.path, f.size) for f in fetched.files] == [
        ("a/deep/.dot", tree / "a/deep/.dot", 0),
        ("a/list.txt", tree / "a/list.txt", 13),
        ("b.txt", tree / "b.txt", 4),
    ]
    assert fetched.revision is None
    assert fetched.findings == ()
    assert all(file.source == {"type": "directory"} for file in fetched.files)


@needs_real
def test_real_tree_is_read_whole() -> None:
    """All files of the real data tree are found, with their sizes and no finding."""
    fetched = source(SEC_LISTS).fetch(nothing)
    expected = {str(p.relative_to(SEC_LISTS)): p.stat().st_size for p in SEC_LISTS.rglob("*") if p.is_file()}
    assert {file.key: file.size for file in fetched.files} == expected
    assert fetched.findings == ()


def test_link_is_a_finding_and_never_followed(tree: Path, tmp_path: Path) -> None:
    """Links to files, to directories, to nowhere and to themselves are refused by name."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").touch()
    for name, target in (("dir", outside), ("file", outside / "secret"), ("none", "nowhere"), ("loop", "loop")):
        (tree / name).symlink_to(target)
    fetched = source(tree).fetch(nothing)
    assert [(f.key, f.rule) for f in fetched.findings] == [(n, "source.link") for n in ("dir", "file", "loop", "none")]
    assert len(fetched.files) == 3


def test_special_file_is_a_finding(tree: Path) -> None:
    """A pipe is refused by name and not opened, which would wait for ever; so is a socket."""
    os.mkfifo(tree / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        directory = os.open(tree, os.O_RDONLY)
        listener.bind(f"/proc/self/fd/{directory}/socket")  # a short name for a long path
        os.close(directory)
        fetched = source(tree).fetch(nothing)
    assert [(f.key, f.rule) for f in fetched.findings] == [
        ("pipe", "source.special-file"),
        ("socket", "source.special-file"),
    ]


@pytest.mark.parametrize(
    ("name", "shown"),
    [(b"caf\xe9.txt", "caf\\xe9.txt"), (b"a\nb", "a\\nb"), (b"a\\b", "a\\b"), (b"manifest.json", "manifest.json")],
)
def test_hostile_name_is_a_finding(tree: Path, name: bytes, shown: str) -> None:
    """Names that cannot be keys are refused in a printable form; the rest is delivered."""
    (Path(os.fsdecode(os.fsencode(tree) + b"/" + name))).touch()
    fetched = source(tree).fetch(nothing)
    assert [(f.key, f.rule) for f in fetched.findings] == [(shown, "source.unsafe-name")]
    assert len(fetched.files) == 3


def test_git_directory_is_skipped_and_nested_checkout_is_a_finding(repo: Repo) -> None:
    """Git's own files are no data; another repository inside is refused as a submodule is."""
    Repo.create(repo.path / "vendor").commit({"x": "y"})
    fetched = source(repo.path).fetch(nothing)
    assert [file.key for file in fetched.files] == ["a/list.txt", "b.txt"]
    assert [(f.key, f.rule) for f in fetched.findings] == [("vendor", "source.submodule")]


@pytest.mark.parametrize("case", ["missing", "empty", "only .git", "a file"])
def test_nothing_to_read_stops(tmp_path: Path, case: str) -> None:
    """A wrong path or an empty directory is an error with advice; it never empties a list."""
    path = tmp_path / "data"
    if case == "a file":
        path.touch()
    elif case == "empty":
        (path / "only" / "directories").mkdir(parents=True)
    elif case == "only .git":
        Repo.create(path)
    with pytest.raises(SourceError, match=str(path)) as caught:
        source(path).fetch(nothing)
    assert "check `path`" in caught.value.advice
    assert str(caught.value).count(str(path)) == 1


@pytest.mark.parametrize(("limit", "name"), [({"max_files": 2}, "files"), ({"max_bytes": 16}, "bytes")])
def test_limits_stop_the_walk(tree: Path, limit: dict[str, int], name: str) -> None:
    """More files or bytes than allowed is an error that names the setting; exactly as many is fine."""
    with pytest.raises(SourceError, match=f"expected at most .* {name}") as caught:
        source(tree, _ENVIRONMENT, **limit).fetch(nothing)
    assert f"max_{name}" in caught.value.advice
    assert len(source(tree, max_files=5, max_bytes=17).fetch(nothing).files) == 3


def test_unknown_option_and_bad_url_are_refused(tree: Path) -> None:
    """A misspelt key is an error, and a URL with credentials is refused without repeating them."""
    with pytest.raises(ValidationError):
        source(tree, ref="master")
    with pytest.raises(ValidationError) as caught:
        source(tree, url="https://user:sentinel@example.net/x")
    assert "sentinel" not in str(caught.value)


# Which revision it is


def test_clean_checkout_has_its_commit(repo: Repo) -> None:
    """The commit of a clean checkout is the revision, and with the URL every file's origin."""
    fetched = source(repo.path, url=_URL).fetch(nothing)
    assert fetched.revision == repo.head
    assert fetched.files[0].source == {"type": "directory", "url": _URL, "revision": repo.head}


def test_checkout_of_a_subdirectory(repo: Repo) -> None:
    """A directory within a checkout has its commit, and keys of its own."""
    (repo.path / "untracked").touch()
    fetched = source(repo.path / "a").fetch(nothing)
    assert [file.key for file in fetched.files] == ["list.txt"]
    assert fetched.revision == repo.head


@pytest.mark.parametrize("change", ["changed", "same size and time", "added", "ignored", "removed"])
def test_checkout_with_other_files_is_dirty(repo: Repo, change: str) -> None:
    """Whatever would be published but is not in the commit, or the other way round, marks the revision."""
    path = repo.path / "b.txt"
    before = path.stat()
    if change == "removed":
        path.unlink()
    elif change == "added":
        (repo.path / "new").touch()
    elif change == "ignored":
        (repo.path / ".git" / "info").mkdir(exist_ok=True)
        (repo.path / ".git" / "info" / "exclude").write_text("new\n")
        (repo.path / "new").touch()
    else:
        path.write_text("2wo\n" if change == "same size and time" else "more than before\n")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert source(repo.path).fetch(nothing).revision == f"{repo.head}-dirty"


def test_directory_that_merely_lies_in_a_checkout(repo: Repo) -> None:
    """Files of which git knows none do not get the surrounding repository's commit."""
    (repo.path / "build").mkdir()
    (repo.path / "build" / "x").touch()
    assert source(repo.path / "build").fetch(nothing).revision is None


def test_commit_of_the_workflow_counts_where_there_is_no_git(tree: Path, tmp_path: Path) -> None:
    """In CI without a .git directory GITHUB_SHA is believed, for the workspace and what is below it."""
    commit = "a" * 40
    for workspace in (tree, tmp_path):
        environment = {"GITHUB_SHA": commit, "GITHUB_WORKSPACE": str(workspace)}
        assert source(tree, environment).fetch(nothing).revision == commit
    for environment in (
        {"GITHUB_SHA": commit, "GITHUB_WORKSPACE": str(tree / "a")},
        {"GITHUB_SHA": commit},
        {"GITHUB_SHA": "--help", "GITHUB_WORKSPACE": str(tree)},
    ):
        assert source(tree, environment).fetch(nothing).revision is None


def test_checkout_itself_is_believed_before_the_workflow(repo: Repo) -> None:
    """A workflow that checked out another commit than its own gets the commit that is there."""
    environment = {**_ENVIRONMENT, "GITHUB_SHA": "a" * 40, "GITHUB_WORKSPACE": str(repo.path)}
    assert source(repo.path, environment).fetch(nothing).revision == repo.head


def test_missing_git_and_unborn_branch_cost_only_the_revision(repo: Repo, tmp_path: Path) -> None:
    """Where git cannot tell the commit, the files are delivered all the same."""
    assert source(repo.path, {"PATH": str(tmp_path / "none")}).fetch(nothing).revision is None
    unborn = Repo.create(tmp_path / "unborn")
    unborn.write({"x": "y"})
    fetched = source(unborn.path).fetch(nothing)
    assert (fetched.revision, len(fetched.files)) == (None, 1)


def test_programs_that_a_checkout_names_are_not_run(repo: Repo, tmp_path: Path) -> None:
    """A checkout may come from anybody: its configured monitors, filters and hooks stay unused."""
    sign = tmp_path / "sign"
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\ntouch {sign}\ncat\n")
    script.chmod(0o755)
    repo.git("config", "core.fsmonitor", str(script))
    repo.git("config", "filter.x.clean", str(script))
    repo.git("config", "core.pager", str(script))
    repo.git("config", "core.hooksPath", str(tmp_path))
    (repo.path / ".git" / "info").mkdir(exist_ok=True)
    (repo.path / ".git" / "info" / "attributes").write_text("* filter=x\n")
    (repo.path / "b.txt").write_text("other\n")
    assert source(repo.path).fetch(nothing).revision == f"{repo.head}-dirty"
    assert not sign.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a checkout away")
def test_checkout_of_another_user(repo: Repo) -> None:
    """In a container the checkout often belongs to another user; reading its commit is fine."""
    for path in (repo.path, *repo.path.rglob("*")):
        os.chown(path, 12345, 12345)
    assert source(repo.path).fetch(nothing).revision is not None


# Never back in time


def test_descendant_is_no_rewind(repo: Repo) -> None:
    """With the history here, older published commits and a dirty one of the same are fine."""
    first = repo.git("rev-parse", "HEAD~1")
    fetched = source(repo.path, url=_URL).fetch(lambda: public(first, f"{repo.head}-dirty"))
    assert fetched.rewinds == ()
    assert fetched.findings == ()


def test_older_checkout_is_a_rewind(repo: Repo) -> None:
    """A workflow run again on an old commit does not go unseen."""
    new = repo.head
    repo.git("checkout", "--quiet", "HEAD~1")
    fetched = source(repo.path, url=_URL).fetch(lambda: public(new))
    assert fetched.rewinds == (new,)
    assert fetched.findings == ()


@pytest.mark.parametrize("kind", ["shallow", "no git"])
def test_unknown_history_is_taken_for_a_rewind_and_said(repo: Repo, tmp_path: Path, kind: str) -> None:
    """Without history nobody knows that this is newer; the finding says how to get the history."""
    first, head = repo.git("rev-parse", "HEAD~1"), repo.head
    clone = tmp_path / "clone"
    environment = {**_ENVIRONMENT, "GITHUB_SHA": head, "GITHUB_WORKSPACE": str(clone)}
    repo.git("clone", "--quiet", "--depth=1", repo.url, str(clone))
    if kind == "no git":
        shutil.rmtree(clone / ".git")
    fetched = source(clone, environment, url=_URL).fetch(lambda: public(first))
    assert fetched.revision == head
    assert fetched.rewinds == (first,)
    assert [(f.key, f.rule) for f in fetched.findings] == [("", "source.history-unknown")]
    assert "fetch-depth: 0" in fetched.findings[0].advice


def test_without_url_nothing_is_compared(repo: Repo) -> None:
    """A directory that does not say whose checkout it is has no ancestors to keep to."""
    assert source(repo.path).fetch(lambda: public("1" * 40)).rewinds == ()
