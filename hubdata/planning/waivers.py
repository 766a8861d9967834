"""Apply a job's waivers: findings that somebody accepted by name, for a reason, until a day.

A waived error counts as a warning and carries its waiver, so that it stays in sight. A waiver that no longer does
anything is itself a finding: otherwise it would lie in wait for the next, real mistake. Two sorts of people read
these findings, and each is told its part: who keeps the list mends it, who keeps the job file decides.
"""

from dataclasses import replace
from datetime import date

from hubdata.model.finding import Finding, Severity
from hubdata.model.job import Waiver


def waive(findings: tuple[Finding, ...], waivers: tuple[Waiver, ...], today: date, job: str) -> tuple[Finding, ...]:
    """Return `findings` after the waivers of `job`, followed by a finding for every one that is expired or unused."""
    live = {(w.key, w.rule): w for w in waivers if w.until >= today}
    used: set[Waiver] = set()
    out: list[Finding] = []
    for finding in findings:
        waiver = live.get((finding.key, finding.rule))
        if waiver is None or finding.severity is not Severity.ERROR:
            out.append(finding)
            continue
        used.add(waiver)
        note = f"until {waiver.until.isoformat()}: {waiver.reason}"
        out.append(replace(finding, severity=Severity.WARNING, waived=note))
    refusing = {(f.key, f.rule) for f in out if f.severity is Severity.ERROR}
    told = {(f.key, f.rule) for f in out}
    idle = (
        _idle(waiver, today, job, needed=_subject(waiver) in refusing, mild=_subject(waiver) in told)
        for waiver in waivers
        if waiver not in used
    )
    return (*out, *idle)


def _subject(waiver: Waiver) -> tuple[str, str]:
    return waiver.key, waiver.rule


def _idle(waiver: Waiver, today: date, job: str, *, needed: bool, mild: bool) -> Finding:
    remove = f"who keeps jobs/{job}.toml removes the waiver, so that it cannot hide a later mistake"
    if waiver.until >= today:
        why = "is only a warning there" if mild else "finds nothing there"
        return _told(waiver, "waiver.unused", f"the waiver for {waiver.rule} is not needed: the rule {why}", remove)
    ended = f"the waiver for {waiver.rule} ended on {waiver.until.isoformat()}"
    if not needed:
        return _told(waiver, "waiver.expired", f"{ended}: it does nothing any more", remove)
    advice = f"who keeps the list mends it; or who keeps jobs/{job}.toml decides anew and sets a later date"
    return _told(waiver, "waiver.expired", f"{ended}, so the file is refused again", advice)


def _told(waiver: Waiver, rule: str, message: str, advice: str) -> Finding:
    return Finding(waiver.key, None, rule, Severity.WARNING, message, advice)
