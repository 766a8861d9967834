"""A list of networks is refused for what an engine would let in or never match."""

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from hubdata.kinds.cidr import CidrKind
from hubdata.model.job import Limits
from hubdata.model.snapshot import Stats
from tests.support.real import needs_real
from tests.support.text_kinds import judged, judged_real, refusals, told

ANY = CidrKind(CidrKind.Options())


@pytest.mark.parametrize(
    ("row", "rules"),
    [
        ("173.245.48.0/20", []),
        ("8.8.8.8/32", []),
        ("2400:cb00::/32", []),
        ("2001:1670::130:0:0:107/128", []),
        ("8.8.8.8/24", ["cidr.host-bits error"]),
        ("2400:cb00::1/32", ["cidr.host-bits error"]),
        ("8.8.8.8", ["cidr.bare-address error"]),
        ("2400:cb00::1", ["cidr.bare-address error"]),
        (" 8.8.8.0/24", ["cidr.space error"]),
        ("8.8.8.0/24 ", ["cidr.space error"]),
        ("8.8.8.0/24\t", ["cidr.space error"]),
        ("2400:CB00::/32", ["cidr.not-canonical warning"]),
        ("2400:cb00:0::/32", ["cidr.not-canonical warning"]),
        ("8.8.8.0/255.255.255.0", ["cidr.syntax error"]),
        ("8.8.8.0/024", ["cidr.syntax error"]),
        ("08.8.8.0/24", ["cidr.syntax error"]),
        ("8.8.8.0/33", ["cidr.syntax error"]),
        ("8.8.8.0/", ["cidr.syntax error"]),
        ("8.8.8.0/24 # office", ["cidr.syntax error"]),
        ("8.8.8.0/24,9.9.9.0/24", ["cidr.syntax error"]),
        ("8.8.8.0-8.8.8.255", ["cidr.syntax error"]),
        ("fe80::%eth0/64", ["cidr.syntax error"]),
        ("example.net", ["cidr.syntax error"]),
        ('{"prefix": "8.8.8.0/24"}', ["cidr.syntax error"]),
        ("0.0.0.0/0", ["cidr.too-wide error", "cidr.special-purpose error"]),
        ("::/0", ["cidr.too-wide error", "cidr.special-purpose error"]),
        ("8.0.0.0/12", ["cidr.too-wide error"]),
        ("2a00::/28", ["cidr.too-wide error"]),
        ("8.8.0.0/13", []),
        ("10.0.0.0/24", ["cidr.special-purpose error"]),
        ("203.0.113.0/24", ["cidr.special-purpose error"]),
        ("224.0.0.0/24", ["cidr.special-purpose error"]),
        ("::ffff:8.8.8.8/128", ["cidr.special-purpose error"]),
        ("2002:808:808::/48", ["cidr.special-purpose error"]),
        ("64:ff9b::808:808/128", ["cidr.special-purpose error"]),
    ],
)
def test_each_row_gets_its_rule(row: str, rules: list[str]) -> None:
    """What would open up or never match is an error, a mere spelling a warning, the rest passes."""
    verdict = judged(ANY, f"# comment\n{row}\n".encode())
    assert [f"{rule} {severity}" for _, rule, severity in told(verdict)] == rules
    assert all(f.line == 2 and f.advice for f in verdict.findings)


def test_the_advice_holds_the_corrected_network() -> None:
    """A person can copy the network that was meant."""
    advice = {f.rule: f.advice for f in judged(ANY, b"8.8.8.8\n9.9.9.9/24\n2400:CB00::/32\n").findings}
    assert "8.8.8.8/32" in advice["cidr.bare-address"]
    assert "9.9.9.0/24" in advice["cidr.host-bits"]
    assert "2400:cb00::/32" in advice["cidr.not-canonical"]


def test_a_list_of_one_family_refuses_the_other() -> None:
    """With `family` set, the other IP version is an error."""
    four, six = (CidrKind(CidrKind.Options(family=family)) for family in ("ipv4", "ipv6"))
    body = b"8.8.8.0/24\n2400:cb00::/32\n"
    assert refusals(judged(four, body)) == [(2, "cidr.family")]
    assert refusals(judged(six, body)) == [(1, "cidr.family")]


