"""The words in which every report tells how two GeoIP databases differ, and the figures in their order."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from hubdata.model.geo import GeoDatabase, GeoDifference, Measure, Movement, Shift

NOTHING = "Nothing was compared: a database that is refused is not read"

_NOUNS = {Measure.COUNTRY: ("country", "countries"), Measure.SYSTEM: ("system", "systems")}


@dataclass(frozen=True, slots=True)
class Part:
    """One measure in one IP version: `title` names both, `unit` is what is counted."""

    title: str
    unit: str
    measure: Measure
    shift: Shift


@dataclass(frozen=True, slots=True)
class Figure:
    """One number: what it is, how much, and its share of the space that either database knows."""

    name: str
    amount: int
    share: float


def parts(difference: GeoDifference) -> Iterator[Part]:
    """Yield every measure and IP version of which anything is known, IPv4 first."""
    for movement in difference.movements:
        for shift, family, unit in ((movement.four, "IPv4", "addresses"), (movement.six, "IPv6", "/64 networks")):
            if shift.known:
                title = f"{_NOUNS[movement.measure][0].capitalize()} of {family}"
                yield Part(title, unit, movement.measure, shift)


def figures(shift: Shift) -> tuple[Figure, ...]:
    """Return what became of a space: unchanged, changed, gained, lost."""
    named = (("same", shift.same), ("changed", shift.changed), ("gained", shift.gained), ("lost", shift.lost))
    return tuple(Figure(name, amount, shift.part(amount)) for name, amount in named)


def moves(part: Part) -> tuple[tuple[str, int], ...]:
    """Return the largest moves of a part, each in words and with its amount: `US -> GB`."""
    return tuple(
        (f"{label(part.measure, move.old)} -> {label(part.measure, move.new)}", move.amount)
        for move in part.shift.moves
    )


def label(measure: Measure, value: str) -> str:
    """Return a value as people write it: `DE`, `AS13335`, `no country`."""
    if not value:
        return f"no {_NOUNS[measure][0]}"
    return f"AS{value}" if measure is Measure.SYSTEM and value.isdecimal() else value


def percent(share: float) -> str:
    """Return a share so that it is never rounded to nothing: `7.27 %`, `0.013 %`, `under 0.001 %`, `0 %`."""
    if not share:
        return "0 %"
    if share < 0.00001:
        return "under 0.001 %"
    return f"{share:.3%}".replace("%", " %") if share < 0.001 else f"{share:.2%}".replace("%", " %")


def database(found: GeoDatabase) -> str:
    """Return which database it is: `GeoLite2-City, built 2026-09-18 04:49 UTC`."""
    try:
        built = datetime.fromtimestamp(found.build_epoch, UTC)
    except (ValueError, OverflowError, OSError):
        return f"{found.database_type}, built at no time"
    return f"{found.database_type}, built {built:%Y-%m-%d %H:%M} UTC"


def sentences(difference: GeoDifference) -> tuple[str, ...]:
    """Return what moved, a sentence for each measure, without full stops; the one that a limit is about."""
    if not difference.movements:
        return ("no country or system to compare",)
    return tuple(_sentence(movement) for movement in difference.movements)


def _sentence(movement: Movement) -> str:
    noun = _NOUNS[movement.measure][0]
    told = [
        f"{percent(shift.displaced)} of {family} ({shift.changed + shift.lost:,} {unit})"
        for shift, family, unit in ((movement.four, "IPv4", "addresses"), (movement.six, "IPv6", "/64s"))
        if shift.known
    ]
    gained = [
        f"{shift.gained:,} {unit}"
        for shift, unit in ((movement.four, "IPv4 addresses"), (movement.six, "IPv6 /64s"))
        if shift.gained
    ]
    text = f"another {noun}, or none now: {' and '.join(told)}"
    return f"{text}; newly known: {' and '.join(gained)}" if gained else text
