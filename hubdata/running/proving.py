"""Prove files: read each once, digest and judge the very same bytes, and keep only what no finding refuses.

What comes out as an artifact carries the SHA-256 of the bytes that were judged; targets store those bytes or none.
"""

import mmap
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from hubdata.errors import SourceError
from hubdata.model.finding import Finding, Severity
from hubdata.model.job import FileRule, Job, Unit
from hubdata.model.references import References
from hubdata.model.snapshot import Artifact, Digests, Snapshot, Stats
from hubdata.planning.claims import Claim, rule_for
from hubdata.planning.groups import together
from hubdata.planning.waivers import waive
from hubdata.ports import Body, Demands, Kind, Verdict
from hubdata.running.verdict_memory import Remembering
from hubdata.transfer.digest import digests
from hubdata.transfer.turns import COMPUTING
from hubdata.values import frozen

_MAPPED_FROM_BYTES = 8 * 1024 * 1024
"""Files at least this large are mapped instead of read: the 66 MB database must not lie in memory twice."""

DEFAULT_CACHE_CONTROL = "public, max-age=60, s-maxage=86400, stale-while-revalidate=60, stale-if-error=86400"
"""Fits paths whose content changes in place: short in clients, long at the edge, which is invalidated."""

_UNREAD = Digests("", "")
_UNCOUNTED = Stats()

KindOf = Callable[[FileRule], Kind]


@frozen
class Proof:
    """What one job may publish, and everything that was found on the way. `judged` also holds what was refused."""

    snapshot: Snapshot
    findings: tuple[Finding, ...]
    judged: tuple[Artifact, ...] = ()


def prove(
    job: Job,
    claims: tuple[Claim, ...],
    kind_of: KindOf,
    *,
    now: datetime,
    kept: frozenset[str] = frozenset(),
    strays: tuple[Finding, ...] = (),
) -> Proof:
    """Return the snapshot of `job` with every claimed file that passed, and all findings, waivers applied.

    `kept` keys need no bytes; `strays` are findings about entries that the source would not give. With `unit = "job"`
    one refused file refuses them all. A job whose files are all gone is refused: a missing input never empties a
    list. Raises SourceError when a file cannot be read.
    """
    artifacts: dict[str, Artifact] = {}
    findings: list[Finding] = list(strays)
    unread: list[Finding] = []
    references: dict[str, References] = {}
    kinds: dict[int, Kind] = {}  # by rule: there are few of them, and very many files
    with COMPUTING:
        for claim in claims:
            COMPUTING.give_way()
            kind = kinds.get(id(claim.rule)) or kinds.setdefault(id(claim.rule), kind_of(claim.rule))
            artifact, verdict = judge(claim, kind, job, now)
            artifacts[artifact.key] = artifact
            if verdict.references is not None:
                references[artifact.key] = verdict.references
            if artifact.sha256:
                findings += verdict.findings
            else:
                unread += verdict.findings  # no waiver lets out what nobody has looked at
    if not claims and not kept:
        findings.append(_empty(job))
    if job.groups:
        findings += together(job.groups, references, artifacts)
    today = now.date()
    unseen = kept | {finding.key for finding in unread}
    waivers = tuple(w for w in job.waivers if w.key not in unseen or w.until < today)  # who has not looked cannot say
    judged = (*waive(tuple(findings), waivers, today, job.name), *unread)
    refused = frozenset(f.key for f in judged if f.severity is Severity.ERROR)
    if job.unit is Unit.JOB and any(rule_for(job, key) for key in refused):
        refused |= frozenset(artifacts)
    passed = {key: artifact for key, artifact in artifacts.items() if key not in refused}
    return Proof(Snapshot(job.name, passed, kept, refused), judged, tuple(artifacts.values()))


