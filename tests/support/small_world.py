"""A small world for runs that go wrong: two jobs, a git repository, a directory, and a published mirror.

Every run is a process of its own. Whatever it was given, what holds for every run is asserted here, once: no traceback
anywhere, results alone on stdout (one JSON object), and on stderr nothing but hubdata's own lines.
"""

import contextlib
import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hubdata.model.key import RESERVED
from tests.support.command import Ended, hubdata
from tests.support.repos import Repo

GOOD = "lists/good.txt"
OTHER = "lists/other.txt"
WORDS = "words/probes.txt"
OWN = ("manifest.json", "index.html", "")
"""What a CDN is told of with every publication: the manifest, and the page under both of its names."""
NEW = b"8.8.8.0/24\n1.1.1.0/24\n208.67.222.0/24\n"
HTML = b"<!DOCTYPE html>\n<html><body>Sign in to continue</body></html>\n"
LISTS = {GOOD: b"8.8.8.0/24\n1.1.1.0/24\n", OTHER: b"9.9.9.0/24\n"}

SETTINGS = """\
jobs = "jobs"
spool = "spool"

[targets.mirror]
type = "directory"
path = "mirror"
"""
LISTS_JOB = """\
[source]
type = "git"
url = "{url}"
ref = "master"
timeout = 20

[[files]]
match = "lists/*.txt"
kind = "cidr"

[[ignore]]
match = "README.md"
"""
WORDS_JOB = """\
[source]
type = "directory"
path = "../data"

[[files]]
match = "words/*.txt"
kind = "needle"
"""


