"""The DB-IP source against a server that has the vendor's files, and serves them well and badly."""

import gzip
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from hubdata.errors import ConfigError, SourceError
from hubdata.sources.dbip import DbipOptions, DbipSource, months
from tests.support.dbip_server import DbipServer
from tests.support.faulty_server import PAGE
from tests.support.fetching import Fetching, as_published

CITY, ASN = "dbip-city-lite", "dbip-asn-lite"
CITY_KEY, ASN_KEY = "mmdb_update/dbip-city-lite.mmdb", "mmdb_update/dbip-asn-lite.mmdb"
OCTOBER, NOVEMBER = "2026-10", "2026-11"
MIB = 1 << 20
BODY = b"not really a database, which is not the source's business" * 1000
OLD = b"what was true last month" * 1000


@pytest.fixture
def server() -> Iterator[DbipServer]:
    """The vendor, with two months of two editions."""
    with DbipServer() as running:
        for edition in (CITY, ASN):
            running.publish(edition, OCTOBER, OLD)
            running.publish(edition, NOVEMBER, BODY)
        yield running


@pytest.fixture
def kit(server: DbipServer, tmp_path: Path) -> Fetching:
    """The source, asked for the City database on 20 November."""
    return Fetching(DbipSource, tmp_path / "workspace", defaults={"editions": [CITY], "url": server.url})


def test_this_months_file_arrives_unpacked(kit: Fetching, server: DbipServer) -> None:
    """One request; the origin on record is the month, and what the vendor said of the file."""
    fetched = kit.fetch()
    (file,) = fetched.files
    assert (file.key, file.size, file.path.read_bytes()) == (CITY_KEY, len(BODY), BODY)
    assert {name: file.source[name] for name in ("type", "url", "edition", "date")} == {
        "type": "dbip",
        "url": server.url,
        "edition": CITY,
        "date": NOVEMBER,
    }
    assert set(file.source) == {"type", "url", "edition", "date", "etag", "last_modified", "length"}
    assert (fetched.kept, fetched.rewinds, fetched.findings, fetched.revision) == ((), (), (), NOVEMBER)
    assert server.endpoints == ["file"]
    assert kit.left_over() == ["dbip-city-lite.mmdb"]


@pytest.mark.parametrize("knows_conditions", [True, False], ids=["304", "200 whatever is asked"])
def test_an_unchanged_edition_costs_one_small_request(
    kit: Fetching, server: DbipServer, knows_conditions: bool
) -> None:
    """Also where the server does not know conditional requests: then the body is not read."""
    published = as_published(kit.fetch())
    server.mend()
    server.knows_conditions = knows_conditions
    again = kit.fetch(published)
    assert (again.kept, again.files, again.revision) == ((CITY_KEY,), (), NOVEMBER)
    assert server.endpoints == ["file"]
    assert server.requests[0].headers["If-None-Match"] == published[CITY_KEY]["etag"]
    assert server.requests[0].headers["If-Modified-Since"] == published[CITY_KEY]["last_modified"]


def test_another_etag_from_another_node_is_no_other_file(kit: Fetching, server: DbipServer) -> None:
    """Written at the same second and of the same length: the same file, whatever the tag."""
    published = as_published(kit.fetch())
    server.fail("file", status=200, headers={"ETag": '"another-node"'}, body=gzip.compress(BODY, mtime=0))
    assert kit.fetch(published).kept == (CITY_KEY,)
    server.mend()
    stale = {CITY_KEY: {**published[CITY_KEY], "etag": '"old"', "length": "5"}}
    assert kit.fetch(stale).kept == ()


def test_a_month_that_was_released_anew_is_downloaded(kit: Fetching, server: DbipServer) -> None:
    """The name is the same; the tag is not."""
    published = as_published(kit.fetch())
    server.publish(CITY, NOVEMBER, BODY[::-1])
    (file,) = kit.fetch(published).files
    assert file.path.read_bytes() == BODY[::-1]


def test_a_new_month_is_downloaded_unconditionally(kit: Fetching, server: DbipServer) -> None:
    """What is known of October says nothing about November."""
    server.withdraw(CITY, NOVEMBER)
    published = as_published(kit.fetch())
    assert published[CITY_KEY]["date"] == OCTOBER
    server.publish(CITY, NOVEMBER, BODY)
    server.mend()
    fetched = kit.fetch(published)
    assert [file.source["date"] for file in fetched.files] == [NOVEMBER]
    assert (server.endpoints, fetched.rewinds) == (["file"], ())
    assert "If-None-Match" not in server.requests[0].headers


