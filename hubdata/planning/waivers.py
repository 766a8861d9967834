"""Apply a job's waivers: findings that somebody accepted by name, for a reason, until a day.

A waived error counts as a warning and carries its waiver, so that it stays in sight. A waiver that no longer does
anything is itself a finding: otherwise it would lie in wait for the next, real mistake.
"""

from dataclasses import replace
from datetime import date

from hubdata.model.finding import Finding, Severity
from hubdata.model.job import Waiver


def waive(findings: tuple[Finding, ...], waivers: tuple[Waiver, ...], today: date) -> tuple[Finding, ...]:
    """Return `findings` after `waivers`, followed by a finding for every waiver that is expired or unused."""
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
    return (*out, *(_idle(w, today) for w in waivers if w not in used))


def _idle(waiver: Waiver, today: date) -> Finding:
    if waiver.until < today:
        return Finding(
            waiver.key,
            None,
            "waiver.expired",
            Severity.WARNING,
            f"the waiver for {waiver.rule} ended on {waiver.until.isoformat()}",
            "mend the file, or decide anew and set a later date; then remove the old waiver",
        )
    return Finding(
        waiver.key,
        None,
        "waiver.unused",
        Severity.WARNING,
        f"nothing in this file needs the waiver for {waiver.rule}",
        "remove the waiver from the job file, so that it cannot hide a later mistake",
    )
