"""What a sound database must be besides: demands as data, each with what it lets through and what it does not."""

from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest

from hubdata.mmdb.extent import Extent
from hubdata.mmdb.metadata import Metadata
from hubdata.mmdb.policy import (
    ALLOCATED_IPV6_64S,
    EDITIONS,
    Breach,
    Demanded,
    breaches,
    coverage_breaches,
    promised,
)

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
BUILT = int((NOW - timedelta(days=3)).timestamp())


def said(**changes: Any) -> Metadata:
    """Return the metadata of a City database of this week, but for `changes`."""
    fields: dict[str, Any] = {
        "database_type": "GeoLite2-City",
        "build_epoch": BUILT,
        "ip_version": 6,
        "record_size": 28,
        "node_count": 100,
        "languages": ("de", "en"),
        "description": MappingProxyType({"en": "GeoLite2 City database"}),
        "binary_format": (2, 0),
    }
    return Metadata(**{**fields, **changes})


def judged(metadata: Metadata, demanded: Demanded | None = None, stem: str = "GeoLite2-City") -> list[Breach]:
    """Return every breach."""
    return list(breaches(metadata, demanded or Demanded(), stem, NOW))


def test_a_database_that_is_what_its_name_says_breaks_nothing() -> None:
    """Type, family, languages and time as demanded."""
    demanded = Demanded("GeoLite2-City", timedelta(days=30), timedelta(days=7), ("en",), 6)
    assert judged(said(), demanded) == []
    assert judged(said()) == []


@pytest.mark.parametrize("edition", EDITIONS)
def test_a_name_promises_the_edition_that_it_begins_with(edition: str) -> None:
    """A date or a word behind it changes nothing; another letter does."""
    assert promised(edition) == edition
    assert promised(f"{edition}_20260918") == edition
    assert promised(f"{edition}-Test") == edition
    assert promised(f"{edition}x") is None
    assert promised("MaxMind-DB-test-decoder") is None


@pytest.mark.parametrize(
    ("found", "stem", "edition", "mild"),
    [
        pytest.param("GeoLite2-ASN", "GeoLite2-City", None, False, id="swapped"),
        pytest.param("GeoIP2-City", "GeoLite2-City", None, False, id="the paid edition"),
        pytest.param("GeoLite2-City", "GeoLite2-City", "GeoIP2-City", False, id="the job expects another"),
        pytest.param("GeoLite2-City-Africa", "GeoLite2-City", None, False, id="a part of it"),
        pytest.param("geolite2-city", "GeoLite2-City", None, False, id="other capitals"),
        pytest.param("GeoLite2-City", "asn", None, False, id="a name that says another kind"),
        pytest.param("DBIP-City-Lite", "dbip-asn-lite", None, False, id="another vendor's, swapped"),
        pytest.param("GeoLite2-City", "geo", None, True, id="a name that says nothing"),
        pytest.param("GeoLite2-City\x1b[2J", "geo", None, True, id="a type that would clear a terminal"),
    ],
)
def test_another_type_than_expected_is_told(found: str, stem: str, edition: str | None, mild: bool) -> None:
    """What engines would load without complaint is refused; where nothing is expected, it is only a doubt."""
    (breach,) = judged(said(database_type=found), Demanded(edition), stem)
    assert (breach.problem, breach.mild) == ("type", mild)
    assert breach.message.isprintable()


@pytest.mark.parametrize(
    ("found", "stem", "edition"),
    [
        ("GeoLite2-City", "other", "GeoLite2-City"),
        ("GeoLite2-City", "GeoLite2-City-Test", None),
        ("GeoLite2-ASN", "GeoLite2-ASN_20260918", None),
        ("Test", "Test", None),
        ("DBIP-City-Lite", "dbip-city-lite-2026-05", None),
    ],
)
def test_the_expected_type_is_the_jobs_or_the_names(found: str, stem: str, edition: str | None) -> None:
    """A job's `edition` wins over the name."""
    assert judged(said(database_type=found), Demanded(edition), stem) == []


