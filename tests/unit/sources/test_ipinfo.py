"""The IPinfo source against a server that speaks the vendor's protocol, well and badly."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from hubdata.errors import ConfigError, SourceError
from hubdata.sources.ipinfo import IpinfoOptions, IpinfoSource, parse_checksums
from tests.support.faulty_server import PAGE
from tests.support.fetching import Fetching, as_published, debug_log
from tests.support.ipinfo_server import SIGNATURE, IpinfoServer

LITE, CORE = "ipinfo_lite", "ipinfo_core"
LITE_KEY, CORE_KEY = "mmdb_update/ipinfo_lite.mmdb", "mmdb_update/ipinfo_core.mmdb"
TOKEN = "sentinel+token/with=odd%signs"
BODY = b"not really a database, which is not the source's business" * 1000
NEWER = BODY[::-1]


@pytest.fixture
def server() -> Iterator[IpinfoServer]:
    """The vendor, with two databases."""
    with IpinfoServer({LITE: BODY, CORE: NEWER}, token=TOKEN) as running:
        yield running


@pytest.fixture(params=["query", "header"])
def kit(request: pytest.FixtureRequest, server: IpinfoServer, tmp_path: Path) -> Fetching:
    """The source with the right token, sent either way."""
    return Fetching(
        IpinfoSource,
        tmp_path / "workspace",
        defaults={"editions": [LITE], "url": server.url, "authentication": request.param},
        environment={"IPINFO_TOKEN": TOKEN},
        secrets=(TOKEN, "sentinel%2Btoken", SIGNATURE),
    )


def test_a_new_database_is_downloaded_and_its_digest_held_to(kit: Fetching, server: IpinfoServer) -> None:
    """Checksums, redirect, object; the origin on record holds the digest and the day."""
    fetched = kit.fetch()
    (file,) = fetched.files
    assert (file.key, file.size, file.path.read_bytes()) == (LITE_KEY, len(BODY), BODY)
    assert file.source == {
        "type": "ipinfo",
        "url": server.url,
        "edition": LITE,
        "date": "2026-11-20",
        "sha256": hashlib.sha256(BODY).hexdigest(),
    }
    assert (fetched.kept, fetched.rewinds, fetched.revision) == ((), (), "2026-11-20")
    assert server.endpoints == ["checksums", "download", "object"]


def test_the_token_goes_to_the_vendor_and_not_to_the_store(kit: Fetching, server: IpinfoServer) -> None:
    """Neither by query, nor by header, nor by the page one came from."""
    kit.fetch()
    *asked, stored = server.requests
    by_header = kit.defaults["authentication"] == "header"
    for request in asked:
        assert ("Authorization" in request.headers, "token" in request.query) == (by_header, not by_header)
    assert stored.at_store
    assert TOKEN not in str(stored)
    for request in server.requests:
        assert not {"Referer", "Cookie"} & set(request.headers)


def test_an_unchanged_database_costs_one_small_request(kit: Fetching, server: IpinfoServer) -> None:
    """Its digest is the published one: no download is counted."""
    published = as_published(kit.fetch())
    server.mend()
    again = kit.fetch(published)
    assert (again.kept, again.files, again.revision) == ((LITE_KEY,), (), "2026-11-20")
    assert server.endpoints == ["checksums"]


def test_force_downloads_what_is_unchanged(kit: Fetching) -> None:
    """For the person who wants it now."""
    again = kit.fetch(as_published(kit.fetch()), force=True)
    assert ([file.key for file in again.files], again.kept) == ([LITE_KEY], ())


@pytest.mark.parametrize("change", [{"sha256": "0" * 64}, {"edition": CORE}, {"type": "url"}])
def test_only_the_same_database_with_the_same_digest_is_kept(kit: Fetching, change: dict[str, str]) -> None:
    """Another origin that happens to have the same digest proves nothing."""
    source = as_published(kit.fetch())[LITE_KEY]
    assert kit.fetch({LITE_KEY: {**source, **change}}).kept == ()


def test_several_databases_each_by_its_own_state(kit: Fetching) -> None:
    """One is kept, the other new."""
    published = as_published(kit.fetch())
    fetched = kit.fetch(published, editions=[LITE, CORE])
    assert ([file.key for file in fetched.files], fetched.kept) == ([CORE_KEY], (LITE_KEY,))


def test_an_upstream_that_went_back_in_time_is_told(kit: Fetching, server: IpinfoServer) -> None:
    """By the day the vendor gives; where it gives none, the database's own build time is what tells."""
    published = as_published(kit.fetch())
    server.databases[LITE] = NEWER
    server.last_modified = "Thu, 19 Nov 2026 17:00:00 GMT"
    assert kit.fetch(published).rewinds == (f"{LITE} 2026-11-20",)
    server.last_modified = None
    fetched = kit.fetch(published)
    assert (fetched.rewinds, fetched.revision) == ((), hashlib.sha256(NEWER).hexdigest())
    assert "date" not in fetched.files[0].source


