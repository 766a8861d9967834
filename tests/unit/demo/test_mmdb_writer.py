"""The sample databases that hubdata writes are real ones: the standard readers answer from them."""

from io import BytesIO
from ipaddress import ip_network
from pathlib import Path

import geoip2.database
import maxminddb
import pytest

from hubdata.demo.mmdb_writer import mmdb

RECORDS = {
    ip_network("192.0.2.0/24"): {"country": {"iso_code": "NL", "names": {"en": "Netherlands"}}},
    ip_network("198.51.100.0/25"): {"country": {"iso_code": "US", "names": {"en": "x" * 300}}},
    ip_network("2001:db8::/32"): {"country": {"iso_code": "NL", "names": {"en": "Netherlands"}}},
}


def test_a_reader_finds_every_network_and_nothing_else() -> None:
    """Iterating the whole database gives back exactly the networks and records that went in."""
    body = mmdb("Test", RECORDS, build_epoch=1_700_000_000)
    with maxminddb.open_database(BytesIO(body), maxminddb.MODE_FD) as reader:
        found = dict(reader)
        assert reader.metadata().build_epoch == 1_700_000_000
    assert {str(n): r for n, r in found.items()} == {str(n): r for n, r in RECORDS.items()}


def test_typed_lookups_work() -> None:
    """geoip2 takes the database for what its type says."""
    body = mmdb("GeoLite2-Country", RECORDS, build_epoch=1)
    with geoip2.database.Reader(BytesIO(body), mode=maxminddb.MODE_FD) as reader:
        assert reader.country("192.0.2.9").country.iso_code == "NL"
        assert reader.country("2001:db8::1").country.iso_code == "NL"


def test_the_c_reader_opens_it_too(tmp_path: Path) -> None:
    """It is the strictest about the types of the metadata; what answers it answers everybody."""
    path = tmp_path / "Test.mmdb"
    path.write_bytes(mmdb("Test", RECORDS, build_epoch=1_700_000_000))
    with maxminddb.open_database(str(path), maxminddb.MODE_MMAP_EXT) as reader:
        assert reader.get("192.0.2.9") == RECORDS[ip_network("192.0.2.0/24")]
        assert reader.metadata().build_epoch == 1_700_000_000


def test_values_of_every_type_survive() -> None:
    """Numbers of any width, floats, booleans, lists and long strings read back as written."""
    record = {"n": [0, 1, 65535, 65536, 2**40], "f": 1.5, "b": [True, False], "s": "é" * 20, "m": {}}
    body = mmdb("Test", {ip_network("10.0.0.0/8"): record}, build_epoch=1)
    with maxminddb.open_database(BytesIO(body), maxminddb.MODE_FD) as reader:
        assert reader.get("10.1.2.3") == record


@pytest.mark.parametrize("pair", [("10.0.0.0/8", "10.1.0.0/16"), ("10.1.0.0/16", "10.0.0.0/8")])
def test_overlapping_networks_are_refused(pair: tuple[str, str]) -> None:
    """A network in another has no single answer, so nothing is written."""
    with pytest.raises(ValueError, match="there already"):
        mmdb("Test", {ip_network(net): {} for net in pair}, build_epoch=1)
