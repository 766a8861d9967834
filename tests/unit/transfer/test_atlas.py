"""Whose a network is, as the databases at hand tell it."""

from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from maxminddb.reader import Reader

from hubdata.demo.mmdb_writer import mmdb
from hubdata.errors import ConfigError
from hubdata.meaning.difference import difference
from hubdata.meaning.table import meaning_of
from hubdata.model.meaning import Origin
from hubdata.transfer import atlas as atlases
from hubdata.transfer.atlas import Atlas, with_origins
from tests.support.raw_mmdb import array, database, pointer, text, uint
from tests.support.real import MMDB, needs_real


def _country(code: str) -> dict[str, Any]:
    return {"country": {"iso_code": code}}


def _system(number: int, name: str) -> dict[str, Any]:
    return {"autonomous_system_number": number, "autonomous_system_organization": name}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Return a directory with a database of countries, one of systems, and files that are neither."""
    city = {"1.0.0.0/24": "AU", "1.0.1.0/24": "CN", "2001:db8::/32": "DE"}
    asn = {
        "1.0.0.0/23": (13335, "CLOUDFLARENET"),
        "2001:db8::/33": (64496, "One"),
        "2001:db8:8000::/33": (64497, "Two"),
    }
    (tmp_path / "City.mmdb").write_bytes(
        mmdb("GeoLite2-City", {ip_network(n): _country(c) for n, c in city.items()}, build_epoch=1)
    )
    (tmp_path / "ASN.mmdb").write_bytes(
        mmdb("GeoLite2-ASN", {ip_network(n): _system(*s) for n, s in asn.items()}, build_epoch=1)
    )
    (tmp_path / "README.md").write_text("no database\n")
    return tmp_path


def test_a_network_is_told_with_country_and_system(directory: Path) -> None:
    """Both databases of a directory are used, each for what it knows."""
    with Atlas([directory]) as atlas:
        assert atlas.origin("1.0.0.0/25") == Origin("AU", 13335, "CLOUDFLARENET")
        assert atlas.origin("1.0.1.7/32") == Origin("CN", 13335, "CLOUDFLARENET")
        assert atlas.origin("2001:db8::/48") == Origin("DE", 64496, "One")


def test_a_network_of_several_owners_says_so(directory: Path) -> None:
    """The first address stands for it, and `whole` warns that parts belong to others, or to nobody known."""
    with Atlas([directory]) as atlas:
        assert atlas.origin("1.0.0.0/23") == Origin("AU", 13335, "CLOUDFLARENET", whole=False)
        assert atlas.origin("2001:db8::/32") == Origin("DE", 64496, "One", whole=False)
        assert atlas.origin("1.0.0.0/22") == Origin("AU", 13335, "CLOUDFLARENET", whole=False)


def test_a_network_that_nobody_knows_has_no_origin(directory: Path) -> None:
    """An address in no database is not guessed at."""
    with Atlas([directory]) as atlas:
        assert atlas.origin("203.0.113.0/24") is None


def test_one_database_is_enough(directory: Path) -> None:
    """With systems alone the country stays empty, and the other way round."""
    with Atlas([directory / "ASN.mmdb"]) as atlas:
        assert atlas.origin("1.0.0.0/23") == Origin("", 13335, "CLOUDFLARENET")
    with Atlas([directory / "City.mmdb"]) as atlas:
        assert atlas.origin("1.0.0.0/24") == Origin("AU")


def test_a_network_cut_into_many_parts_is_not_followed_for_ever(tmp_path: Path) -> None:
    """After some look-ups it counts as split up, whatever the rest may be."""
    hosts = {ip_network(f"1.0.0.{n}/32"): _country("AU") for n in range(200)}
    (tmp_path / "a.mmdb").write_bytes(mmdb("X-Country", hosts, build_epoch=1))
    with Atlas([tmp_path]) as atlas:
        assert atlas.origin("1.0.0.0/25") == Origin("AU", whole=False)
        assert atlas.origin("1.0.0.0/27") == Origin("AU")


def test_what_is_no_database_is_refused_with_advice(directory: Path, tmp_path: Path) -> None:
    """A wrong path is told before anything is compared."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "Domain.mmdb").write_bytes(mmdb("GeoIP2-Domain", {}, build_epoch=1))
    for path in (directory / "README.md", tmp_path / "absent.mmdb", tmp_path / "empty", tmp_path / "Domain.mmdb"):
        with pytest.raises(ConfigError) as caught:
            Atlas([path])
        assert caught.value.advice
        assert str(path) in str(caught.value)


def test_the_largest_networks_of_a_difference_are_looked_up(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gained and lost ones, as many as a person may read; the others stay as they are."""
    monkeypatch.setattr(atlases, "MAX_LOOKED_UP", 1)
    found = difference(meaning_of("cidr", b"2001:db8::/64\n"), meaning_of("cidr", b"1.0.1.0/25\n1.0.0.0/24\n"))
    with Atlas([directory]) as atlas:
        networks = with_origins(found, atlas).networks
    assert networks is not None
    assert networks.origins == {
        "1.0.0.0/24": Origin("AU", 13335, "CLOUDFLARENET"),
        "2001:db8::/64": Origin("DE", 64496, "One"),
    }


def test_a_database_of_pointer_bombs_is_soon_asked_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each record takes the reader as long as it takes to give up: of that a little is enough, for all networks."""
    bomb, at = bytearray(array(uint(1))), [0]
    for _ in range(20):
        at.append(len(bomb))
        bomb += array(pointer(at[-2]), pointer(at[-2]))
    path = tmp_path / "City.mmdb"
    path.write_bytes(database(bytes(bomb), [at[-1]], database_type=text("GeoLite2-City-ASN")))
    asked: list[object] = []
    ask = Reader.get_with_prefix_len

    def counted(self: Reader, address: Any) -> Any:
        asked.append(address)
        return ask(self, address)

    monkeypatch.setattr(Reader, "get_with_prefix_len", counted)
    with Atlas([path]) as atlas:
        assert [atlas.origin(f"1.{number}.0.0/16") for number in range(100)] == [None] * 100
    assert len(asked) == 8


@needs_real
@pytest.mark.parametrize("path", sorted((MMDB / "bad").rglob("*.mmdb")) if MMDB.is_dir() else [], ids=lambda p: p.name)
def test_a_broken_database_gives_no_origin_and_no_crash(path: Path) -> None:
    """Databases that kill other readers are refused at once, or answer as far as they can."""
    try:
        with Atlas([path]) as atlas:
            for network in ("1.1.1.0/24", "2001:db8::/32", "0.0.0.0/0", "::/0"):
                atlas.origin(network)
    except ConfigError:
        pass


@needs_real
def test_real_test_databases_are_understood() -> None:
    """The vendor's own samples, opened together."""
    with Atlas([MMDB / "good"]) as atlas:
        assert atlas.origin("81.2.69.160/27") is not None
        assert atlas.origin("1.128.0.0/11") == Origin("", 1221, "Telstra Pty Ltd")