def test_a_job_moves_the_prefix_floors_and_the_least_number_of_entries() -> None:
    """Limits of the job file hold instead of the kind's own."""
    body = b"8.0.0.0/12\n2a00::/24\n"
    assert refusals(judged(ANY, body, Limits(max_prefix4=12, max_prefix6=24))) == []
    assert refusals(judged(ANY, b"8.8.8.0/24\n", Limits(max_prefix4=25))) == [(1, "cidr.too-wide")]
    assert refusals(judged(ANY, b"8.8.8.0/24\n", Limits(min_entries=2))) == [(None, "limits.min-entries")]


def test_what_is_covered_is_counted_once() -> None:
    """Entries are rows; addresses and /64s are exact where networks overlap."""
    body = b"8.8.8.0/24\n8.8.8.128/25\n8.8.8.8/32\n2400:cb00::/63\n2400:cb00::5/128\n"
    assert judged(ANY, body).stats == Stats(entries=5, ipv4_addresses=256, ipv6_64s=2)


def test_a_network_within_another_is_told_with_the_row_around_it() -> None:
    """Whatever the order of the rows, the inner one is told, with the line of the outermost."""
    body = b"8.8.8.8/32\n8.8.8.0/25\n8.8.8.0/24\n2400:cb00::/32\n2400:cb00:1::/48\n"
    covered = [f for f in judged(ANY, body).findings if f.rule == "cidr.covered"]
    assert [(f.line, f.severity.value) for f in covered] == [(1, "warning"), (2, "warning"), (5, "warning")]
    assert "8.8.8.8/32 lies in 8.8.8.0/24 of line 3" in covered[0].message


def test_a_row_that_stands_there_already_is_told_once() -> None:
    """The same text is a duplicate, the same network in another spelling is covered; neither is both."""
    body = b"2400:cb00::/32\n2400:CB00::/32\n2400:cb00::/32\n"
    assert [(line, rule) for line, rule, _ in told(judged(ANY, body))] == [
        (2, "cidr.not-canonical"),
        (2, "cidr.covered"),
        (3, "text.duplicate"),
    ]


def test_rows_that_are_together_one_network_are_told_at_the_first() -> None:
    """Halves of halves count; what is covered, misaligned, or would be wider than the floor does not."""
    body = b"8.8.8.64/26\n8.8.8.0/26\n9.9.9.1/32\n9.9.9.2/32\n8.8.8.128/25\n8.8.8.8/32\n8.16.0.0/13\n8.24.0.0/13\n"
    mergeable = [f for f in judged(ANY, body).findings if f.rule == "cidr.mergeable"]
    assert [(f.line, f.severity.value) for f in mergeable] == [(1, "info")]
    assert mergeable[0].message == "this row and 2 others, the last in line 5, are together 8.8.8.0/24"
    wider = judged(ANY, body, Limits(max_prefix4=12)).findings
    assert ["line 8 are together 8.16.0.0/12" in f.message for f in wider if f.rule == "cidr.mergeable"] == [
        False,
        True,
    ]


def test_options_that_do_not_exist_are_refused() -> None:
    """A misspelt option is an error of the job file, not silence."""
    with pytest.raises(ValidationError):
        CidrKind.Options.model_validate({"familly": "ipv4"})


NETWORKS = st.builds(
    lambda value, prefix: f"{ipaddress.IPv4Address(value)}/{prefix}", st.integers(0, 2**32 - 1), st.integers(8, 33)
) | st.builds(
    lambda value, prefix: f"{ipaddress.IPv6Address(value)}/{prefix}",
    st.integers(2**125, 2**126 - 1),
    st.integers(20, 129),
)
ALIGNED = st.integers(0, 2**32 - 1).flatmap(
    lambda value: st.integers(13, 32).map(lambda prefix: str(ipaddress.ip_network((value, prefix), strict=False)))
)


