"""Decide what is news: what is seen now against what people were told, job by job and target by target.

A trouble is news when it was not told, or was told of other files. When it is over, and nothing else is news of that
job, that is told once. What nobody knows is neither. Which of it is worth telling, the settings say (`on`); what they
leave out is as if it were not.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from hubdata.model.notify import RECOVERED, Trouble
from hubdata.notifying.record import Entry, Record, Told
from hubdata.notifying.sightings import Condition, Sighting, too_old


@dataclass(frozen=True, slots=True)
class Change:
    """One piece of news. `state` is a trouble's word, or `recovered`; `was` are the troubles that are over.

    `still` are those that are not, where some are over. `targets` are all at which the same holds.
    """

    job: str
    targets: tuple[str, ...]
    state: str
    condition: Condition | None = None
    was: tuple[str, ...] = ()
    still: tuple[str, ...] = ()


def news(told: Told, sighting: Sighting, on: frozenset[str]) -> tuple[tuple[Change, ...], Told]:
    """Return what to tell of one job at one target by a way that has told `told`, and what it has told after that."""
    after = dict(told)
    found: list[Change] = []
    over = []
    for trouble in Trouble:
        if trouble not in sighting.seen:
            continue
        condition = sighting.seen[trouble]
        if condition is None or trouble.value not in on:
            if after.pop(trouble, None) is not None:
                over.append(trouble.value)
        elif after.get(trouble) != condition.mark:
            after[trouble] = condition.mark
            found.append(Change(sighting.job, (sighting.target,), trouble.value, condition))
    if found:
        found[0] = replace(found[0], was=tuple(over))
    elif over and RECOVERED in on:
        still = tuple(sorted(after, key=list(Trouble).index))
        found.append(Change(sighting.job, (sighting.target,), RECOVERED, None, tuple(over), still))
    return tuple(found), after


Noted = Mapping[str, tuple[datetime | None, Mapping[str, Told]]]
"""By job, since when it is not well (None: it is), and what each way has told of it."""


def upon(record: Record, sighting: Sighting, now: datetime) -> tuple[Sighting, datetime | None]:
    """Return what is seen and what follows from the past: whether the job is stale, and since when it is not well.

    A success before the first run that was none is not on record, so that run's time stands for it.
    """
    if sighting.well:
        return sighting, None
    entry = record.entries.get(sighting.job)
    before = None if entry is None else entry.since
    since = sighting.since or (now if before is None else min(before, now))
    age = sighting.max_age
    if age is not None and Trouble.STALE not in sighting.seen and now - since > age:
        sighting = replace(sighting, seen={**sighting.seen, Trouble.STALE: too_old(since, now, age)})
    return sighting, since


def after(record: Record, noted: Noted, now: datetime) -> Record:
    """Return the record once all that is `noted`; what stays as it was keeps its time."""
    entries = dict(record.entries)
    for job, (since, each) in noted.items():
        told = {way: troubles for way, troubles in each.items() if troubles}
        held = entries.get(job)
        if since is None and not told:
            entries.pop(job, None)
        elif held is None or (held.since, held.told) != (since, told):
            entries[job] = Entry(since, now, told)
    return Record(entries)


def together(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Return changes of one job that are the same at several targets as one, worst first, then by job."""
    merged: dict[tuple[str, str, str, tuple[str, ...], tuple[str, ...]], Change] = {}
    for change in changes:
        mark = "" if change.condition is None else f"{change.condition.mark} {change.condition.plan_id}"
        key = (change.job, change.state, mark, change.was, change.still)
        before = merged.get(key)
        merged[key] = change if before is None else replace(before, targets=(*before.targets, *change.targets))
    worst = (Trouble.FAILED, Trouble.REFUSED, Trouble.HELD, Trouble.STALE, RECOVERED)
    return tuple(sorted(merged.values(), key=lambda change: (worst.index(change.state), change.job)))
