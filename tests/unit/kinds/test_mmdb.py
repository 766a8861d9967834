"""GeoIP databases: proof first, then what they say of themselves, what they cover and what they answer."""

import io
import mmap
import re
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maxminddb import MODE_FD, open_database

from hubdata.demo.mmdb_writer import mmdb
from hubdata.kinds.mmdb import MmdbKind
from hubdata.mmdb.proof import prove
from hubdata.mmdb.readers import Readers
from hubdata.model.finding import Severity
from hubdata.model.job import Canary, Limits
from hubdata.model.snapshot import Artifact, Stats
from hubdata.ports import Demands
from tests.fuzz.mmdb_mutants import mutants
from tests.support.judged import CHECKED_AT, errors, judged, rules
from tests.support.real import BAD_MMDB, MMDB, needs_real

BUILT = int((CHECKED_AT - timedelta(days=3)).timestamp())
KEY = "mmdb_update/GeoLite2-City.mmdb"


def city(database_type: str = "GeoLite2-City", build_epoch: int = BUILT) -> bytes:
    """Return a small City database that knows 9.9.9.0/24 and 2620:fe::/48."""
    record: dict[str, Any] = {
        "country": {"iso_code": "US", "geoname_id": 6252001, "names": {"en": "United States"}},
        "subdivisions": [{"iso_code": "CA"}, {"iso_code": "SF"}],
        "location": {"latitude": 37.7, "longitude": -122.4},
        "traits": {"is_anycast": True},
    }
    networks = {ip_network("9.9.9.0/24"): record, ip_network("2620:fe::/48"): record}
    return mmdb(database_type, networks, build_epoch=build_epoch)


def test_a_good_database_has_no_finding_and_tells_what_it_holds_and_when_it_was_built() -> None:
    """Type by the file's name, built three days ago, canaries of both families answered; a /24 and a /48 counted."""
    canaries = (
        Canary("9.9.9.9", {"country.iso_code": "US", "subdivisions.1.iso_code": "SF", "traits.is_anycast": True}),
        Canary("2620:fe::fe", {"location.latitude": 37.7}, edition="GeoLite2-City"),
        Canary("9.9.9.9", {"autonomous_system_number": 1}, edition="GeoLite2-ASN"),
    )
    verdict = judged(MmdbKind, city(), key=KEY, canaries=canaries, max_age_days=30)
    assert verdict.findings == ()
    assert verdict.stats == Stats(entries=2, ipv4_addresses=256, ipv6_64s=1 << 16, build_epoch=BUILT)


def test_a_mapped_file_is_judged_as_bytes_are_and_stays_open(tmp_path: Path) -> None:
    """The reader neither copies nor closes what the pipeline has mapped."""
    path = tmp_path / "x.mmdb"
    path.write_bytes(city())
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as body:
        assert judged(MmdbKind, body, key=KEY, canaries=(Canary("9.9.9.9", {"country.iso_code": "US"}),)).findings == ()
        assert judged(MmdbKind, body, key="a/b.mmdb").findings
        assert body[:1] is not None


def test_city_under_the_name_of_asn_is_an_error() -> None:
    """Engines load swapped databases without complaint."""
    verdict = judged(MmdbKind, city(), key="mmdb_update/GeoLite2-ASN.mmdb")
    assert rules(verdict) == ["mmdb.type"]
    assert "GeoLite2-City" in verdict.findings[0].message
    assert judged(MmdbKind, city(), key="mmdb_update/other.mmdb", edition="GeoLite2-City").findings == ()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"type": "maxmind", "edition": "GeoLite2-City"}, []),
        ({"type": "maxmind", "edition": "GeoIP2-City"}, ["mmdb.type"]),
        ({"type": "dbip", "edition": "city-lite"}, ["mmdb.type"]),
        ({}, ["mmdb.type"]),
    ],
)
def test_the_edition_that_maxmind_was_asked_for_is_what_is_expected(
    source: dict[str, str], expected: list[str]
) -> None:
    """Under a name that says nothing; other vendors' names of editions are not their types."""
    artifact = Artifact("geo.mmdb", Path("absent"), 0, "", "", "mmdb", "", "", source)
    verdict = MmdbKind(MmdbKind.Options()).check(artifact, city(), Demands(Limits(), CHECKED_AT))
    assert rules(verdict) == expected
    assert bool(errors(verdict)) is (source.get("edition") == "GeoIP2-City")


