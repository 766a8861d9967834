"""Measuring databases against what is published: read once, from the nearest place, and never a reason to fail."""

import hashlib
from ipaddress import ip_network
from pathlib import Path

import pytest

from hubdata.demo.mmdb_writer import mmdb
from hubdata.errors import TargetError
from hubdata.mmdb.proof import prove
from hubdata.model.geo import GeoDifference, Incomparable, Measured
from hubdata.model.inventory import Held, Stored
from hubdata.model.snapshot import Artifact
from hubdata.running.measuring import Measurer
from hubdata.transfer.keepsakes import Keepsakes
from tests.simulator.store import MemoryTarget
from tests.simulator.wire import Wire
from tests.support.raw_mmdb import database, mapping, pointer, text, uint

KEY = "geo/GeoLite2-City.mmdb"


def _city(code: str) -> bytes:
    record = {"country": {"iso_code": code}}
    return mmdb("GeoLite2-City", {ip_network("10.0.0.0/24"): record}, build_epoch=1)


class _Published:
    """A target that holds one database, a new one on disk, and what was asked of the target."""

    def __init__(self, tmp_path: Path, old: bytes, new: bytes, kind: str = "mmdb") -> None:
        self.wire = Wire()
        self.target = MemoryTarget(self.wire, "memory", concurrency=1)
        stored = self.target.write(KEY, old, content_type="x", cache_control="x", if_etag=None)
        self.held = Held(stored, hashlib.sha256(old).hexdigest())
        path = tmp_path / "new.mmdb"
        path.write_bytes(new)
        digest = hashlib.sha256(new).hexdigest()
        self.artifact = Artifact(KEY, path, len(new), digest, "", kind, "x", "x", {})

    def reads(self) -> int:
        return sum(call.key == KEY and call.method == "GET" for call in self.wire.calls)

    def measured(self, measurer: Measurer) -> Measured:
        return measurer.measure(self.target, self.held, self.artifact)


def _changed(found: Measured) -> int:
    assert isinstance(found, GeoDifference), found
    return found.movements[0].four.changed


def test_two_databases_are_compared_once_a_run(tmp_path: Path) -> None:
    """A limit asks, then the plan that a person reads, then another target with the same bytes: one reading."""
    world = _Published(tmp_path, _city("DE"), _city("FR"))
    measurer = Measurer()
    assert [_changed(world.measured(measurer)) for _ in range(3)] == [256] * 3
    assert world.reads() == 1


def test_what_was_published_once_is_not_downloaded_again(tmp_path: Path) -> None:
    """The first run reads the target and keeps the bytes; the next one finds them, in another process too."""
    world = _Published(tmp_path, _city("DE"), _city("FR"))
    for _ in range(3):
        assert _changed(world.measured(Measurer(Keepsakes(tmp_path / "kept")))) == 256
    assert world.reads() == 1


def test_what_this_run_publishes_is_kept_for_the_next(tmp_path: Path) -> None:
    """Then the daily comparison costs no download at all."""
    first = _Published(tmp_path, _city("DE"), _city("FR"))
    Measurer(Keepsakes(tmp_path / "kept")).published(first.artifact)
    (tmp_path / "next").mkdir()
    world = _Published(tmp_path / "next", _city("FR"), _city("US"))
    assert _changed(world.measured(Measurer(Keepsakes(tmp_path / "kept")))) == 256
    assert world.reads() == 0


def test_what_was_replaced_is_not_kept_any_longer(tmp_path: Path) -> None:
    """The copy of the old release goes as soon as the new one is public."""
    world = _Published(tmp_path, _city("DE"), _city("FR"))
    measurer = Measurer(Keepsakes(tmp_path / "kept"))
    world.measured(measurer)
    assert [path.name for path in (tmp_path / "kept").iterdir()] == [world.held.sha256]
    measurer.published(world.artifact)
    assert [path.name for path in (tmp_path / "kept").iterdir()] == [world.artifact.sha256]


