"""What is read out of every record at once: the same as a reader reads of each, and an end to what has none."""

from collections.abc import Mapping
from ipaddress import IPv4Network, ip_network
from pathlib import Path
from typing import Any

import maxminddb
import numpy as np
import pytest

from hubdata.demo.mmdb_writer import Network, mmdb
from hubdata.mmdb import columns
from hubdata.mmdb.columns import Path as Keys
from hubdata.mmdb.columns import column
from hubdata.mmdb.layout import read_layout
from hubdata.mmdb.malformed import Malformed
from tests.support.big_mmdb import old_city_database, real_city_database
from tests.support.mmdb_networks import networks
from tests.support.real import MMDB, needs_real

COUNTRY: tuple[Keys, ...] = (("country", "iso_code"), ("registered_country", "iso_code"))
SYSTEM: tuple[Keys, ...] = (("autonomous_system_number",), ("traits", "autonomous_system_number"))


def _by_network(body: bytes, paths: tuple[Keys, ...]) -> dict[str, str]:
    """Return what each IPv4 network of `body` says at `paths`."""
    layout = read_layout(body)
    four = networks(layout).four
    found = column(layout, four.offset, paths)
    texts = [found.labels[code] for code in found.codes.tolist()]
    firsts = zip(four.first.tolist(), four.length.tolist(), texts, strict=True)
    return {str(IPv4Network((first, length))): text for first, length, text in firsts}


def _read(*records: Mapping[str, Any], paths: tuple[Keys, ...]) -> list[str]:
    """Return what each of `records` says at `paths`, once it has been through a database."""
    nets = {ip_network(f"10.{index}.0.0/16"): record for index, record in enumerate(records)}
    found = _by_network(mmdb("Test", nets, build_epoch=1), paths)
    return [found[str(net)] for net in nets]


def _expected(record: Any, paths: tuple[Keys, ...]) -> str:
    for path in paths:
        value = record
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None:
            return str(value)
    return ""


@needs_real
@pytest.mark.parametrize("paths", [COUNTRY, SYSTEM], ids=["country", "system"])
@pytest.mark.parametrize("path", sorted((MMDB / "good").glob("*.mmdb")), ids=lambda path: path.stem)
def test_every_record_of_a_real_database_is_read_as_the_reference_reader_reads_it(
    path: Path, paths: tuple[Keys, ...]
) -> None:
    """Pointers, nested maps, missing keys: the value is the one that the pure Python reader finds."""
    body = path.read_bytes()
    with maxminddb.open_database(path, maxminddb.MODE_MEMORY) as reader:
        expected = {
            net: _expected(reader.get(IPv4Network(net).network_address), paths) for net in _by_network(body, paths)
        }
    assert _by_network(body, paths) == expected


@pytest.mark.parametrize("database", [real_city_database, old_city_database], ids=["2026", "2019"])
def test_records_of_a_real_city_database_are_read_as_the_reference_reader_reads_them(database: Any) -> None:
    """Of half a million records, every 500th is what the reader says of the same address."""
    path = database()
    body = path.read_bytes()
    layout = read_layout(body)
    four = networks(layout).four
    offsets, at = np.unique(four.offset, return_index=True)
    found = column(layout, offsets, COUNTRY)
    with maxminddb.open_database(path, maxminddb.MODE_MMAP) as reader:
        for index in range(0, len(offsets), 500):
            record = reader.get(str(IPv4Network((int(four.first[at[index]]), 32)).network_address))
            assert found.labels[found.codes[index]] == _expected(record, COUNTRY)


def test_values_are_found_behind_anything_that_a_record_can_hold() -> None:
    """Maps, arrays, long texts, numbers and booleans before the key are stepped over, whole."""
    before: dict[str, Any] = {
        "array": [{"country": "XX"}, [], [1, [2, {"a": "b"}]]],
        "map": {"country": {"iso_code": "XX"}, "deep": {"deeper": {"deepest": [True]}}},
        "empty": {},
        "text": "x" * 300,
        "longer": "y" * 60_000,
        "double": 1.5,
        "boolean": False,
        "zero": 0,
        "large": 1 << 40,
        "countries": {"iso_code": "XX"},
        "countr": "XX",
    }
    assert _read({**before, "country": {"name": "N", "iso_code": "DE"}}, paths=COUNTRY) == ["DE"]


