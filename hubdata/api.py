"""What a Python program may ask of hubdata: judge a file, prove a GeoIP database, see what a run would do.

`from hubdata import validate_file, verify_mmdb, plan` gives the same; `import hubdata` alone imports nothing. None of
the three writes to a target, ends the process, prints, or changes a logger or signal handler. What is wrong with data
is in what they return; an exception, always a `HubdataError`, means that it could not be found out. docs/python-api.md
has an example.
"""

import mmap
import os
import stat
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hubdata.errors import CdnError, ConfigError, Conflict, Exit, HubdataError, SourceError, TargetError
from hubdata.model.event import Event
from hubdata.model.finding import Finding, Severity
from hubdata.model.job import Limits
from hubdata.model.plan import Action, Change, Plan, Reason
from hubdata.model.run import JobResult, Outcome, Problem, RunResult, TargetResult
from hubdata.model.snapshot import Stats
from hubdata.model.validation import CheckedFile

__all__ = [
    "Action",
    "CdnError",
    "Change",
    "CheckedFile",
    "ConfigError",
    "Conflict",
    "Defect",
    "Exit",
    "Finding",
    "HubdataError",
    "JobResult",
    "Limits",
    "MmdbProof",
    "Outcome",
    "Plan",
    "Problem",
    "Reason",
    "RunResult",
    "Severity",
    "SourceError",
    "Stats",
    "TargetError",
    "TargetResult",
    "plan",
    "validate_file",
    "verify_mmdb",
]

StrPath = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class Defect:
    """One thing wrong with a database: at which byte (from 0), a slug such as `tree-cycle` for what, and why.

    `says` is what the format's specification demands there, or which limit of hubdata's stands in its place.
    """

    offset: int
    problem: str
    reason: str
    says: str


@dataclass(frozen=True, slots=True)
class MmdbProof:
    """What was found out about one database of `size` bytes. Without `defects` any reader may be given it.

    `warnings` are wasteful and not dangerous. `database_type`, `built_at` (aware UTC) and `networks` (those with a
    record) are None where the database does not get so far.
    """

    size: int
    defects: tuple[Defect, ...] = ()
    warnings: tuple[Defect, ...] = ()
    database_type: str | None = None
    built_at: datetime | None = None
    networks: int | None = None

    @property
    def ok(self) -> bool:
        """Tell whether the database is whole."""
        return not self.defects

    @property
    def reason(self) -> str:
        """Return why it is not whole, the first of all reasons; empty when it is."""
        return self.defects[0].reason if self.defects else ""

    @property
    def offset(self) -> int | None:
        """Return the byte at which the first reason lies."""
        return self.defects[0].offset if self.defects else None


def validate_file(
    path: StrPath,
    *,
    kind: str,
    options: Mapping[str, Any] | None = None,
    limits: Limits | None = None,
    key: str | None = None,
) -> CheckedFile:
    """Return what one file is found to be as `kind`: every finding, and what it holds. No settings are read.

    `options` are the kind's own, as in a job file; `limits` bound the file. `key` is the name that findings use, and
    that some kinds look at (a database's edition); the file's own name when absent.
    Raises ConfigError for a kind, option or limit that there is not, SourceError when the file cannot be read.
    """
    from hubdata.asking.validating import source_file
    from hubdata.assembly import kind_builder
    from hubdata.model.job import FileRule, Job, SourceSpec
    from hubdata.model.snapshot import SourceFile
    from hubdata.planning.claims import Claim
    from hubdata.running.proving import judge

    held = source_file(_regular(path))
    file = SourceFile(key or held.path.name, held.path, held.size, held.source)
    rule = FileRule(match="**", kind=kind, options=dict(options or {}), limits=limits or Limits())
    job = Job(name=kind, source=SourceSpec("directory", {}), files=(rule,))
    judging = kind_builder()(rule)
    _demand_usable(rule.limits, kind)
    artifact, verdict = judge(Claim(rule, file), judging, job, datetime.now(UTC))
    return CheckedFile(file.key, kind, artifact.stats, verdict.findings)


