"""The git source against real repositories, served through file:// and by git's own HTTP backend."""

import hashlib
import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from hubdata.errors import SourceError
from hubdata.transfer.spool import Spool
from tests.support.git_source import TOKEN, contents, never, nothing, source
from tests.support.ports import own_port
from tests.support.real import SEC_LISTS, needs_real
from tests.support.repos import Repo, serve_http, silent_server

# What is fetched


def test_files_of_a_branch_with_their_origin(repo: Repo, workspace: Path) -> None:
    """Every file comes with its bytes, sorted by key, and says which commit it is of; dot files and empty ones too."""
    fetched = source(repo.url, workspace).fetch(nothing)
    assert contents(fetched) == {
        ".github/x.yml": b"on: push\n",
        "a/list.txt": b"192.0.2.0/24\n",
        "b.txt": b"two\n",
        "empty": b"",
    }
    assert [file.key for file in fetched.files] == [".github/x.yml", "a/list.txt", "b.txt", "empty"]
    assert [file.size for file in fetched.files] == [9, 13, 4, 0]
    assert fetched.revision == repo.head
    assert (fetched.findings, fetched.rewinds, fetched.kept) == ((), (), ())
    origin = {"type": "git", "url": repo.url, "ref": "master", "revision": repo.head}
    assert all(file.source == origin for file in fetched.files)


def test_fetched_names_are_never_paths(repo: Repo, workspace: Path) -> None:
    """Blobs lie under numbers, all inside the workspace, whatever upstream calls them."""
    for file in source(repo.url, workspace).fetch(nothing).files:
        assert file.path.name.isdecimal()
        assert file.path.parent.parent == workspace


@needs_real
def test_real_tree_comes_back_byte_for_byte(tmp_path: Path, workspace: Path) -> None:
    """All files of the real data tree survive the way through git unchanged."""
    repo = Repo.of_tree(tmp_path / "upstream", SEC_LISTS)
    fetched = source(repo.url, workspace).fetch(nothing)
    expected = {
        str(path.relative_to(SEC_LISTS)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in SEC_LISTS.rglob("*")
        if path.is_file()
    }
    assert {key: hashlib.sha256(body).hexdigest() for key, body in contents(fetched).items()} == expected
    assert fetched.findings == ()


def test_executable_and_shared_content_are_fine(repo: Repo, workspace: Path) -> None:
    """The executable bit means nothing here, and two names of the same bytes are both delivered."""
    (repo.path / "b.txt").chmod(0o755)
    repo.commit({"copy.txt": "two\n"})
    fetched = source(repo.url, workspace).fetch(nothing)
    assert contents(fetched)["b.txt"] == contents(fetched)["copy.txt"] == b"two\n"
    assert fetched.findings == ()


def test_large_blob_streams_whole(repo: Repo, workspace: Path) -> None:
    """A blob of many chunks, in which line feeds and headers appear, keeps its bytes."""
    body = (b"0" * 40 + b" blob 5\n") * 60_000
    repo.commit({"large": body})
    assert contents(source(repo.url, workspace).fetch(nothing))["large"] == body


@pytest.mark.parametrize("ref", ["v1", "refs/tags/v1", "light", "refs/heads/master", "HEAD", "COMMIT", "feature/x-1"])
def test_refs_of_every_kind(repo: Repo, workspace: Path, ref: str) -> None:
    """Annotated and light tags, branches, HEAD, full names and full commit ids all lead to the commit itself."""
    repo.git("tag", "--annotate", "v1", "-m", "one")
    repo.git("tag", "light")
    repo.git("branch", "feature/x-1")
    fetched = source(repo.url, workspace, ref=repo.head if ref == "COMMIT" else ref).fetch(nothing)
    assert fetched.revision == repo.head
    assert len(fetched.files) == 4


def test_branch_wins_over_tag_of_the_same_name(repo: Repo, workspace: Path) -> None:
    """Who may push tags but not the branch cannot put a tag in its place."""
    good = repo.head
    repo.git("checkout", "--quiet", "--detach")
    evil = repo.commit({"b.txt": "0.0.0.0/0\n"})
    repo.git("tag", "master", evil)
    assert source(repo.url, workspace).fetch(nothing).revision == good


def test_same_source_can_be_fetched_again(repo: Repo, workspace: Path) -> None:
    """A second fetch in the same workspace sees what is new."""
    upstream = source(repo.url, workspace)
    upstream.fetch(nothing)
    repo.commit({"b.txt": "three\n"})
    assert contents(upstream.fetch(nothing))["b.txt"] == b"three\n"


def test_http_server_without_credentials(repo: Repo, workspace: Path) -> None:
    """The same repository through git's HTTP backend gives the same files."""
    with serve_http(repo.path.parent) as server:
        fetched = source(server.url("upstream/.git"), workspace).fetch(nothing)
    assert fetched.revision == repo.head
    assert len(fetched.files) == 4


# What is refused, entry by entry


def test_link_is_a_finding(repo: Repo, workspace: Path) -> None:
    """A symbolic link is refused by name; the files beside it are delivered."""
    (repo.path / "passwd").symlink_to("/etc/passwd")
    repo.commit()
    fetched = source(repo.url, workspace).fetch(nothing)
    assert [(f.key, f.rule) for f in fetched.findings] == [("passwd", "source.link")]
    assert len(fetched.files) == 4


def test_submodule_is_a_finding(repo: Repo, workspace: Path) -> None:
    """A submodule is refused by name, and nobody asks the repository it points to."""
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{repo.head},vendor")
    repo.write({".gitmodules": f'[submodule "vendor"]\n\tpath = vendor\n\turl = http://127.0.0.1:{own_port()}/x\n'})
    repo.git("add", ".gitmodules")
    repo.git("commit", "--quiet", "-m", "submodule")
    fetched = source(repo.url, workspace).fetch(nothing)
    assert [(f.key, f.rule) for f in fetched.findings] == [("vendor", "source.submodule")]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"caf\xe9.txt", "caf\\xe9.txt"),
        (b"..", "../b.txt"),
        (b".", "./b.txt"),
        (b".git", ".git/b.txt"),
        (b"a\nb", "a\\nb"),
        (b"a\\b", "a\\b"),
        (b"manifest.json", "manifest.json"),
        (b".hubdata", ".hubdata/b.txt"),
    ],
)
def test_hostile_name_is_a_finding(repo: Repo, workspace: Path, name: bytes, shown: str) -> None:
    """Names that would leave the target, or overwrite hubdata's own, are refused; nothing is written under them."""
    blob = repo.blob(b"hostile\n")
    good = ("100644", b"z.txt", blob)
    if "/" in shown:
        inner = repo.git(
            "hash-object", "--literally", "-t", "tree", "-w", "--stdin", stdin=b"100644 b.txt\0" + bytes.fromhex(blob)
        )
        repo.commit_tree(("40000", name, inner), good)
    else:
        repo.commit_tree(("100644", name, blob), good)
    fetched = source(repo.url, workspace).fetch(nothing)
    if name == b".git":  # a fine key: it only means something to a checkout, and there is none
        assert [file.key for file in fetched.files] == [".git/b.txt", "z.txt"]
        return
    assert [(f.key, f.rule) for f in fetched.findings] == [(shown, "source.unsafe-name")]
    assert [file.key for file in fetched.files] == ["z.txt"]


