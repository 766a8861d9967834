"""A directory as a source: the files of a checkout, as CI has it, read in place and never through a link.

The revision is that of the checkout's commit, and only if its bytes are the commit's: with any other, added or missing
file it ends in `-dirty`, so that a manifest never credits a commit with what it does not hold. Files are compared with
the commit's object ids, not with git's index: that cannot be fooled by time stamps and runs no program that the
checkout's own configuration names. (Files that git rewrites on checkout, line ends or LFS, therefore count as dirty.)
"""

import os
import stat
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from hubdata.errors import SourceError
from hubdata.model.finding import Finding, Severity
from hubdata.model.snapshot import Fetched, Provenance, SourceFile
from hubdata.ports import Published, SourceContext
from hubdata.tables import BaseModel, ConfigDict, Field, field_validator
from hubdata.transfer import entries, git_repository
from hubdata.transfer.deadline import Deadline
from hubdata.transfer.git import DIRTY, Git, is_object_id, revisions_to_descend_from, url_problem
from hubdata.transfer.git_changes import blob_id

_GIT_TIME = timedelta(seconds=60)


class DirectorySource:
    """A directory, which may be a checkout of a git repository."""

    class Options(BaseModel):
        """What `[source]` may hold for `type = "directory"`.

        `url` says of which repository this is a checkout: then what is published must descend from what was published
        of that repository before, by this or by the git source. CI needs the history for that (`fetch-depth: 0`).
        """

        model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

        path: Path
        url: str | None = None
        max_bytes: int = Field(default=512 << 20, gt=0)
        max_files: int = Field(default=200_000, gt=0)

        @field_validator("url")
        @classmethod
        def _url(cls, url: str | None) -> str | None:
            if url is not None and (problem := url_problem(url)):
                raise ValueError(f"not a repository's URL: {problem}")
            return url

    def __init__(self, options: Options, context: SourceContext) -> None:
        self._options = options
        self._environment = context.environment

    @classmethod
    def lacks(cls, options: Options, environment: Mapping[str, str]) -> str | None:  # noqa: ARG003 - the port's signature
        """Return None: nothing is missing before a fetch."""
        return None

    def fetch(self, published: Published) -> Fetched:
        """Return every file below the directory, where it lies.

        Raises SourceError when the directory is absent, empty, unreadable or larger than allowed.
        """
        root = self._options.path
        walk = _Walk(root, self._options.max_files, self._options.max_bytes)
        try:
            walk.run()
        except OSError as err:
            at = err.filename or root
            raise SourceError(
                f"directory {at}: {err.strerror or err}",
                advice="check `path` (relative to the job file) or --checkout, and that hubdata may read all of it",
            ) from err
        if not walk.sizes and not walk.findings:
            raise SourceError(f"directory {root}: it holds no files", advice="check `path`; was the checkout made?")
        checkout = self._checkout()
        revision = self._revision(checkout, walk.sizes)
        source = self._provenance(revision)
        rewinds, shallow = self._rewinds(published, checkout, revision)
        return Fetched(
            revision=revision,
            files=tuple(SourceFile(key, root / key, walk.sizes[key], source) for key in sorted(walk.sizes)),
            rewinds=rewinds,
            findings=(*walk.findings, *shallow),
        )

    def _checkout(self) -> "_Checkout | None":
        """Return the checkout that this directory is in, or None where there is no git, repository or commit."""
        git = Git(self._options.path, "", Deadline.after(_GIT_TIME), self._environment)
        if not any((parent / ".git").exists() for parent in (git.directory, *git.directory.resolve().parents)):
            return None
        try:
            result = git.run("rev-parse", "--is-shallow-repository", "HEAD")
        except SourceError:
            return None  # no git, or one that hangs: the files are here all the same
        words = result.stdout.decode("ascii", "replace").split()
        if not result.ok or len(words) != 2 or not is_object_id(words[1]):
            return None
        return _Checkout(git, head=words[1], shallow=words[0] != "false")

    def _revision(self, checkout: "_Checkout | None", sizes: Mapping[str, int]) -> str | None:
        """Return the commit that these files are of; what git itself says goes before what CI says.

        A workflow may check out another commit than the one that set it off, which is what GITHUB_SHA names.
        """
        if checkout is None:
            return self._commit_of_workflow()
        tracked = checkout.object_ids(self._options.max_files)
        if not tracked.keys() & sizes.keys():
            return None  # it merely lies within somebody's checkout
        clean = tracked.keys() == sizes.keys() and all(
            blob_id(self._options.path / key, sizes[key], len(object_id)) == object_id
            for key, object_id in tracked.items()
        )
        return checkout.head if clean else checkout.head + DIRTY

    def _commit_of_workflow(self) -> str | None:
        commit, workspace = self._environment.get("GITHUB_SHA", ""), self._environment.get("GITHUB_WORKSPACE", "")
        if not is_object_id(commit) or not workspace:
            return None
        return commit if self._options.path.resolve().is_relative_to(Path(workspace).resolve()) else None

    def _provenance(self, revision: str | None) -> Provenance:
        known = {"type": "directory", "url": self._options.url, "revision": revision}
        return {name: value for name, value in known.items() if value is not None}

    def _rewinds(
        self, published: Published, checkout: "_Checkout | None", revision: str | None
    ) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
        """Return the published revisions that this one is not known to descend from, and why that is not known."""
        if self._options.url is None or revision is None:
            return (), ()
        commit = revision.removesuffix(DIRTY)
        ancestors = revisions_to_descend_from(published().values(), self._options.url, commit)
        if not ancestors:
            return (), ()
        missing = ancestors if checkout is None else checkout.missing(ancestors)
        if missing and (checkout is None or checkout.shallow):
            return missing, (_SHALLOW,)
        return missing, ()