@pytest.mark.parametrize(
    ("epoch", "options", "expected"),
    [
        (0, {}, ["mmdb.build-epoch"]),
        (BUILT + 3 * 86_400 + 86_000, {}, []),
        (BUILT + 4 * 86_400 + 60, {}, ["mmdb.future"]),
        (2**60, {}, ["mmdb.build-epoch"]),
        (1_000_000_000, {}, []),
        (BUILT, {"max_age_days": 3}, []),
        (BUILT - 60, {"max_age_days": 3}, ["mmdb.too-old"]),
    ],
)
def test_the_build_time_is_neither_absent_nor_in_the_future_nor_too_old(
    epoch: int, options: dict[str, Any], expected: list[str]
) -> None:
    """A day of clock skew is allowed; age is bounded only where the job says so."""
    assert rules(judged(MmdbKind, city(build_epoch=epoch), key=KEY, **options)) == expected


@pytest.mark.parametrize(
    ("canary", "said"),
    [
        (Canary("9.9.9.9", {"country.iso_code": "DE"}), "expected `country.iso_code` to be `'DE'`, found `'US'`"),
        (Canary("9.9.9.9", {"city.names.en": "Berlin"}), "found nothing"),
        (Canary("9.9.9.9", {"subdivisions.2.iso_code": "CA"}), "found nothing"),
        (Canary("9.9.9.9", {"country.iso_code.x": "US"}), "found nothing"),
        (Canary("9.9.9.9", {"traits.is_anycast": 1}), "found `True`"),
        (Canary("9.9.9.9", {"country.iso_code": True}), "found `'US'`"),
        (Canary("1.1.1.1", {"country.iso_code": "AU"}), "there is no record for 1.1.1.1"),
        (Canary("not an address", {"country.iso_code": "AU"}), "the look-up of not an address fails"),
    ],
)
def test_a_canary_that_is_not_answered_as_expected_is_an_error(canary: Canary, said: str) -> None:
    """In-range but wrong records pass any check of structure: this is what catches them."""
    (finding,) = judged(MmdbKind, city(), key=KEY, canaries=(canary,)).findings
    assert (finding.rule, finding.severity) == ("mmdb.canary", Severity.ERROR)
    assert said in finding.message


def test_a_record_that_typed_readers_cannot_build_fails_its_canary() -> None:
    """A City record whose country is a string breaks every user of geoip2, though a plain look-up answers."""
    body = mmdb("GeoLite2-City", {ip_network("9.9.9.0/24"): {"country": "US"}}, build_epoch=BUILT)
    verdict = judged(MmdbKind, body, key=KEY, canaries=(Canary("9.9.9.9", {"country": "US"}),))
    assert rules(verdict) == ["mmdb.canary"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "the file is empty"),
        (b"<html>502</html>", "a page of HTML"),
        (b"\x1f\x8b\x08" + bytes(50), "a gzip archive"),
        (b'{"error": "quota"}', "JSON"),
        (city()[:1100], "no MaxMind DB metadata"),
        (city() + bytes(129 << 10), "no MaxMind DB metadata"),
    ],
)
def test_bytes_that_are_no_database_are_named_for_what_they_look_like(body: bytes, said: str) -> None:
    """What the upstream served instead helps to find out why."""
    (finding,) = judged(MmdbKind, body, key=KEY).findings
    assert finding.rule == "mmdb.no-metadata"
    assert said in finding.message
    assert finding.message.startswith(f"at byte {len(body):,}: ")
    assert "the specification says: the metadata are found behind the last" in finding.message
    assert finding.offset == len(body)


def _changed(old: bytes, new: bytes) -> bytes:
    body = city()
    assert body.count(old) == 1
    return body.replace(old, new)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (_changed(b"ip_version\xa1\x06", b"ip_version\xa1\x05"), ["mmdb.metadata"]),
        (_changed(b"binary_format_major_version\xa1\x02", b"binary_format_major_version\xa1\x03"), ["mmdb.metadata"]),
        (_changed(b"record_size\xa1\x18", b"record_size\xa1\x19"), ["mmdb.unreadable"]),
        (_changed(b"description\xe1", b"description\xe0"), ["mmdb.metadata"]),
        (_changed(b"Jip_version", b"Jip_versiom"), ["mmdb.unreadable"]),
        (city()[1000:], ["mmdb.unreadable"]),
    ],
)  # fmt: skip
def test_metadata_that_are_not_sane_refuse_the_file(body: bytes, expected: list[str]) -> None:
    """What no reader can decode, or only a few would take, is told with its place and the specification's words."""
    (finding,) = judged(MmdbKind, body, key=KEY).findings
    assert [finding.rule] == expected
    assert re.match(r"at byte [\d,]+: .+; the specification says: .+", finding.message)