# --- digests


def test_a_body_that_is_not_as_announced_is_refused(kit: Fetching, server: IpinfoServer) -> None:
    """Asked again, the vendor says the same: it contradicts itself, and another download would not help."""
    server.announce(LITE, "0" * 64)
    error = kit.refused()
    assert "expected a database with SHA-256 000" in str(error)
    assert server.endpoints == ["checksums", "download", "object", "checksums"]


def test_a_release_between_question_and_download_needs_no_second_download(kit: Fetching, server: IpinfoServer) -> None:
    """The digest is asked for again, and is that of what came."""
    server.fail("checksums", body=_checksums(BODY), times=1)
    server.databases[LITE] = NEWER
    (file,) = kit.fetch().files
    assert file.path.read_bytes() == NEWER
    assert file.source["sha256"] == hashlib.sha256(NEWER).hexdigest()
    assert server.endpoints == ["checksums", "download", "object", "checksums"]


def _checksums(body: bytes) -> bytes:
    return json.dumps({"checksums": {"sha256": hashlib.sha256(body).hexdigest()}}).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"checksums": null}',
        b'{"checksums": {"md5": "ec1e0b806d09a4d367514fca3d7bae2e"}}',
        b'{"checksums": {"sha256": "ec1e0b806d09a4d367514fca3d7bae2e"}}',
        b'{"checksums": {"sha256": 5}}',
        b'{"checksums": {"sha256": "' + b"g" * 64 + b'"}}',
    ],
    ids=lambda body: body[:24].decode(errors="replace"),
)
def test_checksums_that_are_none_are_refused(body: bytes) -> None:
    """Whatever came instead: a digest is demanded, and no weaker one will do."""
    with pytest.raises(SourceError, match="checksums with a SHA-256, found something else"):
        parse_checksums(body)


def test_checksums_are_as_the_vendor_documents_them() -> None:
    """The documented sample, in either case."""
    sample = {
        "checksums": {
            "md5": "ec1e0b806d09a4d367514fca3d7bae2e",
            "sha1": "488b50ea5c4cb97378bfcaa78b38305def65c65f",
            "sha256": "389294A764A8989D41D74608F1515133F3B910585AD6B75CFE53A81C82F7838F",
        }
    }
    assert parse_checksums(json.dumps(sample).encode()) == sample["checksums"]["sha256"].lower()


# --- what outlives a run


def test_a_download_that_was_not_published_is_not_repeated(kit: Fetching, server: IpinfoServer) -> None:
    """Held or refused, it lies in the memory: the next run asks for the digest alone."""
    kit.remember()
    kit.fetch()
    kit.next_run()
    server.mend()
    (file,) = kit.fetch().files
    assert (file.path.read_bytes(), file.source["sha256"]) == (BODY, hashlib.sha256(BODY).hexdigest())
    assert server.endpoints == ["checksums"]
    kit.next_run()
    kit.fetch(force=True)
    assert server.count("download") == 1


