"""Put a comparison together: what the words OLD and NEW of `hubdata diff` stand for, built from settings and flags.

A word is a path, or one of `published`, `generation:N` and `git:REV`; a file that is really called so is `./published`.
"""

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hubdata import app, reaching
from hubdata.app import Choices
from hubdata.asking.comparing import Side, compare, of_commit, of_files, of_generation, of_published
from hubdata.asking.locating import atlas_of, located, located_run
from hubdata.asking.validating import checkout_root, source_file
from hubdata.clock import SystemClock
from hubdata.config.settings import Settings
from hubdata.errors import ConfigError
from hubdata.model.comparison import Comparison
from hubdata.model.job import Job
from hubdata.model.key import PRIVATE, RESERVED
from hubdata.model.run import RunResult
from hubdata.planning.claims import ignored, rule_for
from hubdata.plugins import Seam, known, load, parse_options, suggest, words
from hubdata.ports import Reporter, Source, SourceContext, Target
from hubdata.transfer.atlas import Atlas
from hubdata.transfer.deadline import Deadline
from hubdata.transfer.git import Git

_GIT_TIME = timedelta(seconds=60)
_TREES = ("git", "directory")
"""Types of source whose jobs say what a checkout holds."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line said: the two words, a kind for all files, and GeoIP databases to look networks up in."""

    old: str
    new: str
    kind: str | None = None
    geoip: tuple[Path, ...] = ()


def diff(choices: Choices, wish: Wish) -> Comparison:
    """Return how NEW differs from OLD in meaning.

    Raises ConfigError for words, settings and job files that cannot be used, SourceError and TargetError when a side
    cannot be read.
    """
    if wish.kind is not None and not known(Seam.KIND, wish.kind):
        raise ConfigError(f"--kind {wish.kind}: there is no such kind", advice=suggest(wish.kind, words(Seam.KIND)))
    # Two files with a kind need no settings: whoever has none yet can compare all the same.
    bare = wish.kind is not None and all(_is_file(word) for word in (wish.old, wish.new))
    settings = None if bare else app.settings_of(choices)
    with ExitStack() as stack:
        atlas, notices = atlas_of(wish.geoip, settings)
        if atlas is not None:
            stack.enter_context(atlas)
        workspace = Path(stack.enter_context(TemporaryDirectory(prefix="hubdata-")))
        sides = _Sides(choices, settings, workspace, wish)
        old, new = sides.build(wish.old), sides.build(wish.new)
        jobs = () if settings is None else app.selected_jobs(choices, settings)
        wanted = _wanted(jobs, tree=sides.has_tree, named=bool(choices.jobs))
        result = compare(old, new, _kinds(wish.kind, jobs), wanted)
        result = replace(result, notices=(*result.notices, *notices, *_unclaimed(result)))
        return result if atlas is None else located(result, atlas)


def _unclaimed(result: Comparison) -> tuple[str, ...]:
    """Return a notice on files of no kind: what they mean is then unknown."""
    keys = [file.key for file in result.files if not file.kind]
    if not keys:
        return ()
    more = f" and {len(keys) - 1:,} more" if len(keys) > 1 else ""
    return (f"no job says what kind of file {keys[0]}{more} is, so bytes are compared: --kind KIND says it",)


def plan(choices: Choices, geoip: tuple[Path, ...], reporter: Reporter) -> RunResult:
    """Return what a dry run of `choices` says, with the origins of the networks that it speaks of.

    Raises ConfigError before anything was attempted; every later failure is in the result.
    """
    with ExitStack() as stack:
        atlas = stack.enter_context(Atlas(geoip)) if geoip else None
        result = app.sync(choices, reporter)
        if atlas is None and any(target.meanings for job in result.jobs for target in job.targets):
            atlas, notices = atlas_of((), app.settings_of(choices))
            result = replace(result, notices=(*result.notices, *notices))
            if atlas is not None:
                stack.enter_context(atlas)
        return result if atlas is None else located_run(result, atlas)


