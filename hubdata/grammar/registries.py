"""Tells which addresses can never be the public address of a visitor, by IANA's registries.

From the IANA IPv4 and IPv6 Special-Purpose Address Registries, the multicast registries and the IPv6 address space
(global unicast is 2000::/3). Anycast services that the registries call globally reachable and that lie outside the
blocks below (AS112, AMT) are left out: they are ordinary addresses to an engine. Tunnels (6to4, Teredo) and
translations (mapped, NAT64) are in: whoever holds the embedded IPv4 address holds them, so a list that names them
lets somebody else in than it says.
"""

from bisect import bisect_left
from functools import cache

from hubdata.grammar.intervals import Intervals, merged
from hubdata.grammar.networks import BITS, Network, parse_address

REGISTRY_DATE = "2025-10-09"
"""The day on which the later of the two registries last changed; tests hold the table to every row of both."""

_IPV4 = """
0.0.0.0/8           this network
10.0.0.0/8          private use
100.64.0.0/10       shared address space of carriers
127.0.0.0/8         loopback
169.254.0.0/16      link-local
172.16.0.0/12       private use
192.0.0.0/24        IETF protocol assignments
192.0.2.0/24        documentation (TEST-NET-1)
192.88.99.0/24      6to4 relays, withdrawn
192.168.0.0/16      private use
198.18.0.0/15       benchmarking
198.51.100.0/24     documentation (TEST-NET-2)
203.0.113.0/24      documentation (TEST-NET-3)
224.0.0.0/4         multicast
240.0.0.0/4         reserved
"""

_IPV6 = """
::1/128             loopback
::/128              the unspecified address
::ffff:0:0/96       IPv4-mapped
64:ff9b::/96        NAT64 translation
64:ff9b:1::/48      local NAT64 translation
100::/64            discard-only
100:0:0:1::/64      dummy prefix
2001::/32           Teredo tunnels
2001:2::/48         benchmarking
2001:10::/28        ORCHID, withdrawn
2001:20::/28        ORCHIDv2 identifiers
2001:30::/28        drone remote identifiers
2001::/23           IETF protocol assignments
2001:db8::/32       documentation
2002::/16           6to4 tunnels
3ffe::/16           the former 6bone
3fff::/20           documentation
5f00::/16           segment routing identifiers
fc00::/7            unique local
fe80::/10           link-local
fec0::/10           site-local, withdrawn
ff00::/8            multicast
::/3                not global unicast
4000::/2            not global unicast
8000::/1            not global unicast
"""


def _table(version: int, rows: str) -> tuple[tuple[int, int, str, str], ...]:
    table = []
    for row in rows.strip().splitlines():
        text, name = row.split(maxsplit=1)
        address, _, prefix = text.partition("/")
        parsed = parse_address(address)
        if parsed is None or parsed[0] != version or int(prefix) > BITS[version]:
            raise AssertionError(text)
        net = Network(version, parsed[1], int(prefix))
        table.append((net.first, net.last, text, name))
    return tuple(table)


_TABLES = {4: _table(4, _IPV4), 6: _table(6, _IPV6)}


@cache
def special_ranges(version: int) -> Intervals:
    """Return all special-purpose addresses of one IP version."""
    return merged((low, high) for low, high, _, _ in _TABLES[version])


def special_purpose(network: Network) -> str | None:
    """Return the special-purpose range that `network` lies in or reaches into, in words; None when it is ordinary."""
    first, last = network.first, network.last
    if _is_ordinary(network.version, first, last):
        return None
    reaches = None
    for low, high, text, name in _TABLES[network.version]:
        if low <= first and last <= high:
            return f"lies in {text}, {name}"
        if reaches is None and first <= high and low <= last:
            reaches = f"reaches into {text}, {name}"
    return reaches


def _is_ordinary(version: int, first: int, last: int) -> bool:
    """Tell whether no address from `first` to `last` is special: two comparisons, for nearly all that lists hold."""
    at = bisect_left(_ends(version), first)
    ranges = special_ranges(version)
    return at == len(ranges) or last < ranges[at][0]


@cache
def _ends(version: int) -> tuple[int, ...]:
    return tuple(last for _, last in special_ranges(version))
