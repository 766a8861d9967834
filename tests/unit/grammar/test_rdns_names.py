"""Which part of a name was registered, and which names are suffixes that are sold below."""

import pytest

from hubdata.grammar.rdns_names import RENTED, is_host_name, is_public_suffix, registrable


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("crawl-1.googlebot.com.", "googlebot.com"),
        ("GoogleBot.com", "googlebot.com"),
        ("www.bbc.co.uk.", "bbc.co.uk"),
        ("x.yandex.ru", "yandex.ru"),
        ("crawl.amazonbot.amazon.", "amazonbot.amazon"),
        ("com.", "com"),
    ],
)
def test_the_registrable_domain_is_found(name: str, expected: str) -> None:
    """The last two labels, three below the likes of co.uk; case and final dot do not matter."""
    assert registrable(name) == expected


@pytest.mark.parametrize("name", ["a.b", "a-b.c.", "_dmarc.a.b", *RENTED])
def test_host_names_are_recognised(name: str) -> None:
    """Two labels or more of letters, digits, hyphens within, underscores."""
    assert is_host_name(name)


@pytest.mark.parametrize(
    "name", ["", ".", "a", "a.", "a..b", ".a.b", "-a.b", "a-.b", "a b.c", "x" * 64 + ".net", "a." * 130]
)
def test_other_texts_are_not_host_names(name: str) -> None:
    """Empty and overlong labels, hyphens at an end and single labels are not names that a PTR record would give."""
    assert not is_host_name(name)


@pytest.mark.parametrize(("name", "expected"), [("com", True), ("co.uk", True), ("google.com", False), ("t.co", False)])
def test_public_suffixes_are_known_by_shape(name: str, expected: bool) -> None:
    """A single label, or a well-known second level below a country code."""
    assert is_public_suffix(name) is expected
