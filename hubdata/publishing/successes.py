"""Keep each job's last success at its targets, where whichever worker comes next finds what is due.

A record of a few lines, private, written over the one before it and nothing else: of two workers, the later success
stays. Nothing that is public depends on it, so trouble with one is told and fails nothing.
"""

from hubdata.errors import Conflict, HubdataError
from hubdata.model.event import Event
from hubdata.model.success import Success, key_of
from hubdata.ports import Reporter, Target

_MAX_BYTES = 64 * 1024
_TRIES = 3


def last(target: Target, job: str) -> Success | None:
    """Return the job's last success at `target`, None when none is known. Raises TargetError. One GET."""
    blob = target.read(key_of(job), max_bytes=_MAX_BYTES)
    return None if blob is None else Success.from_bytes(blob.body)


def keep(target: Target, success: Success, reporter: Reporter) -> bool:
    """Write a success, unless a later one is kept already; tell whether one of both is there now. Never raises."""
    try:
        return any(_written(target, success) for _ in range(_TRIES))
    except HubdataError as err:
        told = {"target": target.name, "job": success.job, "error": str(err)}
        reporter.emit(Event("success.unkept", told))
        return False


def _written(target: Target, success: Success) -> bool:
    """Tell whether `success`, or a later one, is kept; False when another worker wrote at the same moment."""
    key = key_of(success.job)
    blob = target.read(key, max_bytes=_MAX_BYTES)
    held = None if blob is None else Success.from_bytes(blob.body)
    if held is not None and success.started_at <= held.started_at <= success.ended_at:
        return True
    headers = {"content_type": "application/json", "cache_control": "private, no-store"}
    try:
        target.write(key, success.to_bytes(), **headers, if_etag=None if blob is None else blob.stored.etag)
    except Conflict:
        return False
    return True
