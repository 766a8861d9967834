"""Put `hubdata validate` together: files and checkouts, judged by the job files or as one kind."""

import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hubdata import app, assembly
from hubdata.app import Choices
from hubdata.asking.validating import (
    base_of,
    check_as,
    check_changed,
    check_files,
    check_tree,
    checkout_root,
    source_file,
    spooled,
)
from hubdata.clock import SystemClock
from hubdata.config.builtin import DEFAULT_FILE
from hubdata.gathering import gathered
from hubdata.model.job import Job
from hubdata.model.snapshot import SourceFile
from hubdata.model.validation import ValidationResult
from hubdata.plugins import Seam, load, parse_options
from hubdata.ports import Clock, Source, SourceContext
from hubdata.running.crew import Crew
from hubdata.running.proving import KindOf
from hubdata.transfer.deadline import Deadline
from hubdata.transfer.git import Git
from hubdata.transfer.git_changes import changed_keys, fork_point

_GIT_TIME = timedelta(seconds=60)


def validate_paths(
    choices: Choices,
    paths: tuple[Path, ...],
    kind: str | None = None,
    options: Mapping[str, Any] | None = None,
    *,
    name: str | None = None,
    since: str | None = None,
) -> ValidationResult:
    """Return the verdict on files and checkouts by the job files' rules, or on files as one `kind` with `options`.

    The path `-` is standard input. `name` is the key that a single file is judged under; `since` leaves of a checkout
    only what differs from that revision. Raises ConfigError for job files or a revision that cannot be used,
    SourceError for paths that cannot be read.
    """
    clock, kind_of = SystemClock(), assembly.kind_builder()
    started = time.monotonic()
    with TemporaryDirectory(prefix="hubdata-") as workspace:
        if kind is not None:
            files = [_named(path, name, Path(workspace)) for path in paths]
            results = [check_as(kind, options or {}, files, kind_of, clock.now())]
        else:
            settings = app.settings_of(choices)
            mine = tuple(job for job in app.selected_jobs(choices, settings) if job.source.type in ("git", "directory"))
            if name is not None:
                files = [_named(path, name, Path(workspace)) for path in paths]
                results = [check_files(mine, files, kind_of, clock.now())]
            else:
                context = SourceContext(Path(workspace), os.environ, clock)
                rules = (settings.jobs, choices.config or Path(DEFAULT_FILE))
                roots, single = [p for p in paths if p.is_dir()], [p for p in paths if not p.is_dir()]
                with gathered(settings, soon=bool(roots) and since is None) as crew:
                    kind_of, helpers = assembly.judges(None, crew)
                    to = (mine, kind_of, context, helpers)
                    results = [_checkout(path, *to, since=since, rules=rules) for path in roots]
                    results += _files_of_checkouts(single, mine, kind_of, clock)
    bases = {result.base for result in results}
    return ValidationResult(
        tuple(file for result in results for file in result.files),
        tuple(finding for result in results for finding in result.findings),
        round(time.monotonic() - started, 3),
        tuple(notice for result in results for notice in result.notices),
        bases.pop() if len(bases) == 1 else "",
    )


def _named(path: Path, name: str | None, workspace: Path) -> SourceFile:
    if str(path) == "-":
        return spooled(sys.stdin.buffer, name or "-", workspace)
    file = source_file(path)
    return replace(file, key=name) if name else file


def _files_of_checkouts(
    paths: list[Path], jobs: tuple[Job, ...], kind_of: KindOf, clock: Clock
) -> Iterator[ValidationResult]:
    """Judge single files, those of one checkout together: some rules look at several."""
    by_root: dict[Path, list[SourceFile]] = {}
    for path in paths:
        root = checkout_root(path)
        by_root.setdefault(root, []).append(source_file(path, root))
    for root, files in by_root.items():
        yield replace(check_files(jobs, files, kind_of, clock.now()), base=base_of(root, os.environ))


def _checkout(
    path: Path,
    jobs: tuple[Job, ...],
    kind_of: KindOf,
    context: SourceContext,
    crew: Crew | None,
    *,
    since: str | None,
    rules: tuple[Path, ...],
) -> ValidationResult:
    """Judge a checkout; with `since` what differs from that revision, unless the `rules` themselves are among it."""
    options = parse_options(Seam.SOURCE, "directory", {"path": str(path)})
    source: Source = load(Seam.SOURCE, "directory")(options, context)
    fetched, now, base = source.fetch(dict), context.clock.now(), base_of(path, os.environ)
    if since is None:
        return replace(check_tree(jobs, fetched, kind_of, now, crew), base=base)
    git = Git(path, "", Deadline.after(_GIT_TIME), context.environment)
    present = {file.key: file.path for file in fetched.files}
    odd = frozenset(finding.key for finding in fetched.findings)
    changed = changed_keys(git, fork_point(git, since), present, odd, max_files=options.model_dump()["max_files"])
    if any((path / key).resolve().is_relative_to(rule.resolve()) for key in changed for rule in rules):
        notice = f"the rules changed since {since}: every file is judged"
        return replace(check_tree(jobs, fetched, kind_of, now, crew), base=base, notices=(notice,))
    result = check_changed(jobs, fetched, changed, kind_of, now)
    notice = f"{len(changed & present.keys()):,} of {len(present):,} files differ from {since}, and are judged"
    return replace(result, base=base, notices=(notice,))