def test_duplicate_names_stop_the_source(repo: Repo, workspace: Path) -> None:
    """A tree that names a file twice is no tree: which of the two was reviewed cannot be known."""
    repo.commit_tree(("100644", b"a", repo.blob(b"one")), ("100644", b"a", repo.blob(b"two")))
    with pytest.raises(SourceError, match="not a sound repository"):
        source(repo.url, workspace).fetch(never)


# What is refused as a whole


@pytest.mark.parametrize(
    "url",
    [
        "--upload-pack=touch /tmp/x",
        "-oProxyCommand=x:y",
        "ext::sh -c touch% /tmp/x",
        "ssh://-oProxyCommand=x/y",
        "git://example.net/x",
        "http://example.net/x",
        "ftp://example.net/x",
        "/srv/git/x",
        "../x",
        "file://host/x",
        "file:relative",
        "https:x",
        "git@-oProxyCommand=x:y",
        "https:///x",
        "https://example.net:port/x",
        "https://example.net/x\n--upload-pack=y",
        "https://example.net/x?private_token=" + TOKEN,
        "https://" + TOKEN + "@example.net/x",
        "https://user:" + TOKEN + "@example.net/x",
        "ssh://git:" + TOKEN + "@example.net/x",
        "",
    ],
)
def test_url_that_is_no_plain_address_is_refused(url: str, workspace: Path) -> None:
    """Options, other transports, plain http and credentials do not get as far as git; no message repeats them."""
    with pytest.raises(ValidationError) as caught:
        source(url, workspace)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["https://example.net/x.git", "ssh://git@example.net:22/x", "git@example.net:x/y.git", "http://127.0.0.1:80/x"],
)
def test_urls_that_are_spoken(url: str, workspace: Path) -> None:
    """https, ssh in both spellings, and http to this machine are fine."""
    source(url, workspace)


@pytest.mark.parametrize(
    "ref",
    ["--upload-pack=x", "-x", "+master", "a:b", "a b", "a..b", "a~1", "a^", "refs/heads/*", "@", "x.lock", "/a", ""],
)
def test_ref_that_is_no_name_is_refused(ref: str, workspace: Path) -> None:
    """Options, refspecs and expressions do not get as far as git."""
    with pytest.raises(ValidationError):
        source("https://example.net/x", workspace, ref=ref)


def test_unknown_option_is_refused(workspace: Path) -> None:
    """A misspelt key is an error, not a default."""
    with pytest.raises(ValidationError, match="branch"):
        source("https://example.net/x", workspace, branch="master")


