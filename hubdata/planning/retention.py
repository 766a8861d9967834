"""Decide which past states of a job's files have been kept for long enough.

A state counts from the moment another took its place, as lifecycle rules of stores do: what was public until yesterday
can be rolled back to, however old it is. What readers get now is never among them, and neither is anything of other
jobs or of hubdata itself.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import groupby

from hubdata.model.inventory import Past
from hubdata.model.job import Job
from hubdata.model.key import key_problem
from hubdata.model.manifest import Manifest
from hubdata.planning.claims import rule_for

_GLOB = "*?["


def outlived(past: Iterable[Past], mine: Callable[[str], bool], now: datetime, keep: timedelta) -> tuple[Past, ...]:
    """Return what may go, the oldest first. `past` is complete, by key, the newest state of each key first.

    A delete marker that hides nothing any more goes too, once it is old enough; while it hides something it stays:
    without it the last state would be public again.
    """
    found = (state for key, states in groupby(past, key=lambda p: p.key) if mine(key) for state in _of(states))
    return tuple(state for since, state in sorted(found, key=lambda each: each[0]) if now - since > keep)


def _of(states: Iterable[Past]) -> Iterator[tuple[datetime, Past]]:
    """Return the states of one key that are not current, each with when it ceased to be."""
    newest, *older = states
    if newest.current and newest.deleted and not older:
        yield newest.written_at, newest
    since = newest.written_at
    for state in older:
        if not state.current:
            yield since, state
        since = state.written_at


def heads(job: Job) -> tuple[str, ...]:
    """Return what the keys of `job` begin with, as its rules say; none of them begins with another."""
    found: list[str] = []
    for head in sorted({_head(rule.match) for rule in job.files}):
        if not any(head.startswith(shorter) for shorter in found):
            found.append(head)
    return tuple(found)


def _head(glob: str) -> str:
    return glob[: next((at for at, letter in enumerate(glob) if letter in _GLOB), len(glob))]


def ownership(job: Job, manifest: Manifest, others: tuple[Job, ...]) -> Callable[[str], bool]:
    """Return what tells whether a key is the job's, also one that is public no more.

    While it is public, the manifest says whose it is; afterwards it is the job's that alone has a rule for it.
    """

    def mine(key: str) -> bool:
        if key_problem(key) is not None:
            return False
        entry = manifest.files.get(key)
        if entry is not None:
            return entry.job == job.name
        return rule_for(job, key) is not None and not any(rule_for(other, key) for other in others)

    return mine