def test_a_damaged_memory_costs_a_download_and_nothing_else(kit: Fetching, server: IpinfoServer) -> None:
    """Its digest is computed anew each time; that downloads before ended well is remembered, too."""
    kit.remember()
    kit.fetch()
    kit.fetch(force=True)
    kit.next_run()
    assert kit.memory is not None
    (copy,) = (kit.memory / "releases").iterdir()
    copy.write_bytes(b"something else")
    assert kit.fetch().files[0].path.read_bytes() == BODY
    assert server.count("download") == 3


def test_a_copy_under_a_digest_that_is_not_its_own_is_not_used(kit: Fetching, server: IpinfoServer) -> None:
    """What the vendor announces is compared with the bytes, not with a name."""
    kit.remember()
    kit.fetch()
    kit.next_run()
    assert kit.memory is not None
    (copy,) = (kit.memory / "releases").iterdir()
    copy.unlink()
    announced, own = (hashlib.sha256(body).hexdigest() for body in (BODY, NEWER))
    copy.with_name(f"{LITE}~{announced}~{own}").write_bytes(NEWER)
    assert kit.fetch().files[0].path.read_bytes() == BODY


def test_too_many_downloads_is_remembered(kit: Fetching, server: IpinfoServer) -> None:
    """The next run asks for none before the time that the vendor named."""
    kit.remember()
    server.fail("download", status=429, headers={"Retry-After": "40000"}, times=1)
    kit.refused()
    assert "no download before 2026-11-20 23:0" in str(kit.refused())
    assert server.count("download") == 1
    kit.clock.slept.append(40_000)
    assert len(kit.fetch().files) == 1


def test_no_loop_of_restarts_uses_up_more_than_the_day_has(kit: Fetching, server: IpinfoServer) -> None:
    """Each run fails; three downloads are made in all, and later runs say until when they wait."""
    kit.remember()
    server.fail("object", reset=True)
    errors = []
    for _ in range(8):
        errors.append(kit.refused())
        kit.clock.slept.append(1800)
    assert (server.count("download"), server.downloads_left) == (3, 0)
    assert "no download before" in str(errors[-1])
    assert not errors[-1].retryable
    server.mend()
    kit.clock.slept.append(86_400)
    server.downloads_left = 3
    assert len(kit.fetch().files) == 1


def test_the_day_is_counted_for_each_database_by_itself(kit: Fetching, server: IpinfoServer) -> None:
    """One that fails does not use up the others' downloads."""
    kit.remember()
    server.downloads_left = 100
    server.fail("download", status=503, times=3)
    for _ in range(3):
        with pytest.raises(SourceError):
            kit.fetch(daily_downloads=1)
        kit.clock.slept.append(60)
    assert server.count("download") == 1
    server.mend()
    assert len(kit.fetch(editions=[CORE], daily_downloads=1).files) == 1


def test_no_secret_is_remembered(kit: Fetching, server: IpinfoServer) -> None:
    """The ledger knows the token by a slow digest alone."""
    kit.remember()
    kit.fetch()
    assert kit.memory is not None
    stored = [path.read_bytes() for path in kit.memory.rglob("*") if path.is_file()]
    assert len(stored) >= 2
    for secret in kit.secrets:
        assert all(secret.encode() not in body for body in stored)


# --- statuses and bodies


@pytest.mark.parametrize(
    ("status", "advice"), [(400, "url"), (401, "IPINFO_TOKEN"), (403, "may download ipinfo_lite"), (404, "its name")]
)
@pytest.mark.parametrize("endpoint", ["checksums", "download"])
def test_a_final_status_is_not_tried_again(
    kit: Fetching, server: IpinfoServer, endpoint: str, status: int, advice: str
) -> None:
    """One request, and a word for a person."""
    server.fail(endpoint, status=status)
    error = kit.refused()
    assert advice in error.advice
    assert str(status) in str(error)
    assert (server.count(endpoint), kit.clock.slept, error.retryable) == (1, [], False)


