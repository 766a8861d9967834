"""Runs one kind over some bytes and gives what it found in a form that a table of cases can spell."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hubdata.model.finding import Finding, Severity
from hubdata.model.job import Canary, Limits
from hubdata.model.snapshot import Artifact
from hubdata.ports import Body, Demands, Kind, Verdict

CHECKED_AT = datetime(2026, 6, 1, 12, tzinfo=UTC)

_NO_LIMITS = Limits()


def judged(
    kind: type[Any],
    body: Body,
    *,
    key: str = "some/list",
    limits: Limits = _NO_LIMITS,
    checked_at: datetime = CHECKED_AT,
    canaries: tuple[Canary, ...] = (),
    **options: Any,
) -> Verdict:
    """Return the verdict of `kind`, built with `options`, on `body`."""
    checker: Kind = kind(kind.Options(**options))
    artifact = Artifact(key, Path("absent"), len(body), "", "", kind.name, "", "", {})
    return checker.check(artifact, body, Demands(limits, checked_at, canaries))


def rules(verdict: Verdict) -> list[str]:
    """Return the rules that were broken, in the order of the findings."""
    return [finding.rule for finding in verdict.findings]


def places(verdict: Verdict) -> list[tuple[str, int | None, int | None]]:
    """Return rule, line and column of each finding."""
    return [(finding.rule, finding.line, finding.column) for finding in verdict.findings]


def errors(verdict: Verdict) -> list[Finding]:
    """Return the findings that refuse the file."""
    return [finding for finding in verdict.findings if finding.severity is Severity.ERROR]