@pytest.mark.parametrize(
    ("wanted", "stem", "expected"),
    [
        (None, "GeoLite2-City", [False]),
        (6, "GeoLite2-City", [False]),
        (6, "Test", [False]),
        (4, "GeoLite2-City", []),
        (None, "Test", [True]),
    ],
)
def test_a_database_of_ipv4_alone_is_refused_unless_it_is_meant_so(
    wanted: int | None, stem: str, expected: list[bool]
) -> None:
    """It would leave every IPv6 visitor without an answer; of a database that nobody knows, that is a doubt."""
    metadata = said(ip_version=4, database_type=stem)
    assert [breach.mild for breach in judged(metadata, Demanded(ip_version=wanted), stem)] == expected
    assert judged(said(ip_version=6), Demanded(ip_version=4)) == []


def test_every_language_that_is_demanded_must_be_there() -> None:
    """The missing ones are named, and so is what there is."""
    (breach,) = judged(said(), Demanded(languages=("en", "fr", "ja")))
    assert breach.problem == "languages"
    assert "fr, ja" in breach.message
    assert "`de`, `en`" in breach.message
    assert judged(said(), Demanded(languages=("en",))) == []
    assert "none" in judged(said(languages=()), Demanded(languages=("en",)))[0].message


@pytest.mark.parametrize(
    ("epoch", "max_age", "expected"),
    [
        (0, None, ["build-epoch"]),
        (2**63, None, ["build-epoch"]),
        (BUILT + 3 * 86_400 + 86_000, None, []),
        (BUILT + 4 * 86_400 + 60, None, ["future"]),
        (1_000_000_000, None, []),
        (BUILT, timedelta(days=3), []),
        (BUILT - 60, timedelta(days=3), ["too-old"]),
    ],
)
def test_the_build_time_is_a_time_not_in_the_future_and_not_too_old(
    epoch: int, max_age: timedelta | None, expected: list[str]
) -> None:
    """A day of clock skew is allowed; age is bounded only where the job says so."""
    found = judged(said(build_epoch=epoch), Demanded(max_age=max_age))
    assert [breach.problem for breach in found] == expected


@pytest.mark.parametrize(("age", "expected"), [(29, []), (31, [True]), (89, [True]), (91, [False])])
def test_between_the_age_that_is_doubted_and_the_one_that_is_refused_there_is_a_warning(
    age: int, expected: list[bool]
) -> None:
    """What is over both is told once, as the error."""
    metadata = said(build_epoch=int((NOW - timedelta(days=age)).timestamp()))
    demanded = Demanded(max_age=timedelta(days=90), warn_age=timedelta(days=30))
    assert [breach.mild for breach in judged(metadata, demanded)] == expected


@pytest.mark.parametrize(
    ("least", "expected"),
    [
        (Demanded(), []),
        (Demanded(min_ipv4_share=0.5, min_ipv6_share=0.25), []),
        (Demanded(min_ipv4_share=0.51), ["IPv4"]),
        (Demanded(min_ipv6_share=0.26), ["IPv6"]),
        (Demanded(min_ipv4_share=1, min_ipv6_share=1), ["IPv4", "IPv6"]),
    ],
)
def test_too_little_coverage_is_told_by_family(least: Demanded, expected: list[str]) -> None:
    """Half of IPv4 and a quarter of what the registries were given have a record here."""
    found = Extent(10, 1 << 31, ALLOCATED_IPV6_64S // 4 + 1)
    told = list(coverage_breaches(found, least))
    assert [breach.problem for breach in told] == ["coverage"] * len(expected)
    assert all(family in breach.message for family, breach in zip(expected, told, strict=True))


def test_the_registries_were_given_eight_blocks_of_a_million_slash_32s_and_a_little_more() -> None:
    """The figure is a sum of prefixes: eight /12 and less than a quarter of one besides."""
    assert 8 << 52 < ALLOCATED_IPV6_64S < (8 << 52) + (1 << 50)