def test_missing_ref_names_the_branches_there_are(repo: Repo, workspace: Path) -> None:
    """A wrong branch is told with the right ones."""
    with pytest.raises(SourceError, match="no branch or tag 'main'") as caught:
        source(repo.url, workspace, ref="main").fetch(never)
    assert "branches: master" in caught.value.advice
    assert not caught.value.retryable


def test_empty_repository(tmp_path: Path, workspace: Path) -> None:
    """A repository without a commit is told apart from a wrong branch."""
    with pytest.raises(SourceError, match="the repository is empty"):
        source(Repo.create(tmp_path / "upstream").url, workspace).fetch(never)


def test_commit_without_files(tmp_path: Path, workspace: Path) -> None:
    """An upstream that lost all its files stops; it never empties a list."""
    repo = Repo.create(tmp_path / "upstream")
    repo.commit()
    with pytest.raises(SourceError, match="holds no files"):
        source(repo.url, workspace).fetch(never)


def test_missing_repository(tmp_path: Path, workspace: Path) -> None:
    """A path, or an HTTP address, without a repository is said so, with what to check."""
    with pytest.raises(SourceError, match="no such repository") as caught:
        source((tmp_path / "none").as_uri(), workspace).fetch(never)
    assert "check the URL" in caught.value.advice
    with serve_http(tmp_path) as server, pytest.raises(SourceError, match="no such repository"):
        source(server.url("none"), workspace).fetch(never)


def test_unknown_commit(repo: Repo, workspace: Path) -> None:
    """A commit id that the host does not have is said so."""
    with pytest.raises(SourceError, match="does not have that commit"):
        source(repo.url, workspace, ref="1" * 40).fetch(never)


def test_unreachable_host_may_be_tried_again(workspace: Path) -> None:
    """Nobody listens: the error names the URL and may be retried."""
    url = f"http://127.0.0.1:{own_port()}/x"
    with pytest.raises(SourceError, match="cannot be reached") as caught:
        source(url, workspace).fetch(never)
    assert url in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.retryable


def test_silent_server_is_left_at_the_deadline(workspace: Path) -> None:
    """A host that accepts and says nothing costs the timeout, and no more."""
    with silent_server() as port, pytest.raises(SourceError, match=r"within 0\.5 s") as caught:
        source(f"http://127.0.0.1:{port}/x", workspace, timeout=0.5).fetch(never)
    assert caught.value.retryable


def test_missing_git_says_to_install_it(repo: Repo, workspace: Path, tmp_path: Path) -> None:
    """Without a git executable the message is one sentence and its remedy."""
    with pytest.raises(SourceError, match="git was not found") as caught:
        source(repo.url, workspace, {"PATH": str(tmp_path)}).fetch(never)
    assert "install git" in caught.value.advice


def test_files_beyond_max_bytes_stop_before_they_are_read(repo: Repo, workspace: Path) -> None:
    """Sizes are added up from the tree: highly compressible files do not get onto the disk."""
    repo.commit({"zeros": bytes(5_000_000)})
    with pytest.raises(SourceError, match="expected at most 1000000 bytes, found 50000"):
        source(repo.url, workspace, max_bytes=1_000_000).fetch(never)
    assert sum(path.stat().st_size for path in workspace.rglob("*") if path.is_file()) < 100_000


def test_pack_beyond_max_bytes_is_stopped(repo: Repo, workspace: Path) -> None:
    """A repository that does not compress is stopped as it arrives."""
    repo.commit({"noise": os.urandom(3_000_000)})
    with pytest.raises(SourceError, match="expected at most 1000000 bytes, found more"):
        source(repo.url, workspace, max_bytes=1_000_000).fetch(never)


def test_tree_of_a_billion_names_is_stopped(repo: Repo, workspace: Path) -> None:
    """A few hundred bytes of nested trees can name a billion files; counting stops at the limit."""
    blob = bytes.fromhex(repo.blob(b"x"))
    tree = b"".join(b"100644 %d\0" % i + blob for i in range(10))
    for _ in range(8):
        inner = bytes.fromhex(repo.git("hash-object", "-t", "tree", "-w", "--stdin", stdin=tree))
        tree = b"".join(b"40000 %d\0" % i + inner for i in range(10))
    repo.commit_tree(*(("40000", b"%d" % i, inner.hex()) for i in range(10)))
    with pytest.raises(SourceError, match="expected at most 200000 files"):
        source(repo.url, workspace).fetch(never)


def test_nothing_is_left_after_a_failure(repo: Repo, tmp_path: Path) -> None:
    """A failed fetch leaves no file behind once the spool is closed."""
    root = tmp_path / "root"
    repo.commit({"zeros": bytes(5_000_000)})
    with pytest.raises(SourceError), Spool.create(root) as spool:
        source(repo.url, spool.directory("git"), max_bytes=1000).fetch(never)
    assert list(root.iterdir()) == []