def test_the_first_path_that_leads_to_a_value_wins() -> None:
    """A record with no country has the one it is registered in; one with neither has none."""
    records: tuple[dict[str, Any], ...] = (
        {"country": {"iso_code": "FR"}, "registered_country": {"iso_code": "DE"}},
        {"registered_country": {"iso_code": "DE"}},
        {"country": {"names": {"en": "Nowhere"}}, "registered_country": {"iso_code": "DE"}},
        {"country": "FR"},
        {"country": []},
        {},
    )
    assert _read(*records, paths=COUNTRY) == ["FR", "DE", "DE", "", "", ""]


def test_numbers_are_told_in_decimal() -> None:
    """Zero, numbers that end in zero bytes and the largest: none is cut, none is mixed up with a text."""
    numbers = (0, 1, 255, 256, 65_536, 4_294_967_295, 1 << 63)
    records = [{"autonomous_system_number": number} for number in numbers]
    assert _read(*records, {"traits": {"autonomous_system_number": 7}}, paths=SYSTEM) == [*map(str, numbers), "7"]
    texts = [{"autonomous_system_number": "AS65536"}, {"autonomous_system_number": "65536"}]
    assert _read(*texts, paths=SYSTEM) == ["AS65536", "65536"]


def test_a_text_is_told_from_the_same_with_more_behind_it() -> None:
    """Also where that is a NUL: engines know no country `US\\0`."""
    records = [{"country": {"iso_code": value}} for value in ("US", "US\0", "US\0\0", "US ", "\0", "0123456789abcdef!")]
    expected = ["US", "US\0", "US\0\0", "US ", "\0", "0123456789abcdef"]
    assert _read(*records, paths=COUNTRY) == expected


def test_what_is_neither_text_nor_number_is_no_value() -> None:
    """A boolean, a fraction, a map and an empty text say nothing of a country."""
    values: tuple[Any, ...] = (True, 1.5, {"a": "b"}, [], "")
    records = [{"country": {"iso_code": value}} for value in values]
    assert _read(*records, paths=COUNTRY) == [""] * 5


def test_no_damaged_byte_leads_out_of_the_file_or_into_a_hang() -> None:
    """Every byte of a data section, set to each of many values: a column or Malformed, nothing else."""
    nets: dict[Network, dict[str, Any]] = {
        ip_network("10.0.0.0/8"): {"city": ["a", {"b": "c"}], "country": {"iso_code": "DE"}},
        ip_network("11.0.0.0/8"): {"country": {"iso_code": "FR", "x": 300}},
    }
    body = mmdb("Test", nets, build_epoch=1)
    whole = read_layout(body)
    outcomes: set[object] = set()
    for at in range(whole.data_start, whole.data_end):
        for value in (0x00, 0x01, 0x20, 0x3F, 0x5D, 0x5F, 0x7F, 0xE0, 0xFF):
            layout = read_layout(body[:at] + bytes([value]) + body[at + 1 :])
            try:
                outcomes.add(column(layout, np.unique(networks(layout).four.offset), COUNTRY).labels)
            except Malformed as err:
                outcomes.add(err.problem if layout.data_start <= err.offset <= layout.data_end else err.offset)
    assert {"data-field", ("", "DE", "FR")} <= outcomes
    assert not any(isinstance(each, int) for each in outcomes), "every refusal names a place in the data"


@pytest.mark.parametrize(
    "pointer", [b"\x20\x00", b"\x28\xff\xff", b"\x30\xff\xff\xff", b"\x38\xff\xff\xff\xff"], ids=len
)
def test_a_pointer_to_itself_or_beyond_the_data_is_refused(pointer: bytes) -> None:
    """Each of the four sizes of pointer."""
    body = mmdb("Test", {ip_network("10.0.0.0/8"): {"country": "x" * 8}}, build_epoch=1)
    start = read_layout(body).data_start
    layout = read_layout(body[:start] + pointer + body[start + len(pointer) :])
    with pytest.raises(Malformed):
        column(layout, np.zeros(1, dtype=np.uint32), COUNTRY)


def test_records_that_take_too_many_steps_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is spent on all records together is bounded by the size of the data."""
    monkeypatch.setattr(columns, "_SPARE_FIELDS", 1000)
    many = {f"k{index}": index for index in range(5000)}
    layout = read_layout(mmdb("Test", {ip_network("10.0.0.0/8"): many}, build_epoch=1))
    with pytest.raises(Malformed) as caught:
        column(layout, np.zeros(1, dtype=np.uint32), COUNTRY)
    assert caught.value.problem == "data-large"
