"""Runs one kind over bytes or over a real file, so that a test says only what differs."""

from datetime import UTC, datetime
from pathlib import Path

from hubdata.model.job import Limits
from hubdata.model.snapshot import Artifact
from hubdata.ports import Body, Demands, Kind, Verdict
from tests.support.real import SEC_LISTS

NO_LIMITS = Limits()
CHECKED_AT = datetime(2026, 7, 1, tzinfo=UTC)


def judged(kind: Kind, body: Body, limits: Limits = NO_LIMITS, key: str = "list.txt") -> Verdict:
    """Return what `kind` says of `body`."""
    artifact = Artifact(key, Path("unread"), len(body), "", "", "", "", "", {})
    return kind.check(artifact, body, Demands(limits, CHECKED_AT))


def judged_real(kind: Kind, key: str) -> Verdict:
    """Return what `kind` says of a file of the real tree."""
    return judged(kind, (SEC_LISTS / key).read_bytes(), key=key)


def told(verdict: Verdict) -> list[tuple[int | None, str, str]]:
    """Return line, rule and severity of each finding, in order."""
    return [(f.line, f.rule, f.severity.value) for f in verdict.findings]


def refusals(verdict: Verdict) -> list[tuple[int | None, str]]:
    """Return line and rule of each error."""
    return [(line, rule) for line, rule, severity in told(verdict) if severity == "error"]
