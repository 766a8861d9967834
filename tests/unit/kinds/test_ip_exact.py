"""A list of addresses compared as text must hold exactly the text that an engine compares."""

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.kinds.ip_exact import IpExactKind
from hubdata.model.job import Limits
from hubdata.model.snapshot import Stats
from tests.support.real import needs_real
from tests.support.text_kinds import judged, judged_real, refusals

ANY = IpExactKind(IpExactKind.Options())


@pytest.mark.parametrize(
    ("row", "rules"),
    [
        ("8.8.8.8", []),
        ("2a00::1", []),
        ("8.8.8.8/32", ["ip-exact.network"]),
        ("8.8.8.0/24", ["ip-exact.network"]),
        ("2A00::1", ["ip-exact.not-canonical"]),
        ("2a00:0:0::1", ["ip-exact.not-canonical"]),
        ("8.8.8.8 ", ["ip-exact.space"]),
        ("8.8.8.08", ["ip-exact.syntax"]),
        ("8.8.8.8/33", ["ip-exact.syntax"]),
        ("8.8.8.8 # dns", ["ip-exact.syntax"]),
        ("dns.google", ["ip-exact.syntax"]),
        ("192.168.1.1", ["ip-exact.special-purpose"]),
        ("::ffff:8.8.8.8", ["ip-exact.special-purpose"]),
        ("0.0.0.0", ["ip-exact.special-purpose"]),
    ],
)
def test_each_row_gets_its_rule(row: str, rules: list[str]) -> None:
    """Whatever never equals an address as an engine writes it is an error."""
    assert refusals(judged(ANY, f"{row}\n".encode())) == [(1, rule) for rule in rules]


def test_family_and_least_entries_hold() -> None:
    """Options and limits are those of the job file."""
    four = IpExactKind(IpExactKind.Options(family="ipv4"))
    assert refusals(judged(four, b"8.8.8.8\n2a00::1\n")) == [(2, "ip-exact.family")]
    assert refusals(judged(ANY, b"8.8.8.8\n", Limits(min_entries=2))) == [(None, "limits.min-entries")]


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="0123456789abfF:./ ", min_size=1, max_size=18) | st.ip_addresses().map(str))
def test_what_is_accepted_is_the_canonical_text(row: str) -> None:
    """An accepted row equals its address spelled by `ipaddress`."""
    if not refusals(judged(ANY, f"{row}\n".encode())):
        assert str(ipaddress.ip_address(row)) == row


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_make_it_raise(body: bytes) -> None:
    """Any bytes get a verdict."""
    judged(ANY, body)


@needs_real
@pytest.mark.parametrize(
    ("key", "entries"),
    [("whitelists/cdn_providers/quic_cloud_ips.txt", 153), ("whitelists/benign_bots/cookiebot_ips.txt", 11)],
)
def test_real_lists_pass_and_are_counted(key: str, entries: int) -> None:
    """Today's lists hold bare canonical addresses only."""
    verdict = judged_real(ANY, key)
    assert refusals(verdict) == []
    assert verdict.stats == Stats(entries=entries, ipv4_addresses=entries, ipv6_64s=0)
