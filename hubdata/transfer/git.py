"""Run the git executable so that nothing but its arguments decides what it does.

A git that obeys the machine's configuration, asks for passwords, follows redirects or runs hooks is a way in for
whoever controls any of these. Here it has no configuration but the repository's own, no terminal, no credential helper,
and one transport: the one the URL names. What it says on failure becomes one line, with every secret taken out.
"""

import base64
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from hubdata.errors import SourceError
from hubdata.model.snapshot import Provenance
from hubdata.transfer import process
from hubdata.transfer.deadline import Deadline
from hubdata.transfer.secrets import Secret
from hubdata.values import frozen

DIRTY = "-dirty"
"""Marks the revision of a checkout whose files are not those of its commit."""

_SCP = re.compile(r"(?:[\w.+-]+@)?(?!(?:https?|ssh|git|file|ftps?):)[A-Za-z0-9][\w.-]*:[^\s:\\]+", re.ASCII)
# ssh's short form, git@host:path
_DRIVE = re.compile(r"[A-Za-z]:[/\\]")
_REF = re.compile(r"[A-Za-z0-9_.+@/#-]+")
_OBJECT_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_HTTP_USER = "x-access-token"  # what GitHub calls it; other hosts accept any user name beside a token
_INHERITED = (
    "PATH", "TMPDIR", "SSH_AUTH_SOCK",
    "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY",
    "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "SSL_CERT_FILE", "SSL_CERT_DIR",
)  # fmt: skip
_SSH = "ssh -o BatchMode=yes -o ConnectTimeout=20 -o ForwardAgent=no"


def is_object_id(ref: str) -> bool:
    """Tell whether `ref` is a full object id, SHA-1 or SHA-256."""
    return _OBJECT_ID.fullmatch(ref) is not None


def ref_problem(ref: str) -> str | None:
    """Return why `ref` cannot name a branch, tag or commit, or None (git-check-ref-format, and no options)."""
    if not _REF.fullmatch(ref) or ref.startswith(("-", "+")):
        return "expected a branch, a tag, a full ref name or a full commit id"
    if ".." in ref or "@{" in ref or ref == "@" or ref.endswith((".", "/")):
        return "git does not allow such a name"
    if any(not part or part.startswith(".") or part.endswith(".lock") for part in ref.split("/")):
        return "git does not allow such a name"
    return None


def url_problem(url: str) -> str | None:
    """Return why hubdata does not fetch from `url`, or None. The answer never repeats the URL: it may hold a secret."""
    if not url or not url.isprintable() or " " in url or "\\" in url or url.startswith("-"):
        return "expected https://HOST/PATH, ssh://HOST/PATH or file:///PATH"
    if "://" not in url:
        if _DRIVE.match(url):
            return "this is a path of Windows; a repository on this machine is file:///PATH"
        if _SCP.fullmatch(url):
            return None
        return "expected https://HOST/PATH, ssh://HOST/PATH or file:///PATH"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "the host or port cannot be read"
    if parts.scheme not in ("https", "ssh", "file", "http"):
        return "only https, ssh and file are spoken (and http to this machine)"
    if parts.query or parts.fragment:
        return "a repository's URL has no query or fragment; give a token by `token_env`"
    if parts.password is not None or (parts.username is not None and parts.scheme != "ssh"):
        return "it holds credentials, which end up in logs and in the manifest; give a token by `token_env`"
    if parts.scheme == "file":
        return None if not host and parts.path.startswith("/") else "expected file:///ABSOLUTE/PATH"
    if not host or host.startswith("-"):
        return "it names no host"
    if parts.scheme == "http" and not _is_loopback(host):
        return "over plain http anybody on the way can change the data unseen; use https"
    return None


def same_repository(one: str, other: str) -> bool:
    """Tell whether two URLs are spellings of the same: a final slash and `.git` do not count."""
    return _plain(one) == _plain(other)


def revisions_to_descend_from(published: Iterable[Provenance], url: str, revision: str) -> tuple[str, ...]:
    """Return the published revisions of the repository at `url` other than `revision`, each once, sorted."""
    held = {
        origin["revision"].removesuffix(DIRTY)
        for origin in published
        if origin.get("revision") and same_repository(origin.get("url", ""), url)
    }
    return tuple(sorted(held - {revision}))


