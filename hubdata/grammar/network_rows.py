"""Reads a list of networks or addresses, and looks at them together; the short lists row by row.

A kind judges the rows it is given one by one, and then asks for what only the whole list can tell. A long list gives
it only the rows that may have a fault (`network_table`); the verdict is the same, whichever way it is read. Only of
a list that its judge gives up (`Gather.patient`) the table still counts the good rows below.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from hubdata.grammar import nesting
from hubdata.grammar.chunks import Body
from hubdata.grammar.gather import Some
from hubdata.grammar.intervals import Intervals, merged
from hubdata.grammar.lines import Row, read_rows
from hubdata.grammar.nesting import Covered, Found, Mergeable
from hubdata.grammar.networks import Network, coverage
from hubdata.model.finding import Finding
from hubdata.values import frozen

TABLE_BYTES = 200_000
"""Bodies at least this long are read as a table: below, importing numpy (60 ms) costs more than it saves."""


@frozen
class Wanted:
    """What a list may hold: `bare` addresses or networks, of one `version` or both, none wider than `floors`."""

    bare: bool
    version: int | None
    floors: Mapping[int, int]


class Whole(Protocol):
    """All networks of a list together."""

    @property
    def text(self) -> tuple[Finding, ...]:
        """Return what is wrong with the list as text."""
        ...

    def coverage(self) -> tuple[int, int]:
        """Return how many IPv4 addresses and how many IPv6 /64s the networks touch, each counted once."""
        ...

    def intervals(self, version: int) -> Intervals:
        """Return the addresses of one version that the networks hold."""
        ...

    def covered(self) -> Some[Covered]:
        """Return the networks that lie within others, by line."""
        ...

    def mergeable(self, floors: Mapping[int, int]) -> Some[Mergeable]:
        """Return the networks that could take the place of several rows, by first line."""
        ...

    def overlapping(self, named: Sequence[Network]) -> Iterable[tuple[int, Network]]:
        """Return line and network of all rows that share an address with a `named` network, and maybe others."""
        ...


class Finds(Protocol):
    """Takes what the kind reads."""

    def append(self, found: Found, /) -> None:
        """Take a row and the network that an engine reads in it; rows come by line."""
        ...


class Listing(Protocol):
    """A body, read. `entries` counts its data rows, `lines` all that an engine reads."""

    @property
    def lines(self) -> int:
        """Return the number of lines."""
        ...

    @property
    def entries(self) -> int:
        """Return the number of data rows."""
        ...

    def suspects(self) -> Iterable[Row]:
        """Return the rows that may have a finding, by line."""
        ...

    @property
    def found(self) -> Finds:
        """Return where to put the networks that are read in the suspects."""
        ...

    def whole(self) -> Whole:
        """Return the list as one, when all networks among the suspects were found."""
        ...


def read_networks(key: str, body: Body, wanted: Wanted) -> Listing:
    """Return `body` as a list of networks. Never raises, whatever the bytes."""
    if len(body) >= TABLE_BYTES:
        from hubdata.grammar.network_table import read_table

        table = read_table(key, body, wanted)
        if table is not None:
            return table
    return _Rows(key, body)


class _Rows:
    """A body read row by row: all are suspects."""

    def __init__(self, key: str, body: Body) -> None:
        self._rows, self._text = read_rows(key, body)
        self.entries = len(self._rows)
        self.lines = self._rows.lines
        self.found: list[Found] = []

    def suspects(self) -> Iterable[Row]:
        return self._rows

    def whole(self) -> Whole:
        return _Whole(self._text, self.found)


class _Whole:
    def __init__(self, text: tuple[Finding, ...], found: Sequence[Found]) -> None:
        self.text = text
        self._found = found

    def coverage(self) -> tuple[int, int]:
        return coverage(network for _, network in self._found)

    def intervals(self, version: int) -> Intervals:
        return merged((net.first, net.last) for _, net in self._found if net.version == version)

    def covered(self) -> Some[Covered]:
        return nesting.covered(self._found)

    def mergeable(self, floors: Mapping[int, int]) -> Some[Mergeable]:
        return nesting.mergeable(self._found, floors)

    def overlapping(self, named: Sequence[Network]) -> Iterable[tuple[int, Network]]:
        return [(row.number, network) for row, network in self._found] if named else []
