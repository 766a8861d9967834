"""MaxMind's permalinks: the archive's SHA-256 first, the archive only when that is a new one."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from hubdata.clock import SystemClock
from hubdata.errors import SourceError
from hubdata.model.snapshot import Fetched, Provenance
from hubdata.ports import SourceContext
from hubdata.sources.maxmind.options import MaxmindOptions
from hubdata.sources.maxmind.permalink import parse_digest_line
from hubdata.sources.maxmind.release import Release
from hubdata.sources.maxmind.source import MaxmindSource
from hubdata.transfer import downloads
from tests.support.maxmind_server import SIGNATURE, MaxmindServer

CITY, ASN = "GeoLite2-City", "GeoLite2-ASN"
KEY = f"mmdb_update/{CITY}.mmdb"
BODY = b"not really a database" * 1000
SECRET = "sentinel-license-key"
SHA256 = "ab" * 32


@pytest.fixture(autouse=True)
def quick_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The digest of an account is slow on purpose, which tests need not wait for."""
    monkeypatch.setattr(downloads, "_ROUNDS", 10)


class Clock(SystemClock):
    """Nobody waits."""

    def sleep(self, duration: timedelta) -> None:
        """Return at once."""


class Kit:
    """A source that speaks permalinks, a run at a time."""

    def __init__(self, server: MaxmindServer, root: Path) -> None:
        self.server, self.root = server, root

    def fetch(self, published: Provenance | None = None, *, force: bool = False, **options: object) -> Fetched:
        """Return what a run fetches."""
        given = {"editions": [CITY], "url": self.server.url, "protocol": "permalink", **options}
        environment = {"MAXMIND_ACCOUNT_ID": self.server.account, "MAXMIND_LICENSE_KEY": self.server.key}
        context = SourceContext(self.root / "workspace", environment, Clock(), force, self.root / "memory")
        source = MaxmindSource(MaxmindOptions.model_validate(given), context)
        return source.fetch(lambda: {KEY: published} if published else {})

    def refused(self) -> SourceError:
        """Return the error of a run that must fail, leave nothing and quote no secret."""
        with pytest.raises(SourceError) as caught:
            self.fetch()
        workspace = self.root / "workspace"
        assert not workspace.exists() or list(workspace.iterdir()) == []
        assert caught.value.advice
        for secret in (SECRET, SIGNATURE):
            assert secret not in str(caught.value) + caught.value.advice
        return caught.value


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    """The vendor's download host."""
    (tmp_path / CITY).write_bytes(BODY)
    with MaxmindServer({CITY: tmp_path / CITY}, key=SECRET) as server:
        yield Kit(server, tmp_path)


def test_a_new_archive_is_downloaded_once_its_digest_is_known(kit: Kit) -> None:
    """No metadata: the digest's line, the permalink, the presigned object without credentials."""
    (file,) = kit.fetch().files
    assert file.path.read_bytes() == BODY
    seen = [(r.endpoint, r.query.get("suffix"), "Authorization" in r.headers) for r in kit.server.requests]
    assert seen == [("digest", "tar.gz.sha256", True), ("download", "tar.gz", True), ("object", None, False)]
    assert "date" not in kit.server.requests[1].query
    assert file.source["md5"] == hashlib.md5(BODY).hexdigest()
    assert file.source["date"] == "2026-11-20"
    assert file.source["archive_sha256"] == kit.server._releases[CITY].sha256


def test_an_unchanged_archive_costs_one_small_request(kit: Kit) -> None:
    """The digest is that of the archive whose database is published."""
    (file,) = kit.fetch().files
    kit.server.requests.clear()
    assert kit.fetch(file.source).kept == (KEY,)
    assert [r.endpoint for r in kit.server.requests] == ["digest"]
    assert len(kit.fetch(file.source, force=True).files) == 1


def test_what_came_by_permalink_is_known_to_the_update_service(kit: Kit) -> None:
    """Its MD5 is on record, so changing the protocol costs no download; the other way round costs one."""
    (file,) = kit.fetch().files
    assert kit.fetch(file.source, protocol="updates").kept == (KEY,)
    by_updates = {name: value for name, value in file.source.items() if name != "archive_sha256"}
    assert kit.fetch(by_updates).kept == ()


def test_restarts_cost_one_download(kit: Kit) -> None:
    """The copy is found by the archive's digest."""
    for _ in range(10):
        (file,) = kit.fetch().files
        assert file.source["md5"] == hashlib.md5(BODY).hexdigest()
    assert (kit.server.count("download"), kit.server.count("digest")) == (1, 10)