_BODY = city()
_CANARIES = (Canary("9.9.9.9", {"country.iso_code": "US"}), Canary("2620:fe::1", {"country.iso_code": "US"}))


@given(st.lists(st.tuples(st.integers(0, len(_BODY) - 1), st.integers(0, 255)), min_size=1, max_size=8))
@settings(max_examples=200, deadline=None)
def test_no_changed_bytes_make_the_judge_raise(changes: list[tuple[int, int]]) -> None:
    """Bytes changed anywhere, metadata and records included, become findings or harmless."""
    body = bytearray(_BODY)
    for at, byte in changes:
        body[at] = byte
    judged(MmdbKind, bytes(body), key=KEY, canaries=_CANARIES)


@given(st.integers(0, 250), st.binary(max_size=6))
@settings(max_examples=200, deadline=None)
def test_no_metadata_make_the_judge_raise(at: int, new: bytes) -> None:
    """The metadata decide how everything else is read: bytes replaced, lost or added there are only findings."""
    start = _BODY.rfind(b"MaxMind.com") + 11
    cut = start + at % (len(_BODY) - start)
    judged(MmdbKind, _BODY[:cut] + new + _BODY[cut + 2 :], key=KEY, canaries=_CANARIES)


def _with_data(data: bytes) -> bytes:
    """Return the small database with another data section, whose first record is `data`'s."""
    tree = open_database(io.BytesIO(_BODY), MODE_FD).metadata().search_tree_size
    return _BODY[: tree + 16] + data + _BODY[_BODY.rfind(b"\xab\xcd\xefMaxMind.com") :]