class _Sides:
    """Builds both sides; `has_tree` tells whether a checkout or commit is among them."""

    def __init__(self, choices: Choices, settings: Settings | None, workspace: Path, wish: Wish) -> None:
        self.has_tree = False
        self._choices = choices
        self._settings = settings
        self._workspace = workspace
        self._wish = wish
        self._target: Target | None = None

    def build(self, word: str) -> Side:
        if word.startswith("git:"):
            self.has_tree = True
            return of_commit(self._git(), word.removeprefix("git:"), self._workspace)
        if word == "published" or word.startswith("generation:"):
            return side_of(self._store(word), word)
        path = Path(word)
        if not path.exists():
            raise ConfigError(
                f"{word}: there is no such file or directory",
                advice="name one, or `published`, `generation:N` or `git:REV`",
            )
        if path.is_dir():
            return self._tree(path)
        file = source_file(path, None if self._wish.kind else checkout_root(path))
        return replace(of_files(word, [file]), alone=file.key)

    def _tree(self, path: Path) -> Side:
        self.has_tree = True
        context = SourceContext(self._workspace, os.environ, SystemClock())
        options = parse_options(Seam.SOURCE, "directory", {"path": str(path)})
        source: Source = load(Seam.SOURCE, "directory")(options, context)
        fetched = source.fetch(dict)
        return of_files(str(path), fetched.files, fetched.findings)

    def _git(self) -> Git:
        """Return the repository of the other side's path, else the one at hand."""
        paths = [Path(word) for word in (self._wish.old, self._wish.new) if not _is_word(word)]
        root = checkout_root(paths[0] if paths else Path())
        if not (root / ".git").exists():
            raise ConfigError(f"git:REV: {root} is no git checkout", advice="run it in a checkout, or name one")
        return Git(root, "", Deadline.after(_GIT_TIME), os.environ)

    def _store(self, word: str) -> Target:
        if self._target is None:
            assert self._settings is not None  # noqa: S101 - only two plain files go without settings
            self._target = the_target(self._choices, self._settings, word)
        return self._target


def the_target(choices: Choices, settings: Settings, word: str) -> Target:
    """Return the one target that `word` can mean. Raises ConfigError when there are several, or none such."""
    named = choices.targets or tuple(settings.targets)
    if len(named) != 1:
        raise ConfigError(
            f"{word}: there are {len(named)} targets ({', '.join(named)})",
            advice="say which one is meant with --target NAME",
        )
    return reaching.build_target(settings, named[0])


def side_of(target: Target, word: str) -> Side:
    """Return what `published` or `generation:N` means at `target`. Raises ConfigError for what is no number."""
    if word == "published":
        return of_published(target)
    number = word.removeprefix("generation:")
    if not (number.isascii() and number.isdecimal()) or len(number) > 18:
        raise ConfigError(f"{word}: a generation is a whole number", advice="write it as generation:12")
    return of_generation(target, int(number))


def _kinds(kind: str | None, jobs: tuple[Job, ...]) -> Callable[[str], str | None]:
    """Return what tells a key's kind: the flag, else the first job whose rule names it."""

    def kind_of(key: str) -> str | None:
        if kind is not None:
            return kind
        return next((rule.kind for job in jobs if (rule := rule_for(job, key))), None)

    return kind_of


def _wanted(jobs: tuple[Job, ...], *, tree: bool, named: bool) -> Callable[[str], bool]:
    """Return which keys of a whole set are compared.

    Where a checkout is compared with what is published, files that other sources provide (databases) are left out:
    they are not missing from it. Files that no job claims are compared, but not where jobs were named.
    """

    def wanted(key: str) -> bool:
        if key in RESERVED or key.startswith(PRIVATE):
            return False
        owner = next((job for job in jobs if rule_for(job, key)), None)
        if owner is None:
            return not named and not ignored(jobs, key)
        return not tree or owner.source.type in _TREES

    return wanted


def _is_word(text: str) -> bool:
    return text == "published" or text.startswith(("git:", "generation:"))


def _is_file(text: str) -> bool:
    return not _is_word(text) and Path(text).is_file()
