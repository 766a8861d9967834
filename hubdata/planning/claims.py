"""Decide which job publishes which file of a shared source, and which files nobody has spoken for.

Every file must be claimed by exactly one job or ignored by name: a file that slips through unnoticed is how a list
goes public that no one ever checked.
"""

from collections.abc import Mapping

from hubdata.errors import ConfigError
from hubdata.model.finding import Finding, Severity
from hubdata.model.job import FileRule, Job
from hubdata.model.key import key_problem
from hubdata.model.snapshot import SourceFile
from hubdata.planning.glob import matcher, matches
from hubdata.values import frozen


@frozen
class Claim:
    """One file that a job publishes, and the rule by which it does."""

    rule: FileRule
    file: SourceFile


@frozen
class Claims:
    """Who publishes what: claims by job name, and a finding for every file that cannot be published at all."""

    by_job: Mapping[str, tuple[Claim, ...]]
    findings: tuple[Finding, ...]


def rule_for(job: Job, key: str) -> FileRule | None:
    """Return the first rule of `job` that names `key`."""
    return next((rule for rule in job.files if matcher(rule.match)(key)), None)


def claim(jobs: tuple[Job, ...], files: tuple[SourceFile, ...]) -> Claims:
    """Return the claims of all `jobs` of one source on its `files`.

    Raises ConfigError when two jobs claim one key: each key has one owner.
    """
    by_job: dict[str, list[Claim]] = {job.name: [] for job in jobs}
    findings: list[Finding] = []
    for file in files:
        owners = [(job, rule) for job in jobs if (rule := rule_for(job, file.key))]
        if len(owners) > 1:
            raise ConfigError(
                f"jobs {' and '.join(job.name for job, _ in owners)}: both claim {file.key}",
                advice="a key has one owner: narrow the `match` of all but one of these jobs",
            )
        if owners:
            job, rule = owners[0]
            if problem := key_problem(file.key):
                findings.append(_unsafe(file.key, problem))
            else:
                by_job[job.name].append(Claim(rule, file))
        elif not ignored(jobs, file.key):
            findings.append(_unclaimed(file.key))
    return Claims({name: tuple(claims) for name, claims in by_job.items()}, tuple(findings))


def ignored(jobs: tuple[Job, ...], key: str) -> bool:
    """Tell whether no job needs to speak for `key`: an [[ignore]] names it, or a part of it begins with a dot.

    `.` and `..` are no such names but a way out of the tree: nobody's ignore covers them.
    """
    if any(segment.startswith(".") and segment not in (".", "..") for segment in key.split("/")):
        return True
    return any(matches(glob, key) for job in jobs for glob in job.ignore)


def _unclaimed(key: str) -> Finding:
    return Finding(
        key=key,
        line=None,
        rule="job.unclaimed",
        severity=Severity.ERROR,
        message="no job says what kind of file this is, so it is not published",
        advice="add a [[files]] entry with its kind to a job file, or an [[ignore]] entry with its name",
    )


def _unsafe(key: str, problem: str) -> Finding:
    return Finding(
        key=key,
        line=None,
        rule="job.unsafe-key",
        severity=Severity.ERROR,
        message=f"this name cannot be published: {problem}",
        advice="rename the file in the data repository",
    )
