"""Look-ups in files and in what targets publish: whose bytes are asked, and what is kept of them."""

import hashlib
import os
import time
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest

from hubdata.app import Choices
from hubdata.asking.answering import Question, lookup, parsed
from hubdata.demo.mmdb_writer import mmdb
from hubdata.errors import ConfigError, Exit, TargetError
from hubdata.model.lookup import LookedUp, LookupResult
from hubdata.model.manifest import Entry, Manifest
from tests.support import moto_server
from tests.support.real import BAD_MMDB, MMDB, needs_real

CITY = mmdb(
    "GeoLite2-City",
    {ip_network("9.9.0.0/16"): {"country": {"iso_code": "US", "names": {"en": "United States"}}}},
    build_epoch=1_780_000_000,
)
ASN = mmdb(
    "GeoLite2-ASN",
    {
        ip_network("9.9.9.0/24"): {"autonomous_system_number": 19281, "autonomous_system_organization": "QUAD9"},
        ip_network("2620:fe::/48"): {"autonomous_system_number": 19281},
    },
    build_epoch=1_780_000_001,
)
KEYS = {"mmdb_update/GeoLite2-ASN.mmdb": ASN, "mmdb_update/GeoLite2-City.mmdb": CITY}


def manifest_of(files: dict[str, bytes], kind: str = "mmdb") -> bytes:
    """Return a manifest that vouches for `files`."""
    entries = {
        key: Entry(
            size=len(body),
            sha256=hashlib.sha256(body).hexdigest(),
            kind=kind,
            job="geoip",
            etag=hashlib.md5(body).hexdigest(),
            version_id=None,
            changed_at="2026-06-01T00:00:00Z",
            content_type="application/octet-stream",
            cache_control="",
            source={},
        )
        for key, body in files.items()
    }
    return Manifest(3, "2026-06-01T00:00:00Z", "r", entries).to_bytes()


def published(root: Path, files: dict[str, bytes]) -> Choices:
    """Return the choices for a directory target below `root` that has published `files`."""
    for key, body in {**files, "manifest.json": manifest_of(files)}.items():
        path = root / "mirror" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    settings = root / "hubdata.toml"
    settings.write_text('spool = "spool"\n[targets.mirror]\ntype = "directory"\npath = "mirror"\n')
    return Choices(config=settings)


def asked(*ips: str, databases: tuple[Path, ...] = ()) -> Question:
    """Return the question for `ips`."""
    return Question(tuple(map(ip_address, ips)), databases)


def one(result: LookupResult) -> LookedUp:
    """Return the only address."""
    (address,) = result.addresses
    return address


def test_what_a_directory_target_has_published_is_asked(tmp_path: Path) -> None:
    """Both databases answer together; the network is the narrower of theirs."""
    result = lookup(published(tmp_path, KEYS), asked("9.9.9.9", "2620:fe::9", "10.0.0.1"))
    both, six, none = result.addresses
    assert (both.network, both.whereabouts.country, both.whereabouts.asn) == ("9.9.9.0/24", "US", 19281)
    assert [(answer.database, answer.network) for answer in both.answers] == [
        ("mmdb_update/GeoLite2-ASN.mmdb", "9.9.9.0/24"),
        ("mmdb_update/GeoLite2-City.mmdb", "9.9.0.0/16"),
    ]
    assert (six.network, six.whereabouts.country, six.whereabouts.asn) == ("2620:fe::/48", "", 19281)
    assert (none.found, none.network) == (False, "")
    assert [(each.database_type, each.build_epoch) for each in result.databases] == [
        ("GeoLite2-ASN", 1_780_000_001),
        ("GeoLite2-City", 1_780_000_000),
    ]
    assert result.exit_code is Exit.FINE


def test_a_published_file_that_is_not_what_the_manifest_says_is_not_asked(tmp_path: Path) -> None:
    """Somebody exchanged it: nobody has proven those bytes."""
    choices = published(tmp_path, KEYS)
    (tmp_path / "mirror/mmdb_update/GeoLite2-ASN.mmdb").write_bytes(CITY)
    with pytest.raises(TargetError, match=r"GeoLite2-ASN\.mmdb is not what its manifest says: other bytes"):
        lookup(choices, asked("9.9.9.9"))
    (tmp_path / "mirror/mmdb_update/GeoLite2-ASN.mmdb").unlink()
    with pytest.raises(TargetError, match="nothing is there"):
        lookup(choices, asked("9.9.9.9"))