def test_last_months_file_does_while_this_months_is_missing(kit: Fetching, server: DbipServer) -> None:
    """On the first of a month: one request more, and none of them large once it is published."""
    server.withdraw(CITY, NOVEMBER)
    fetched = kit.fetch()
    assert (fetched.files[0].path.read_bytes(), fetched.revision) == (OLD, OCTOBER)
    assert server.endpoints == ["missing", "file"]
    server.mend()
    again = kit.fetch(as_published(fetched))
    assert (again.kept, again.revision) == ((CITY_KEY,), OCTOBER)
    assert server.endpoints == ["missing", "file"]
    assert "If-None-Match" not in server.requests[0].headers
    assert "If-None-Match" in server.requests[1].headers


def test_an_older_month_is_never_asked_for(kit: Fetching, server: DbipServer) -> None:
    """With both months missing it is an error, however many older ones there are."""
    server.withdraw(CITY, NOVEMBER)
    server.withdraw(CITY, OCTOBER)
    server.publish(CITY, "2026-09", OLD)
    error = kit.refused()
    assert "no dbip-city-lite of 2026-11, nor of 2026-10" in str(error)
    assert server.endpoints == ["missing", "missing"]


def test_a_month_older_than_the_published_one_is_told(kit: Fetching, server: DbipServer) -> None:
    """A clock that is behind, or a month taken back: the plan must know, and hold it."""
    published = as_published(kit.fetch())
    server.withdraw(CITY, NOVEMBER)
    fetched = kit.fetch(published)
    assert fetched.rewinds == (f"{CITY} {NOVEMBER}",)
    assert fetched.revision == OCTOBER


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 11, 20, tzinfo=UTC), ("2026-11", "2026-10")),
        (datetime(2027, 1, 1, tzinfo=UTC), ("2027-01", "2026-12")),
        (datetime(2027, 1, 1, tzinfo=UTC) - timedelta(seconds=1), ("2026-12", "2026-11")),
        (datetime(2028, 3, 31, tzinfo=UTC), ("2028-03", "2028-02")),
    ],
)
def test_months_are_those_of_utc(now: datetime, expected: tuple[str, str]) -> None:
    """At the turn of a year and on the last day of a long month, too."""
    assert months(now) == expected


def test_force_downloads_what_is_unchanged(kit: Fetching, server: DbipServer) -> None:
    """Nothing is asked for conditionally, and nothing is kept."""
    published = as_published(kit.fetch())
    server.mend()
    again = kit.fetch(published, force=True)
    assert ([file.key for file in again.files], again.kept) == ([CITY_KEY], ())
    assert "If-None-Match" not in server.requests[0].headers


@pytest.mark.parametrize("change", [{"edition": ASN}, {"type": "url"}, {"url": "https://elsewhere.example"}])
def test_what_came_from_elsewhere_is_not_kept(kit: Fetching, change: dict[str, str]) -> None:
    """Another origin's tag means nothing here."""
    source = as_published(kit.fetch())[CITY_KEY]
    assert kit.fetch({CITY_KEY: {**source, **change}}).kept == ()


@pytest.mark.parametrize("etag", ["evil\r\nX-Injected: 1", '"' + "x" * 1000 + '"', "no quotes", '"a\u00e9"'])
def test_a_tag_that_is_none_is_never_sent(kit: Fetching, server: DbipServer, etag: str) -> None:
    """The manifest is public, and who can write it must not write our requests."""
    source = as_published(kit.fetch())[CITY_KEY]
    server.mend()
    kit.fetch({CITY_KEY: {**source, "etag": etag, "last_modified": "yesterday\r\nX-Injected: 1"}})
    assert not {"If-None-Match", "If-Modified-Since", "X-Injected"} & set(server.requests[0].headers)