@settings(max_examples=200, deadline=None)
@given(st.lists(NETWORKS | ALIGNED | st.text(alphabet="0123456789abf:./ ", min_size=1, max_size=18), max_size=8))
def test_whatever_is_accepted_ipaddress_accepts_strictly(rows: list[str]) -> None:
    """Every row without an error is a network to `ipaddress`, and counted as it counts."""
    verdict = judged(ANY, "".join(f"{row}\n" for row in rows).encode())
    refused = {line for line, _ in refusals(verdict)}
    accepted = [ipaddress.ip_network(row) for at, row in enumerate(rows, 1) if row and at not in refused]
    if not refused:
        four = ipaddress.collapse_addresses(n for n in accepted if isinstance(n, ipaddress.IPv4Network))
        assert verdict.stats.ipv4_addresses == sum(net.num_addresses for net in four)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_make_it_raise(body: bytes) -> None:
    """Any bytes get a verdict."""
    judged(ANY, body)


REAL_LISTS = {
    "whitelists/cdn_providers/arvancloud_ips.txt": (12, 2276, 0),
    "whitelists/cdn_providers/aws_cloudfront_ipv4.txt": (209, 4224133, 0),
    "whitelists/cdn_providers/aws_cloudfront_ipv6.txt": (32, 0, 1679688192),
    "whitelists/cdn_providers/cloudflare_ip6s.txt": (7, 0, 60129542144),
    "whitelists/cdn_providers/cloudflare_ips.txt": (15, 1524736, 0),
    "whitelists/cdn_providers/gcore_ipv4.txt": (988, 987, 0),
    "whitelists/cdn_providers/gcore_ipv6.txt": (848, 0, 190),
    "whitelists/benign_bots/search_engine_crawlers/google_special_crawlers_ipv4.txt": (135, 4320, 0),
    "whitelists/benign_bots/search_engine_crawlers/google_special_crawlers_ipv6.txt": (135, 0, 135),
    "whitelists/benign_bots/search_engine_crawlers/ip_seo_bots.txt": (13, 268, 0),
}


@needs_real
@pytest.mark.parametrize("key", REAL_LISTS)
def test_real_lists_pass_and_are_counted(key: str) -> None:
    """Today's lists have nothing worse than a duplicate, a missing final line feed, or rows that could be one."""
    verdict = judged_real(ANY, key)
    assert {f.rule for f in verdict.findings} <= {"text.final-lf", "text.duplicate", "cidr.mergeable"}
    assert refusals(verdict) == []
    assert (verdict.stats.entries, verdict.stats.ipv4_addresses, verdict.stats.ipv6_64s) == REAL_LISTS[key]


@pytest.mark.parametrize("comments", [0, 10_000])
def test_many_networks_that_are_narrow_enough_are_too_much_together(comments: int) -> None:
    """128 networks of /13 are the most; a list that is read as a table is held to the same."""
    padding = b"# a line that only makes the list long\n" * comments
    most = [f"{first}.{half}.0.0/13" for first in range(20, 84) for half in (0, 8)]
    assert refusals(judged(ANY, padding + "\n".join([*most, ""]).encode())) == []
    more = "\n".join([*most, "9.9.9.9/32", ""]).encode()
    assert refusals(judged(ANY, padding + more)) == [(None, "cidr.covers-too-much")]
    floors = Limits(max_prefix4=0)
    assert refusals(judged(ANY, padding + b"64.0.0.0/5\n", floors)) == [(None, "cidr.covers-too-much")]


def test_a_whole_provider_of_ipv6_is_not_too_much_and_forty_are() -> None:
    """32 networks of /29 may be one owner's; the largest real list has two."""
    networks = [f"2a{low:02x}:{high:x}::/29" for low in (16, 17) for high in range(0, 160, 8)]
    assert refusals(judged(ANY, "\n".join([*networks[:32], ""]).encode())) == []
    assert refusals(judged(ANY, "\n".join([*networks, ""]).encode())) == [(None, "cidr.covers-too-much")]
