"""A list read as a table gets the verdict that it gets row by row, to the last word."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.grammar import lines, network_rows, network_table
from hubdata.grammar.gather import MAX_LABOUR, MAX_PER_RULE
from hubdata.grammar.lines import ENGINE_LINE_BYTES, MAX_LINE_BYTES
from hubdata.grammar.network_rows import Wanted, read_networks
from hubdata.kinds.cidr import CidrKind
from hubdata.kinds.ip_exact import IpExactKind
from hubdata.model.job import Limits
from hubdata.ports import Kind, Verdict
from tests.support.real import SEC_LISTS, needs_real
from tests.support.text_kinds import judged

KINDS: dict[str, Kind] = {
    "cidr": CidrKind(CidrKind.Options()),
    "cidr of IPv4": CidrKind(CidrKind.Options(family="ipv4")),
    "cidr of IPv6": CidrKind(CidrKind.Options(family="ipv6")),
    "ip-exact": IpExactKind(IpExactKind.Options()),
    "ip-exact of IPv6": IpExactKind(IpExactKind.Options(family="ipv6")),
}
NAMING = Limits(
    min_entries=3,
    max_prefix4=9,
    max_prefix6=21,
    must_contain=("8.8.0.0/16", "2a00:1::/32"),
    must_not_contain=("8.8.8.8", "9.0.0.0/9", "2a00:1::/48", "2a00:1::1"),
)


@contextmanager
def read_as_table(*, yes: bool, block: int = network_table.BLOCK_BYTES) -> Iterator[None]:
    """Have lists of any size read one way, in blocks of so many bytes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network_rows, "TABLE_BYTES", 0 if yes else 1 << 60)
        patch.setattr(network_table, "BLOCK_BYTES", block)
        yield


def both(kind: Kind, body: bytes, limits: Limits, block: int = network_table.BLOCK_BYTES) -> tuple[Verdict, Verdict]:
    """Return the verdict by table and the verdict row by row."""
    with read_as_table(yes=True, block=block):
        table = judged(kind, body, limits)
    with read_as_table(yes=False):
        return table, judged(kind, body, limits)


def as_table(body: bytes) -> network_table.Table | None:
    """Return `body` as it is read when it is long: as a table, or row by row."""
    with read_as_table(yes=True):
        wanted = Wanted(bare=False, version=None, floors={4: 8, 6: 16})
        listing = read_networks("k", body, wanted)
        return listing if isinstance(listing, network_table.Table) else None


def is_table(body: bytes) -> bool:
    """Tell whether `body` is read as a table at all."""
    return as_table(body) is not None


