"""What lists of one entry a line mean: sets of addresses, or sets of texts in which order and comments say nothing."""

from collections.abc import Callable, Iterable

from hubdata.grammar.chunks import Body
from hubdata.grammar.intervals import Interval, merged
from hubdata.grammar.network_rows import Wanted, read_networks
from hubdata.grammar.networks import Network, address_text, host, masked, parse_address, parse_prefix
from hubdata.model.meaning import Names, Networks


def networks_of(networks: Iterable[Network]) -> Networks:
    """Return the set of addresses of `networks`."""
    four: list[Interval] = []
    six: list[Interval] = []
    for network in networks:
        (four if network.version == 4 else six).append((network.first, network.last))
    return Networks(merged(four), merged(six))


def network_list(body: Body) -> tuple[Networks, Names] | None:
    """Return what a `cidr` list lets in; rows in which an engine finds no network are names. None: it is no list.

    Bits beyond the prefix are masked away, as engines do; a bare address is no network to them.
    """
    return _sorted_out(body, network_in, bare=False)


def address_list(body: Body) -> tuple[Networks, Names] | None:
    """Return what an `ip-exact` list lets in; rows that can equal no address's text are names. None: it is no list."""
    return _sorted_out(body, _address_in, bare=True)


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


def _sorted_out(body: Body, read: Callable[[str], Network | None], *, bare: bool) -> tuple[Networks, Names] | None:
    listing = read_networks("", body, Wanted(bare=bare, version=None, floors={4: 0, 6: 0}))
    if not listing.lines and len(body):
        return None
    rest: dict[str, str] = {}
    for row in listing.suspects():  # all but those that the table of a long list has read
        network = read(row.text)
        if network is None:
            rest[row.text] = ""
        else:
            listing.found.append((row, network))
    whole = listing.whole()
    return Networks(whole.intervals(4), whole.intervals(6)), Names(rest)
