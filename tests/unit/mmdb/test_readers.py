"""Proven databases in the hands of the C reader: exactly the proven bytes, and nothing left behind."""

import mmap
import os
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from hubdata.demo.mmdb_writer import mmdb
from hubdata.kinds.mmdb import MmdbKind
from hubdata.mmdb.proof import prove
from hubdata.mmdb.readers import PrivateCopy, readers_of
from tests.support import small_mmdb
from tests.support.judged import judged


def _database(database_type: str, record: dict[str, Any]) -> bytes:
    return mmdb(database_type, {ip_network("9.9.9.0/24"): record}, build_epoch=small_mmdb.BUILT)


def test_the_c_reader_answers_from_bytes_and_from_mapped_files(tmp_path: Path) -> None:
    """The body stays as it was, open and in its place."""
    path = tmp_path / "x.mmdb"
    path.write_bytes(small_mmdb.database())
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        for body in (small_mmdb.database(), mapped):
            with readers_of(body) as readers:
                assert type(readers.plain).__module__ != "maxminddb.reader"
                assert readers.record("9.9.9.9") == small_mmdb.US
                assert readers.record("8.8.8.8") is None
                assert readers.refused == ""
        assert mapped[:1] == small_mmdb.database()[:1]


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="no list of open files here")
def test_no_file_stays_open() -> None:
    """A worker judges databases for months."""
    with readers_of(small_mmdb.database()):
        pass  # imports keep what they keep
    before = set(Path("/proc/self/fd").iterdir())
    with readers_of(small_mmdb.database()) as readers:
        readers.record("9.9.9.9")
    assert set(Path("/proc/self/fd").iterdir()) == before


def test_where_there_are_no_files_in_memory_a_private_one_is_removed_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other systems than Linux."""
    monkeypatch.delattr(os, "memfd_create", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with readers_of(small_mmdb.database()) as readers:
        (kept,) = tmp_path.iterdir()
        assert kept.stat().st_mode & 0o077 == 0
        assert readers.record("9.9.9.9") == small_mmdb.US
    assert list(tmp_path.iterdir()) == []


def test_a_copy_is_made_once_and_ahead_of_time_if_wished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is prepared beside a proof is what the readers open, and it is gone with its context."""
    monkeypatch.delattr(os, "memfd_create", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with PrivateCopy(small_mmdb.database()) as copy:
        assert list(tmp_path.iterdir()) == []
        copy.prepare()
        (kept,) = tmp_path.iterdir()
        assert kept.read_bytes() == small_mmdb.database()
        with readers_of(copy) as readers:
            assert readers.record("9.9.9.9") == small_mmdb.US
        assert list(tmp_path.iterdir()) == [kept]
        assert copy.path() == str(kept)
    assert list(tmp_path.iterdir()) == []


def test_a_copy_that_could_not_be_prepared_is_told_of_by_whoever_needs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that was full for a moment harms nobody."""
    monkeypatch.delattr(os, "memfd_create", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "absent"))
    with PrivateCopy(small_mmdb.database()) as copy:
        copy.prepare()
        with pytest.raises(FileNotFoundError):
            copy.path()
        (tmp_path / "absent").mkdir()
        assert Path(copy.path()).read_bytes() == small_mmdb.database()


@pytest.mark.parametrize(
    ("body", "threads", "times"),
    [
        (small_mmdb.database(), 2, 1),
        (small_mmdb.database(), 1, 0),
        (small_mmdb.circular_tree(), 2, 0),
    ],
)
def test_what_is_to_be_done_meanwhile_is_done_beside_proofs_that_go_well(body: bytes, threads: int, times: int) -> None:
    """Only where there is another core, and only once no fault of the structure is left to be found."""
    done: list[None] = []
    proof = prove(body, threads=threads, meanwhile=lambda: done.append(None))
    assert len(done) == times
    assert proof == prove(body)


def test_what_the_c_reader_will_not_open_is_a_warning_and_still_asked() -> None:
    """Engines open it: the pure Python reader answers the canaries, and the message names no path of ours."""
    with readers_of(small_mmdb.narrow_integers()) as readers:
        assert type(readers.plain).__module__ == "maxminddb.reader"
        assert readers.record("9.9.9.9") == small_mmdb.US
    (finding,) = judged(MmdbKind, small_mmdb.narrow_integers(), key=small_mmdb.KEY).findings
    assert (finding.rule, finding.severity.value) == ("mmdb.c-reader", "warning")
    assert "/proc" not in finding.message


@pytest.mark.parametrize(
    ("database_type", "record", "built"),
    [
        ("GeoLite2-City", {"country": "US"}, False),
        ("DBIP-City-Lite", {"country": "US"}, False),
        ("GeoIP2-Anonymous-IP", {"is_hosting_provider": True}, True),
        ("GeoIP2-Connection-Type", {"connection_type": "Cellular"}, True),
        ("GeoLite2-ASN", {"autonomous_system_number": 1}, True),
        ("ipinfo City", {"country": "US"}, True),
        ("Test", {"country": "US"}, True),
    ],
)
def test_records_of_known_vendors_must_be_what_geoip2_builds_models_of(
    database_type: str, record: dict[str, Any], built: bool
) -> None:
    """A City record whose country is a text breaks whoever uses geoip2; other vendors have fields of their own."""
    with readers_of(_database(database_type, record)) as readers:
        if built:
            assert readers.record("9.9.9.9") == record
        else:
            with pytest.raises((TypeError, AttributeError)):
                readers.record("9.9.9.9")