def test_several_editions_each_by_its_own_state(kit: Fetching, server: DbipServer) -> None:
    """One is kept, the other new; one that fails is named, and the others are tried."""
    published = as_published(kit.fetch(editions=[ASN]))
    server.mend()
    fetched = kit.fetch(published, editions=[ASN, CITY])
    assert ([file.key for file in fetched.files], fetched.kept) == ([CITY_KEY], (ASN_KEY,))
    assert ["If-None-Match" in request.headers for request in server.requests] == [True, False]
    server.withdraw(ASN, NOVEMBER)
    server.withdraw(ASN, OCTOBER)
    server.mend()
    with pytest.raises(SourceError, match=f"{ASN}: .*no dbip-asn-lite of 2026-11"):
        kit.fetch(editions=[ASN, CITY])
    assert server.endpoints == ["missing", "missing", "file"]


# --- what outlives a run


def test_a_download_that_was_not_published_is_not_repeated(kit: Fetching, server: DbipServer) -> None:
    """Held or refused, it lies in the memory: the next run asks, and leaves the same body unread."""
    kit.remember()
    first = kit.fetch()
    kit.next_run()
    server.fail("file", body=b"?" * len(gzip.compress(BODY, mtime=0)), times=1)  # were it read, it would show
    again = kit.fetch()
    assert again.files[0].path.read_bytes() == BODY
    assert (again.files[0].size, again.files[0].source) == (len(BODY), first.files[0].source)


def test_the_memory_is_used_only_for_the_very_same_file(kit: Fetching, server: DbipServer) -> None:
    """Not once it was released anew, not with force, and not where the upstream says nothing to tell it by."""
    unreadable = b"?" * len(gzip.compress(BODY, mtime=0))
    kit.remember()
    kit.fetch()
    server.publish(CITY, NOVEMBER, BODY[::-1])
    kit.next_run()
    assert kit.fetch().files[0].path.read_bytes() == BODY[::-1]
    server.publish(CITY, NOVEMBER, BODY)
    kit.next_run()
    kit.fetch()
    kit.next_run()
    server.fail("file", body=unreadable, times=1)
    assert "not gzip" in str(kit.refused(force=True))
    unsaid = {"headers": {"ETag": None, "Last-Modified": None}}
    server.fail("file", **unsaid, times=1)
    server.fail("file", **unsaid, body=unreadable, times=1)
    kit.fetch()
    kit.next_run()
    assert "not gzip" in str(kit.refused())


# --- what may go wrong


@pytest.mark.parametrize("status", [500, 503, 408, 429])
def test_a_passing_failure_is_tried_again(kit: Fetching, server: DbipServer, status: int) -> None:
    """With growing waits, or as long as the server says."""
    server.fail("file", status=status, times=1)
    server.fail("file", status=status, headers={"Retry-After": "37"}, times=1)
    assert len(kit.fetch().files) == 1
    assert kit.clock.slept == pytest.approx([0.5, 37])


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_final_status_is_not_tried_again_nor_taken_for_a_missing_month(
    kit: Fetching, server: DbipServer, status: int
) -> None:
    """One request: last month's file must not hide that the vendor refuses us."""
    server.fail("file", status=status)
    assert str(status) in str(kit.refused())
    assert server.endpoints == ["file"]


def test_a_server_error_is_not_taken_for_a_missing_month(kit: Fetching, server: DbipServer) -> None:
    """October would be published as if it were all there is."""
    server.fail("file", status=503)
    error = kit.refused()
    assert "gave up after 3 attempts" in str(error)
    assert error.retryable
    assert {request.path for request in server.requests} == {f"/free/{CITY}-{NOVEMBER}.mmdb.gz"}


def test_a_wait_beyond_the_budget_ends_the_fetch_now(kit: Fetching, server: DbipServer) -> None:
    """No sleeping for an hour."""
    server.fail("file", status=429, headers={"Retry-After": "3600"})
    error = kit.refused()
    assert "3600 s, beyond the 900 s" in str(error)
    assert "do not restart in a loop" in error.advice
    assert (kit.clock.slept, server.endpoints) == ([], ["file"])


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"body": PAGE, "headers": {"Content-Type": "text/html; charset=utf-8"}}, "found an HTML page"),
        ({"body": PAGE}, "a page of HTML"),
        ({"body": gzip.compress(BODY) + gzip.compress(BODY)}, "a second member"),
        ({"body": gzip.compress(BODY) + b"trailing"}, "follows the end"),
        ({"body": gzip.compress(BODY)[:-8] + b"\0" * 8}, "damaged"),
        ({"headers": {"Content-Encoding": "gzip"}}, "came encoded"),
        ({"headers": {"Content-Length": str(5 * 1024**3)}}, "longer than"),
    ],
    ids=["page", "page without a type", "two members", "garbage", "wrong CRC", "encoded", "huge"],
)
def test_what_is_no_database_is_refused_after_one_request(
    kit: Fetching, server: DbipServer, fault: dict[str, object], reason: str
) -> None:
    """Odd today is odd in a second; nothing of it is left on disk."""
    server.fail("file", **fault)
    error = kit.refused()
    assert reason in str(error)
    assert not error.retryable
    assert server.endpoints == ["file"]


