"""Holds a list to what its job names: networks that it may never let in, networks and rows that it must never lose.

Both are judged on the file alone, so a pull request's `hubdata validate` says the same as a run. A file that breaks
them is refused, not held: what the job file says in so many words, only the job file takes back.
"""

from collections.abc import Iterable

from hubdata.grammar.gather import Gather, shown
from hubdata.grammar.networks import Network, address_text, host, masked, parse_address, parse_prefix
from hubdata.model.finding import Finding
from hubdata.model.job import Limits

_PREFIX = "limits"


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
    pieces: dict[Network, list[Network]] = {network: [] for network in _parsed(limits.must_contain)}
    for line, network in networks:
        for never in forbidden:
            if _overlap(never, network):
                gather.error(
                    line,
                    "must-not-contain",
                    f"{network} lets in addresses of {never}, which this list must never do",
                    f"take the line out; if it is meant, take {never} out of limits.must_not_contain in the job file",
                )
        for wanted, found in pieces.items():
            if _overlap(wanted, network):
                found.append(network)
    for wanted, found in pieces.items():
        if not _covers(found, wanted):
            some = "only a part of it is" if found else "nothing of it is"
            _missing(gather, f"the network {wanted} must stay in this list, and {some} there", str(wanted))
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


def _covers(pieces: list[Network], wanted: Network) -> bool:
    reached = wanted.first - 1
    for piece in sorted(pieces, key=lambda network: network.first):
        if piece.first > reached + 1:
            return False
        reached = max(reached, piece.last)
    return reached >= wanted.last