def judge(claim: Claim, kind: Kind, job: Job, now: datetime) -> tuple[Artifact, Verdict]:
    """Return one file as an artifact with the digests of the bytes that its kind judged, and the verdict on them.

    A file over its size limit is refused unread; its artifact then has no digests. Raises SourceError when it
    cannot be read.
    """
    rule, file = claim.rule, claim.file
    max_bytes = rule.limits.max_bytes or kind.max_bytes
    if file.size > max_bytes:
        return _artifact(claim, kind, file.size), Verdict((_too_large(file.key, file.size, max_bytes),))
    try:
        handle = os.open(file.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            size = os.fstat(handle).st_size
            if size < _MAPPED_FROM_BYTES:
                return _judged(claim, kind, job, now, _whole(handle, size))
            with mmap.mmap(handle, 0, access=mmap.ACCESS_READ) as body:
                return _judged(claim, kind, job, now, body)
        finally:
            os.close(handle)
    except OSError as err:
        raise SourceError(
            f"job {job.name}: {file.key} cannot be read ({err.strerror or err})",
            advice="see that the checkout or the spool is readable and still there",
        ) from err


def _judged(claim: Claim, kind: Kind, job: Job, now: datetime, body: Body) -> tuple[Artifact, Verdict]:
    rule, size = claim.rule, len(body)
    max_bytes = rule.limits.max_bytes or kind.max_bytes
    if size > max_bytes:
        return _artifact(claim, kind, claim.file.size), Verdict((_too_large(claim.file.key, size, max_bytes),))
    unproven, demands = _artifact(claim, kind, size), Demands(rule.limits, now, job.canaries)
    try:
        digest, verdict = _digested(unproven, body, kind, demands, claim.file.digests)
    except Exception as err:  # a kind raises nothing: whoever has to mend it wants the file
        err.add_note(f"while judging {claim.file.key} of job {job.name}")
        raise
    return _artifact(claim, kind, size, digest, verdict.stats), verdict


def _artifact(claim: Claim, kind: Kind, size: int, digest: Digests = _UNREAD, stats: Stats = _UNCOUNTED) -> Artifact:
    rule, file = claim.rule, claim.file
    return Artifact(
        key=file.key,
        path=file.path,
        size=size,
        sha256=digest.sha256,
        md5=digest.md5,
        kind=rule.kind,
        content_type=rule.content_type or kind.content_type,
        cache_control=rule.cache_control or DEFAULT_CACHE_CONTROL,
        source=file.source,
        stats=stats,
    )


def _digested(
    artifact: Artifact, body: Body, kind: Kind, demands: Demands, known: Digests | None
) -> tuple[Digests, Verdict]:
    """Return digests and verdict of `body`; of a large one both at once, as hashing needs no interpreter.

    Where verdicts are remembered, the digest tells whether there is one: it comes first, always of the bytes read.
    """
    if isinstance(kind, Remembering):
        found = digests(body, known)
        return found, kind.verdict(artifact, body, found, demands)
    if isinstance(body, bytes):
        return digests(body, known), kind.check(artifact, body, demands)
    with ThreadPoolExecutor(1, thread_name_prefix="digests") as aside:
        pending = aside.submit(digests, body, known)
        verdict = kind.check(artifact, body, demands)
        return pending.result(), verdict


def _whole(handle: int, size: int) -> bytes:
    """Return what a file of `size` bytes holds, or as many bytes as would be mapped; mostly in one read."""
    body = os.read(handle, size + 1)
    while len(body) != size and len(body) < _MAPPED_FROM_BYTES:  # it changes while it is read
        more = os.read(handle, _MAPPED_FROM_BYTES - len(body))
        if not more:
            break
        body += more
    return body


def _too_large(key: str, size: int, max_bytes: int) -> Finding:
    return Finding(
        key,
        None,
        "file.too-large",
        Severity.ERROR,
        f"{size:,} bytes, more than the {max_bytes:,} allowed",
        "see what made it grow; if it is meant, raise `limits.max_bytes` in the job file",
    )


def _empty(job: Job) -> Finding:
    return Finding(
        "",
        None,
        "job.empty",
        Severity.ERROR,
        f"the source holds none of the files that job {job.name} publishes; what is public stays",
        "see that `source` and the `match` globs still fit the data repository",
    )