def test_without_a_published_database_the_advice_names_both_ways_on(tmp_path: Path) -> None:
    """Files of other kinds are none."""
    choices = published(tmp_path, {})
    (tmp_path / "mirror/manifest.json").write_bytes(manifest_of({"a.txt": b"x"}, kind="cidr"))
    with pytest.raises(ConfigError, match="mirror has published no GeoIP database") as caught:
        lookup(choices, asked("9.9.9.9"))
    assert "geoip refresh" in caught.value.advice
    assert "--database" in caught.value.advice


def test_of_several_targets_one_must_be_named(tmp_path: Path) -> None:
    """Two targets may hold different releases."""
    choices = published(tmp_path, KEYS)
    with (tmp_path / "hubdata.toml").open("a") as file:
        file.write('[targets.other]\ntype = "directory"\npath = "other"\n')
    with pytest.raises(ConfigError, match=r"there are 2 targets \(mirror, other\)"):
        lookup(choices, asked("9.9.9.9"))
    named = Choices(config=choices.config, targets=("mirror",))
    assert one(lookup(named, asked("9.9.9.9"))).found


class Bucket:
    """A bucket that has published databases, and what was asked of it."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in moto_server.CREDENTIALS.items():
            monkeypatch.setenv(name, value)
        self.server = moto_server.shared()
        self.name = self.server.bucket()
        self.kept = root / "spool" / "databases"
        settings = root / "hubdata.toml"
        settings.write_text(
            f'spool = "{root}/spool"\n[targets.aws]\ntype = "s3"\nbucket = "{self.name}"\n'
            f'region = "us-east-1"\nendpoint_url = "{self.server.url}"\n'
        )
        self.choices = Choices(config=settings)

    def publish(self, files: dict[str, bytes]) -> None:
        """Publish `files` and no others."""
        s3 = self.server.client("s3")
        for key, body in {**files, "manifest.json": manifest_of(files)}.items():
            s3.put_object(Bucket=self.name, Key=key, Body=body)

    def remove(self, key: str) -> None:
        """Remove an object behind the manifest's back."""
        self.server.client("s3").delete_object(Bucket=self.name, Key=key)


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """Give a bucket with both databases."""
    made = Bucket(tmp_path, monkeypatch)
    made.publish(KEYS)
    return made


def test_a_download_is_kept_and_asked_again_without_the_store(bucket: Bucket) -> None:
    """The second look-up needs the manifest alone: the object may even be gone."""
    assert one(lookup(bucket.choices, asked("9.9.9.9"))).whereabouts.asn == 19281
    digests = {hashlib.sha256(body).hexdigest() for body in KEYS.values()}
    assert {path.name for path in bucket.kept.iterdir()} == digests
    bucket.remove("mmdb_update/GeoLite2-ASN.mmdb")
    assert one(lookup(bucket.choices, asked("9.9.9.9"))).whereabouts.asn == 19281


def test_a_kept_download_that_was_changed_is_downloaded_anew(bucket: Bucket) -> None:
    """A spool is only as private as its disk: the digest decides."""
    lookup(bucket.choices, asked("9.9.9.9"))
    for path in bucket.kept.iterdir():
        path.write_bytes(b"other")
    assert one(lookup(bucket.choices, asked("9.9.9.9"))).whereabouts.asn == 19281
    assert all(hashlib.sha256(path.read_bytes()).hexdigest() == path.name for path in bucket.kept.iterdir())


def test_downloads_that_are_published_no_longer_are_removed(bucket: Bucket) -> None:
    """An old release stays nowhere; a file that another process is writing does, for an hour."""
    lookup(bucket.choices, asked("9.9.9.9"))
    (bucket.kept / ".new.part").write_bytes(b"half")
    (bucket.kept / ".old.part").write_bytes(b"half")
    past = time.time() - 7200
    os.utime(bucket.kept / ".old.part", (past, past))
    bucket.publish({"mmdb_update/GeoLite2-City.mmdb": CITY})
    assert one(lookup(bucket.choices, asked("9.9.9.9"))).whereabouts.asn is None
    assert {path.name for path in bucket.kept.iterdir()} == {hashlib.sha256(CITY).hexdigest(), ".new.part"}


def test_other_bytes_than_the_manifests_are_neither_asked_nor_kept(bucket: Bucket) -> None:
    """Somebody overwrote the object."""
    bucket.server.client("s3").put_object(Bucket=bucket.name, Key="mmdb_update/GeoLite2-ASN.mmdb", Body=CITY)
    with pytest.raises(TargetError, match="other bytes are there"):
        lookup(bucket.choices, asked("9.9.9.9"))
    assert not bucket.kept.exists()


