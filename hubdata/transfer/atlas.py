"""Tells to whom a network belongs: country and autonomous system, from GeoIP databases at hand.

For reviewers only, so nothing fails for it: an address that is in no database has no origin, and a record that cannot
be read is none. Databases are opened by the pure Python reader; the C extension dies on corrupt files (ADR 0006).
"""

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_network
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from hubdata.errors import ConfigError
from hubdata.model.meaning import Difference, Origin

if TYPE_CHECKING:
    from maxminddb.reader import Reader

MAX_LOOKED_UP = 100
"""Networks of one file that are looked up, the largest first: some 20 ms for most, 2 s at worst."""

_MAX_STEPS = 64
"""Parts of one network that are looked at, before it counts as split up."""

_COUNTRY = ("City", "Country", "Enterprise")
_SYSTEM = ("ASN", "ISP", "Enterprise")
"""Database types that know it, the best first."""

MAX_UNREADABLE = 8
"""Records that cannot be read, before a database is asked no more: finding that out can take half a second for each."""


class Atlas:
    """Open databases, of which one knows countries, one systems, or one both. Close it, or use it in a `with`."""

    def __init__(self, paths: Iterable[Path]) -> None:
        """Open the databases `paths`; of a directory all `*.mmdb` in it.

        Raises ConfigError for a path that is no database, and when none of them knows countries or systems.
        """
        named = tuple(paths)
        with ExitStack() as opened:
            readers = [_opened(path, opened) for path in _databases(named)]
            self._countries = _best(readers, _COUNTRY)
            self._systems = _best(readers, _SYSTEM)
            if self._countries is None and self._systems is None:
                raise ConfigError(
                    f"{', '.join(map(str, named))}: no database of countries or autonomous systems",
                    advice="name a City, Country or ASN database (*.mmdb), or a directory that holds one",
                )
            self._unreadable = 0
            self._open = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def origin(self, network: str) -> Origin | None:
        """Return to whom the first address of `network` belongs, and whether all of it does; None: nobody knows."""
        net = ip_network(network)
        seen: dict[tuple[str, int | None, str], None] = {}
        at, last = int(net.network_address), int(net.broadcast_address)
        address = IPv4Address if net.version == 4 else IPv6Address
        for _ in range(_MAX_STEPS):
            found, prefix = self._at(address(at))
            seen[found] = None
            size = 1 << (net.max_prefixlen - prefix)
            at = (at // size + 1) * size
            if at > last:
                break
        (country, asn, organisation), *others = seen
        if not others and not country and asn is None:
            return None
        return Origin(country, asn, organisation, whole=not others and at > last)

    def _at(self, address: IPv4Address | IPv6Address) -> tuple[tuple[str, int | None, str], int]:
        """Return country, system and its name at `address`, and the prefix length for which that holds."""
        place, narrow = self._record(self._countries, address)
        system, prefix = self._record(self._systems, address)
        country = _table(place, "country").get("iso_code") or _table(place, "registered_country").get("iso_code")
        traits = {**_table(system, "traits"), **system}
        asn = traits.get("autonomous_system_number")
        organisation = traits.get("autonomous_system_organization")
        return (
            country if isinstance(country, str) else "",
            asn if type(asn) is int else None,
            organisation if isinstance(organisation, str) else "",
        ), max(narrow, prefix)

    def _record(self, reader: "Reader | None", address: IPv4Address | IPv6Address) -> tuple[Mapping[str, Any], int]:
        """Return the record at `address` and its prefix length; empty, for all addresses, where there is none."""
        if reader is None or self._unreadable >= MAX_UNREADABLE:
            return {}, 0
        try:
            record, prefix = reader.get_with_prefix_len(address)
        except Exception:  # noqa: BLE001 - a corrupt record makes the reader raise whatever comes
            self._unreadable += 1
            return {}, address.max_prefixlen
        prefix = min(max(prefix, 0), address.max_prefixlen)
        return (record if isinstance(record, dict) else {}), prefix


def with_origins(difference: Difference, atlas: Atlas) -> Difference:
    """Return `difference` with the origins of the largest networks that were gained and lost."""
    networks = difference.networks
    if networks is None:
        return difference
    wanted = (*networks.gained[:MAX_LOOKED_UP], *networks.lost[:MAX_LOOKED_UP])
    origins = {network: origin for network in wanted if (origin := atlas.origin(network)) is not None}
    return replace(difference, networks=replace(networks, origins=origins)) if origins else difference


def _databases(paths: Iterable[Path]) -> Iterable[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(path.glob("*.mmdb"))
        else:
            yield path


def _opened(path: Path, until: ExitStack) -> "Reader":
    from maxminddb.const import MODE_MMAP
    from maxminddb.reader import Reader

    try:
        reader = Reader(str(path), MODE_MMAP)
    except Exception as err:  # on bad bytes the reader raises whatever comes; all of it means this
        raise ConfigError(
            f"{path}: cannot be opened as a GeoIP database ({type(err).__name__})",
            advice="name a *.mmdb file that `hubdata validate --kind mmdb` passes",
        ) from err
    until.callback(reader.close)
    return reader


def _best(readers: Iterable["Reader"], words: tuple[str, ...]) -> "Reader | None":
    """Return the reader whose type has the foremost of `words` in it."""
    ranked: list[tuple[int, Reader]] = []
    for reader in readers:
        kind = str(reader.metadata().database_type)
        ranked += [(rank, reader) for rank, word in enumerate(words) if word in kind]
    return min(ranked, key=lambda pair: pair[0])[1] if ranked else None


def _table(record: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = record.get(key)
    return value if isinstance(value, dict) else {}
