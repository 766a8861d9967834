"""A git repository as a source: one commit's files, without a checkout, and proof that it descends from what is public.

The files come from a fetch of depth one into a bare repository in the spool; blobs are streamed into numbered files, so
no upstream name becomes a path. History is asked for only when something else of this repository is public already, and
then without files where the host can do that.
"""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import IO

from hubdata.errors import ConfigError, SourceError
from hubdata.model.finding import Finding
from hubdata.model.snapshot import Fetched, SourceFile
from hubdata.ports import Published, SourceContext
from hubdata.tables import BaseModel, ConfigDict, Field, field_validator, model_validator
from hubdata.transfer import entries, git_repository
from hubdata.transfer.deadline import Deadline
from hubdata.transfer.git import Git, ref_problem, revisions_to_descend_from, url_problem
from hubdata.transfer.git_repository import TreeEntry
from hubdata.transfer.secrets import Secret, read_secret
from hubdata.transfer.spool import spool_error

_LINK, _SUBMODULE = "120000", "160000"


class GitSource:
    """A branch, tag or commit of a git repository."""

    class Options(BaseModel):
        """What `[source]` may hold for `type = "git"`.

        `timeout` is in seconds, for all of git's work together. `token_env` names an environment variable (or, with
        `_FILE` added, a file) with an access token, a `user:password` pair, or a whole `Bearer ...` value. Only
        capitals: most tokens have none or more than these, so a token in the name's place is refused, and not quoted.
        """

        model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

        url: str
        ref: str = "HEAD"
        timeout: float = Field(default=300.0, gt=0, le=86_400)
        max_bytes: int = Field(default=512 << 20, gt=0)
        max_files: int = Field(default=200_000, gt=0)
        token_env: str | None = Field(default=None, pattern=r"^[A-Z_][A-Z0-9_]*$")

        @field_validator("url")
        @classmethod
        def _url(cls, url: str) -> str:
            if problem := url_problem(url):
                raise ValueError(f"not a URL to fetch from: {problem}")
            return url

        @field_validator("ref")
        @classmethod
        def _ref(cls, ref: str) -> str:
            if problem := ref_problem(ref):
                raise ValueError(f"not a ref: {problem}")
            return ref

        @model_validator(mode="after")
        def _token_needs_http(self) -> "GitSource.Options":
            if self.token_env and not self.url.startswith(("https://", "http://")):
                raise ValueError("token_env is for https URLs; ssh takes its keys from the agent or ~/.ssh")
            return self

    def __init__(self, options: Options, context: SourceContext) -> None:
        self._options = options
        self._workspace = context.workspace
        self._environment = context.environment

    @classmethod
    def lacks(cls, options: Options, environment: Mapping[str, str]) -> str | None:  # noqa: ARG003 - the port's signature
        """Return None: a missing token is told by the fetch, with the variable's name."""
        return None

    def fetch(self, published: Published) -> Fetched:
        """Return every file of the commit that `ref` names now.

        Raises SourceError when it cannot be fetched, is larger than allowed or holds no file; ConfigError when the
        token is not there or the spool cannot be written.
        """
        options = self._options
        git = self._repository("repository", Deadline.after(timedelta(seconds=options.timeout)), self._token())
        name = git_repository.fetch(git, options.ref, max_bytes=options.max_bytes)
        tree = git_repository.entries(git, "FETCH_HEAD", max_files=options.max_files)
        plain, findings = _sort_out(tree)
        if not tree:
            raise SourceError(f"{git.name}: {options.ref} holds no files", advice="check `url` and `ref`")
        self._check_size(git, plain)
        revision, paths = self._read(git, plain)
        source = {"type": "git", "url": options.url, "ref": options.ref, "revision": revision}
        files = (SourceFile(e.path, paths[e.object_id], e.size or 0, source) for e in plain)
        return Fetched(
            revision=revision,
            files=tuple(sorted(files, key=lambda file: file.key)),
            rewinds=self._rewinds(published, name, revision, git.token),
            findings=findings,
        )

    def _token(self) -> Secret | None:
        name = self._options.token_env
        if name is None:
            return None
        token = read_secret(self._environment, name)
        if token is None:
            raise ConfigError(
                f"git {self._options.url}: expected a token in {name} or {name}_FILE, found none",
                advice=f"set {name}, or leave `token_env` out for a public repository",
            )
        if not token.reveal().isprintable():
            raise ConfigError(
                f"git {self._options.url}: {name} holds a line break or control character",
                advice="the variable must hold the token alone",
            )
        return token

    def _repository(self, name: str, deadline: Deadline, token: Secret | None) -> Git:
        path = self._new(name)
        try:
            git_repository.create(path)
        except OSError as err:
            raise spool_error(err, self._workspace) from err
        return Git(path, self._options.url, deadline, self._environment, token)

    def _new(self, name: str) -> Path:
        """Return a path in the workspace that is not there yet: a worker fetches more than once."""
        path, number = self._workspace / name, 1
        while path.exists():
            path, number = self._workspace / f"{name}-{number}", number + 1
        return path

    def _check_size(self, git: Git, plain: tuple[TreeEntry, ...]) -> None:
        size = sum(entry.size or 0 for entry in plain)
        if size > self._options.max_bytes:
            raise SourceError(
                f"{git.name}: expected at most {self._options.max_bytes} bytes, found {size}",
                advice="see whether upstream really grew that much; if so, raise max_bytes in the job",
            )

    def _read(self, git: Git, plain: tuple[TreeEntry, ...]) -> tuple[str, dict[str, Path]]:
        """Return the commit id, and where each blob now lies. A blob that several names share is stored once."""
        sizes = {entry.object_id: entry.size for entry in plain}
        directory, paths = self._new("files"), dict[str, Path]()

        def open_file(object_id: str, size: int) -> IO[bytes]:
            if size != sizes[object_id]:
                raise SourceError(f"{git.name}: object {object_id}: expected {sizes[object_id]} bytes, found {size}")
            paths[object_id] = directory / str(len(paths))
            return paths[object_id].open("xb")

        try:
            directory.mkdir()
            return git_repository.read(git, "FETCH_HEAD", sizes, open_file), paths
        except OSError as err:
            raise spool_error(err, self._workspace) from err

    def _rewinds(self, published: Published, name: str, revision: str, token: Secret | None) -> tuple[str, ...]:
        """Return the published revisions that `revision` does not descend from.

        The deadline starts anew, because `published` may wait long for the targets.
        """
        ancestors = revisions_to_descend_from(published().values(), self._options.url, revision)
        if not ancestors:
            return ()
        git = self._repository("history", Deadline.after(timedelta(seconds=self._options.timeout)), token)
        git_repository.fetch(git, name, max_bytes=self._options.max_bytes, history=True)
        return git_repository.missing_from_history(git, revision, ancestors)


def _sort_out(tree: tuple[TreeEntry, ...]) -> tuple[tuple[TreeEntry, ...], tuple[Finding, ...]]:
    """Return the plain files of `tree`, and a finding for each entry that is none."""
    plain: list[TreeEntry] = []
    findings: list[Finding] = []
    for entry in tree:
        if entry.mode == _LINK:
            findings.append(entries.link(entry.path))
        elif entry.mode == _SUBMODULE:
            findings.append(entries.submodule(entry.path))
        elif not entry.mode.startswith("100"):
            findings.append(entries.special_file(entry.path))
        elif finding := entries.unsafe_name(entry.path):
            findings.append(finding)
        else:
            plain.append(entry)
    return tuple(plain), tuple(findings)