@frozen
class Git:
    """The git executable, bound to one repository and one deadline.

    `url` is the upstream it may talk to, and is named in messages; empty: no transport at all. `environment` is where
    PATH and proxies come from, normally the process's own.
    """

    directory: Path
    url: str
    deadline: Deadline
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    token: Secret | None = None

    def run(
        self,
        *arguments: str,
        stdin: bytes = b"",
        max_stdout: int = 1 << 20,
        consume: Callable[[bytes], None] | None = None,
        watch: Callable[[], bool] | None = None,
    ) -> process.Result:
        """Return how `git ARGUMENTS` ended, in the repository's directory.

        Raises SourceError when there is no git, or when the deadline passes.
        """
        result = process.run(
            ["git", "-c", "safe.directory=*", *arguments],
            env=self._env(),
            timeout=timedelta(seconds=self.deadline.remaining_s),
            cwd=self.directory,
            stdin=stdin,
            max_stdout=max_stdout,
            consume=consume,
            watch=watch,
        )
        if result.ending is process.Ending.MISSING:
            raise SourceError("git was not found on the PATH", advice="install git (2.30 or later) where hubdata runs")
        if result.ending is process.Ending.TIMED_OUT:
            raise SourceError(
                f"{self.name}: expected an answer within {self.deadline.budget.total_seconds():g} s, git is not done",
                advice="see whether the host is up and reachable; a large repository may need a longer `timeout`",
                retryable=True,
            )
        return result

    @property
    def name(self) -> str:
        """Return what messages call this repository."""
        return f"git {self.url}" if self.url else f"git in {self.directory}"

    def error(self, result: process.Result) -> SourceError:
        """Return the error that explains a `result` that is not ok."""
        said = self._one_line(result.stderr)
        from hubdata.transfer.git_messages import explain  # wanted only when git has failed

        meaning = explain(said.replace(self.url, "URL") if self.url else said)
        if meaning is not None:
            return SourceError(
                f"{self.name}: {meaning.message} (git: {said})", advice=meaning.advice, retryable=meaning.retryable
            )
        return SourceError(
            f"{self.name}: git ended with code {result.code} ({said or 'and said nothing'})",
            advice="run the same fetch by hand to see more: git ls-remote URL",
        )

    def _env(self) -> dict[str, str]:
        kept = {name: self.environment[name] for name in _INHERITED if name in self.environment}
        kept |= {
            "LC_ALL": "C",
            "HOME": os.devnull,  # neither .netrc nor attributes nor ignore files of a user
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_SSH_COMMAND": _SSH,
            "GIT_ALLOW_PROTOCOL": _scheme(self.url),
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
        }
        if self.token is not None:
            # The environment of a process is readable by its own user only; an argument is by everybody.
            kept |= {
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": f"http.{self.url}.extraHeader",
                "GIT_CONFIG_VALUE_0": f"Authorization: {_authorization(self.token)}",
            }
        return kept

    def _one_line(self, stderr: str) -> str:
        text = stderr
        if self.token is not None:
            value = self.token.reveal()
            for secret in (_authorization(self.token), _authorization(self.token).partition(" ")[2], value):
                text = text.replace(secret, "***")
        lines = [" ".join(_printable(line).split()) for line in text.splitlines()]
        telling = [line for line in lines if line.startswith(("fatal:", "error:", "remote: fatal", "ERROR:"))]
        return "; ".join((telling or [line for line in lines if line])[-3:])[:600]


def _authorization(token: Secret) -> str:
    value = token.reveal()
    if value.startswith(("Bearer ", "Basic ")):
        return value
    pair = value if ":" in value else f"{_HTTP_USER}:{value}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def _scheme(url: str) -> str:
    if not url:
        return "none"
    return urlsplit(url).scheme if "://" in url else "ssh"


def _plain(url: str) -> str:
    return url.rstrip("/").removesuffix(".git").rstrip("/")


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