def test_permalinks_and_updates_of_the_vendor_share_one_quota(kit: Kit) -> None:
    """They are one account's thirty downloads."""
    from hubdata.sources.maxmind.access import find_access

    environment = {"MAXMIND_ACCOUNT_ID": "1", "MAXMIND_LICENSE_KEY": "k"}
    hosts = {
        find_access(MaxmindOptions.model_validate({"editions": [CITY], "protocol": p}), environment).quota_host
        for p in ("updates", "permalink")
    }
    assert hosts == {"maxmind.com"}


def test_a_release_that_comes_out_between_the_two_requests_is_taken_for_what_it_is(kit: Kit) -> None:
    """The digest is asked for again, not the archive: provenance and kept copy are the new release's."""
    before = f"{SHA256}  {CITY}_20261117.tar.gz\n".encode()
    kit.server.fail("digest", body=before, times=1)
    (file,) = kit.fetch().files
    assert (file.source["date"], file.source["archive_sha256"]) == ("2026-11-20", kit.server._releases[CITY].sha256)
    assert [r.endpoint for r in kit.server.requests] == ["digest", "download", "object", "digest"]
    assert len(kit.fetch().files) == 1
    assert kit.server.count("download") == 1


@pytest.mark.parametrize("date", ["20261120", "20261124"])
def test_an_archive_with_a_digest_that_nobody_announces_is_refused(kit: Kit, date: str) -> None:
    """Asked twice, the digest is another one; what came is not kept."""
    kit.server.fail("digest", body=f"{SHA256}  {CITY}_{date}.tar.gz\n".encode())
    error = kit.refused()
    assert f"expected an archive with SHA-256 {SHA256}" in str(error)
    assert (kit.server.count("download"), kit.server.count("digest")) == (1, 2)
    assert list((kit.root / "memory/releases").glob("*~*")) == []


def test_an_archive_older_than_the_announced_one_is_refused(kit: Kit) -> None:
    """A mirror whose two requests are answered by hosts of different age: time does not run backwards."""
    kit.server.fail("digest", body=f"{SHA256}  {CITY}_20261124.tar.gz\n".encode(), times=1)
    assert "as announced for 2026-11-24" in str(kit.refused())


@pytest.mark.parametrize("status", [400, 401, 403, 404])
@pytest.mark.parametrize("endpoint", ["digest", "download"])
def test_a_final_status_is_not_retried_and_says_what_to_do(kit: Kit, endpoint: str, status: int) -> None:
    """As with the update service."""
    kit.server.fail(endpoint, status=status)
    error = kit.refused()
    assert str(status) in str(error)
    assert kit.server.count(endpoint) == 1
    assert not error.retryable


def test_an_edition_that_is_not_there_is_named(kit: Kit) -> None:
    """With its status."""
    with pytest.raises(SourceError, match=f"{ASN}: .*404"):
        kit.fetch(editions=[ASN])


def test_an_html_page_is_refused_in_either_place(kit: Kit) -> None:
    """A captive portal."""
    page = {"headers": {"Content-Type": "text/html"}, "body": b"<html>Please log in</html>", "times": 1}
    kit.server.fail("digest", **page)
    assert "HTML page" in str(kit.refused())
    assert kit.server.count("download") == 0
    kit.server.fail("object", **page)
    assert "expected an archive, found an HTML page" in str(kit.refused())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        SHA256.encode(),
        f"{SHA256}  GeoLite2-ASN_20261120.tar.gz".encode(),
        f"{SHA256}  {CITY}_20261320.tar.gz".encode(),
        f"{SHA256}  {CITY}.tar.gz".encode(),
        f"{SHA256[1:]}  {CITY}_20261120.tar.gz".encode(),
        f"{SHA256}  {CITY}_20261120.tar.gz\n{SHA256}  {CITY}_20261120.tar.gz\n".encode(),
        f"{SHA256}  ../{CITY}_20261120.tar.gz".encode(),
        b"\xff" * 100,
    ],
)
def test_a_digest_line_is_taken_only_if_it_is_one(body: bytes) -> None:
    """Digest, the edition's name, a date that exists."""
    with pytest.raises(SourceError, match="expected the SHA-256 of GeoLite2-City's archive"):
        parse_digest_line(body, CITY)


@pytest.mark.parametrize("form", ["{0}  {1}\n", "{0} *{1}", "{0}\t{1}\r\n"])
def test_the_usual_forms_of_such_a_line_are_understood(form: str) -> None:
    """As sha256sum writes it, for text and binary."""
    line = form.format(SHA256.upper(), f"{CITY}_20261120.tar.gz").encode()
    assert parse_digest_line(line, CITY) == Release(CITY, "2026-11-20", SHA256, "archive_sha256")
