"""Which files of a checkout differ from those of an earlier commit, found without running anything it configures.

`git diff` may start external programs that the checkout's own configuration names (filters, drivers, monitors), and
a pull request is a stranger's checkout. So git is only asked for the old commit's tree; the files that are here are
hashed by hand and compared with it. A rename is a file that went and one that came.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from hubdata.errors import ConfigError
from hubdata.transfer import git_repository
from hubdata.transfer.git import Git, is_object_id
from hubdata.transfer.git_repository import TreeEntry


def fork_point(git: Git, revision: str) -> str:
    """Return the commit where the checkout's history left that of `revision`; `revision` itself where none is known.

    Comparing with the fork point leaves out what others changed on their branch meanwhile. A shallow checkout does not
    hold it: then everything that differs from `revision` counts, which is more and never less.
    Raises ConfigError when there is no such commit here.
    """
    commit = commit_of(git, revision)
    if not commit:
        raise ConfigError(
            f"--since {revision}: there is no such commit in this checkout",
            advice="name a branch, tag or commit that is here (git fetch it; in a workflow, set `fetch-depth: 0`)",
        )
    result = git.run("merge-base", commit, "HEAD")
    found = result.stdout.decode("ascii", "replace").strip()
    return found if result.ok and is_object_id(found) else commit


def changed_keys(
    git: Git, commit: str, present: Mapping[str, Path], odd: frozenset[str], *, max_files: int
) -> frozenset[str]:
    """Return every key that differs from the tree of `commit`, those that are gone included.

    `present` are the plain files that are here; `odd` are names here that are no plain files (links, submodules),
    which differ where the commit has a plain file or nothing.
    """
    held = {entry.path: entry for entry in git_repository.entries(git, commit, max_files=max_files, sizes=False)}
    changed = {key for key, path in present.items() if not _is_same(held.get(key), path)}
    changed |= {key for key in odd if key not in held or _is_plain(held[key])}
    gone = held.keys() - present.keys() - odd
    return frozenset(changed | gone)


def blob_id(path: Path, size: int, digits: int) -> str:
    """Return the id that git gives the file as a blob; an empty string when it cannot be read."""
    digest = hashlib.sha1(usedforsecurity=False) if digits == 40 else hashlib.sha256()
    digest.update(b"blob %d\0" % size)
    try:
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    except OSError:
        return ""
    return digest.hexdigest()


def _is_same(entry: TreeEntry | None, path: Path) -> bool:
    if entry is None or not _is_plain(entry):
        return False
    try:
        size = path.stat().st_size
    except OSError:
        return False
    return blob_id(path, size, len(entry.object_id)) == entry.object_id


def _is_plain(entry: TreeEntry) -> bool:
    return entry.mode.startswith("100")


def commit_of(git: Git, revision: str) -> str:
    """Return the id of the commit that `revision` names in this repository, empty when there is none."""
    if not revision or revision.startswith("-") or not revision.isprintable():
        return ""
    result = git.run("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    found = result.stdout.decode("ascii", "replace").strip()
    return found if result.ok and is_object_id(found) else ""
