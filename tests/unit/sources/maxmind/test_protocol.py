"""The MaxMind source against a server that speaks its protocol, well and badly."""

import hashlib
import io
import json
import logging
import os
import tarfile
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hubdata.errors import SourceError
from hubdata.model.snapshot import Digests
from hubdata.sources.maxmind import source
from hubdata.sources.maxmind.release import Release
from hubdata.sources.maxmind.updates import parse_metadata
from tests.support.big_mmdb import CANARIES, MD5, SIZE, real_city_database
from tests.support.maxmind_kit import (
    ASN,
    BODY,
    CITY,
    CITY_KEY,
    MIB,
    SECRET,
    FakeClock,
    Kit,
)
from tests.support.maxmind_server import SIGNATURE, MaxmindServer

# --- the protocol, as it should be


def test_a_new_edition_is_downloaded_by_its_date(kit: Kit) -> None:
    """Metadata, the dated download, the object; the file's origin is on record."""
    fetched = kit.fetch()
    (file,) = fetched.files
    assert (file.key, file.size, file.path.read_bytes()) == (CITY_KEY, len(BODY), BODY)
    md5 = hashlib.md5(BODY).hexdigest()
    expected = {"type": "maxmind", "url": kit.server.url, "edition": CITY, "date": "2026-11-20", "md5": md5}
    assert file.source == expected
    assert (fetched.kept, fetched.rewinds, fetched.findings, fetched.revision) == ((), (), (), "2026-11-20")
    metadata, download, _ = kit.server.requests
    assert metadata.query == {"edition_id": CITY}
    assert download.query == {"date": "20261120", "suffix": "tar.gz"}
    assert list(kit.workspace.iterdir()) == [file.path]


def test_credentials_go_to_the_service_and_not_to_the_store(kit: Kit) -> None:
    """The presigned URL lies on another host, which must not see them."""
    kit.fetch()
    seen = [(r.endpoint, "Authorization" in r.headers) for r in kit.server.requests]
    assert seen == [("metadata", True), ("download", True), ("object", False)]
    assert {r.host.partition(":")[0] for r in kit.server.requests} == {"127.0.0.1", "localhost"}


def test_an_unchanged_edition_costs_one_small_request(kit: Kit) -> None:
    """What is published has the same MD5: kept, not downloaded."""
    (file,) = kit.fetch().files
    kit.server.requests.clear()
    again = kit.fetch({CITY_KEY: file.source})
    assert (again.kept, again.files, again.revision) == ((CITY_KEY,), (), "2026-11-20")
    assert [r.endpoint for r in kit.server.requests] == ["metadata"]


