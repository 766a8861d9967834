"""Real git repositories for tests: made by the git executable, the same commits on every machine.

Author, committer and dates are fixed, and no configuration but the repository's own is read, so a commit id depends on
the files alone.
"""

import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_EPOCH = 1_700_000_000


class Repo:
    """A repository with a work tree, its first branch called `master`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._commits = 0

    @classmethod
    def create(cls, path: Path) -> "Repo":
        """Return a new repository at `path`, without a commit. Hosts' usual extras are on: filters, any commit."""
        path.mkdir(parents=True, exist_ok=True)
        repo = cls(path)
        repo.git("init", "--quiet", "--initial-branch=master")
        repo.git("config", "uploadpack.allowFilter", "true")
        repo.git("config", "uploadpack.allowAnySHA1InWant", "true")
        repo.git("config", "gc.auto", "0")
        return repo

    @classmethod
    def of_tree(cls, path: Path, tree: Path) -> "Repo":
        """Return a new repository at `path` with one commit that holds the files of `tree`, packed as a host has it."""
        repo = cls.create(path)
        for source in sorted(tree.rglob("*")):
            if source.is_file():
                target = path / source.relative_to(tree)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
        repo.commit()
        repo.git("repack", "-adq")
        return repo

    @property
    def url(self) -> str:
        """Return the URL that git fetches from."""
        return self.path.as_uri()

    @property
    def head(self) -> str:
        """Return the id of the commit that is checked out."""
        return self.git("rev-parse", "HEAD")

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Write `files` into the work tree: path to content."""
        for name, content in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, files: Mapping[str, str | bytes] | None = None, *, message: str = "change") -> str:
        """Return the id of a new commit of the whole work tree, after writing `files`."""
        self.write(files or {})
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--allow-empty", "--no-verify", "-m", message)
        return self.head

    def raw_tree(self, *entries: tuple[str, bytes, str]) -> str:
        """Return the id of a tree made of raw entries: mode, name, object id.

        Names need not be valid: this is how a hostile repository is made.
        """
        raw = b"".join(f"{mode.lstrip('0')} ".encode() + name + b"\0" + bytes.fromhex(i) for mode, name, i in entries)
        return self.git("hash-object", "--literally", "-t", "tree", "-w", "--stdin", stdin=raw)

    def commit_tree(self, *entries: tuple[str, bytes, str], parent: str = "") -> str:
        """Return the id of a commit on master whose root is `raw_tree(*entries)`; without `parent` it is a root."""
        descent = ("-p", parent) if parent else ()
        commit = self.git("commit-tree", self.raw_tree(*entries), *descent, "-m", "raw")
        self.git("update-ref", "refs/heads/master", commit)
        return commit

    def blob(self, content: bytes) -> str:
        """Return the id of a new blob."""
        return self.git("hash-object", "-w", "--stdin", stdin=content)

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        """Return what git printed, stripped; every commit is a minute later than the one before."""
        self._commits += 1
        result = subprocess.run(
            ["git", "-C", str(self.path), *arguments],
            input=stdin,
            env=git_environment(_EPOCH + 60 * self._commits),
            capture_output=True,
            check=False,
            timeout=60,
        )
        if result.returncode:
            raise AssertionError(f"git {' '.join(arguments)}: {result.stderr.decode(errors='replace')}")
        return result.stdout.decode().strip()


def git_environment(now: int = _EPOCH) -> dict[str, str]:
    """Return an environment in which git reads no configuration and commits as nobody in particular, at `now`."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "Nobody",
        "GIT_AUTHOR_EMAIL": "nobody@example.net",
        "GIT_AUTHOR_DATE": f"{now} +0000",
        "GIT_COMMITTER_NAME": "Nobody",
        "GIT_COMMITTER_EMAIL": "nobody@example.net",
        "GIT_COMMITTER_DATE": f"{now} +0000",
    }


class GitHttp:
    """A running git server. `require` is the Authorization header it insists on; `seen` are those it was sent."""

    def __init__(self, root: Path, require: str | None, host: str) -> None:
        self.root = root
        self.host = f"[{host}]" if ":" in host else host
        self.require = require
        self.seen: list[str | None] = []
        self.port = 0

    def url(self, name: str) -> str:
        """Return the URL of the repository `name` below the root."""
        return f"http://{self.host}:{self.port}/{name}"


class _Server(ThreadingHTTPServer):
    """A server that knows what it serves."""

    daemon_threads = True

    def __init__(self, state: GitHttp, host: str, tls: ssl.SSLContext | None) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.state = state
        super().__init__((host, 0), _Handler)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True)


class _Handler(BaseHTTPRequestHandler):
    """Hand each request to git's own http-backend, as a web server does (RFC 3875), and its answer back."""

    server: _Server

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self._body())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep quiet."""

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _answer(self, body: bytes) -> None:
        state = self.server.state
        state.seen.append(self.headers.get("Authorization"))
        if state.require is not None and state.seen[-1] != state.require:
            self._say(401, [["WWW-Authenticate", 'Basic realm="git"']], b"")
            return
        argv = ["git", "http-backend"]
        env = self._environment(state.root, len(body))
        done = subprocess.run(argv, input=body, env=env, capture_output=True, check=False, timeout=30)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = [line.split(": ", 1) for line in head.decode().split("\r\n")]
        status = next((int(value.split()[0]) for name, value in fields if name == "Status"), 200)
        self._say(status, [field for field in fields if field[0] != "Status"], content)

    def _environment(self, root: Path, length: int) -> dict[str, str]:
        path, _, query = self.path.partition("?")
        return git_environment() | {
            "GIT_PROJECT_ROOT": str(root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(length),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_ADDR": "127.0.0.1",
        }

    def _say(self, status: int, fields: list[list[str]], content: bytes) -> None:
        self.send_response(status)
        for name, value in fields:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextlib.contextmanager
def serve_http(
    root: Path, *, require: str | None = None, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> Iterator[GitHttp]:
    """Give a server of all repositories below `root`, by git's own http-backend, at that address."""
    state = GitHttp(root, require, host)
    with _Server(state, host, tls) as server:
        state.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def silent_server() -> Iterator[int]:
    """Give the port of a server that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]