def test_lists_are_not_kept(tmp_path: Path) -> None:
    """Only databases are large, and compared by their own copy."""
    world = _Published(tmp_path, b"a", b"b", kind="cidr")
    Measurer(Keepsakes(tmp_path / "kept")).published(world.artifact)
    assert not (tmp_path / "kept").exists()


def test_a_published_object_that_somebody_overwrote_is_compared_as_it_is(tmp_path: Path) -> None:
    """Its digest is unknown, so it is read; what is not vouched for is not kept."""
    world = _Published(tmp_path, _city("DE"), _city("FR"))
    world.held = Held(world.held.stored, None)
    assert _changed(world.measured(Measurer(Keepsakes(tmp_path / "kept")))) == 256
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize(
    ("old", "words"),
    [(b"<html>", "cannot be compared"), (_city("DE")[:-60], "cannot be compared"), (b"", "cannot be compared")],
    ids=["html", "cut", "empty"],
)
def test_a_published_file_that_is_no_database_is_told(tmp_path: Path, old: bytes, words: str) -> None:
    """It may be why a new one is published: nothing is held for it."""
    found = _Published(tmp_path, old, _city("FR")).measured(Measurer())
    assert isinstance(found, str)
    assert words in found


def _asn(*pairs: bytes) -> bytes:
    """Return a database of one record with these keys and values."""
    return database(text("k") + mapping(*pairs), [0, 2], database_type=text("GeoLite2-ASN"))


_NUMBER = text("autonomous_system_number")
_ASN = _asn(_NUMBER, uint(15169))
_LONG = _asn(*[pointer(0), uint(0)] * 30_000, _NUMBER, uint(666))
_TWICE = _asn(_NUMBER, uint(15169), _NUMBER, uint(666))


@pytest.mark.parametrize("odd", [_LONG, _TWICE], ids=["too long", "a key twice"])
def test_a_new_database_that_cannot_be_compared_is_told_apart(tmp_path: Path, odd: bytes) -> None:
    """Both are sound, and readers answer 666 of them: a comparison that says nothing must not let them out."""
    assert prove(odd).problems == ()
    assert isinstance(_Published(tmp_path, _ASN, odd).measured(Measurer()), Incomparable)
    assert isinstance(_Published(tmp_path, odd, _ASN).measured(Measurer()), str)


def test_a_target_that_fails_is_told(tmp_path: Path) -> None:
    """The reason stands in the warning, and the run goes on."""
    world = _Published(tmp_path, _city("DE"), _city("FR"))
    world.wire.fail("GET", KEY, error=TargetError("no route to host", advice="wait"))
    found = world.measured(Measurer())
    assert found == "the published one cannot be read: no route to host"


def test_an_object_changed_meanwhile_is_told(tmp_path: Path) -> None:
    """What was planned against is there no longer."""
    world = _Published(tmp_path, _city("DE"), _city("FR"))
    world.held = Held(Stored(1, "another"), None)
    found = world.measured(Measurer())
    assert isinstance(found, str)
    assert "somebody else changed it meanwhile" in found


def test_a_new_file_that_is_gone_is_told(tmp_path: Path) -> None:
    """The upload will say so with an error; measuring it is not the place."""
    world = _Published(tmp_path, _city("DE"), _city("FR"))
    world.artifact.path.unlink()
    found = world.measured(Measurer())
    assert isinstance(found, str)
    assert "the new one cannot be read" in found


def test_only_changed_databases_are_measured(tmp_path: Path) -> None:
    """Not what is new, not what is the same, not what is no database."""
    world = _Published(tmp_path, _city("DE"), _city("FR"))
    measurer = Measurer()
    artifacts, held = {KEY: world.artifact}, {KEY: world.held}
    assert set(measurer.moved(world.target, [KEY, "absent"], artifacts, held)) == {KEY}
    assert measurer.moved(world.target, [KEY], artifacts, {}) == {}
    same = {KEY: Held(world.held.stored, world.artifact.sha256)}
    assert measurer.moved(world.target, [KEY], artifacts, same) == {}
    (told,) = measurer.told(world.target, [KEY], artifacts, held).values()
    assert (told.equal, told.before, told.after) == (False, len(_city("DE")), len(_city("FR")))
    assert told.geo is not None