def test_only_a_download_has_the_prover_made_ready(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is imported beside the download, ledger included; an unchanged edition has nothing to be proven."""
    seen: list[list[str]] = []

    @contextmanager
    def noted() -> Iterator[None]:
        before = len(kit.server.requests)
        yield
        seen.append([request.endpoint for request in kit.server.requests[before:]])

    monkeypatch.setattr(source, "readied", noted)
    (file,) = kit.fetch().files
    kit.fetch({CITY_KEY: file.source})
    assert seen == [["download", "object"]]


def test_what_came_is_known_by_both_digests(kit: Kit) -> None:
    """So that nobody need compute the MD5 again, whether it was downloaded or kept."""
    expected = Digests(hashlib.sha256(BODY).hexdigest(), hashlib.md5(BODY).hexdigest())
    assert [kit.fetch().files[0].digests, kit.fetch().files[0].digests] == [expected, expected]


def test_force_downloads_even_what_is_unchanged(kit: Kit) -> None:
    """For the person who wants it now."""
    (file,) = kit.fetch().files
    again = kit.fetch({CITY_KEY: file.source}, force=True)
    assert [f.key for f in again.files] == [CITY_KEY]
    assert again.kept == ()


@pytest.mark.parametrize("change", [{"md5": "0" * 32}, {"edition": ASN}, {"type": "directory"}])
def test_only_the_same_edition_with_the_same_md5_is_kept(kit: Kit, change: dict[str, str]) -> None:
    """Another origin that happens to have the same digest proves nothing."""
    (file,) = kit.fetch().files
    assert kit.fetch({CITY_KEY: {**file.source, **change}}).kept == ()


def test_several_editions_come_in_order_each_by_its_own_state(kit: Kit) -> None:
    """One is kept, the other downloaded; keys follow the prefix."""
    (asn,) = kit.fetch(editions=[ASN], prefix="").files
    fetched = kit.fetch({"GeoLite2-ASN.mmdb": asn.source}, editions=[CITY, ASN], prefix="")
    assert [f.key for f in fetched.files] == ["GeoLite2-City.mmdb"]
    assert fetched.kept == ("GeoLite2-ASN.mmdb",)


def test_an_upstream_that_went_back_in_time_is_told(kit: Kit) -> None:
    """The published release is newer than the one offered: the plan must know."""
    fetched = kit.fetch({CITY_KEY: {"type": "maxmind", "edition": CITY, "md5": "0" * 32, "date": "2026-11-24"}})
    assert fetched.rewinds == (f"{CITY} 2026-11-24",)


def test_the_real_database_arrives_whole(tmp_path: Path, clock: FakeClock) -> None:
    """66 MB through the whole protocol, and look-ups in it answer."""
    import maxminddb

    with MaxmindServer({CITY: real_city_database()}, key=SECRET) as server:
        (file,) = Kit(server, tmp_path / "workspace", clock).fetch().files
    assert (file.size, file.source["md5"]) == (SIZE, MD5)
    with maxminddb.open_database(file.path) as reader:
        assert reader.metadata().database_type == CITY
        for address, country in CANARIES.items():
            record = reader.get(address)
            assert isinstance(record, dict)
            assert record["country"]["iso_code"] == country  # type: ignore[index, call-overload]


# --- statuses


@pytest.mark.parametrize(
    ("status", "advice"),
    [(400, "edition's name"), (401, "account id and license key"), (403, "no right to GeoLite2-City"), (404, "`url`")],
)
@pytest.mark.parametrize("endpoint", ["metadata", "download"])
def test_a_final_status_is_not_retried_and_says_what_to_do(kit: Kit, endpoint: str, status: int, advice: str) -> None:
    """One request, an error for a person."""
    kit.server.fail(endpoint, status=status)
    error = kit.refused()
    assert advice in error.advice
    assert str(status) in str(error)
    assert CITY in str(error)
    assert (kit.server.count(endpoint), kit.clock.slept, error.retryable) == (1, [], False)


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_what_the_store_refuses_is_no_fault_of_key_or_edition(kit: Kit, status: int) -> None:
    """The link that the service gave does not work: the advice says so, and the other edition is tried, too."""
    kit.server.fail("object", status=status)
    error = kit.refused(editions=[CITY, ASN])
    assert str(status) in str(error)
    assert "the next run asks for another" in error.advice
    assert not any(word in error.advice for word in ("licence", "license key", "edition's name"))
    assert [request.endpoint for request in kit.server.requests].count("download") == 2


def test_a_wrong_key_names_where_it_came_from_and_asks_once(kit: Kit) -> None:
    """The other editions would be refused alike, so they are not asked for."""
    kit.environment["MAXMIND_LICENSE_KEY"] = "wrong-" + SECRET
    error = kit.refused(editions=[CITY, ASN])
    assert "MAXMIND_ACCOUNT_ID and MAXMIND_LICENSE_KEY" in error.advice
    assert len(kit.server.requests) == 1


@pytest.mark.parametrize("status", [500, 503, 408, 429])
def test_metadata_is_asked_for_again_while_it_may_come(kit: Kit, status: int) -> None:
    """It is free: several attempts, with growing waits."""
    kit.server.fail("metadata", status=status, times=3)
    assert len(kit.fetch().files) == 1
    assert kit.clock.slept == pytest.approx([0.5, 0.75, 1.125])


@pytest.mark.parametrize("endpoint", ["download", "object"])
@pytest.mark.parametrize("status", [500, 503])
def test_a_run_never_tries_more_than_two_downloads_of_an_edition(kit: Kit, endpoint: str, status: int) -> None:
    """Thirty a day are all there are, and a failed one counts."""
    kit.server.fail(endpoint, status=status)
    error = kit.refused()
    assert kit.server.count("download") == 2
    assert kit.server.downloads_left >= 28
    assert "gave up after 2 attempts" in str(error)
    assert error.retryable


def test_the_wait_that_the_server_asks_for_is_kept(kit: Kit) -> None:
    """Retry-After in seconds and as a date."""
    kit.server.fail("metadata", status=429, headers={"Retry-After": "37"}, times=1)
    kit.server.fail("metadata", status=503, headers={"Retry-After": "Fri, 20 Nov 2026 12:02:37 GMT"}, times=1)
    kit.fetch()
    assert kit.clock.slept == pytest.approx([37, 120])


def test_a_wait_beyond_the_budget_ends_the_fetch_now(kit: Kit) -> None:
    """No sleeping for an hour, and no request before it is welcome."""
    kit.server.fail("download", status=429, headers={"Retry-After": "3600"})
    error = kit.refused()
    assert "3600 s, beyond the 900 s" in str(error)
    assert "do not restart in a loop" in error.advice
    assert (kit.clock.slept, kit.server.count("download")) == ([], 1)


def test_an_exhausted_quota_is_what_the_server_says(kit: Kit) -> None:
    """The thirty-first download of a day."""
    kit.server.downloads_left = 0
    assert "429" in str(kit.refused())


def test_one_edition_that_fails_is_named_and_the_others_are_still_tried(kit: Kit) -> None:
    """The job fails as a whole, but says all that is wrong at once."""
    kit.server.fail("metadata", edition=CITY, status=400)
    with pytest.raises(SourceError) as caught:
        kit.fetch(editions=[CITY, "GeoIP2-Nonesuch", ASN])
    assert f"{CITY}: " in str(caught.value)
    assert "GeoIP2-Nonesuch: " in str(caught.value)
    assert f"{ASN}: " not in str(caught.value)
    assert kit.server.count("object") == 1


# --- bodies


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"databases": []}',
        b'{"databases": {"date": 1}}',
        b'{"databases": ["x"]}',
    ],
    ids=lambda body: body[:12].decode(errors="replace"),
)
def test_metadata_that_is_not_metadata_is_refused(body: bytes) -> None:
    """Whatever came instead."""
    with pytest.raises(SourceError, match="exactly one entry for GeoLite2-City"):
        parse_metadata(body, CITY)


@pytest.mark.parametrize(
    "change",
    [
        {"edition_id": ASN},
        {"date": "2026-13-01"},
        {"date": "20261120"},
        {"date": "2026-11-20\n"},
        {"date": 20261120},
        {"md5": "abc"},
        {"md5": "g" * 32},
        {"md5": None},
    ],
    ids=str,
)
def test_metadata_is_taken_only_if_every_field_is_right(change: dict[str, object]) -> None:
    """Edition, date and MD5, in their exact shapes."""
    entry = {"edition_id": CITY, "date": "2026-11-20", "md5": "A" * 32}
    good = json.dumps({"databases": [entry], "more": 1}).encode()
    assert parse_metadata(good, CITY) == Release(CITY, "2026-11-20", "a" * 32)
    with pytest.raises(SourceError):
        parse_metadata(json.dumps({"databases": [entry | change]}).encode(), CITY)
    with pytest.raises(SourceError):
        parse_metadata(json.dumps({"databases": [entry, entry]}).encode(), CITY)


def test_an_html_page_with_status_200_is_refused(kit: Kit) -> None:
    """In the metadata's place and in the archive's: a captive portal, said in words."""
    page = {"headers": {"Content-Type": "text/html; charset=utf-8"}, "body": b"<html>Please log in</html>", "times": 1}
    kit.server.fail("metadata", **page)
    assert "HTML page" in str(kit.refused())
    kit.server.fail("object", **page)
    assert "expected an archive, found an HTML page" in str(kit.refused())
    kit.server.fail("object", body=b"<html>Please log in</html>", times=1)
    assert "not gzip" in str(kit.refused())


@pytest.mark.parametrize("value", [None, "yesterday"])
def test_an_object_without_last_modified_is_refused(kit: Kit, value: str | None) -> None:
    """The protocol demands it, so what lacks it is not the store."""
    kit.server.fail("object", headers={"Last-Modified": value})
    assert "Last-Modified" in str(kit.refused())
    assert kit.server.count("download") == 1


def test_a_database_with_another_md5_than_announced_is_refused(kit: Kit) -> None:
    """Not retried: the date pins the bytes, so the next try would be the same."""
    kit.server.announce_md5(CITY, "0" * 32)
    error = kit.refused()
    assert f"expected a database with MD5 {'0' * 32}" in str(error)
    assert kit.server.count("download") == 1


def test_a_truncated_download_is_tried_once_more(kit: Kit) -> None:
    """Cut once: the second is whole. Cut always: an error after two."""
    kit.server.fail("object", cut=100, times=1)
    assert len(kit.fetch().files) == 1
    for path in kit.workspace.iterdir():
        path.unlink()
    kit.server.fail("object", cut=100)
    assert kit.refused().retryable
    assert kit.server.count("download") == 4


def test_a_connection_that_breaks_is_tried_again(kit: Kit) -> None:
    """Without an answer, on any of the three requests."""
    for endpoint in ("metadata", "download"):
        kit.server.fail(endpoint, reset=True, times=1)
    assert len(kit.fetch().files) == 1
    assert len(kit.clock.slept) == 2


@pytest.mark.parametrize("fault", [{"drip_s": 0.05}, {"drip_s": 0.05, "drip_headers": True}], ids=["body", "headers"])
@pytest.mark.parametrize("endpoint", ["metadata", "object"])
def test_a_drip_ends_at_the_total_timeout(kit: Kit, endpoint: str, fault: dict[str, object]) -> None:
    """Although every byte comes in time."""
    kit.server.fail(endpoint, **fault)
    began = time.monotonic()
    error = kit.refused(timeout_s=0.7)
    assert time.monotonic() - began < 10
    assert "not done within the 0.7 s" in str(error)


def test_a_gzip_bomb_is_stopped_early(kit: Kit) -> None:
    """An endless one, a thousandfold: refused when `max_bytes` are unpacked, the connection closed on it."""
    sent, stopped = 0, threading.Event()

    def stream() -> Iterator[bytes]:
        nonlocal sent
        info = tarfile.TarInfo("x.txt")
        info.size = MIB
        unit = info.tobuf(tarfile.GNU_FORMAT) + bytes(MIB)
        zip_ = zlib.compressobj(9, zlib.DEFLATED, 31)
        try:
            while sent < 20_000:
                sent += 1
                yield zip_.compress(unit) + zip_.flush(zlib.Z_SYNC_FLUSH)
        finally:
            stopped.set()

    kit.server.fail("object", stream=stream)
    assert "beyond the 8,388,608 bytes allowed unpacked" in str(kit.refused(max_bytes=8 * MIB))
    assert kit.server.count("download") == 1
    assert stopped.wait(60)
    assert sent < 5000


def test_an_endless_download_is_stopped_at_the_cap(kit: Kit) -> None:
    """Bytes that do not shrink are counted as they arrive."""

    def stream() -> Iterator[bytes]:
        info = tarfile.TarInfo("x.mmdb")
        info.size = 500 * MIB
        zip_ = zlib.compressobj(0, zlib.DEFLATED, 31)
        yield zip_.compress(info.tobuf(tarfile.GNU_FORMAT))
        for _ in range(500):
            yield zip_.compress(os.urandom(MIB))

    kit.server.fail("object", stream=stream)
    assert "allowed" in str(kit.refused(max_bytes=2 * MIB))
    assert kit.server.count("download") == 1


def _archive(*members: tuple[str, bytes, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, kind, body in members:
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = kind, len(body), "/etc/passwd" if kind == tarfile.SYMTYPE else ""
            tar.addfile(info, io.BytesIO(body))
    return out.getvalue()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (_archive(("a.mmdb", tarfile.SYMTYPE, b"")), "symbolic link"),
        (_archive(("a.mmdb", tarfile.REGTYPE, BODY), ("b.mmdb", tarfile.REGTYPE, BODY)), "more than one file"),
        (_archive(("a.txt", tarfile.REGTYPE, BODY)), "no file ending .mmdb"),
        (_archive(("../a.mmdb", tarfile.REGTYPE, BODY)), "leads out"),
        (_archive(("a.mmdb", tarfile.CHRTYPE, b"")), "device"),
    ],
    ids=["link", "two", "none", "traversal", "device"],
)
def test_an_odd_archive_is_refused_after_one_download(kit: Kit, body: bytes, reason: str) -> None:
    """Odd today is odd in a second, so the quota is spared."""
    kit.server.fail("object", body=body)
    assert reason in str(kit.refused())
    assert kit.server.count("download") == 1


def test_a_redirect_into_a_private_network_is_refused(kit: Kit) -> None:
    """Even if the service itself sends us there."""
    kit.server.fail("download", headers={"Location": f"http://169.254.169.254/?X-Amz-Signature={SIGNATURE}"})
    assert "link-local" in str(kit.refused())


def test_nothing_secret_is_logged_at_debug(kit: Kit) -> None:
    """Good runs and bad ones, with every logger at DEBUG."""
    stream = io.StringIO()
    handler, root = logging.StreamHandler(stream), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        kit.server.fail("object", status=503, times=1)
        kit.fetch()
    finally:
        root.setLevel(before)
        root.removeHandler(handler)
    log = stream.getvalue()
    assert "GET /mm-prod/GeoLite2-City.tar.gz?..." in log
    for secret in (SECRET, SIGNATURE, kit.server.requests[0].headers["Authorization"]):
        assert secret not in log