class _Checkout:
    """A git checkout: its commit, and what git knows of it without looking at the files."""

    def __init__(self, git: Git, *, head: str, shallow: bool) -> None:
        self.git = git
        self.head = head
        self.shallow = shallow

    def object_ids(self, max_files: int) -> Mapping[str, str]:
        """Return the object id of each plain, safely named file of the commit, below git's directory."""
        found = git_repository.entries(self.git, self.head, max_files=max_files, sizes=False)
        return {
            entry.path: entry.object_id
            for entry in found
            if entry.mode.startswith("100") and entries.unsafe_name(entry.path) is None
        }

    def missing(self, ancestors: tuple[str, ...]) -> tuple[str, ...]:
        """Return those of `ancestors` that are not in the history that is here."""
        return git_repository.missing_from_history(self.git, self.head, ancestors)


class _Walk:
    """One pass over a directory: sizes of plain files by key, findings for the rest."""

    def __init__(self, root: Path, max_files: int, max_bytes: int) -> None:
        self.sizes: dict[str, int] = {}
        self.findings: list[Finding] = []
        self._root = root
        self._max_files = max_files
        self._max_bytes = max_bytes
        self._bytes = 0
        self._seen = 0

    def run(self) -> None:
        """Visit everything. Raises OSError for what cannot be read, SourceError beyond a limit."""
        pending = [""]
        while pending:
            prefix = pending.pop()
            with os.scandir(self._root / prefix) as found:
                for entry in found:
                    self._visit(entry, prefix + entry.name, pending)
        self.findings.sort(key=lambda finding: (finding.key, finding.rule))

    def _visit(self, entry: os.DirEntry[str], key: str, pending: list[str]) -> None:
        if entry.name == ".git":
            return
        self._seen += 1
        if self._seen > self._max_files:
            raise self._too_much(f"{self._max_files} files")
        if entry.is_symlink():
            self.findings.append(entries.link(key))
        elif entry.is_dir(follow_symlinks=False):
            if (Path(entry.path) / ".git").exists():
                self.findings.append(entries.submodule(key))
            else:
                pending.append(key + "/")
        elif finding := entries.unsafe_name(key):
            self.findings.append(finding)
        else:
            self._file(entry.stat(follow_symlinks=False), key)

    def _file(self, status: os.stat_result, key: str) -> None:
        if not stat.S_ISREG(status.st_mode):
            self.findings.append(entries.special_file(key))
            return
        self._bytes += status.st_size
        if self._bytes > self._max_bytes:
            raise self._too_much(f"{self._max_bytes} bytes")
        self.sizes[key] = status.st_size

    def _too_much(self, limit: str) -> SourceError:
        name = "max_files" if limit.endswith("files") else "max_bytes"
        return SourceError(
            f"directory {self._root}: expected at most {limit}, found more",
            advice=f"check `path`; if all of this is meant, raise {name} in the job",
        )


_SHALLOW = Finding(
    "",  # it is about the whole source, so no rule and no ignore may hide it
    None,
    "source.history-unknown",
    Severity.WARNING,
    "this checkout does not hold the history that leads from the published revision to this one",
    "check out with full history (actions/checkout: `fetch-depth: 0`)",
)
