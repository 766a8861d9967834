"""Keep a record of every run at the targets it wrote to: what it did, what it found, and how it ended.

A run that writes nothing leaves no record: it must cost no write, and its having been there is what the worker and
the monitoring tell. A record is for people and status pages; nothing is decided by it, so trouble with one is only told
and never fails a run. Only so many are kept, and each has a bounded size: who writes them sees to that.
"""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from hubdata.errors import HubdataError
from hubdata.model.event import Event
from hubdata.model.key import PRIVATE
from hubdata.ports import Reporter, Target

PREFIX = f"{PRIVATE}runs/"
SUFFIX = ".json"

KEPT = 200
"""Records kept at a target; a run's id begins with its time, so that names sort as the runs did."""

MAX_BYTES = 4 << 20
_MOST_REMOVED = 20
_AT_ONCE = 8


def listed(keys: Iterable[str]) -> tuple[str, ...]:
    """Return those of `keys` that are records, the oldest first."""
    return tuple(sorted(key for key in keys if key.startswith(PREFIX) and key.endswith(SUFFIX)))


def keep(target: Target, run_id: str, body: bytes, before: tuple[str, ...], reporter: Reporter) -> None:
    """Write the record of one run, and remove the oldest of those `before` that are too many. Never raises."""
    key = f"{PREFIX}{run_id}{SUFFIX}"
    try:
        target.write(key, body, content_type="application/json", cache_control="private, no-store", if_etag=None)
        for old in before[: max(0, len(before) + 1 - KEPT)][:_MOST_REMOVED]:
            target.delete(old)
    except HubdataError as err:
        reporter.emit(Event("record.failed", {"target": target.name, "run": run_id, "error": str(err)}))


def newest(target: Target, most: int) -> Mapping[str, bytes]:
    """Return the newest records by run id, the newest first. One LIST and a GET for each. Raises TargetError."""
    keys = tuple(reversed(listed(target.listing())))[:most]
    if not keys:
        return {}
    with ThreadPoolExecutor(min(_AT_ONCE, len(keys)), thread_name_prefix=f"runs-{target.name}") as pool:
        blobs = pool.map(lambda key: target.read(key, max_bytes=MAX_BYTES), keys)
        found = {key: blob.body for key, blob in zip(keys, blobs, strict=True) if blob is not None}
    return {key.removeprefix(PREFIX).removesuffix(SUFFIX): body for key, body in found.items()}