def _pointer(to: int) -> bytes:
    return bytes([0x20 | to >> 8, to & 0xFF])


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(
            b"".join(b"\xe2Aa" + _pointer(9 * n + 9) + b"Ab" + _pointer(9 * n + 9) for n in range(40)) + b"Ax",
            "mmdb.heavy",
            id="fan-out",
        ),
        pytest.param(b"\xe1Aa" + _pointer(0), "mmdb.pointer", id="cycle"),
        pytest.param(_pointer(0), "mmdb.pointer", id="self"),
        pytest.param(b"\xe1Aa" * 2_000 + b"Ax", "mmdb.heavy", id="deep"),
        pytest.param(b"\xff\xff\xff\xff", "mmdb.data", id="a map of millions"),
        pytest.param(b"\x5f\xff\xff\xff", "mmdb.data", id="a string of 16 MiB"),
        pytest.param(b"", "mmdb.tree", id="none"),
    ],
)
def test_a_record_made_to_hang_a_reader_is_refused_and_no_reader_gets_it(
    data: bytes, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forty levels that each point twice to the next would cost 2**40 steps; a cycle never ends."""
    monkeypatch.setattr(Readers, "__init__", _not_to_be_opened)
    verdict = judged(MmdbKind, _with_data(data), key=KEY, canaries=_CANARIES[:1])
    assert expected in rules(verdict)
    assert (verdict.stats.build_epoch, verdict.stats.entries) == (BUILT, None)


def _not_to_be_opened(self: Readers, path: str) -> None:
    pytest.fail("a refused file reached the C reader")  # which is no Exception: the judge turns those into findings


NO_STRUCTURE = frozenset({"mmdb.type", "mmdb.future", "mmdb.build-epoch", "mmdb.ip-version", "mmdb.canary"})
"""What is right in the format and still refused, by what a database says of itself or answers."""


def test_every_refusal_of_a_hurt_database_names_its_byte_and_the_specification(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two thirds of 450 mutants are refused; only what the proof passes is opened by the C reader."""
    opened: list[str] = []
    begun = Readers.__init__

    def noted(self: Readers, path: str) -> None:
        opened.append(path)
        begun(self, path)

    monkeypatch.setattr(Readers, "__init__", noted)
    refused = 0
    for body in mutants(seed=4, count=450):
        before = len(opened)
        verdict = judged(MmdbKind, body, key="any.mmdb")
        told = [finding for finding in errors(verdict) if finding.rule not in NO_STRUCTURE]
        refused += bool(told)
        assert len(opened) - before == int(not prove(body).problems)
        for finding in told:
            assert re.match(r"at byte [\d,]+: .+; the specification says: .{20,}", finding.message), finding.message
            assert finding.offset is not None
            assert 0 <= finding.offset <= len(body)
    assert 200 < refused < 400


@pytest.mark.parametrize("lost", [1, 10, 100])
def test_a_database_cut_short_is_refused(lost: int) -> None:
    """The pure Python reader takes a last string that the file does not hold; others refuse it."""
    assert rules(judged(MmdbKind, _BODY[:-lost], key=KEY)) in (["mmdb.metadata"], ["mmdb.unreadable"])


GOOD = {
    "GeoIP2-Enterprise-Test": ("GeoIP2-Enterprise", "74.209.24.1"),
    "GeoLite2-ASN-Test": ("GeoLite2-ASN", "1.128.0.1"),
    "GeoLite2-City-Test": ("GeoLite2-City", "81.2.69.142"),
    "GeoLite2-Country-Test": ("GeoLite2-Country", "81.2.69.142"),
    "MaxMind-DB-test-decoder": ("MaxMind DB Decoder Test", "1.1.1.1"),
    "MaxMind-DB-test-ipv4-24": ("Test", "1.1.1.1"),
    "MaxMind-DB-test-ipv6-28": ("Test", "::1:ffff:ffff"),
    "MaxMind-DB-test-mixed-32": ("Test", "1.1.1.1"),
}


@needs_real
@pytest.mark.parametrize("stem", sorted(GOOD))
def test_each_real_good_database_passes_with_a_look_up(stem: str) -> None:
    """Types are as in the files; each answers its address."""
    edition, ip = GOOD[stem]
    body = (MMDB / "good" / f"{stem}.mmdb").read_bytes()
    family = 4 if "ipv4" in stem else 6
    options: dict[str, Any] = {"edition": edition, "ip_version": family}
    verdict = judged(MmdbKind, body, key=f"{stem}.mmdb", canaries=(Canary(ip, {}),), **options)
    assert verdict.findings == ()
    assert None not in (verdict.stats.build_epoch, verdict.stats.entries, verdict.stats.ipv4_addresses)


@needs_real
def test_every_good_database_of_the_real_data_is_looked_at() -> None:
    """A new file there needs a line here."""
    assert {path.stem for path in (MMDB / "good").glob("*.mmdb")} == set(GOOD)


BAD = {
    "GeoIP2-City-Test-Broken-Double-Format": "mmdb.data",
    "MaxMind-DB-test-broken-pointers-24": "mmdb.pointer",
    "cyclic-data-structure": "mmdb.unreadable",
    "invalid-string-length": "mmdb.unreadable",
    "libmaxminddb-corrupt-search-tree": "mmdb.tree",
    "libmaxminddb-deep-nesting": "mmdb.heavy",
    "libmaxminddb-oversized-map": "mmdb.data",
    "libmaxminddb-separator-record-max-left": "mmdb.tree",
    "unexpected-bytes": "mmdb.unreadable",
}


@needs_real
@pytest.mark.parametrize("stem", sorted(BAD))
def test_each_real_bad_database_is_refused_for_its_structure_and_no_reader_gets_it(
    stem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever its name promises: the same file under a vendor's name is refused for the same fault, and its place."""
    monkeypatch.setattr(Readers, "__init__", _not_to_be_opened)
    body = (BAD_MMDB / f"{stem}.mmdb").read_bytes()
    for key in (f"{stem}.mmdb", KEY):
        verdict = judged(MmdbKind, body, key=key, checked_at=datetime(2030, 1, 1, tzinfo=UTC))
        assert BAD[stem] in {finding.rule for finding in errors(verdict) if "at byte" in finding.message}
        assert verdict.stats.entries is None


@needs_real
def test_every_bad_database_of_the_real_data_is_looked_at() -> None:
    """A new file there needs a line here."""
    assert {path.stem for path in BAD_MMDB.glob("*.mmdb")} == set(BAD)
