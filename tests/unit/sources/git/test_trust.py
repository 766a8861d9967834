"""Whose word the git source takes: no configuration but its own, no token but its host's, no history that went back."""

import base64
import os
import subprocess
from pathlib import Path

import pytest
from pydantic import ValidationError

from hubdata.errors import ConfigError, SourceError
from tests.support.git_source import TOKEN, contents, never, nothing, public, source
from tests.support.repos import Repo, serve_http

# Whose word counts


def test_configuration_of_the_user_and_hooks_are_not_obeyed(
    repo: Repo, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither ~/.gitconfig, nor GIT_* variables, nor hooks change what is fetched or run anything."""
    home, sign = tmp_path / "home", tmp_path / "sign"
    hooks = home / "templates" / "hooks"
    hooks.mkdir(parents=True)
    for name in ("post-checkout", "reference-transaction", "post-merge", "pre-auto-gc"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {sign}\n")
        (hooks / name).chmod(0o755)
    (home / ".gitconfig").write_text(
        f"[init]\n\ttemplateDir = {home}/templates\n[core]\n\thooksPath = {hooks}\n"
        f'[url "file:///nowhere"]\n\tinsteadOf = {repo.url}\n[uploadpack]\n\tpackObjectsHook = "touch {sign}; false"\n'
    )
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("GIT_SSH_COMMAND", f"touch {sign}")
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", f"'url.file:///nowhere.insteadof={repo.url}'")
    assert len(source(repo.url, workspace).fetch(nothing).files) == 4
    assert not sign.exists()


def test_redirect_is_not_followed(repo: Repo, workspace: Path) -> None:
    """A moved repository stops with advice: its old name may belong to somebody else by now."""
    from http.server import BaseHTTPRequestHandler, HTTPServer
    from threading import Thread

    with serve_http(repo.path.parent) as server:

        class Moved(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(301)
                self.send_header("Location", server.url("upstream/.git") + self.path.removeprefix("/old"))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Keep quiet."""

        with HTTPServer(("127.0.0.1", 0), Moved) as moved:
            thread = Thread(target=moved.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            try:
                with pytest.raises(SourceError, match="redirect, which is not followed"):
                    source(f"http://127.0.0.1:{moved.server_port}/old", workspace).fetch(never)
            finally:
                moved.shutdown()
                thread.join()
        assert server.seen == []


# Secrets


@pytest.mark.parametrize(
    ("value", "header"),
    [
        (TOKEN, "Basic " + base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()),
        (f"me:{TOKEN}", "Basic " + base64.b64encode(f"me:{TOKEN}".encode()).decode()),
        (f"Bearer {TOKEN}", f"Bearer {TOKEN}"),
    ],
)
def test_token_reaches_the_host_and_nothing_else(repo: Repo, workspace: Path, value: str, header: str) -> None:
    """A private repository is read with the token, which is neither in the provenance nor on disk."""
    environment = {**os.environ, "LISTS_TOKEN": value}
    with serve_http(repo.path.parent, require=header) as server:
        fetched = source(server.url("upstream/.git"), workspace, environment, token_env="LISTS_TOKEN").fetch(nothing)
    assert fetched.revision == repo.head
    assert TOKEN not in repr(fetched)
    for path in workspace.rglob("*"):
        assert not path.is_file() or TOKEN.encode() not in path.read_bytes()


def test_token_may_be_in_a_file(repo: Repo, workspace: Path, tmp_path: Path) -> None:
    """A mounted secret is read from the file that NAME_FILE names."""
    (tmp_path / "token").write_text(f"Bearer {TOKEN}\n")
    environment = {"PATH": os.environ["PATH"], "LISTS_TOKEN_FILE": str(tmp_path / "token")}
    with serve_http(repo.path.parent, require=f"Bearer {TOKEN}") as server:
        assert source(server.url("upstream/.git"), workspace, environment, token_env="LISTS_TOKEN").fetch(nothing)


def test_refused_token_is_in_no_message(repo: Repo, workspace: Path) -> None:
    """A wrong token gives an authentication error that holds neither it nor its encoded form."""
    environment = {**os.environ, "LISTS_TOKEN": TOKEN}
    with (
        serve_http(repo.path.parent, require="Bearer another") as server,
        pytest.raises(SourceError, match="did not accept the credentials") as caught,
    ):
        source(server.url("upstream/.git"), workspace, environment, token_env="LISTS_TOKEN").fetch(never)
    encoded = base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()
    for text in (str(caught.value), caught.value.advice, repr(caught.value.__cause__)):
        assert TOKEN not in text
        assert encoded not in text


def test_token_that_the_host_repeats_is_taken_out(workspace: Path, tmp_path: Path) -> None:
    """Even a git that prints its own configuration does not get the token into a message."""
    fake = tmp_path / "bin" / "git"
    fake.parent.mkdir()
    fake.write_text('#!/bin/sh\necho "fatal: sent $GIT_CONFIG_VALUE_0 to $TOKEN_SEEN host" >&2\nexit 128\n')
    fake.chmod(0o755)
    environment = {"PATH": f"{fake.parent}:{os.environ['PATH']}", "LISTS_TOKEN": TOKEN}
    with pytest.raises(SourceError, match=r"sent \*\*\*|Authorization: \*\*\*") as caught:
        source("https://example.net/x", workspace, environment, token_env="LISTS_TOKEN").fetch(never)
    assert base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode() not in str(caught.value)


def test_missing_token_is_a_config_error(workspace: Path) -> None:
    """A job that names a token variable does not go on without it."""
    with pytest.raises(ConfigError, match="LISTS_TOKEN"):
        source("https://example.net/x", workspace, {}, token_env="LISTS_TOKEN").fetch(never)


@pytest.mark.parametrize("token", ["ghp_sentinelSentinel0", "sentinel-token", "github_pat_sentinel"])
def test_token_in_place_of_its_name_is_refused(workspace: Path, token: str) -> None:
    """Who writes the token itself into the job is told so, and the token is not repeated."""
    with pytest.raises(ValidationError, match="token_env") as caught:
        source("https://example.net/x", workspace, token_env=token)
    assert token not in str(caught.value)


def test_token_for_ssh_is_refused(workspace: Path) -> None:
    """A token means nothing to ssh, so naming one there is a mistake."""
    with pytest.raises(ValidationError, match="token_env"):
        source("ssh://git@example.net/x", workspace, token_env="LISTS_TOKEN")


# Never back in time


def test_descendant_of_what_is_public_is_no_rewind(repo: Repo, workspace: Path) -> None:
    """Newer commits of the same branch follow from older ones, however many lie between."""
    old = repo.head
    for i in range(4):
        repo.commit({"b.txt": f"{i}\n"})
    fetched = source(repo.url, workspace).fetch(lambda: public(repo.url, old, repo.head))
    assert fetched.rewinds == ()


@pytest.mark.parametrize("filters", ["true", "false"])
def test_force_push_is_a_rewind(repo: Repo, workspace: Path, filters: str) -> None:
    """A published commit that the branch no longer holds is named, on hosts with and without partial fetches."""
    repo.git("config", "uploadpack.allowFilter", filters)
    base = repo.head
    lost = repo.commit({"b.txt": "lost\n"})
    repo.git("reset", "--quiet", "--hard", base)
    repo.commit({"b.txt": "rewritten\n"})
    fetched = source(repo.url, workspace).fetch(lambda: public(repo.url, base, lost))
    assert fetched.rewinds == (lost,)
    assert contents(fetched)["b.txt"] == b"rewritten\n"


def test_force_push_is_seen_over_http(repo: Repo, workspace: Path) -> None:
    """The same through a smart HTTP host."""
    base = repo.head
    lost = repo.commit({"b.txt": "lost\n"})
    repo.git("reset", "--quiet", "--hard", base)
    with serve_http(repo.path.parent) as server:
        url = server.url("upstream/.git")
        assert source(url, workspace).fetch(lambda: public(url, lost)).rewinds == (lost,)


def test_older_commit_is_a_rewind(repo: Repo, workspace: Path) -> None:
    """A job that names an older commit than the published one goes back in time."""
    old = repo.head
    new = repo.commit({"b.txt": "new\n"})
    assert source(repo.url, workspace, ref=old).fetch(lambda: public(repo.url, new)).rewinds == (new,)


def test_history_leaves_files_out_where_the_host_can(repo: Repo, workspace: Path) -> None:
    """Years of large files are not downloaded to learn how commits descend."""
    old = repo.commit({"noise": os.urandom(2_000_000)})
    repo.commit({"noise": "small now\n"})
    assert source(repo.url, workspace).fetch(lambda: public(repo.url, old)).rewinds == ()
    assert sum(path.stat().st_size for path in workspace.rglob("*") if path.is_file()) < 200_000


def test_history_is_not_fetched_when_nothing_else_is_public(repo: Repo, workspace: Path) -> None:
    """The same revision, another repository's, or files without one ask for no history."""
    others = {**public("https://example.net/other", "1" * 40), "x": {"type": "maxmind"}, "y": {"url": repo.url}}
    source(repo.url, workspace).fetch(lambda: {**public(repo.url, repo.head), **others})
    assert sorted(path.name for path in workspace.iterdir()) == ["files", "repository"]


def test_spelling_of_the_url_does_not_hide_a_rewind(repo: Repo, workspace: Path) -> None:
    """A final slash or `.git` is the same repository."""
    gone = "1" * 40
    assert source(repo.url, workspace).fetch(lambda: public(repo.url + "/", gone)).rewinds == (gone,)


def test_revision_from_a_manifest_is_never_an_argument(repo: Repo, workspace: Path) -> None:
    """A manifest may say anything: what is no commit of this history is a rewind, not a command."""
    hostile = "--output=/tmp/hubdata-hostile"
    assert source(repo.url, workspace).fetch(lambda: public(repo.url, hostile)).rewinds == (hostile,)


def test_fixture_upstream_is_what_git_says_it_is(repo: Repo) -> None:
    """The helpers make sound repositories, with the same commit ids everywhere."""
    done = subprocess.run(["git", "-C", str(repo.path), "fsck", "--strict"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
