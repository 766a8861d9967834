"""What a file means to an engine, and how two meanings differ: addresses and names, not lines and bytes.

Two files with the same meaning are equal to every engine, however their lines are ordered, cut or commented. What
differs is told as a reviewer asks it: who gets in now who did not before, and which patterns came and went.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hubdata.model.geo import GeoDifference

Interval = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Networks:
    """A set of addresses: merged closed intervals of each IP version, ascending. Equal sets are equal values."""

    four: tuple[Interval, ...] = ()
    six: tuple[Interval, ...] = ()


@dataclass(frozen=True, slots=True)
class Names:
    """Whatever else a file says, one statement a name: a pattern, a needle, a rule.

    `values` maps each name to what it stands for (a rule's id to its text, a path to its tag), empty where the name
    says all. `ordered` are the names among which the first to match wins, in their order.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    ordered: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one file means. With neither networks nor names only its bytes are known.

    `sha256` is of the bytes, or of a canonical form where layout means nothing (JSON).
    """

    size: int
    sha256: str
    networks: Networks | None = None
    names: Names | None = None


@dataclass(frozen=True, slots=True)
class Space:
    """How much a set of addresses is: IPv4 addresses, and IPv6 /64 networks touched."""

    ipv4_addresses: int = 0
    ipv6_64s: int = 0


@dataclass(frozen=True, slots=True)
class Origin:
    """Who a network belongs to, as GeoIP databases tell it of its first address; None and empty where they do not.

    `whole` is False when the databases split the network up further, so that parts of it may belong to others.
    """

    country: str = ""
    asn: int | None = None
    organisation: str = ""
    whole: bool = True


@dataclass(frozen=True, slots=True)
class NetworkDifference:
    """Addresses gained and lost, as the fewest CIDR networks, the largest first; and the space before and after.

    The counts are of all networks; of very many only the largest are listed. All space is exact.
    """

    gained: tuple[str, ...]
    lost: tuple[str, ...]
    gained_count: int
    lost_count: int
    gained_space: Space
    lost_space: Space
    before: Space
    after: Space
    origins: Mapping[str, Origin] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Changed:
    """One name that stands for something else now."""

    name: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class NameDifference:
    """Names gained, lost and changed, sorted. `reordered`: others win now where more than one matches.

    `before` and `after` count all names.
    """

    gained: tuple[str, ...]
    lost: tuple[str, ...]
    changed: tuple[Changed, ...]
    reordered: bool
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Difference:
    """What became of a meaning. `before` and `after` are sizes in bytes, None where there is no file.

    `geo` is what a GeoIP database moved; of other kinds there is none.
    """

    equal: bool
    before: int | None
    after: int | None
    networks: NetworkDifference | None = None
    names: NameDifference | None = None
    geo: GeoDifference | None = None
