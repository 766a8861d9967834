"""Holds networks that were read row by row, each in 14 or 22 bytes: as objects they are ten times as large."""

from array import array
from collections.abc import Iterator

from hubdata.grammar.nesting import Found
from hubdata.grammar.networks import Network, coverage

MANY = 20_000
"""So many networks are counted as columns; numpy (60 ms) costs more than it saves below."""

_HALF = (1 << 64) - 1


class Finds:
    """Takes networks with the lines that they stand in. An IPv4 address is the upper 32 bits of `high`."""

    def __init__(self) -> None:
        self._versions = array("B")
        self.high = {4: array("Q"), 6: array("Q")}
        self.low = array("Q")
        self.prefix = {4: array("B"), 6: array("B")}
        self.line = {4: array("I"), 6: array("I")}

    def __len__(self) -> int:
        return len(self._versions)

    def append(self, found: Found) -> None:
        """Take one row and its network."""
        row, network = found
        self.add(row.number, network)

    def add(self, line: int, network: Network) -> None:
        """Take one network."""
        version, first = network.version, network.first
        self._versions.append(version)
        if version == 4:
            self.high[4].append(first << 32)
        else:
            self.high[6].append(first >> 64)
            self.low.append(first & _HALF)
        self.prefix[version].append(network.prefix)
        self.line[version].append(line)

    def __iter__(self) -> Iterator[tuple[int, Network]]:
        """Yield lines and networks, as they came."""
        first4 = (high >> 32 for high in self.high[4])
        first6 = (high << 64 | low for high, low in zip(self.high[6], self.low, strict=True))
        firsts = {4: first4, 6: first6}
        prefixes = {4: iter(self.prefix[4]), 6: iter(self.prefix[6])}
        lines = {4: iter(self.line[4]), 6: iter(self.line[6])}
        for version in self._versions:
            yield next(lines[version]), Network(version, next(firsts[version]), next(prefixes[version]))

    def coverage(self) -> tuple[int, int]:
        """Return how many IPv4 addresses and how many IPv6 /64s the networks touch; what overlaps is counted once."""
        if len(self) < MANY:
            return coverage(network for _, network in self)
        from hubdata.grammar import network_columns as col

        every = (col.ascending(version, [col.found(self, version)]) for version in (4, 6))
        four, six = (col.count(these.pick(col.outermost(these))) for these in every)
        return four, six
