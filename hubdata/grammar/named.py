"""Holds a list to what its job names: networks that it may never let in, networks and rows that it must never lose.

Both are judged on the file alone, so a pull request's `hubdata validate` says the same as a run. A file that breaks
them is refused, not held: what the job file says in so many words, only the job file takes back.
"""

from collections.abc import Iterable

from hubdata.grammar.gather import Gather, shown
from hubdata.grammar.networks import BITS, Network, address_text, host, masked, parse_address, parse_prefix
from hubdata.model.finding import Finding
from hubdata.model.job import Limits

_PREFIX = "limits"
_AT_ONCE = 4096


def named_network(text: str) -> Network | None:
    """Return the network or single address that `text` names in its canonical spelling, else None."""
    address, slash, length = text.partition("/")
    parsed = parse_address(address)
    if parsed is None:
        return None
    if not slash:
        return host(*parsed) if address_text(*parsed) == text else None
    prefix = parse_prefix(length, parsed[0])
    network = None if prefix is None else masked(*parsed, prefix)
    return network if str(network) == text else None


def named_networks(key: str, networks: Iterable[tuple[int, Network]], limits: Limits) -> tuple[Finding, ...]:
    """Return what `limits` say of the networks that `key` lets in, each with its line.

    `networks` are asked for only when `limits` name any. A network that must stay may be there in pieces.
    """
    if not (limits.must_contain or limits.must_not_contain):
        return ()
    gather = Gather(key, _PREFIX)
    forbidden = _parsed(limits.must_not_contain)
    wanted = [_Wanted(network) for network in _parsed(limits.must_contain)]
    for line, network in networks:
        for never in forbidden:
            if _overlap(never, network):
                gather.error(
                    line,
                    "must-not-contain",
                    f"{network} lets in addresses of {never}, which this list must never do",
                    f"take the line out; if it is meant, take {never} out of limits.must_not_contain in the job file",
                )
        for each in wanted:
            if _overlap(each.network, network):
                each.add(network)
    for each in wanted:
        if not each.covered():
            some = "only a part of it is" if each.found else "nothing of it is"
            _missing(gather, f"the network {each.network} must stay in this list, and {some} there", str(each.network))
    return gather.findings()


def named_in(limits: Limits) -> tuple[Network, ...]:
    """Return all networks that `limits` name."""
    return tuple(_parsed(limits.must_contain) + _parsed(limits.must_not_contain))


def named_rows(key: str, rows: Iterable[str], limits: Limits) -> tuple[Finding, ...]:
    """Return which of the rows that must stay are not among `rows`; these are asked for only when there are any."""
    if not limits.must_contain:
        return ()
    gather = Gather(key, _PREFIX)
    there = set(limits.must_contain).intersection(rows)
    for wanted in limits.must_contain:
        if wanted not in there:
            _missing(gather, f"the row {shown(wanted)} must stay in this list, and is not there", shown(wanted))
    return gather.findings()


def _missing(gather: Gather, message: str, what: str) -> None:
    advice = f"put it back; if it is meant to go, take {what} out of limits.must_contain in the job file"
    gather.error(None, "must-contain", message, advice)


def _parsed(texts: tuple[str, ...]) -> list[Network]:
    return [network for network in map(named_network, texts) if network is not None]


def _overlap(one: Network, other: Network) -> bool:
    return one.version == other.version and one.first <= other.last and other.first <= one.last


class _Wanted:
    """A network that must stay, and its pieces that were found: each as one number, for there may be millions."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.found = False
        self._bits = BITS[network.version]
        self._pieces: list[int] = []
        self._room = _AT_ONCE

    def add(self, piece: Network) -> None:
        """Take a network that shares an address with it."""
        self.found = True
        self._pieces.append(piece.first << self._bits | piece.last)
        if len(self._pieces) >= self._room:
            self._merge()
            self._room = 2 * len(self._pieces) + _AT_ONCE

    def covered(self) -> bool:
        """Tell whether the pieces are all of it."""
        self._merge()
        last = (1 << self._bits) - 1
        wanted = self.network
        return any(piece >> self._bits <= wanted.first and piece & last >= wanted.last for piece in self._pieces)

    def _merge(self) -> None:
        """Have no piece that overlaps or touches another."""
        self._pieces.sort()
        last = (1 << self._bits) - 1
        kept = 0
        for piece in self._pieces:
            before = self._pieces[kept - 1] if kept else 0
            if kept and piece >> self._bits <= (before & last) + 1:
                self._pieces[kept - 1] = before & ~last | max(before & last, piece & last)
            else:
                self._pieces[kept] = piece
                kept += 1
        del self._pieces[kept:]