def test_a_wrong_token_is_never_told(kit: Fetching, server: IpinfoServer) -> None:
    """The vendor answers 403, and the message names the variable."""
    kit.environment = {"IPINFO_TOKEN": "wrong-" + TOKEN}
    error = kit.refused()
    assert "403" in str(error)
    assert "IPINFO_TOKEN" in error.advice
    assert server.endpoints == ["checksums"]


def test_a_token_that_the_vendor_does_not_see_ends_the_run(kit: Fetching, server: IpinfoServer) -> None:
    """401 would come again for every other database."""
    server.fail("checksums", status=401)
    kit.refused(editions=[LITE, CORE])
    assert server.endpoints == ["checksums"]


@pytest.mark.parametrize("status", [500, 503, 408, 429])
def test_a_run_never_tries_more_than_two_downloads(kit: Fetching, server: IpinfoServer, status: int) -> None:
    """Three a day are all there are."""
    server.fail("object", status=status)
    error = kit.refused()
    assert (server.count("download"), server.downloads_left) == (2, 1)
    assert "gave up after 2 attempts" in str(error)
    assert error.retryable


def test_checksums_are_asked_for_again_as_long_as_the_server_says(kit: Fetching, server: IpinfoServer) -> None:
    """They cost nothing."""
    server.fail("checksums", status=503, times=2)
    server.fail("checksums", status=429, headers={"Retry-After": "37"}, times=1)
    assert len(kit.fetch().files) == 1
    assert kit.clock.slept == pytest.approx([0.5, 0.75, 37])


def test_a_used_up_day_ends_the_run_at_once(kit: Fetching, server: IpinfoServer) -> None:
    """With a Retry-After beyond the budget nobody waits, and nobody asks again."""
    server.fail("download", status=429, headers={"Retry-After": "40000"})
    error = kit.refused()
    assert "do not restart in a loop" in error.advice
    assert (kit.clock.slept, server.count("download")) == ([], 1)


def test_a_page_in_place_of_anything_is_named(kit: Fetching, server: IpinfoServer) -> None:
    """A captive portal answers everything with 200."""
    page = {"body": PAGE, "headers": {"Content-Type": "text/html"}, "times": 1}
    server.fail("checksums", **page)
    assert "found an HTML page" in str(kit.refused())
    server.fail("object", **page)
    assert "expected a database, found an HTML page" in str(kit.refused())
    server.fail("object", body=PAGE, times=1)
    assert "expected a database with SHA-256" in str(kit.refused())


@pytest.mark.parametrize("fault", [{"cut": 100}, {"reset": True}])
def test_a_broken_body_is_fetched_again(kit: Fetching, server: IpinfoServer, fault: dict[str, object]) -> None:
    """Then it arrives whole."""
    server.fail("object", **fault, times=1)
    assert kit.fetch().files[0].path.read_bytes() == BODY
    assert server.count("download") == 2


def test_sizes_and_time_are_bounded(kit: Fetching, server: IpinfoServer) -> None:
    """A body beyond the limit, announced or not, checksums without an end, and a drip."""
    server.fail("object", headers={"Content-Length": str(5 * 1024**3)}, times=1)
    assert "longer than" in str(kit.refused())
    server.fail("object", stream=lambda: (bytes(1 << 20) for _ in range(600)), times=1)
    assert "longer than the 1,048,576 bytes" in str(kit.refused(max_bytes=1 << 20))
    server.fail("checksums", stream=lambda: (b" " * 65536 for _ in range(600)), times=1)
    assert "longer than the 65,536 bytes" in str(kit.refused())
    server.fail("object", drip_s=0.02)
    assert "allowed in all" in str(kit.refused(timeout_s=0.6))