def test_a_manifest_cannot_name_a_file_outside_the_kept_ones(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is no digest never becomes part of a path: the file could be a device that never ends."""
    victim = tmp_path / "victim"
    victim.write_bytes(CITY)
    body = manifest_of({"mmdb_update/GeoLite2-City.mmdb": CITY})
    evil = body.replace(hashlib.sha256(CITY).hexdigest().encode(), b"../../victim")
    bucket.server.client("s3").put_object(Bucket=bucket.name, Key="manifest.json", Body=evil)
    read: list[Path] = []
    opened = Path.open

    def spying(path: Path, *how: Any, **more: Any) -> Any:
        read.append(path.resolve())
        return opened(path, *how, **more)

    monkeypatch.setattr(Path, "open", spying)
    with pytest.raises(TargetError, match="is not what its manifest says"):
        lookup(bucket.choices, asked("9.9.9.9"))
    assert read
    assert victim not in read


def test_named_files_are_asked_without_any_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files and directories of them, in their order; no hubdata.toml is looked for."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hubdata.toml").write_text("this is no TOML")
    (tmp_path / "more").mkdir()
    (tmp_path / "more/asn.mmdb").write_bytes(ASN)
    (tmp_path / "city.mmdb").write_bytes(CITY)
    result = lookup(Choices(), asked("9.9.9.9", databases=(Path("city.mmdb"), Path("more"))))
    assert [answer.database for answer in one(result).answers] == ["city.mmdb", "more/asn.mmdb"]
    assert one(result).whereabouts.asn == 19281


@pytest.mark.parametrize("body", [b"", b"<html>", CITY[:-40]])
def test_a_named_file_that_is_no_database_says_who_knows_more(tmp_path: Path, body: bytes) -> None:
    """The proof says what is wrong with it and where."""
    path = tmp_path / "x.mmdb"
    path.write_bytes(body)
    with pytest.raises(ConfigError, match="this is no GeoIP database that can be read") as caught:
        lookup(Choices(), asked("9.9.9.9", databases=(path,)))
    assert "geoip verify" in caught.value.advice


def test_an_empty_directory_and_what_is_no_file_cannot_be_asked(tmp_path: Path) -> None:
    """Each is named."""
    with pytest.raises(ConfigError, match=r"there is no \*\.mmdb"):
        lookup(Choices(), asked("9.9.9.9", databases=(tmp_path,)))
    with pytest.raises(ConfigError, match="cannot be read"):
        lookup(Choices(), asked("9.9.9.9", databases=(Path("/dev/null/x"),)))


@needs_real
def test_a_database_without_ipv6_has_no_record_for_an_ipv6_address() -> None:
    """That is no fault of the address."""
    path = MMDB / "good/MaxMind-DB-test-ipv4-24.mmdb"
    result = lookup(Choices(), asked("1.1.1.1", "2001:db8::1", databases=(path,)))
    assert [address.found for address in result.addresses] == [True, False]
    assert result.exit_code is Exit.FINE


@needs_real
@pytest.mark.parametrize(
    ("stem", "ip"),
    [("MaxMind-DB-test-broken-pointers-24", "1.1.1.32"), ("GeoIP2-City-Test-Broken-Double-Format", "81.2.69.142")],
)
def test_a_record_that_cannot_be_read_is_a_problem_and_no_crash(stem: str, ip: str) -> None:
    """The pure Python reader asks what nobody has proven; the code says that the file is at fault."""
    result = lookup(Choices(), asked(ip, databases=(BAD_MMDB / f"{stem}.mmdb",)))
    (answer,) = one(result).answers
    assert "InvalidDatabaseError" in answer.problem
    assert result.exit_code is Exit.REFUSED


@pytest.mark.parametrize("text", ["", "9.9.9", "9.9.9.9/32", "fe80::1%eth0", "host.example", "09.9.9.9"])
def test_what_is_no_address_is_not_parsed(text: str) -> None:
    """Names are not resolved, and networks have no one answer."""
    with pytest.raises(ValueError, match=r"."):
        parsed(text)


def test_look_ups_are_of_addresses_in_any_spelling() -> None:
    """What is asked is shown in the canonical one."""
    spelled: dict[str, Any] = {"2620:FE::0:9": "2620:fe::9", "9.9.9.9": "9.9.9.9"}
    assert {text: str(parsed(text)) for text in spelled} == spelled
