"""Audit a whole hub: every item by itself, all items together, and what is published but used by none of them.

A pure function of values: whoever calls it has read the hub, knows what is public, and has asked for addresses.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from posixpath import dirname

from hubdata.audit.entries import Spot, judge_entry
from hubdata.audit.expressions import How
from hubdata.audit.items import Item, Read
from hubdata.audit.published import Place, Published
from hubdata.audit.uses import judge_use
from hubdata.model.audit import Action
from hubdata.model.finding import Finding, Severity

Families = frozenset[str]
"""Those of `ipv4` and `ipv6` in which a host has an address."""

_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}
_LOADED = ("string", "regexp", "regex", "map", "bots")


@dataclass(frozen=True, slots=True)
class Told:
    """A finding and the file that it is about."""

    finding: Finding
    file: str = ""


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found, in order, and the list of what to do."""

    findings: tuple[Finding, ...]
    actions: tuple[Action, ...]


def audit(reads: Iterable[Read], published: Published, hosts: Mapping[str, Families]) -> Audit:
    """Return what is wrong between the items of a hub and what is `published`.

    `hosts` are the addresses of hosts as far as they were asked for and known.
    """
    read = tuple(reads)
    items = tuple(item for one in read for item in one.items)
    spots = tuple(
        Spot(item.key, entry, published.address(entry.source_url)) for item in items for entry in item.entries
    )
    told = [Told(finding) for one in read for finding in one.findings]
    for spot in spots:
        told += (Told(finding, spot.entry.dest_file) for finding in judge_entry(spot, published))
        told += _addresses(spot, hosts)
    told += _clashes(spots)
    told += _uses(items, spots, published)
    orphans = _orphans(spots, published)
    found = sorted((*told, *orphans), key=lambda t: (_ORDER[t.finding.severity], t.finding.key, t.finding.line or 0))
    ordered = sorted(told, key=lambda t: (_ORDER[t.finding.severity], t.finding.key, t.finding.line or 0))
    return Audit(tuple(t.finding for t in found), (*map(_action, ordered), *_orphan_actions(orphans)))


def _addresses(spot: Spot, hosts: Mapping[str, Families]) -> Iterator[Told]:
    host = spot.address.host
    families = hosts.get(host)
    if families is None or "ipv6" in families:
        return
    if families:
        severity, rule = Severity.WARNING, "audit.no-ipv6"
        message = f"{host} has no IPv6 address (no AAAA record): engines in networks without IPv4 never get this file"
        advice = "ask its operator for one, or mirror the file"
    else:
        severity, rule = Severity.ERROR, "audit.no-address"
        message = f"{host} does not exist in the DNS: no engine gets this file"
        advice = "correct the URL, or mirror the file from wherever it is now"
    yield Told(Finding(spot.key, spot.entry.line, rule, severity, message, advice), spot.entry.dest_file)


def _clashes(spots: tuple[Spot, ...]) -> Iterator[Told]:
    """Yield entries that write one file with different content, or load it as different things."""
    by_dest: dict[str, list[Spot]] = {}
    for spot in spots:
        if spot.entry.dest_file:
            by_dest.setdefault(spot.entry.dest_file, []).append(spot)
    for dest, sharing in by_dest.items():
        for what, values in (
            ("another source", {s.entry.source_url for s in sharing}),
            ("another type", {s.entry.type for s in sharing}),
        ):
            if len(values) > 1:
                yield from (_clash(spot, dest, what, sharing) for spot in sharing)
                break


def _clash(spot: Spot, dest: str, what: str, sharing: list[Spot]) -> Told:
    others = sorted({s.key for s in sharing if s.key != spot.key}) or [spot.key]
    return Told(
        Finding(
            spot.key,
            spot.entry.line,
            "audit.same-dest",
            Severity.ERROR,
            f"dest_file {dest} has {what} in {', '.join(others[:3])}: whichever is downloaded last, both items read",
            "give the files different names, or both the same source and type",
        ),
        dest,
    )


def _uses(items: tuple[Item, ...], spots: tuple[Spot, ...], published: Published) -> Iterator[Told]:
    everywhere: dict[str, list[Spot]] = {}
    for spot in spots:
        everywhere.setdefault(spot.entry.dest_file, []).append(spot)
    used_names = {used.use.name for item in items for used in item.uses}
    for item in items:
        own = {entry.dest_file for entry in item.entries}
        for used in item.uses:
            name = used.use.name
            meant = [s for s in everywhere.get(name, ()) if s.key == item.key or name not in own]
            if not meant:
                yield Told(_undeclared(item, used.line, name), name)
            for key in sorted({s.address.key for s in meant if s.address.place is Place.PUBLISHED}):
                if key in published.kinds:
                    case = published.cases.get(key, "")
                    yield from (Told(f, name) for f in judge_use(item.key, used, key, published.kinds[key], case))
        yield from _costs(item, used_names)


def _undeclared(item: Item, line: int, name: str) -> Finding:
    return Finding(
        item.key,
        line,
        "audit.undeclared",
        Severity.WARNING,
        f"{name} is used here, and no item of this hub downloads it: it never matches, and engines log each attempt",
        "add a data entry for it, or correct the name",
    )


def _costs(item: Item, used_names: set[str]) -> Iterator[Told]:
    """Yield what is not wrong but dear: patterns tried anew for each event, files downloaded for nothing."""
    asked = {used.use.name for used in item.uses if used.use.how is How.REGEXP}
    for entry in item.entries:
        if item.hot and entry.dest_file in asked and not entry.cached:
            message = f"{entry.dest_file} is tried pattern by pattern for every event, and no answer is remembered"
            advice = "add `strategy: LRU`, a `size` and a `ttl` to its data entry"
            yield Told(Finding(item.key, entry.line, "audit.no-cache", Severity.INFO, message, advice), entry.dest_file)
        if entry.type in _LOADED and entry.dest_file and entry.dest_file not in used_names:
            message = (
                f"{entry.dest_file} is downloaded and loaded by every engine, and no expression of this hub uses it"
            )
            advice = "remove the entry, or use the file"
            yield Told(Finding(item.key, entry.line, "audit.unused", Severity.INFO, message, advice), entry.dest_file)


def _orphans(spots: tuple[Spot, ...], published: Published) -> tuple[Told, ...]:
    used = {spot.address.key for spot in spots}
    return tuple(
        Told(
            Finding(
                key,
                None,
                "audit.orphan",
                Severity.INFO,
                "this is published, and no item of the hub downloads it",
                "use it, or stop publishing it ([[ignore]] in the job file) once no older engine asks for it",
            ),
            key,
        )
        for key in sorted(published.kinds)
        if key not in used
    )


def _action(told: Told) -> Action:
    finding = told.finding
    return Action(finding.severity, finding.key, finding.line, told.file, finding.rule, finding.advice)


def _orphan_actions(orphans: tuple[Told, ...]) -> Iterator[Action]:
    """Yield one line a directory: a person decides about those together."""
    by_directory: dict[str, list[Told]] = {}
    for orphan in orphans:
        by_directory.setdefault(dirname(orphan.finding.key), []).append(orphan)
    for directory, members in by_directory.items():
        first = members[0].finding
        files = members[0].file if len(members) == 1 else f"{len(members)} files"
        yield Action(first.severity, f"{directory}/" if directory else "", None, files, first.rule, first.advice)
