"""What a sound database must be besides: the right one, of its time, for both families, with enough in it.

Structure is proven elsewhere (`proof`); a proven file can still be another database under this name, last year's, or
nearly empty, and engines open all of these without complaint. Everything here is a pure function over what the file
says of itself and what was counted in it. The file's name promises an edition where the job names none: whoever
publishes `GeoLite2-ASN.mmdb` means GeoLite2-ASN.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hubdata.mmdb.extent import Extent
from hubdata.mmdb.metadata import Metadata
from hubdata.mmdb.networks import IPV4_ADDRESSES

CLOCK_SKEW = timedelta(days=1)

EDITIONS = tuple(
    f"{family}-{name}"
    for family, names in {
        "GeoLite2": ("City", "Country", "ASN"),
        "GeoIP2": (
            *("City", "Country", "Enterprise", "ISP", "Domain", "Connection-Type"),
            *("Anonymous-IP", "Anonymous-Plus"),
        ),
    }.items()
    for name in names
)
"""The vendor's editions whose database_type is their name. Longer names (`GeoIP2-City-Africa`) are told by the job."""

ALLOCATED_IPV6_64S = sum(
    blocks << 64 - length for length, blocks in {12: 8, 18: 1, 19: 2, 20: 3, 22: 3, 23: 17}.items()
)
"""The /64 networks of all blocks that IANA has given to the five registries; tunnels and reserves left out.

Source: IANA, "IPv6 Global Unicast Address Assignments": 2400::/12, 2410::/12, 2600::/12, 2630::/12, 2800::/12,
2a00::/12, 2a10::/12, 2c00::/12; 2003::/18; and what was cut from 2001::/16, 2610::/23 and 2620::/23 before 2006.
"""

_TELLING = frozenset({"city", "country", "asn", "isp", "enterprise", "domain", "anonymous", "connection"})
"""Words that say in any vendor's file names what kind of database it is."""


@dataclass(frozen=True, slots=True)
class Demanded:
    """What a database is held to. None, or nothing, is not looked at; `ip_version` None is told by the edition.

    `edition` is the database_type, exactly. Beyond `max_age` a database is refused, beyond `warn_age` only doubted.
    Shares are of the whole IPv4 space and of the IPv6 space given out.
    """

    edition: str | None = None
    max_age: timedelta | None = None
    warn_age: timedelta | None = None
    languages: tuple[str, ...] = ()
    ip_version: int | None = None
    min_ipv4_share: float | None = None
    min_ipv6_share: float | None = None


@dataclass(frozen=True, slots=True)
class Breach:
    """One demand that is not met: a slug, what was expected and found, what to do. A mild one is only a warning."""

    problem: str
    message: str
    advice: str
    mild: bool = False


def promised(stem: str) -> str | None:
    """Return the edition that a file's name begins with (`GeoLite2-City_20260918`), None when there is none."""
    for edition in sorted(EDITIONS, key=len, reverse=True):
        if stem == edition or (stem.startswith(edition) and not stem[len(edition)].isalnum()):
            return edition
    return None


