"""Networks and addresses that pass, Go's netip and Python's strict ipaddress accept, and read as the same."""

import random
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from hubdata.grammar.networks import host, parse_address
from hubdata.kinds.cidr import CidrKind
from hubdata.kinds.ip_exact import IpExactKind
from hubdata.model.job import Limits
from tests.support import go_oracle
from tests.support.go_oracle import needs_go
from tests.support.judged import errors, judged
from tests.support.real import SEC_LISTS, needs_real

pytestmark = needs_go

ANY_WIDTH = Limits(max_prefix4=0, max_prefix6=0)
PIECES = (
    *("0", "1", "9", "255", "256", "00", "01", "08", "0x9", "1e1", "fe", "FE", "ffff", "10000", "2620", "2001", "2a00"),
    *(".", ".", ".", ":", ":", "::", "/", "/", "/24", "/32", "/48", "/128", "/129", "/0", "/033", "/-1", "/+8", "/ 8"),
    *(
        "%eth0",
        "%",
        "[",
        "]",
        " ",
        "\t",
        "\u0661",
        "\uff11",
        "e",
        "g",
        "-",
        "+",
        "/255.255.255.0",
        "::ffff:1.2.3.4",
        ",",
    ),
)
BASES = ("9.9.9.0/24", "9.9.9.9/32", "2620:fe::/48", "2620:fe::fe/128", "2a00:1450:4000::/37", "1.1.1.1", "2620:fe::fe")


def spellings(count: int, seed: int) -> list[str]:
    """Return lines that look like networks and addresses, some of them right."""
    chance = random.Random(seed)
    out = list(BASES)
    while len(out) < count:
        match chance.randrange(4):
            case 0:
                text = "".join(chance.choice(PIECES) for _ in range(chance.randint(1, 9)))
            case 1:
                value, bits = (chance.getrandbits(32), 32) if chance.random() < 0.5 else (chance.getrandbits(125), 128)
                address = ip_address(value) if bits == 32 else ip_address((1 << 125) | value)
                text = f"{address}/{chance.randint(0, bits)}"
            case 2:
                prefix = chance.randint(13, 64)
                text = str(ip_network(((1 << 125) | chance.getrandbits(125), prefix), strict=False))
            case _:
                base = chance.choice(BASES)
                at = chance.randint(0, len(base))
                text = base[:at] + chance.choice(PIECES) + base[at + chance.randint(0, 2) :]
        if text and "\n" not in text and "\r" not in text and text[0] != "#":
            out.append(text)
    return out


def accepted(kind: type[Any], texts: list[str]) -> list[str]:
    """Return the lines without an error, each in a file of its own, however wide."""
    verdicts = ((text, judged(kind, f"{text}\n".encode(), limits=ANY_WIDTH)) for text in texts)
    return [text for text, verdict in verdicts if not any(finding.line for finding in errors(verdict))]


def accepted_in_long_lists(kind: type[Any], texts: list[str]) -> list[str]:
    """Return the lines without an error in lists so long that they are read another way: as a table of bytes."""
    padding = b"# some 300 kB of comments before the rows\n" * 7_000
    sound = [text for text in texts if text.isascii() and text.isprintable()]
    passed = []
    for start in range(0, len(sound), 90):  # fewer than the findings of one rule that are told one by one
        rows = sound[start : start + 90]
        verdict = judged(kind, padding + "\n".join([*rows, ""]).encode(), limits=ANY_WIDTH)
        refused = {finding.line for finding in errors(verdict)}
        passed += [text for number, text in enumerate(rows, 7_001) if number not in refused]
    return passed


def test_a_long_list_lets_the_same_rows_pass_as_a_short_one() -> None:
    """How a list is read depends on its length; what passes does not."""
    texts = [text for text in dict.fromkeys(spellings(3_000, 4)) if text.isascii() and text.isprintable()]
    assert accepted_in_long_lists(CidrKind, texts) == accepted(CidrKind, texts)
    assert accepted_in_long_lists(IpExactKind, texts) == accepted(IpExactKind, texts)


@pytest.mark.parametrize("accepted", [accepted, accepted_in_long_lists])
def test_networks_that_pass_are_networks_to_go_and_to_python(
    accepted: Callable[[type[Any], list[str]], list[str]],
) -> None:
    """20,000 lines, right and wrong by a character: what passes has no host bits and is the same to all three."""
    texts = accepted(CidrKind, spellings(20_000, 1))
    assert len(texts) > 1_000
    for text, answer in zip(texts, go_oracle.ask({"op": "prefix", "text": t} for t in texts), strict=True):
        assert "error" not in answer, (text, answer)
        network = ip_network(text, strict=True)
        assert answer["text"] == str(network), text
        address, _, prefix = text.partition("/")
        parsed = parse_address(address)
        assert parsed == (network.version, int(network.network_address)), text
        assert int(prefix) == network.prefixlen, text


@pytest.mark.parametrize("accepted", [accepted, accepted_in_long_lists])
def test_addresses_that_pass_are_spelled_as_go_and_python_spell_them(
    accepted: Callable[[type[Any], list[str]], list[str]],
) -> None:
    """An engine compares text with the address as netip writes it: it must be that very text."""
    chance = random.Random(2)
    texts = [str(ip_address(chance.getrandbits(32))) for _ in range(2_000)]
    texts += [str(ip_address((1 << 125) | chance.getrandbits(chance.choice((3, 20, 64, 125))))) for _ in range(3_000)]
    passed = accepted(IpExactKind, [*spellings(5_000, 3), *texts, *(text.upper() for text in texts)])
    assert len(passed) > 1_000
    for text, answer in zip(passed, go_oracle.ask({"op": "address", "text": t} for t in passed), strict=True):
        assert answer == {"text": text}
        assert str(ip_address(text)) == text
        parsed = parse_address(text)
        assert parsed is not None
        assert str(host(*parsed)).partition("/")[0] == text


@needs_real
def test_every_real_network_is_one_to_go() -> None:
    """All lines of the real tree that are networks or addresses to us."""
    lines = {line for path in SEC_LISTS.rglob("*.txt") for line in path.read_text(errors="replace").splitlines()}
    texts = accepted(CidrKind, sorted(line for line in lines if line and line[0] in "0123456789abcdef" and "/" in line))
    assert len(texts) > 100
    assert all("error" not in answer for answer in go_oracle.ask({"op": "prefix", "text": text} for text in texts))