CLOSE4 = st.builds(
    lambda value, prefix: str(ip_network((IPv4Address(value), prefix), strict=False)),
    st.sampled_from([0x08080800, 0x08080000, 0x0A000000, 0xE0000000, 0]).flatmap(
        lambda base: st.integers(base, base + 40)
    ),
    st.sampled_from([32, 32, 31, 30, 29, 24, 13, 12, 9, 8, 0]),
)
CLOSE6 = st.builds(
    lambda value, prefix: str(ip_network((IPv6Address(value), prefix), strict=False)),
    st.sampled_from([0x2A000001 << 96, (0x2A000001 << 96) + (1 << 64), 0x20010DB8 << 96, (2**128) - 41, 0]).flatmap(
        lambda base: st.integers(base, base + 40)
    ),
    st.sampled_from([128, 128, 127, 126, 65, 64, 63, 48, 32, 29, 20, 0]),
)
ADDRESSES = st.builds(lambda network: network.partition("/")[0], CLOSE4 | CLOSE6)
ODD = st.sampled_from(
    [
        *[
            "",
            "# comment",
            "#",
            " ",
            "\t",
            "8.8.8.8/24",
            "2A00:1::/32",
            "2a00:1:0::/32",
            "8.8.8.8 ",
            "x",
            "8.8.8.0/255.0.0.0",
        ],
        *[
            "::ffff:8.8.8.8/128",
            "8.8.8.08/32",
            "2a00:1::%eth0/64",
            "caf\u00e9",
            "# caf\u00e9",
            "\ufeff# bom",
            "a\u200bb",
        ],
        *[
            "8.8.8.0/24\r",
            "\r",
            "8.8.8.8\rx",
            "nul\0",
            "\x1b[31m",
            "<html>",
            "<!doctype html>",
            "x" * (MAX_LINE_BYTES + 1),
        ],
        "y" * ENGINE_LINE_BYTES,
    ]
)
MOSTLY_GOOD = st.lists(CLOSE4 | CLOSE6 | CLOSE4 | CLOSE6 | ADDRESSES | ODD, max_size=25)
BODIES = st.builds(
    lambda lines, end: "\n".join(lines).encode() + end,
    MOSTLY_GOOD,
    st.sampled_from([b"\n", b"\n", b"", b"\r\n", b"\r", b"\xff\n", b"\n\n"]),
)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=120, deadline=None)
@given(body=BODIES, limits=st.sampled_from([Limits(), NAMING]), block=st.sampled_from([1 << 17, 64, 200]))
def test_both_ways_give_one_verdict(kind: str, body: bytes, limits: Limits, block: int) -> None:
    """Findings with line, text and advice, and all counts, are equal for lists with every kind of fault."""
    table, rows = both(KINDS[kind], body, limits, block)
    assert table == rows


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=120, deadline=None)
@given(lines=st.lists(CLOSE4 | CLOSE6, max_size=40), data=st.data())
def test_both_ways_give_one_verdict_on_a_mutated_list(kind: str, lines: list[str], data: st.DataObject) -> None:
    """One byte changed, lost or added anywhere in a good list is no difference between the two."""
    body = bytearray("".join(f"{line}\n" for line in lines).encode())
    at = data.draw(st.integers(0, len(body)))
    body[at : at + data.draw(st.integers(0, 1))] = data.draw(st.binary(max_size=2))
    table, rows = both(KINDS[kind], bytes(body), Limits())
    assert table == rows


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=120))
def test_no_bytes_make_the_table_raise(body: bytes) -> None:
    """Any bytes get one verdict."""
    table, rows = both(KINDS["cidr"], body, Limits())
    assert table == rows


@pytest.mark.parametrize("bare", [False, True])
def test_a_long_list_with_faults_of_every_rule_over_the_cap(bare: bool) -> None:
    """Hundreds of findings of each rule, over many blocks: the same first hundred, the same counts of the rest."""
    draw = random.Random(7)
    lines = []
    for at in range(6000):
        value = draw.choice([0x08080000, 0x0A000000, 0x09000000]) + draw.getrandbits(11)
        six = (0x2A000001 << 96) + (draw.getrandbits(4) << 64) + draw.getrandbits(5)
        prefix = 32 if bare else draw.choice([32, 31, 30, 24, 8])
        four = str(ip_network((IPv4Address(value), prefix), strict=at % 7 == 0 and prefix == 32))
        wide = str(ip_network((IPv6Address(six), draw.choice([128, 127, 64, 24])), strict=False))
        line = draw.choice([four, four, wide, wide.upper(), f"{four} ", "", "# c", " ", "no", str(IPv4Address(value))])
        lines.append(line.removesuffix("/32").removesuffix("/128") if bare else line)
    body = "\n".join(lines).encode()
    assert is_table(body)
    table, rows = both(KINDS["ip-exact" if bare else "cidr"], body, NAMING, 4096)
    assert table == rows
    full = {f.rule for f in rows.findings if "more like this" in f.message}
    assert full >= ({"text.duplicate"} if bare else {"text.duplicate", "cidr.covered", "cidr.too-wide", "cidr.space"})


def test_many_mergeable_rows_are_capped_alike() -> None:
    """Of pairs of both versions in any order the hundred with the lowest lines are shown, and the others counted."""
    some = [at for at in range(1200) if at % 6 < 4]
    lines = [f"{IPv4Address(0x08000000 + (at << 8))}/24" for at in some]
    lines += [f"{IPv6Address(0x2A00 << 112 | at)}/128" for at in some]
    random.Random(3).shuffle(lines)
    table, rows = both(KINDS["cidr"], "".join(f"{line}\n" for line in lines).encode(), Limits())
    assert table == rows
    assert len([f for f in table.findings if f.rule == "cidr.mergeable"]) == MAX_PER_RULE + 1