def built_at(metadata: Metadata) -> datetime | None:
    """Return when the database was built, None when what it says is no time."""
    if metadata.build_epoch <= 0:
        return None
    try:
        return datetime.fromtimestamp(metadata.build_epoch, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def breaches(metadata: Metadata, demanded: Demanded, stem: str, now: datetime) -> Iterator[Breach]:
    """Yield what is wrong with what the database called `stem` says of itself. `now` is aware UTC."""
    expected = demanded.edition or promised(stem)
    yield from _of_type(metadata.database_type, expected, stem)
    yield from _of_family(metadata.ip_version, demanded.ip_version, known=expected is not None)
    yield from _of_languages(metadata.languages, demanded.languages)
    yield from _of_time(metadata, demanded, now)


def ipv4_share(addresses: int) -> float:
    """Return what share of all IPv4 so many addresses are."""
    return addresses / IPV4_ADDRESSES


def ipv6_share(networks: int) -> float:
    """Return what share so many /64 networks are of the IPv6 space that the registries were given."""
    return networks / ALLOCATED_IPV6_64S


def coverage_breaches(found_in: Extent, demanded: Demanded) -> Iterator[Breach]:
    """Yield what of the address space has too few records."""
    for space, found, least in (
        ("IPv4 space", ipv4_share(found_in.ipv4_addresses), demanded.min_ipv4_share),
        ("IPv6 space that registries were given", ipv6_share(found_in.ipv6_64s), demanded.min_ipv6_share),
    ):
        if least is not None and found < least:
            yield Breach(
                "coverage",
                f"{found:.2%} of the {space} has a record, expected at least {least:.2%}",
                "look whether the vendor's build is whole; if the database is meant to be so small, lower the share in"
                " the kind's options",
            )


def _of_type(found: str, expected: str | None, stem: str) -> Iterator[Breach]:
    own_name = (
        "publish it under its own name: engines load any type under any name, and then find nothing;"
        " if the name is meant, set the kind's `edition`"
    )
    if expected is not None:
        if found != expected:
            yield Breach("type", f"the database type is {shown(found)}, expected `{expected}`", own_name)
        return
    told = _words(stem) & _TELLING
    if wrong := told - _words(found):
        telling = " and ".join(f"`{word}`" for word in sorted(wrong))
        yield Breach("type", f"the database type is {shown(found)}, but the name says {telling}", own_name)
    elif not told and stem != found:
        message = f"the database type is {shown(found)}, and nothing says which is expected"
        yield Breach(
            "type", message, "set the kind's `edition`, so that no other database comes in its place", mild=True
        )


def _of_family(found: int, wanted: int | None, *, known: bool) -> Iterator[Breach]:
    """Hold the tree to its family. Every edition known by name has both; of others nobody knows."""
    if found == 4 and wanted != 4:
        yield Breach(
            "ip-version",
            "the tree holds IPv4 alone, expected IPv6 with IPv4 inside: no IPv6 visitor would have an answer",
            "download it anew; if the database is meant for IPv4 alone, set the kind's `ip_version = 4`",
            mild=not known and wanted is None,
        )


def _of_languages(found: tuple[str, ...], wanted: tuple[str, ...]) -> Iterator[Breach]:
    missing = [language for language in wanted if language not in found]
    if missing:
        names = ", ".join(shown(language) for language in found[:12]) or "none"
        yield Breach(
            "languages",
            f"names in {', '.join(missing)} are expected, but the database has {names}",
            "look whether it is the vendor's full build; if its languages have changed, change the kind's `languages`",
        )


def _of_time(metadata: Metadata, demanded: Demanded, now: datetime) -> Iterator[Breach]:
    built = built_at(metadata)
    if built is None:
        yield Breach("build-epoch", f"the build time is {metadata.build_epoch}, which is none", "download it anew")
        return
    if built > now + CLOCK_SKEW:
        yield Breach(
            "future",
            f"it was built at {built:%Y-%m-%d %H:%M} UTC, more than a day from now",
            "look at this machine's clock; if that is right, the file is not from the vendor",
        )
    for most, mild in ((demanded.max_age, False), (demanded.warn_age, True)):
        if most is not None and now - built > most:
            than = "more than" if mild else "at most"
            end = "is worth a look" if mild else "are allowed"
            yield Breach(
                "too-old",
                f"it was built at {built:%Y-%m-%d}, {(now - built).days} days ago; {than} {most.days} {end}",
                "look whether the upstream still updates it, and whether the right file was fetched",
                mild,
            )
            return


def _words(name: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z]+", name.lower()))


def shown(text: str) -> str:
    """Return `text`, which the file says of itself, fit for a message: printable, and not too long."""
    cut = text if len(text) <= 80 else text[:80] + "..."
    return f"`{cut}`" if cut.isprintable() else ascii(cut)
