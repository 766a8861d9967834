"""What lists of one entry a line mean: sets of addresses, or sets of texts in which order and comments say nothing."""

from collections.abc import Iterable

from hubdata.grammar.intervals import Interval, merged
from hubdata.grammar.networks import Network, address_text, host, masked, parse_address, parse_prefix
from hubdata.model.meaning import Names, Networks


def networks_of(networks: Iterable[Network]) -> Networks:
    """Return the set of addresses of `networks`."""
    four: list[Interval] = []
    six: list[Interval] = []
    for network in networks:
        (four if network.version == 4 else six).append((network.first, network.last))
    return Networks(merged(four), merged(six))


def network_list(rows: Iterable[str]) -> tuple[Networks, Names]:
    """Return what a `cidr` list lets in; rows in which an engine finds no network are names.

    Bits beyond the prefix are masked away, as engines do; a bare address is no network to them.
    """
    return _sorted_out((row, network_in(row)) for row in rows)


def address_list(rows: Iterable[str]) -> tuple[Networks, Names]:
    """Return what an `ip-exact` list lets in; rows that can equal no address's text are names."""
    return _sorted_out((row, _address_in(row)) for row in rows)


def texts(rows: Iterable[str]) -> Names:
    """Return a set of rows, each as it is: engines trim nothing."""
    return Names(dict.fromkeys(rows, ""))


def phrases(rows: Iterable[str]) -> Names:
    """Return the phrases that `@pmFromFile` looks for: each trimmed, in lower case, as case is ignored."""
    trimmed = (row.strip().lower() for row in rows)
    return Names(dict.fromkeys((row for row in trimmed if row and row[0] != "#"), ""))


def network_in(text: str) -> Network | None:
    """Return the network that an engine reads in `text`, or None."""
    address, _, length = text.partition("/")
    parsed = parse_address(address)
    prefix = None if parsed is None else parse_prefix(length, parsed[0])
    return None if parsed is None or prefix is None else masked(*parsed, prefix)


def _address_in(text: str) -> Network | None:
    parsed = parse_address(text)
    return None if parsed is None or address_text(*parsed) != text else host(*parsed)


def _sorted_out(rows: Iterable[tuple[str, Network | None]]) -> tuple[Networks, Names]:
    found: list[Network] = []
    rest: dict[str, str] = {}
    for row, network in rows:
        if network is None:
            rest[row] = ""
        else:
            found.append(network)
    return networks_of(found), Names(rest)
