"""Decide what is too much at once: changes that are valid line by line but look like an accident.

A file over a limit is held, not refused: its plan has an id, and `--approve ID` lets exactly that plan out. Limits
compare what would be published with what is public now, so they need a target's manifest; grammar needs none.
"""

from collections.abc import Iterator, Mapping

from hubdata.model.finding import Finding, Severity
from hubdata.model.job import Limits
from hubdata.model.manifest import Entry, Manifest
from hubdata.model.plan import Action, Plan
from hubdata.model.snapshot import Snapshot, Stats, state_of

_COUNTED = (
    ("entries", "entries"),
    ("ipv4_addresses", "IPv4 addresses"),
    ("ipv6_64s", "IPv6 /64 networks"),
)


def breaches(
    plan: Plan,
    snapshot: Snapshot,
    manifest: Manifest,
    limits: Mapping[str, Limits],
    *,
    rewinds: tuple[str, ...] = (),
    allow_rollback: bool = False,
) -> tuple[Finding, ...]:
    """Return a finding for every change of `plan` that breaks a limit; its key is to be held.

    `limits` are by key. `rewinds` are published revisions that the source's history no longer contains.
    """
    gone_back = () if allow_rollback else rewinds
    found: list[Finding] = []
    for change in plan.changes:
        if change.action is Action.PUT:
            found += _of_one(change.key, snapshot, manifest, limits, gone_back, allow_rollback=allow_rollback)
        else:
            found += _rewound(change.key, manifest.files[change.key], gone_back)
    return (*found, *_too_many_deletes(plan, manifest))


def _of_one(
    key: str,
    snapshot: Snapshot,
    manifest: Manifest,
    limits: Mapping[str, Limits],
    rewinds: tuple[str, ...],
    *,
    allow_rollback: bool,
) -> Iterator[Finding]:
    entry = manifest.files.get(key)
    if entry is None or entry.sha256 == snapshot.artifacts[key].sha256:
        return
    new = snapshot.artifacts[key].stats
    yield from _moved_too_far(key, entry.stats, new, limits.get(key, Limits()))
    if allow_rollback:
        return
    if (
        new.build_epoch is not None
        and entry.stats.build_epoch is not None
        and new.build_epoch < entry.stats.build_epoch
    ):
        yield _held(
            key,
            "limits.older-build",
            f"this database was built at {new.build_epoch}, the published one later, at {entry.stats.build_epoch}",
        )
    yield from _rewound(key, entry, rewinds)


def _rewound(key: str, entry: Entry, rewinds: tuple[str, ...]) -> Iterator[Finding]:
    state = state_of(entry.source)
    if state in rewinds:
        yield _held(
            key,
            "limits.rewound",
            f"the source's history no longer contains {state}, which is published: it was rewritten or went back",
        )


def _too_many_deletes(plan: Plan, manifest: Manifest) -> Iterator[Finding]:
    """Hold deletes of more than half of what a job published: its source has rather been cut short than tidied up."""
    published = sum(entry.job == plan.job for entry in manifest.files.values())
    if len(plan.deletes) > max(1, published / 2):
        for change in plan.deletes:
            yield _held(
                change.key,
                "limits.max-deletes",
                f"the source no longer has {len(plan.deletes)} of the {published} files this job published",
            )


def _moved_too_far(key: str, old: Stats, new: Stats, limits: Limits) -> Iterator[Finding]:
    if limits.max_change is None:
        return
    for field, words in _COUNTED:
        was, now = getattr(old, field), getattr(new, field)
        if was is None or now is None or was == now:
            continue
        if field == "entries" and abs(now - was) <= (limits.floor_entries or 0):
            continue
        share = abs(now - was) / max(was, 1)
        if share > limits.max_change:
            yield _held(
                key,
                "limits.max-change",
                f"{words} go from {was:,} to {now:,}: {share:.0%} at once, the limit is {limits.max_change:.0%}",
            )


def _held(key: str, rule: str, message: str) -> Finding:
    advice = "look at the change; if it is meant, approve the held plan by its id"
    if rule in ("limits.older-build", "limits.rewound"):
        advice += ", or run once with --allow-rollback"
    return Finding(key, None, rule, Severity.ERROR, message, advice)
