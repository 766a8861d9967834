"""What is read straight from bytes is exactly what is canonical to `ipaddress`, with its very value."""

import ipaddress
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.grammar.network_bytes import U8, Read, read_ipv4, read_ipv6

Reader = Callable[..., Read]
Net = ipaddress.IPv4Network | ipaddress.IPv6Network

GROUP = st.sampled_from(["0", "0", "0", "1", "a", "2a00", "ffff", "10", "00", "0a", "A", "12345", "g", ""])
SIX = st.lists(GROUP, min_size=1, max_size=9).map(":".join)
OCTET = st.sampled_from(["0", "8", "10", "99", "100", "255", "256", "08", "00", "1000", "999", "", "a", " 1"])
FOUR = st.lists(OCTET, min_size=3, max_size=5).map(".".join)
PREFIX = st.sampled_from(["/0", "/8", "/24", "/32", "/33", "/64", "/127", "/128", "/129", "/999", "/08", "/", "", "/a"])
TRUE6 = st.lists(st.sampled_from([0, 0, 0, 0, 1, 0xFFFF, 0x20, 0x2001]), min_size=8, max_size=8).map(
    lambda groups: str(ipaddress.IPv6Address(sum(group << 16 * at for at, group in enumerate(groups))))
)
TRUE4 = st.integers(0, 2**32 - 1).map(lambda value: str(ipaddress.IPv4Address(value)))
ADDRESS = FOUR | SIX | TRUE4 | TRUE6 | st.text(alphabet="0123456789abf:./ #", max_size=20)
TRUE = st.builds(
    lambda address, prefix: str(ipaddress.ip_network(f"{address}/{prefix}", strict=False)),
    TRUE4 | TRUE6,
    st.integers(0, 32),
)
LINES = st.lists(st.builds("{}{}".format, ADDRESS, PREFIX) | TRUE | st.just(""), min_size=1, max_size=12)


def read(reader: Reader, lines: list[str], *, bare: bool = False) -> list[tuple[int, int] | None]:
    """Return value and prefix length of each line, None where it was left to others."""
    block: U8 = np.frombuffer("".join(f"{line}\n" for line in lines).encode(), dtype=np.uint8)
    got = reader(block, bare=bare)
    assert len(got.perfect) == len(lines)
    values = [int(high) >> 32 for high in got.high]
    if got.low is not None:
        values = [int(high) << 64 | int(low) for high, low in zip(got.high, got.low, strict=True)]
    triples = zip(got.perfect, values, got.prefix, strict=True)
    return [(value, int(prefix)) if perfect else None for perfect, value, prefix in triples]


def expected(text: str, version: int, *, bare: bool) -> tuple[int, int] | None:
    """Return what `ipaddress` reads in a perfectly spelled line."""
    if ("/" in text) == bare or text.startswith("::"):
        return None
    try:
        network: Net = ipaddress.ip_network(text)
    except ValueError:
        return None
    spelled = str(network.network_address) if bare else str(network)
    if network.version != version or spelled != text:
        return None
    return int(network.network_address), network.prefixlen


@pytest.mark.parametrize(("reader", "version"), [(read_ipv4, 4), (read_ipv6, 6)])
@pytest.mark.parametrize("bare", [False, True])
@settings(max_examples=300, deadline=None)
@given(lines=LINES)
def test_exactly_the_canonical_lines_are_read(reader: Reader, version: int, bare: bool, lines: list[str]) -> None:
    """No spelling but the canonical one is read, every canonical one is, and with the right value."""
    if bare:
        lines = [line.rpartition("/")[0] if line.endswith(("/32", "/128")) else line for line in lines]
    assert read(reader, lines, bare=bare) == [expected(line, version, bare=bare) for line in lines]


@pytest.mark.parametrize(
    "text",
    [
        *[
            "8.8.8.8/24",
            "8.8.8.0/024",
            "8.8.8.0/33",
            "08.8.8.0/24",
            "8.8.8.256/32",
            "8.8.8/24",
            "8.8.8.0/24 ",
            "8..8.0/24",
        ],
        *["1000.8.8.8/32", "8.8.8.0//24", "8.8.8.8.8/32", "/8.8.8.0/24", "8,8.8.0/24", "8.8.8.0.24", "8.8.8.0"],
    ],
)
def test_a_doubtful_ipv4_line_is_left_to_others(text: str) -> None:
    """Between two good lines, whatever is not perfect is passed over, and they are not disturbed."""
    assert read(read_ipv4, ["9.9.9.0/24", text, "1.2.3.4/32"]) == [(0x09090900, 24), None, (0x01020304, 32)]


@pytest.mark.parametrize(
    "text",
    [
        *["2a00::1/32", "2A00::/32", "2a00:0::/32", "2a00:0:0:1:1:1:1:1/128", "2a00::1:1:1:1:1:1/128", "2a00::/129"],
        *[
            "2a00:/32",
            "2a00:::/32",
            "2a00::1::/64",
            "12a00::/32",
            "02a00::/32",
            "2a00::/3a",
            "2a00::/a0",
            "2a00::",
            "2a00::/1000",
        ],
        *[
            "2a00:0:0:0:1::/128",
            "2a00::1:0:0:0:0/128",
            "2a00::1:0:0:0:0/127",
            "2a00:1:2:3:4:5:6:7:8/128",
            "2a00::/32/32",
        ],
        *["::1/128", "::/0", "2a00::1.2.3.4/128", ":2a00::/32", "2a00:1:2:3:4:5:6/128", "2a00::/", "/32", "fffff::/32"],
    ],
)
def test_a_doubtful_ipv6_line_is_left_to_others(text: str) -> None:
    """Wrong compression, capitals, zeros, embedded IPv4: all are for the reader of single rows."""
    assert read(read_ipv6, ["2a00::/32", text, "2a00::1/128"]) == [
        (0x2A00 << 112, 32),
        None,
        ((0x2A00 << 112) + 1, 128),
    ]