def test_a_redirect_inward_is_refused(kit: Fetching, server: IpinfoServer) -> None:
    """Even if the vendor itself sends us there, with our token in the URL."""
    where = f"http://169.254.169.254/?token={TOKEN}&X-Amz-Signature={SIGNATURE}"
    server.fail("download", headers={"Location": where})
    assert "link-local" in str(kit.refused())


def test_nothing_secret_is_logged_at_debug(kit: Fetching, server: IpinfoServer) -> None:
    """Good runs and bad ones, with every logger at DEBUG, the HTTP library's too."""
    server.fail("checksums", status=503, times=1)
    server.fail("object", reset=True, times=1)
    server.fail("download", status=403, times=1)
    with debug_log() as log:
        kit.refused()
        kit.fetch()
    assert "/data/ipinfo_lite.mmdb/checksums" in log.getvalue()
    kit.assert_silent(log.getvalue())


# --- token and options


def test_the_token_may_stand_in_a_file(kit: Fetching, tmp_path: Path) -> None:
    """As containers mount it."""
    (tmp_path / "token").write_text(TOKEN + "\n")
    kit.environment = {"IPINFO_TOKEN_FILE": str(tmp_path / "token")}
    assert len(kit.fetch().files) == 1


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "no token"),
        ({"IPINFO_TOKEN": " "}, "no token"),
        ({"IPINFO_TOKEN": f"{TOKEN} {TOKEN}"}, "is not one"),
        ({"IPINFO_TOKEN": TOKEN + "\x00"}, "is not one"),
        ({"IPINFO_TOKEN": TOKEN + "\u00e9"}, "is not one"),
        ({"IPINFO_TOKEN": TOKEN, "IPINFO_TOKEN_FILE": "/x"}, "both set"),
        ({"IPINFO_TOKEN_FILE": "/nonexistent"}, "cannot be read"),
    ],
)
def test_a_token_that_cannot_be_used_is_a_config_error(
    kit: Fetching, server: IpinfoServer, environment: dict[str, str], message: str
) -> None:
    """Exit 2 with advice, nothing asked of anybody, the token not quoted."""
    kit.environment = environment
    with pytest.raises(ConfigError, match=message) as caught:
        kit.fetch()
    assert caught.value.advice
    kit.assert_no_secret(caught.value)
    assert server.requests == []


def test_what_is_lacking_is_said_before_a_fetch() -> None:
    """A job without a token can be left out."""
    options = IpinfoOptions.model_validate({"editions": [LITE]})
    assert "IPINFO_TOKEN" in (IpinfoSource.lacks(options, {}) or "")
    assert IpinfoSource.lacks(options, {"IPINFO_TOKEN_FILE": "/run/secrets/token"}) is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"editions": []}, "at least 1"),
        ({"editions": ["../x"]}, "match pattern"),
        ({"editions": ["ipinfo_lite.mmdb"]}, "match pattern"),
        ({"editions": [LITE, LITE]}, "named twice"),
        ({"url": "http://ipinfo.io/data"}, "in the clear"),
        ({"url": f"https://ipinfo.io/data?token={TOKEN}"}, "query"),
        ({"url": "https://sentinel:@ipinfo.io/data"}, "user or password"),
        ({"prefix": "../"}, "cannot be a key"),
        ({"authentication": "cookie"}, "'query' or 'header'"),
        ({"token": TOKEN}, "Extra inputs"),
        ({"max_bytes": 0}, "greater than 0"),
        ({"daily_downloads": 0}, "greater than or equal to 1"),
    ],
    ids=[f"{n}" for n in range(12)],
)
def test_options_that_cannot_be_meant_are_refused(given: dict[str, object], message: str) -> None:
    """At the edge, and without quoting what might be a secret."""
    with pytest.raises(ValidationError, match=message) as caught:
        IpinfoOptions.model_validate({"editions": [LITE], **given})
    assert "sentinel" not in str(caught.value)