@pytest.mark.parametrize(("limits", "merged"), [(Limits(), 0), (Limits(max_prefix4=12, max_prefix6=28), 2)])
def test_neighbours_as_wide_as_the_floor_are_left_alone_alike(limits: Limits, merged: int) -> None:
    """Two networks of the widest prefix allowed cannot be one; with another floor they can."""
    body = b"8.0.0.0/13\n8.8.0.0/13\n2a00::/29\n2a00:8::/29\n"
    table, rows = both(KINDS["cidr"], body, limits)
    assert table == rows
    assert len([f for f in table.findings if f.rule == "cidr.mergeable"]) == merged


@pytest.mark.parametrize(
    "body", [b"8.8.8.0/24\r\n", b"8.8.8.0/24\0\n", b"\xff\n", b"\xef\xbb\xbf8.8.8.0/24\n", b"x" * ENGINE_LINE_BYTES]
)
def test_text_that_is_not_sound_is_known_as_such(body: bytes) -> None:
    """What is wrong with the text around the rows is told by the reader of rows; the networks are a table still."""
    table, sound = as_table(body), as_table(b"# caf\xc3\xa9\n8.8.8.0/24\n")
    assert table is not None
    assert sound is not None
    assert (table.sound, sound.sound) == (False, True)
    assert not is_table(b"<html>\n")


@pytest.mark.parametrize("kind", ["cidr", "ip-exact"])
def test_a_long_list_ended_by_crlf_has_the_same_duplicates_and_networks(kind: str) -> None:
    """A row with a carriage return repeats one without: told once, as a duplicate, and not as covered besides."""
    chance = random.Random(5)
    names = [f"8.8.{at}.0/24" if kind == "cidr" else f"8.8.8.{at}" for at in range(200)]
    lines = [chance.choice(names) + chance.choice(["\r\n", "\n"]) for _ in range(900)]
    table, rows = both(KINDS[kind], "".join(lines).encode(), NAMING, 700)
    assert table == rows
    assert {"text.duplicate", "text.cr"} <= {f.rule for f in rows.findings}
    assert "cidr.covered" not in {f.rule for f in rows.findings}


def test_a_list_that_is_long_enough_becomes_a_table_and_a_short_one_does_not() -> None:
    """The ways part at a number of bytes, and the kind does not notice."""
    wanted = Wanted(bare=False, version=None, floors={4: 8, 6: 16})
    short = b"8.8.8.0/24\n"
    long = b"".join(b"8.%d.%d.0/24\n" % divmod(at, 256) for at in range(20_000))
    assert len(long) > network_rows.TABLE_BYTES
    assert not isinstance(read_networks("k", short, wanted), network_table.Table)
    table = read_networks("k", long, wanted)
    assert isinstance(table, network_table.Table)
    assert table.entries == 20_000
    assert list(table.suspects()) == []


@needs_real
def test_real_lists_get_one_verdict() -> None:
    """The lists of today, each read as networks and as addresses."""
    files = sorted((SEC_LISTS / "whitelists").rglob("*ip*.txt"))
    assert len(files) > 5
    for file in files:
        for kind in ("cidr", "ip-exact"):
            table, rows = both(KINDS[kind], file.read_bytes(), Limits())
            assert table == rows, file.name


@pytest.mark.parametrize("end", [b"\n", b""])
def test_a_list_of_too_many_lines_is_no_table(monkeypatch: pytest.MonkeyPatch, end: bytes) -> None:
    """Both ways refuse it with the one finding that says so."""
    monkeypatch.setattr(network_table, "MAX_LINES", 3)
    monkeypatch.setattr(lines, "MAX_LINES", 3)
    for count in (3, 4, 5):
        body = b"\n".join([b"8.8.8.8/32"] * count) + end
        table, rows = both(KINDS["cidr"], body, Limits())
        assert table == rows
        assert ("text.too-many-lines" in {f.rule for f in rows.findings}) == (body.count(b"\n") > 3)


@pytest.mark.parametrize("kind", ["cidr", "ip-exact"])
def test_a_list_that_is_given_up_is_told_alike(kind: str) -> None:
    """Ten thousand refused rows are enough; the text of all further rows is judged all the same."""
    good = "8.8.8.8\n" if kind == "ip-exact" else "8.8.8.0/24\n"
    bad = "".join(f"x{at}\n" for at in range(MAX_LABOUR + 500))
    table, rows = both(KINDS[kind], f"{good}{bad}x1\n \n{bad}".encode(), Limits())
    assert table == rows
    assert {"text.given-up", "text.duplicate", "text.whitespace-only"} < {f.rule for f in table.findings}
