"""Explain a plan: what each changed file will mean to engines that it did not mean before.

For that the published bytes must be read, which costs a GET a file. So only plans that a person is going to look at
are explained: those of a dry run, and held ones. A file that cannot be read, or is too large, is left unexplained:
an explanation is never a reason for a plan to fail.
"""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from hubdata.errors import SourceError, TargetError
from hubdata.meaning.difference import difference
from hubdata.meaning.table import is_understood, meaning_of
from hubdata.model.event import Event
from hubdata.model.inventory import Held
from hubdata.model.meaning import Difference
from hubdata.model.plan import Change, Plan
from hubdata.model.snapshot import Artifact
from hubdata.ports import Reporter, Target
from hubdata.transfer.digest import read_verified

MAX_FILES = 500
"""Files explained in one plan; nobody reads more."""

MAX_FILE_BYTES = 32 << 20
"""What the kinds allow a list; each is in memory twice while it is compared."""

_AT_ONCE = 4


def explain(
    plans: Iterable[Plan],
    artifacts: Mapping[str, Artifact],
    held: Mapping[str, Held],
    target: Target,
    reporter: Reporter,
) -> Mapping[str, Difference]:
    """Return by key how every changed file of `plans` differs from what `target` holds.

    New files, deleted ones, and kinds of which only the bytes are known are left out.
    """
    changes = [change for plan in plans for change in plan.puts if _worthwhile(change, artifacts, held)][:MAX_FILES]

    def one(change: Change) -> Difference | None:
        try:
            return _explained(change, artifacts[change.key], target)
        except (TargetError, SourceError, OSError) as err:
            reporter.emit(Event("meaning.unread", {"target": target.name, "key": change.key, "error": str(err)}))
            return None

    if not changes:
        return {}
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix=f"explain-{target.name}") as pool:
        found = zip(changes, pool.map(one, changes), strict=True)
        return {change.key: meant for change, meant in found if meant is not None}


def _worthwhile(change: Change, artifacts: Mapping[str, Artifact], held: Mapping[str, Held]) -> bool:
    """Tell whether there are old and new bytes of a kind that says more than bytes."""
    artifact, there = artifacts.get(change.key), held.get(change.key)
    if artifact is None or there is None or there.sha256 == artifact.sha256:
        return False
    return is_understood(artifact.kind) and max(artifact.size, there.stored.size) <= MAX_FILE_BYTES


def _explained(change: Change, artifact: Artifact, target: Target) -> Difference | None:
    """Return the difference; None when somebody has overwritten the object since the plan was made."""
    blob = target.read(change.key, max_bytes=MAX_FILE_BYTES)
    if blob is None or blob.stored.etag != change.planned_etag:
        return None
    body = read_verified(artifact.path, size=artifact.size, sha256=artifact.sha256, error=SourceError)
    return difference(meaning_of(artifact.kind, blob.body), meaning_of(artifact.kind, body))
