"""Upstreams that cannot be read: the job says why and what to do, what is public stays, and other jobs go on."""

import os
import random
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.support.repos import git_environment, serve_http
from tests.support.small_world import GOOD, HTML, LISTS, NEW, OTHER, WORDS, SmallWorld, problem


@contextmanager
def listener(answer: bytes | None) -> Iterator[str]:
    """Give the URL of a socket that answers every connection with these bytes, or never."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken: list[socket.socket] = []

        def serve() -> None:
            while True:
                try:
                    one, _ = server.accept()
                except OSError:
                    return
                taken.append(one)
                if answer is not None:
                    one.recv(65_536)
                    one.sendall(answer)
                    one.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/repo.git"
        server.shutdown(socket.SHUT_RDWR)
        thread.join(60)  # else it might accept by a number that is another listener's by then
        for one in taken:
            one.close()


def _unreachable(small: SmallWorld) -> None:
    small.edit("jobs/lists.toml", small.repo.url, "https://127.0.0.1:1/repo.git")


def _unknown_host(small: SmallWorld) -> None:
    small.edit("jobs/lists.toml", small.repo.url, "https://no-such-host.invalid/repo.git")


def _absent(small: SmallWorld) -> None:
    shutil.rmtree(small.repo.path)


def _no_repository(small: SmallWorld) -> None:
    shutil.rmtree(small.repo.path / ".git")


def _no_such_ref(small: SmallWorld) -> None:
    small.edit("jobs/lists.toml", '"master"', '"mastre"')


def _no_commit(small: SmallWorld) -> None:
    shutil.rmtree(small.repo.path)
    small.repo.create(small.repo.path)


def _no_file(small: SmallWorld) -> None:
    small.repo.git("rm", "-rq", "--", ".")
    small.repo.commit()


def _damaged(small: SmallWorld) -> None:
    for path in (small.repo.path / ".git/objects").rglob("*"):
        if path.is_file():
            path.chmod(0o644)
            path.write_bytes(b"rotten" + path.read_bytes()[6:])


def _more_than_allowed(small: SmallWorld) -> None:
    small.edit("jobs/lists.toml", "timeout = 20", "max_bytes = 65536")
    small.repo.commit({"blob.bin": os.urandom(1 << 20)})


def _more_files_than_allowed(small: SmallWorld) -> None:
    small.edit("jobs/lists.toml", "timeout = 20", "max_files = 2")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        pytest.param(_unreachable, ("127.0.0.1:1", "reach"), id="unreachable host"),
        pytest.param(_unknown_host, ("no-such-host.invalid", "reach"), id="unknown host"),
        pytest.param(_absent, ("no such repository", "check the URL"), id="no directory"),
        pytest.param(_no_repository, ("no such repository", "check the URL"), id="no repository"),
        pytest.param(_no_such_ref, ("mastre",), id="no such ref"),
        pytest.param(_no_commit, ("the repository is empty",), id="empty repository"),
        pytest.param(_no_file, ("holds no files",), id="empty commit"),
        pytest.param(_damaged, ("file://",), id="damaged objects"),
        pytest.param(_more_than_allowed, ("65536", "max_bytes"), id="more than allowed"),
        pytest.param(_more_files_than_allowed, ("2 files", "max_files"), id="more files than allowed"),
    ],
)
def test_a_repository_that_cannot_be_read(
    small: SmallWorld, damage: Callable[[SmallWorld], None], words: tuple[str, ...]
) -> None:
    """Its job fails with 5 and says what to do; what it published stays, and the other job goes on."""
    before = small.untouched()
    damage(small)
    small.write("data/words/new.txt", "/new-probe\n")
    ended = small.sync()
    problem(ended, "lists", 5, *words)
    assert ended.job("lists")["outcome"] == "failed"
    assert ended.job("words")["outcome"] == "published"
    after = small.untouched()
    assert [key for key in (GOOD, OTHER, WORDS) if after[key] != before[key]] == []
    assert small.left_over() == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 64\r\n\r\n" + HTML, (), id="HTML"),
        pytest.param(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", ("503",), id="503"),
        pytest.param(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", ("no such repository", "token_env"), id="404"),
        pytest.param(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", ("credentials", "token_env"), id="401"),
        pytest.param(
            b"HTTP/1.1 301 M\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n",
            ("redirect",),
            id="redirect",
        ),
        pytest.param(b"", (), id="hangs up"),
        pytest.param(random.Random(1).randbytes(64), (), id="noise"),
        pytest.param(None, ("2 s", "timeout"), id="silence"),
    ],
)
def test_a_git_host_that_misbehaves(small: SmallWorld, answer: bytes | None, words: tuple[str, ...]) -> None:
    """Whatever answers in a git host's place, or does not, the job fails with 5 in time, and nothing is written."""
    before = small.untouched()
    with listener(answer) as url:
        small.edit("jobs/lists.toml", small.repo.url, url)
        if answer is None:
            small.edit("jobs/lists.toml", "timeout = 20", "timeout = 2")
        ended = small.sync()
    problem(ended, "lists", 5, "127.0.0.1", *words)
    assert small.untouched() == before


def test_no_git_on_the_path(small: SmallWorld) -> None:
    """Without git the git job says so; the directory job needs none."""
    small.write("data/words/new.txt", "/new-probe\n")
    (small.root / "bin").mkdir()
    (small.root / "bin/timeout").symlink_to(shutil.which("timeout") or "")
    ended = small.sync(env={"PATH": str(small.root / "bin")})
    problem(ended, "lists", 5, "git was not found", "install git")
    assert ended.job("words")["outcome"] == "published"


def test_a_checkout_that_is_not_there(small: SmallWorld) -> None:
    """A wrong --checkout is told with its path, once, and where to look."""
    ended = small.sync("--checkout", f"{small.repo.url}=gone")
    problem(ended, "lists", 5, "world/gone", "--checkout")
    assert ended.job("lists")["problem"]["message"].count("world/gone") == 1


def test_a_checkout_without_its_history_is_told(small: SmallWorld) -> None:
    """A shallow checkout cannot show that it descends from what is public: it says so, and its changes are held."""
    small.repo.commit({GOOD: NEW})
    clone = ["git", "clone", "-q", "--depth=1", small.repo.url, str(small.root / "shallow")]
    subprocess.run(clone, check=True, env=git_environment())
    ended = small.sync("--checkout", f"{small.repo.url}=shallow")
    assert ended.code == 4
    (told,) = [f for f in ended.job("lists")["findings"] if f["rule"] == "source.history-unknown"]
    assert told["key"] == ""
    assert "fetch-depth: 0" in told["advice"]
    assert small.public()[GOOD] == LISTS[GOOD]


def test_a_token_that_the_host_does_not_know(small: SmallWorld) -> None:
    """A wrong token ends with a line that says what to check and never holds the token."""
    with serve_http(small.root, require="Bearer right") as host:
        small.edit("jobs/lists.toml", small.repo.url, host.url("upstream"))
        small.edit("jobs/lists.toml", "timeout = 20", 'token_env = "TOKEN"')
        problem(small.sync(), "lists", 2, "TOKEN")
        ended = small.sync(env={"TOKEN": "sentinel-wrong-token"})
        problem(ended, "lists", 5, "credentials")
        assert "sentinel-wrong-token" not in ended.stdout + ended.stderr
