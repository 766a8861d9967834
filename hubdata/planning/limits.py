"""Decide what is too much at once: changes that are valid line by line but look like an accident.

A file over a limit is held, not refused: its plan has an id, and `--approve ID` lets exactly that plan out. Limits
compare what would be published with what is public now, so they need a target's manifest. What a file must be by
itself (`min_entries`, prefix floors, named networks) its kind judges, and refuses: `validate` can say that too.

From nothing to something there is no share: the first IPv6 networks of a list pass up to their floor and are held
beyond it, since what a list has never held is what nobody has looked at. A loss of more than half is held whatever
`max_change` says: a limit of 1 lets a short list double, and must not let it vanish. A file that loses everything is
held without any limit and whatever its floor: most kinds refuse an empty file, but not all can.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from hubdata.model.finding import Finding, Severity
from hubdata.model.job import Limits
from hubdata.model.manifest import ABSENT, Entry, Manifest
from hubdata.model.plan import Action, Change, Plan
from hubdata.model.snapshot import Snapshot, Stats, state_of
from hubdata.planning.withdrawal import is_withdrawn

if TYPE_CHECKING:
    from hubdata.model.geo import Measured

MAX_LOSS = 0.5
"""The largest share that may go at once: no list of more than a few lines has honestly lost more (facts)."""

_AFTER_ALL_YEARS = 253_402_300_800
"""In seconds since 1970: no date can be written after it."""

_NOTHING_MEASURED: "Mapping[str, Measured]" = MappingProxyType({})

_COUNTED = (
    ("entries", "entries", "floor_entries"),
    ("ipv4_addresses", "IPv4 addresses", "floor_ipv4_addresses"),
    ("ipv6_64s", "IPv6 /64 networks", "floor_ipv6_64s"),
)


def breaches(
    plan: Plan,
    snapshot: Snapshot,
    manifest: Manifest,
    limits: Mapping[str, Limits],
    *,
    rewinds: tuple[str, ...] = (),
    allow_rollback: bool = False,
    max_deletes: float = 0.5,
    moved: "Mapping[str, Measured]" = _NOTHING_MEASURED,
) -> tuple[Finding, ...]:
    """Return a finding for every change of `plan` that breaks a limit; the key of an error is to be held.

    `moved` tells by key how databases differ from what is public, where a limit asks for it. That nobody can tell is
    a warning, and holds nothing, unless it is the new database's doing.
    `limits` are by key. `rewinds` are published revisions that the source's history no longer contains. `max_deletes`
    is the share of what the job published that may go at once.
    """
    gone_back = () if allow_rollback else rewinds
    found: list[Finding] = []
    for change in plan.changes:
        found += _taken_back(change, manifest)
        if change.action is Action.PUT:
            found += _of_one(change.key, snapshot, manifest, limits, gone_back, allow_rollback=allow_rollback)
            if change.key in moved:
                found += _countries_moved(change.key, moved[change.key], limits[change.key].max_country_change)
        else:
            found += _rewound(change.key, manifest.files[change.key], gone_back)
    return (*found, *_too_many_deletes(plan, manifest, max_deletes))


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
    if (entry.size and not snapshot.artifacts[key].size) or (entry.stats.entries and new.entries == 0):
        yield _held(key, "limits.emptied", f"nothing is left of this file, which has {_amount(entry)} in public")
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
            f"this database was built at {_time(new.build_epoch)}, the published one later,"
            f" at {_time(entry.stats.build_epoch)}",
        )
    yield from _rewound(key, entry, rewinds)


def _time(epoch: int) -> str:
    if not 0 <= epoch < _AFTER_ALL_YEARS:  # a manifest may say anything
        return str(epoch)
    return f"{datetime.fromtimestamp(epoch, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _rewound(key: str, entry: Entry, rewinds: tuple[str, ...]) -> Iterator[Finding]:
    state = state_of(entry.source)
    if state in rewinds:
        yield _held(
            key,
            "limits.rewound",
            f"the source's history no longer contains {state}, which is published: it was rewritten or went back",
        )


def breaches_of_rollback(plan: Plan, manifest: Manifest, *, max_deletes: float = 0.5) -> tuple[Finding, ...]:
    """Return what holds a plan that goes back to a generation somebody named: too many deletes at once, nothing else.

    How far it moves is what was asked for.
    """
    return tuple(_too_many_deletes(plan, manifest, max_deletes))


def _taken_back(change: Change, manifest: Manifest) -> Iterator[Finding]:
    """Hold what a rollback has undone, as long as the source says nothing new."""
    put = change.action is Action.PUT
    if is_withdrawn(manifest, change.key, change.sha256 if put else ABSENT):
        what = "these bytes" if put else "the deletion of this file"
        message = f"a rollback took {what} back, and the source has nothing else since"
        yield _held(change.key, "limits.withdrawn", message)


def _too_many_deletes(plan: Plan, manifest: Manifest, share: float) -> Iterator[Finding]:
    """Hold deletes of much of what a job published: its source has rather been cut short than tidied up.

    One file alone may always go, unless the share is nothing at all.
    """
    published = sum(entry.job == plan.job for entry in manifest.files.values())
    if len(plan.deletes) > (max(1, published * share) if share else 0):
        for change in plan.deletes:
            yield _held(
                change.key,
                "limits.max-deletes",
                f"the source no longer has {len(plan.deletes)} of the {published} files this job published;"
                f" the limit is {share:.0%} at once",
            )


def _moved_too_far(key: str, old: Stats, new: Stats, limits: Limits) -> Iterator[Finding]:
    if limits.max_change is None:
        return
    for field, words, floor in _COUNTED:
        was, now = getattr(old, field), getattr(new, field)
        if was is None or now is None or abs(now - was) <= (getattr(limits, floor) or 0):
            continue
        much = "the first ones of this file"
        if was:
            share = abs(now - was) / was
            most = limits.max_change if now > was else min(limits.max_change, MAX_LOSS)
            if share <= most:
                continue
            much = f"{share:.0%} at once, the limit is {most:.0%}"
        yield _held(key, "limits.max-change", f"{words} go from {was:,} to {now:,}: {much}")


def _countries_moved(key: str, moved: "Measured", most: float | None) -> Iterator[Finding]:
    """Hold a database in which more addresses changed their country, or system, than in years of releases."""
    if most is None:
        return
    from hubdata.model.geo import GeoDifference, Incomparable, Measure

    if isinstance(moved, Incomparable):
        message = f"how far countries moved cannot be told, as no other database is built so: {moved.why}"
        yield _held(key, "limits.max-country-change", f"{message}; the limit is {most:.2%} at once")
        return
    if not isinstance(moved, GeoDifference):
        message = f"how far countries moved cannot be told: {moved}"
        advice = "look at the next release; canaries and the other limits hold for this one too"
        yield Finding(key, None, "limits.not-compared", Severity.WARNING, message, advice)
        return
    for movement in moved.movements:
        noun = "country" if movement.measure is Measure.COUNTRY else "system"
        for shift, family, unit in ((movement.four, "IPv4", "addresses"), (movement.six, "IPv6", "/64 networks")):
            if shift.displaced > most:
                amount = f"{shift.changed + shift.lost:,} of {shift.before:,} {unit}"
                message = f"{shift.displaced:.2%} of {family} ({amount}) have another {noun}, or none now"
                message += f"; the limit is {most:.2%} at once"
                yield _held(key, "limits.max-country-change", message)


def _amount(entry: Entry) -> str:
    return f"{entry.stats.entries:,} entries" if entry.stats.entries else f"{entry.size:,} bytes"


def _held(key: str, rule: str, message: str) -> Finding:
    advice = "look at the change; if it is meant, approve the held plan by its id"
    if rule == "limits.withdrawn":
        advice = "mend it where the source is; or, if it is right after all, approve the held plan by its id"
    if rule in ("limits.older-build", "limits.rewound"):
        advice += ", or run once with --allow-rollback"
    return Finding(key, None, rule, Severity.ERROR, message, advice)
