"""What GeoIP databases say of some addresses: each database's answer, and the one that a person wants."""

from dataclasses import dataclass
from typing import Any

from hubdata.errors import Exit


@dataclass(frozen=True, slots=True)
class AskedDatabase:
    """One database that was asked. `name` is its key at the target, or its path as it was given."""

    name: str
    database_type: str
    build_epoch: int


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Whose an address is, as one record or several together tell it; empty and None where they do not."""

    country: str = ""
    country_name: str = ""
    city: str = ""
    asn: int | None = None
    organisation: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one database says of one address.

    `network` is the largest network around the address for which the answer holds, empty where nothing of this family
    is known. `record` is None where there is none; `problem` says why none could be read.
    """

    database: str
    network: str = ""
    record: Any = None
    whereabouts: Whereabouts = Whereabouts()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class LookedUp:
    """One address. `network` is the narrowest network of all its answers that have a record."""

    ip: str
    answers: tuple[Answer, ...]
    whereabouts: Whereabouts = Whereabouts()
    network: str = ""

    @property
    def found(self) -> bool:
        """Tell whether any database has a record."""
        return any(answer.record is not None for answer in self.answers)


@dataclass(frozen=True, slots=True)
class LookupResult:
    """All addresses, in the order in which they were asked for."""

    databases: tuple[AskedDatabase, ...]
    addresses: tuple[LookedUp, ...]
    elapsed_s: float = 0.0
    notices: tuple[str, ...] = ()

    @property
    def exit_code(self) -> Exit:
        """Return FINE, records or not: that there is none is an answer too. REFUSED when a database is corrupt."""
        corrupt = any(answer.problem for address in self.addresses for answer in address.answers)
        return Exit.REFUSED if corrupt else Exit.FINE