def _demand_usable(limits: Limits, kind: str) -> None:
    """Hold `limits` to what a job file may say of `kind`: a guard with a typing error guards nothing."""
    if limits == Limits():
        return
    from hubdata import tables
    from hubdata.config.job_file import LimitsTable
    from hubdata.config.named import country_faults, named_faults
    from hubdata.plugins import OptionsError, faults

    given = {name: getattr(limits, name) for name in LimitsTable.model_fields}
    given |= {name: list(value) for name, value in given.items() if isinstance(value, tuple)}
    try:
        table = LimitsTable.model_validate(given)
    except tables.ValidationError as err:
        raise OptionsError("limits", faults(err, LimitsTable)) from err
    if found := (*named_faults(kind, table, ()), *country_faults(kind, table.max_country_change, ())):
        raise OptionsError("limits", found)


def verify_mmdb(path: StrPath, *, threads: int = 1) -> MmdbProof:
    """Return whether the file is a whole GeoIP database, and if not, at which byte it is broken and why.

    Whatever its bytes, it is read within its bounds and in time that its size bounds. What it says of itself (its type,
    its age) is returned, and not judged: `validate_file(path, kind="mmdb")` does that. `threads`: two use two cores.
    Raises SourceError when the file cannot be read.
    """
    from hubdata.mmdb.policy import built_at
    from hubdata.mmdb.proof import prove

    try:
        with _regular(path).open("rb") as file, ExitStack() as stack:
            size = os.fstat(file.fileno()).st_size
            body = stack.enter_context(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)) if size else b""
            proof = prove(body, threads=max(1, threads))
            metadata = None if proof.layout is None else proof.layout.metadata
            return MmdbProof(
                size,
                tuple(Defect(each.offset, each.problem, each.message, each.says) for each in proof.problems),
                tuple(Defect(each.offset, each.problem, each.message, each.says) for each in proof.warnings),
                None if metadata is None else metadata.database_type,
                None if metadata is None else built_at(metadata),
                None if proof.problems or proof.extent is None else proof.extent.networks,
            )
    except OSError as err:
        raise _unreadable(path, err.strerror or str(err)) from err


def plan(
    settings: StrPath | None = None,
    *,
    jobs_dir: StrPath | None = None,
    jobs: Iterable[str] = (),
    targets: Iterable[str] = (),
    checkouts: Mapping[str, StrPath] | None = None,
    force: bool = False,
    allow_rollback: bool = False,
) -> RunResult:
    """Return what `hubdata sync --once` would do now: by job and target the changes, findings, and plan ids.

    `settings` is a hubdata.toml; without it, that of the working directory, or the defaults. `jobs` and `targets` name
    some of them; `checkouts` are directories to read in place of the repository at a URL (`*`: of each). Sources are
    fetched and targets are read, and nothing is written to them; credentials come from the environment.
    Raises ConfigError when the settings or job files cannot be used. Every other failure is in the result: see
    `JobResult.problem`, `TargetResult.problem` and `RunResult.exit_code`.
    """
    from hubdata.app import Choices
    from hubdata.asking.diffing import plan as planned

    choices = Choices(
        config=None if settings is None else Path(settings),
        jobs_dir=None if jobs_dir is None else Path(jobs_dir),
        jobs=_names(jobs, "jobs"),
        targets=_names(targets, "targets"),
        checkouts=tuple(f"{url}={os.fspath(path)}" for url, path in (checkouts or {}).items()),
        dry_run=True,
        force=force,
        allow_rollback=allow_rollback,
    )
    return planned(choices, (), _Nobody())


def _regular(path: StrPath) -> Path:
    """Return the path of a file. Raises SourceError for anything else: a pipe would be waited for."""
    found = Path(path)
    try:
        mode = found.stat().st_mode
    except (OSError, ValueError) as err:  # ValueError: a name with a NUL
        raise _unreadable(path, (err.strerror if isinstance(err, OSError) else "") or str(err)) from err
    if not stat.S_ISREG(mode):
        raise _unreadable(path, "it is no regular file")
    return found


def _unreadable(path: StrPath, why: str) -> SourceError:
    return SourceError(f"{os.fspath(path)}: cannot be read ({why})", advice="name a readable file")


class _Nobody:
    """Watches a run and keeps it to itself."""

    def emit(self, event: Event) -> None:
        """Do nothing."""


def _names(words: Iterable[str], what: str) -> tuple[str, ...]:
    """Return the names. Raises ConfigError for one text, which is a list of its letters otherwise."""
    if isinstance(words, str):
        raise ConfigError(f"{what}: expected a list of names, found {words!r}", advice=f"give [{words!r}]")
    return tuple(words)
