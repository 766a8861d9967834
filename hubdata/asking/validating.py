"""Validate files and checkouts by the job files' rules: a run that stops after the kinds have spoken.

No target, no network. Keys are relative to the checkout's root, as they are when a git source is read.
"""

from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from hubdata.errors import SourceError
from hubdata.model.finding import Finding
from hubdata.model.job import FileRule, Job, SourceSpec, Unit
from hubdata.model.key import key_of
from hubdata.model.snapshot import Artifact, Fetched, SourceFile
from hubdata.model.validation import CheckedFile, ValidationResult
from hubdata.planning.claims import Claim, claim, rule_for
from hubdata.running.proving import KindOf, Proof, prove

if TYPE_CHECKING:
    from hubdata.running.crew import Crew

_CHUNK = 1 << 20
_MAX_INPUT = 512 << 20
"""As much as a source may hold altogether; no kind allows one file as much."""


def check_tree(
    jobs: tuple[Job, ...], fetched: Fetched, kind_of: KindOf, now: datetime, crew: "Crew | None" = None
) -> ValidationResult:
    """Return the verdict on a whole checkout; a file that no job claims or ignores is a finding. The `crew` helps."""
    claims = claim(jobs, fetched.files)
    work = [(job, claims.by_job[job.name]) for job in jobs]
    with nullcontext() if crew is None else crew.helping(work, kind_of):
        proofs = [prove(job, mine, kind_of, now=now) for job, mine in work]
    return _result(proofs, (*fetched.findings, *claims.findings))


def check_files(jobs: tuple[Job, ...], files: Iterable[SourceFile], kind_of: KindOf, now: datetime) -> ValidationResult:
    """Return the verdict on single files of a checkout; the rest of it, and its waivers, are left alone."""
    claims = claim(jobs, tuple(files))
    proofs = []
    for job in jobs:
        mine = claims.by_job[job.name]
        keys = {each.file.key for each in mine}
        if mine:
            waivers = tuple(waiver for waiver in job.waivers if waiver.key in keys)
            proofs.append(prove(replace(job, waivers=waivers, groups=()), mine, kind_of, now=now))
    return _result(proofs, claims.findings)


def check_changed(
    jobs: tuple[Job, ...], fetched: Fetched, changed: frozenset[str], kind_of: KindOf, now: datetime
) -> ValidationResult:
    """Return the verdict on those files of a checkout that are among `changed` keys, gone ones included.

    Of a job that is refused as a whole (`unit = "job"`) one change has every file judged, for they load together.
    """
    claims = claim(jobs, fetched.files)
    here = {file.key for file in fetched.files}
    gone = changed - here
    proofs = []
    for job in jobs:
        mine = claims.by_job[job.name]
        touched = tuple(each for each in mine if each.file.key in changed)
        if not touched and not any(rule_for(job, key) for key in gone):
            continue
        judged = mine if job.unit is Unit.JOB else touched
        kept = frozenset(each.file.key for each in mine) - {each.file.key for each in judged}
        proofs.append(prove(job, judged, kind_of, kept=kept, now=now))
    strays = (f for f in (*fetched.findings, *claims.findings) if f.key in changed or not f.key)
    return _result(proofs, tuple(strays))


def check_as(
    kind: str, options: Mapping[str, Any], files: Iterable[SourceFile], kind_of: KindOf, now: datetime
) -> ValidationResult:
    """Return the verdict on `files` as one kind, whatever the jobs say of them."""
    rule = FileRule(match="**", kind=kind, options=options)
    job = Job(name=kind, source=SourceSpec("directory", {}), files=(rule,))
    return _result([prove(job, tuple(Claim(rule, file) for file in files), kind_of, now=now)], ())


def _result(proofs: Iterable[Proof], strays: tuple[Finding, ...]) -> ValidationResult:
    findings = [finding for proof in proofs for finding in proof.findings]
    judged: dict[str, Artifact] = {artifact.key: artifact for proof in proofs for artifact in proof.judged}
    by_key: dict[str, list[Finding]] = {key: [] for key in judged}
    rest = list(strays)
    for finding in findings:
        by_key.get(finding.key, rest).append(finding)
    files = tuple(
        CheckedFile(key, artifact.kind, artifact.stats, tuple(by_key[key])) for key, artifact in sorted(judged.items())
    )
    return ValidationResult(files, tuple(rest))


def source_file(path: Path, root: Path | None = None) -> SourceFile:
    """Return `path` as a file of the checkout at `root`; without one, its key is the path as given.

    Raises SourceError when it is not a readable file there.
    """
    try:
        size = path.stat().st_size
        key = key_of(path.resolve(), root.resolve()) if root else key_of(path)
    except OSError as err:
        raise SourceError(f"{path}: cannot be read ({err.strerror or err})", advice="name an existing file") from err
    except ValueError as err:
        raise SourceError(
            f"{path}: lies outside the checkout {root}", advice="name files of one checkout, or use --kind"
        ) from err
    return SourceFile(key, path, size, {"type": "directory"})


def spooled(stream: IO[bytes], key: str, directory: Path) -> SourceFile:
    """Return what `stream` holds to its end as a file in `directory`, called `key`.

    Raises SourceError when that is more than any file may have.
    """
    path, size = directory / "standard-input", 0
    with path.open("xb") as file:
        while chunk := stream.read(_CHUNK):
            size += len(chunk)
            if size > _MAX_INPUT:
                raise SourceError(
                    f"{key}: expected at most {_MAX_INPUT:,} bytes on standard input, found more",
                    advice="write it to a file and name that",
                )
            file.write(chunk)
    return SourceFile(key, path, size, {"type": "directory"})


def checkout_root(path: Path) -> Path:
    """Return the checkout that `path` lies in: the nearest directory above with a `.git`, else its own directory."""
    start = path.resolve() if path.is_dir() else path.resolve().parent
    return next((d for d in (start, *start.parents) if (d / ".git").exists()), start)


def base_of(root: Path, environment: Mapping[str, str]) -> str:
    """Return what a key of the checkout at `root` begins with in the repository around it: `data/`, mostly nothing.

    A workflow's repository is its workspace; anybody else's is where they are.
    """
    around = Path(environment.get("GITHUB_WORKSPACE") or ".").resolve()
    inside = root.resolve()
    if inside == around or not inside.is_relative_to(around):
        return ""
    return inside.relative_to(around).as_posix() + "/"