@dataclass(frozen=True, slots=True)
class SmallWorld:
    """The jobs `lists` (from git) and `words` (from a directory), and where they publish to."""

    root: Path
    repo: Repo

    @classmethod
    def create(cls, root: Path) -> "SmallWorld":
        """Return a new world below `root`, with nothing published yet."""
        repo = Repo.create(root / "upstream")
        repo.commit({"README.md": "read me\n", **LISTS})
        world = cls(root, repo)
        for path, text in {
            "hubdata.toml": SETTINGS,
            "jobs/lists.toml": LISTS_JOB.format(url=repo.url),
            "jobs/words.toml": WORDS_JOB,
            f"data/{WORDS}": "/wp-login.php\n/.git/config\n",
        }.items():
            world.write(path, text)
        return world

    def copied(self, root: Path) -> "SmallWorld":
        """Return the same world elsewhere."""
        shutil.copytree(self.root, root, symlinks=True, dirs_exist_ok=True)
        repo = Repo(root / "upstream")
        repo._commits = 60  # times go on from there
        world = SmallWorld(root, repo)
        known = world.manifest_etag()
        for path in ("jobs/lists.toml", "mirror/manifest.json"):
            world.edit(path, self.repo.url, repo.url)
        if (root / "mirror/.hubdata/receipts.json").is_file():  # so that the page is still of this manifest
            world.edit("mirror/.hubdata/receipts.json", known, world.manifest_etag())
        return world

    def manifest_etag(self) -> str:
        """Return the ETag of the mirror's manifest."""
        return hashlib.md5((self.root / "mirror/manifest.json").read_bytes()).hexdigest()

    def write(self, path: str, text: str | bytes) -> None:
        """Write a file of this world."""
        whole = self.root / path
        whole.parent.mkdir(parents=True, exist_ok=True)
        whole.write_bytes(text.encode() if isinstance(text, str) else text)

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace a piece of a file of this world."""
        text = (self.root / path).read_text()
        assert old in text
        self.write(path, text.replace(old, new))

    def run(
        self,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        timeout: float = 60,
        within: Sequence[str] = (),
        alone: bool = False,
    ) -> Ended:
        """Return what one process said, having asserted what holds for every one of them."""
        return checked(hubdata(*arguments, cwd=self.root, env=env, timeout=timeout, within=within, alone=alone))

    def sync(
        self,
        *flags: str,
        env: Mapping[str, str] | None = None,
        timeout: float = 60,
        within: Sequence[str] = (),
        alone: bool = False,
    ) -> Ended:
        """Run `sync --once --format json`; the code in the object is the code of the process."""
        ended = self.run(
            "sync", "--once", "--format", "json", *flags, env=env, timeout=timeout, within=within, alone=alone
        )
        assert ended.json["exit_code"] == ended.code
        return ended

    def public(self) -> dict[str, bytes]:
        """Return every public data file of the mirror."""
        files = self.mirror_files()
        return {k: v for k, v in files.items() if k not in RESERVED and not k.startswith(".hubdata/")}

    def mirror_files(self) -> dict[str, bytes]:
        """Return every file of the mirror, its private records too."""
        mirror = self.root / "mirror"
        found = (path for path in mirror.rglob("*") if path.is_file())
        return {path.relative_to(mirror).as_posix(): path.read_bytes() for path in found}

    def untouched(self) -> dict[str, tuple[int, int]]:
        """Return inode and modification time of each public file, the manifest among them: equal means not written."""
        mirror, keys = self.root / "mirror", self.mirror_files()
        states = {key: (mirror / key).stat() for key in keys if not key.startswith(".hubdata/")}
        return {key: (state.st_ino, state.st_mtime_ns) for key, state in states.items()}

    def left_over(self) -> list[str]:
        """Return what runs left in the spool and half-written in the mirror: nothing, if they ended well.

        The verdicts that every run remembers do not count, unless there is something half-written among them.
        """
        found: list[Path] = []
        for place in ("spool", "spool/memory-verdicts", "mirror/.hubdata/tmp"):
            with contextlib.suppress(FileNotFoundError):
                found += (self.root / place).iterdir()
        return [path.name for path in found if path.name not in ("memory-verdicts", "verdicts", "lock")]


def checked(ended: Ended) -> Ended:
    """Return `ended`, a run with whatever input, having asserted what holds for all of them."""
    said = ended.stdout + ended.stderr
    assert "Traceback" not in said, said
    assert "this is a bug" not in said, said
    for line in ended.stderr.splitlines():
        waits = " lease.waiting " in line  # two runs at once may always meet
        assert line.startswith(("hubdata: ", "  ", "Usage: ", "Try ", "Error: ")) or waits or not line, ended.stderr
    return ended


def complaint(ended: Ended, code: int, *words: str) -> None:
    """Assert that the process ended with `code`, one error and advice on stderr, and the same as JSON on stdout."""
    assert ended.code == code, ended.stdout + ended.stderr
    assert ended.stderr.count("hubdata: error: ") == 1, ended.stderr
    told = ended.json["error"]
    assert told["message"].splitlines()[0] in ended.stderr
    for word in words:
        assert word in ended.stderr, ended.stderr


def problem(ended: Ended, job: str, code: int, *words: str) -> None:
    """Assert that `job` failed with `code`, saying `words` and what to do, on one line each; the run ended so too."""
    assert ended.code == code, ended.stdout + ended.stderr
    told = _problem(ended.job(job))
    assert told["exit_code"] == code, told
    assert told["advice"], told
    assert "\n" not in told["message"] + told["advice"]
    for word in words:
        assert word in f"{told['message']} {told['advice']}", told


def _problem(job: Any) -> Any:
    return job["problem"] or next(target["problem"] for target in job["targets"] if target["problem"])


def findings(ended: Ended, job: str, severity: str = "error") -> set[tuple[str, int | None, str]]:
    """Return key, line and rule of every finding of that severity, having asserted that each gives advice."""
    found = [finding for finding in ended.job(job)["findings"] if finding["severity"] == severity]
    assert all(finding["advice"] and "\n" not in finding["message"] for finding in found)
    return {(finding["key"], finding["line"], finding["rule"]) for finding in found}
