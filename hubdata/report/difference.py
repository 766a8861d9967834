"""The words in which every report tells a difference: sentences first, then what was gained, lost and changed."""

from collections.abc import Iterator
from dataclasses import dataclass

from hubdata.model.comparison import Comparison, State
from hubdata.model.geo import GeoDifference
from hubdata.model.meaning import Difference, NameDifference, NetworkDifference, Origin, Space
from hubdata.report import geo_words
from hubdata.report.wording import counted, size

_CONTEXT = 16
"""Characters shown around the place where two texts begin to differ."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing gained (`+`), lost (`-`) or changed (`~`), and what is to be said of it."""

    sign: str
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Items of one sort, what they are called (`2 networks gained`), and how many there are, listed or not."""

    title: str
    items: tuple[Item, ...]
    count: int


def sentences(difference: Difference) -> tuple[str, ...]:
    """Return what became of a file in one to three sentences, without full stops."""
    if difference.equal:
        return ("equal to every engine: only lines moved",)
    if difference.geo is not None:
        return geo_words.sentences(difference.geo)
    told = []
    networks, names = difference.networks, difference.names
    if networks is not None and (networks.gained or networks.lost):
        told.append(_of_networks(networks))
    if names is not None:
        told += _of_names(names)
    return tuple(told) or (_of_bytes(difference),)


def groups(difference: Difference, *, room: int = 160) -> Iterator[Group]:
    """Yield everything gained, then lost, then changed; a changed text is cut to about `room` characters."""
    networks, names = difference.networks, difference.names
    if networks is not None:
        for sign, found, count, word in (
            ("+", networks.gained, networks.gained_count, "gained"),
            ("-", networks.lost, networks.lost_count, "lost"),
        ):
            if found:
                items = tuple(Item(sign, each, belongs_to(networks.origins.get(each))) for each in found)
                yield Group(f"{counted(count, 'network')} {word}", items, count)
    if names is not None:
        for sign, entries, word in (("+", names.gained, "gained"), ("-", names.lost, "lost")):
            if entries:
                items = tuple(Item(sign, each) for each in entries)
                yield Group(f"{_entries(len(items))} {word}", items, len(items))
        if names.changed:
            changed = tuple(Item("~", each.name, contrast(each.old, each.new, room)) for each in names.changed)
            yield Group(f"{_entries(len(changed))} changed", changed, len(changed))
    if difference.geo is not None:
        yield from _moves(difference.geo)


def _moves(geo: GeoDifference) -> Iterator[Group]:
    for part in geo_words.parts(geo):
        if part.shift.moves:
            items = tuple(Item("~", text, f"{amount:,} {part.unit}") for text, amount in geo_words.moves(part))
            count = part.shift.move_count
            yield Group(f"{counted(count, 'move')} ({part.title.lower().replace('ip', 'IP')})", items, count)


def belongs_to(origin: Origin | None) -> str:
    """Return whose a network is: `AS13335 CLOUDFLARENET, US`; empty where nobody knows."""
    if origin is None:
        return ""
    system = f"AS{origin.asn} {origin.organisation}".strip() if origin.asn is not None else ""
    owner = ", ".join(part for part in (system, origin.country) if part)
    return owner if origin.whole or not owner else f"{owner}, and others"


def addresses(space: Space) -> str:
    """Return how much address space that is: `65,536 IPv4 addresses and 12 IPv6 /64s`."""
    parts = []
    if space.ipv4_addresses or not space.ipv6_64s:
        parts.append(counted(space.ipv4_addresses, "IPv4 address", "IPv4 addresses"))
    if space.ipv6_64s:
        parts.append(counted(space.ipv6_64s, "IPv6 /64"))
    return " and ".join(parts)


def contrast(old: str, new: str, room: int) -> str:
    """Return two texts as `old -> new`, cut to about `room` characters around the place where they differ."""
    half = max(room // 2, 2 * _CONTEXT)
    if len(old) <= half and len(new) <= half:
        return f"{old or '(nothing)'} -> {new or '(nothing)'}"
    start = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    start = max(0, start - _CONTEXT)
    return f"{_cut(old, start, half)} -> {_cut(new, start, half)}"


def comparison_sentence(result: Comparison) -> str:
    """Return one sentence on the whole comparison, the same for the same data."""
    words = {State.CHANGED: "changed in meaning", State.ADDED: "added", State.REMOVED: "removed"}
    parts = [f"{counted(number, 'file')} {word}" for state, word in words.items() if (number := result.count(state))]
    equal = result.count(State.EQUAL)
    if equal:
        parts.append(f"{counted(equal, 'file')} with moved lines only")
    if not parts:
        parts.append("nothing differs")
    return f"{', '.join(parts)}; {counted(result.same, 'file')} the same"


def _of_networks(networks: NetworkDifference) -> str:
    parts = []
    for count, space, word in (
        (networks.gained_count, networks.gained_space, "gained"),
        (networks.lost_count, networks.lost_space, "lost"),
    ):
        if count:
            parts.append(f"{counted(count, 'network')} {word} ({addresses(space)})")
    return f"{', '.join(parts)}; {_before_and_after(networks.before, networks.after)}"


def _before_and_after(before: Space, after: Space) -> str:
    told = []
    for was, now, noun in (
        (before.ipv4_addresses, after.ipv4_addresses, "IPv4 addresses"),
        (before.ipv6_64s, after.ipv6_64s, "IPv6 /64s"),
    ):
        if was or now:
            told.append(f"{was:,} -> {now:,} {noun}" if was != now else f"{now:,} {noun} as before")
    return ", ".join(told)


def _of_names(names: NameDifference) -> Iterator[str]:
    parts = [
        f"{_entries(len(found))} {word}"
        for found, word in ((names.gained, "gained"), (names.lost, "lost"), (names.changed, "changed"))
        if found
    ]
    if parts:
        yield f"{', '.join(parts)}; {names.before:,} -> {_entries(names.after)}"
    if names.reordered:
        yield "the order changed: where several entries match, another may win now"


def _of_bytes(difference: Difference) -> str:
    before = "no file" if difference.before is None else size(difference.before)
    after = "no file" if difference.after is None else size(difference.after)
    if difference.before is None or difference.after is None:
        return f"{before} -> {after}"
    return f"other bytes: {before} -> {after}"


def _entries(number: int) -> str:
    return counted(number, "entry", "entries")


def _cut(text: str, start: int, room: int) -> str:
    piece = text[start : start + room]
    if not piece:
        return "(nothing more)"
    return f"{'...' if start else ''}{piece}{'...' if start + room < len(text) else ''}"
