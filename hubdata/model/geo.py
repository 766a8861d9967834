"""How two GeoIP databases differ: how much address space changed its country or its system, and the largest moves.

IPv4 is counted in addresses, IPv6 in /64 networks. Space without a value (no record, or a record that does not say)
has the empty text: what is gained came from there, what is lost went there.
"""

from dataclasses import dataclass
from enum import StrEnum

from hubdata.errors import Exit
from hubdata.model.finding import Finding, refuses


class Measure(StrEnum):
    """What is compared: the country of an address, or the autonomous system that announces it."""

    COUNTRY = "country"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Move:
    """Space that had the value `old` and has `new` now."""

    old: str
    new: str
    amount: int


@dataclass(frozen=True, slots=True)
class Shift:
    """What became of the space of one IP version: IPv4 addresses, or IPv6 /64s (a part of one counts as a part).

    `moves` are the largest, largest first; `move_count` is how many there are.
    """

    same: int = 0
    changed: int = 0
    gained: int = 0
    lost: int = 0
    moves: tuple[Move, ...] = ()
    move_count: int = 0

    @property
    def known(self) -> int:
        """Return how much space has a value in either database."""
        return self.same + self.moved

    @property
    def moved(self) -> int:
        """Return how much space has another value now, none included."""
        return self.changed + self.gained + self.lost

    @property
    def before(self) -> int:
        """Return how much space had a value in the old database."""
        return self.same + self.changed + self.lost

    @property
    def after(self) -> int:
        """Return how much space has one in the new database."""
        return self.same + self.changed + self.gained

    @property
    def displaced(self) -> float:
        """Return which part of the space that had a value has another now, or none: 0 to 1. What is gained is not."""
        return (self.changed + self.lost) / self.before if self.before else 0.0

    def part(self, amount: int) -> float:
        """Return `amount` as a part of the known space; 0 where nothing is known."""
        return amount / self.known if self.known else 0.0


@dataclass(frozen=True, slots=True)
class Movement:
    """How one measure differs, in both IP versions."""

    measure: Measure
    four: Shift
    six: Shift

    @property
    def displaced(self) -> float:
        """Return the larger of both parts."""
        return max(self.four.displaced, self.six.displaced)


@dataclass(frozen=True, slots=True)
class GeoDatabase:
    """One of the two: what it calls itself, and when it was built (seconds since 1970)."""

    database_type: str
    build_epoch: int


@dataclass(frozen=True, slots=True)
class GeoDifference:
    """How two databases differ, by every measure that either of them has."""

    old: GeoDatabase
    new: GeoDatabase
    movements: tuple[Movement, ...]

    @property
    def displaced(self) -> float:
        """Return the largest displaced part, of all measures and IP versions."""
        return max((movement.displaced for movement in self.movements), default=0.0)


@dataclass(frozen=True, slots=True)
class Incomparable:
    """The new database is the one that cannot be compared, though it is sound: in one clause, `why`."""

    why: str


Measured = GeoDifference | Incomparable | str
"""How two databases differ, or why nobody can tell: a text where it is not for anything in the new one."""


@dataclass(frozen=True, slots=True)
class GeoComparison:
    """The answer to `geoip diff OLD NEW`: both sides by name, and how they differ. `notices` are said beside it.

    There is no `difference` when one of the two is refused; `findings` tell why, each under the name of its side.
    """

    old: str
    new: str
    difference: GeoDifference | None
    findings: tuple[Finding, ...] = ()
    elapsed_s: float = 0.0
    notices: tuple[str, ...] = ()

    @property
    def exit_code(self) -> Exit:
        """Return REFUSED when a database is, else FINE, however much they differ."""
        return Exit.REFUSED if refuses(self.findings) else Exit.FINE