@pytest.mark.parametrize("fault", [{"cut": 100}, {"reset": True}, {"body": gzip.compress(BODY)[:-4]}])
def test_a_broken_body_is_fetched_again(kit: Fetching, server: DbipServer, fault: dict[str, object]) -> None:
    """Then it arrives whole."""
    server.fail("file", **fault, times=1)
    assert kit.fetch().files[0].path.read_bytes() == BODY
    assert server.endpoints == ["file", "file"]


def _bomb() -> Iterator[bytes]:
    packer = zlib.compressobj(9, wbits=31)
    for _ in range(512):
        yield packer.compress(bytes(MIB))
    yield packer.flush()


def test_a_bomb_of_512_mb_is_stopped_at_the_limit(kit: Fetching, server: DbipServer) -> None:
    """It came small; what it unpacks to is counted as it is written."""
    server.fail("file", stream=_bomb)
    assert "unpacks to more than the 16,777,216 bytes" in str(kit.refused(max_bytes=16 * MIB))


def test_a_drip_ends_with_the_budget(kit: Fetching, server: DbipServer) -> None:
    """A byte now and then keeps no run waiting."""
    server.fail("file", drip_s=0.02)
    assert "allowed in all" in str(kit.refused(timeout_s=0.4))


def test_a_redirect_inward_or_off_the_encrypted_path_is_refused(kit: Fetching, server: DbipServer) -> None:
    """The upstream does not decide which of our networks we look into."""
    server.fail("file", status=302, headers={"Location": "http://169.254.169.254/latest"})
    assert "link-local" in str(kit.refused())


def test_a_304_that_nobody_asked_for_is_no_answer(kit: Fetching, server: DbipServer) -> None:
    """There is nothing published that could be kept."""
    server.fail("file", status=304)
    assert "304" in str(kit.refused())


def test_a_spool_that_cannot_be_written_is_the_operators_to_mend(kit: Fetching, tmp_path: Path) -> None:
    """Exit 2, not the upstream's fault."""
    kit.workspace = tmp_path / "file" / "below"
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigError, match="spool"):
        kit.fetch()


# --- options


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"editions": []}, "at least 1"),
        ({"editions": ["dbip-city"]}, "dbip-city-lite"),
        ({"editions": [CITY, CITY]}, "named twice"),
        ({"url": "http://download.db-ip.com/free"}, "use https"),
        ({"url": "https://a:b@db-ip.com"}, "user or password"),
        ({"url": "https://db-ip.com/?x=1"}, "query"),
        ({"prefix": "../"}, "cannot be a key"),
        ({"edition": CITY}, "Extra inputs"),
        ({"timeout_s": 0}, "greater than 0"),
    ],
    ids=str,
)
def test_options_that_cannot_be_meant_are_refused(given: dict[str, object], message: str) -> None:
    """At the edge."""
    with pytest.raises(ValidationError, match=message):
        DbipOptions.model_validate({"editions": [CITY], **given})


def test_nothing_is_needed_from_the_environment() -> None:
    """The files are public; the vendor's address is the default."""
    options = DbipOptions.model_validate({"editions": [CITY]})
    assert DbipSource.lacks(options, {}) is None
    assert (options.url, options.key(CITY)) == ("https://download.db-ip.com/free", CITY_KEY)
    mirrored = DbipOptions.model_validate({"editions": [CITY], "url": "https://mirror.example/free/", "prefix": ""})
    assert (mirrored.url, mirrored.key(CITY)) == ("https://mirror.example/free", "dbip-city-lite.mmdb")
