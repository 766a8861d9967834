"""The URL source against a plain web server: files and the digests beside them, well and badly."""

import gzip
import hashlib
import io
import json
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from hubdata.errors import SourceError
from hubdata.sources.url import UrlOptions, UrlSource
from hubdata.transfer.public_url import file_url_problem
from tests.support.faulty_server import PAGE
from tests.support.fetching import Fetching, as_published
from tests.support.url_server import UrlServer

KEY = "mmdb_update/some.mmdb"
FILE, SUM = "/dist/some.mmdb", "/dist/some.mmdb.sha256"
BODY = b"not really a database, which is not the source's business" * 1000
NEWER = BODY[::-1]
MIB = 1 << 20


def sha256(body: bytes) -> str:
    """Return the digest in hex."""
    return hashlib.sha256(body).hexdigest()


def line(body: bytes, name: str = "some.mmdb") -> bytes:
    """Return the digest as `sha256sum` prints it."""
    return f"{sha256(body)}  {name}\n".encode()


@pytest.fixture
def server() -> Iterator[UrlServer]:
    """A file with its digest beside it."""
    with UrlServer({FILE: BODY, SUM: line(BODY)}) as running:
        yield running


@pytest.fixture
def kit(server: UrlServer, tmp_path: Path) -> Fetching:
    """The source, told both addresses."""
    return Fetching(
        UrlSource,
        tmp_path / "workspace",
        defaults={"url": server.url(FILE), "digest_url": server.url(SUM), "key": KEY},
    )


@pytest.fixture
def pinned(server: UrlServer, tmp_path: Path) -> Fetching:
    """The source, told the digest itself."""
    defaults = {"url": server.url(FILE), "sha256": sha256(BODY).upper(), "key": KEY}
    return Fetching(UrlSource, tmp_path / "workspace", defaults=defaults)


def test_a_new_file_is_downloaded_and_its_digest_held_to(kit: Fetching, server: UrlServer) -> None:
    """Digest, then file; the origin on record holds both and what the server said."""
    fetched = kit.fetch()
    (file,) = fetched.files
    assert (file.key, file.size, file.path.read_bytes()) == (KEY, len(BODY), BODY)
    assert {name: file.source[name] for name in ("type", "url", "digest", "digest_of", "date")} == {
        "type": "url",
        "url": server.url(FILE),
        "digest": f"sha256:{sha256(BODY)}",
        "digest_of": "download",
        "date": "2026-11-20",
    }
    assert (fetched.kept, fetched.rewinds, fetched.revision) == ((), (), f"sha256:{sha256(BODY)}")
    assert server.endpoints == [SUM, FILE]


def test_an_unchanged_file_costs_one_small_request(kit: Fetching, server: UrlServer) -> None:
    """The digest is the published one."""
    published = as_published(kit.fetch())
    server.mend()
    again = kit.fetch(published)
    assert (again.kept, again.files) == ((KEY,), ())
    assert server.endpoints == [SUM]


def test_a_pinned_file_that_is_published_costs_no_request(pinned: Fetching, server: UrlServer) -> None:
    """Only the job file can make it another one."""
    published = as_published(pinned.fetch())
    assert server.endpoints == [FILE]
    server.mend()
    assert pinned.fetch(published).kept == (KEY,)
    assert server.endpoints == []


def test_force_downloads_what_is_unchanged(kit: Fetching, server: UrlServer) -> None:
    """Nothing is kept, and nothing asked for conditionally."""
    published = as_published(kit.fetch())
    server.mend()
    again = kit.fetch(published, force=True)
    assert ([file.key for file in again.files], again.kept) == ([KEY], ())
    assert "If-None-Match" not in server.requests[-1].headers


@pytest.mark.parametrize(
    "change", [{"digest": "sha256:" + "0" * 64}, {"type": "file"}, {"url": "https://elsewhere.example/x"}]
)
def test_only_the_same_file_with_the_same_digest_is_kept(kit: Fetching, change: dict[str, str]) -> None:
    """What is published must have come from here, as the job says now."""
    source = as_published(kit.fetch())[KEY]
    if "digest" in change:
        source = {name: value for name, value in source.items() if name != "etag"}
    assert kit.fetch({KEY: {**source, **change}}).kept == ()


def test_a_file_fetched_in_another_way_is_another_file(kit: Fetching, server: UrlServer) -> None:
    """The job now unpacks what it used to publish packed: the digest of the download is the same."""
    server.files[FILE] = gzip.compress(BODY)
    server.files[SUM] = line(server.files[FILE])
    published = as_published(kit.fetch())
    (file,) = kit.fetch(published, unpack="gz").files
    assert file.path.read_bytes() == BODY
    assert file.source["unpack"] == "gz"


# --- digest and file in step, and out of it


def test_a_new_digest_brings_the_new_file(kit: Fetching, server: UrlServer) -> None:
    """The download asks by the old tag, and gets the new file."""
    published = as_published(kit.fetch())
    server.files |= {FILE: NEWER, SUM: line(NEWER)}
    server.mend()
    (file,) = kit.fetch(published).files
    assert file.path.read_bytes() == NEWER
    assert server.endpoints == [SUM, FILE]
    assert server.requests[1].headers["If-None-Match"] == published[KEY]["etag"]


def test_a_digest_that_is_newer_than_its_file_costs_no_download(kit: Fetching, server: UrlServer) -> None:
    """The file has its old tag: it is not downloaded to be refused."""
    published = as_published(kit.fetch())
    server.files[SUM] = line(NEWER)
    server.mend()
    kit.next_run()
    error = kit.refused(published)
    assert "it has not changed" in str(error)
    assert server.endpoints == [SUM, FILE]


def test_a_tag_that_is_weak_is_not_asked_by(kit: Fetching, server: UrlServer) -> None:
    """It may stay the same for other bytes (RFC 9110, 8.8.1): the digest goes before it."""
    server.fail(FILE, headers={"ETag": 'W/"1"'})
    published = as_published(kit.fetch())
    server.files |= {FILE: NEWER, SUM: line(NEWER)}
    (file,) = kit.fetch(published).files
    assert file.path.read_bytes() == NEWER
    assert "If-None-Match" not in server.requests[-1].headers


def test_a_file_that_is_newer_than_its_digest_waits_for_it(kit: Fetching, server: UrlServer) -> None:
    """The digest is asked for once more: then it is right, or the file is refused."""
    server.files[FILE] = NEWER
    error = kit.refused()
    assert f"expected sha256:{sha256(BODY)}, found {sha256(NEWER)}" in str(error)
    assert server.endpoints == [SUM, FILE, SUM]
    server.files[SUM] = line(NEWER)
    server.fail(SUM, body=line(BODY), times=1)
    assert kit.fetch().files[0].path.read_bytes() == NEWER


def test_a_pinned_file_that_changed_is_refused(pinned: Fetching, server: UrlServer) -> None:
    """What was approved is not what came."""
    server.files[FILE] = NEWER
    assert "expected sha256:" in str(pinned.refused())
    assert server.endpoints == [FILE]


def test_a_digest_in_another_algorithm_asks_for_the_file_unconditionally(kit: Fetching, server: UrlServer) -> None:
    """The old digest cannot be compared with it, so an unchanged file proves nothing."""
    published = as_published(kit.fetch())
    server.files[SUM] = hashlib.sha512(BODY).hexdigest().encode()
    server.mend()
    (file,) = kit.fetch(published).files
    assert file.source["digest"].startswith("sha512:")
    assert "If-None-Match" not in server.requests[1].headers


def test_an_older_file_than_the_published_one_is_told(kit: Fetching, server: UrlServer) -> None:
    """By the day the server gives."""
    published = as_published(kit.fetch())
    server.files |= {FILE: NEWER, SUM: line(NEWER)}
    server.last_modified = "Mon, 16 Nov 2026 17:00:00 GMT"
    assert kit.fetch(published).rewinds == ("2026-11-20",)
    elsewhere = {KEY: {**published[KEY], "type": "maxmind"}}
    assert kit.fetch(elsewhere).rewinds == ()


# --- what outlives a run


@pytest.mark.parametrize("digest_of", ["download", "file"])
@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_a_download_that_was_not_published_is_not_repeated(
    kit: Fetching, server: UrlServer, algorithm: str, digest_of: str
) -> None:
    """Held or refused, it lies in the memory under its digest: the next run asks for that alone."""
    server.files[FILE] = gzip.compress(BODY)
    told = server.files[FILE] if digest_of == "download" else BODY
    server.files[SUM] = hashlib.new(algorithm, told).hexdigest().encode()
    kit.defaults |= {"unpack": "gz", "digest_of": digest_of}
    kit.remember()
    first = kit.fetch()
    kit.next_run()
    server.mend()
    again = kit.fetch()
    assert (again.files[0].path.read_bytes(), again.revision) == (BODY, first.revision)
    assert server.endpoints == [SUM]
    assert kit.fetch(as_published(again)).kept == (KEY,)
    kit.next_run()
    kit.fetch(force=True)
    assert server.count(FILE) == 1


def test_the_memory_is_used_only_for_the_very_same_file(kit: Fetching, server: UrlServer) -> None:
    """Not for another digest, and not for the same download taken another way."""
    server.files[FILE] = gzip.compress(BODY)
    server.files[SUM] = line(server.files[FILE])
    kit.remember()
    kit.fetch()
    kit.next_run()
    assert kit.fetch(unpack="gz").files[0].path.read_bytes() == BODY
    server.files |= {FILE: gzip.compress(NEWER), SUM: line(gzip.compress(NEWER))}
    kit.next_run()
    assert kit.fetch(unpack="gz").files[0].path.read_bytes() == NEWER


# --- forms


@pytest.mark.parametrize(
    ("digest", "options"),
    [
        (sha256(BODY).encode(), {}),
        (line(BODY) + line(NEWER, "other.mmdb"), {}),
        (hashlib.md5(BODY).hexdigest().encode() + b"  some.mmdb\n", {}),
        (json.dumps({"sums": [{"sha1": hashlib.sha1(BODY).hexdigest()}]}).encode(), {"digest_field": "sums.0.sha1"}),
    ],
    ids=["bare", "list", "md5sum", "json"],
)
def test_the_digest_comes_in_any_usual_form(
    kit: Fetching, server: UrlServer, digest: bytes, options: dict[str, object]
) -> None:
    """And holds from one run to the next."""
    server.files[SUM] = digest
    fetched = kit.fetch(**options)  # type: ignore[arg-type]
    assert fetched.files[0].path.read_bytes() == BODY
    assert kit.fetch(as_published(fetched), **options).kept == (KEY,)  # type: ignore[arg-type]


def _tar(*members: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, body in members:
            info = tarfile.TarInfo(name)
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
    return out.getvalue()


@pytest.mark.parametrize("digest_of", ["download", "file"])
@pytest.mark.parametrize(
    ("packed", "options"),
    [
        (gzip.compress(BODY, mtime=0), {"unpack": "gz"}),
        (_tar(("db/README.txt", b"read me"), ("db/some.mmdb", BODY)), {"unpack": "tar.gz", "member": ".mmdb"}),
        (BODY, {}),
    ],
    ids=["gz", "tar.gz", "plain"],
)
def test_a_packed_file_is_unpacked_and_either_digest_will_do(
    kit: Fetching, server: UrlServer, packed: bytes, options: dict[str, object], digest_of: str
) -> None:
    """The digest of what was sent, or of what is in it: never one taken for the other."""
    server.files |= {FILE: packed, SUM: line(packed if digest_of == "download" else BODY)}
    fetched = kit.fetch(**options, digest_of=digest_of)  # type: ignore[arg-type]
    assert fetched.files[0].path.read_bytes() == BODY
    assert fetched.files[0].size == len(BODY)
    assert kit.fetch(as_published(fetched), **options, digest_of=digest_of).kept == (KEY,)  # type: ignore[arg-type]
    assert kit.left_over() == ["download"]
    if packed != BODY:
        fetched.files[0].path.unlink()
        other = "file" if digest_of == "download" else "download"
        assert "`digest_of`" in kit.refused(**options, digest_of=other).advice  # type: ignore[arg-type]


def test_the_query_of_a_url_is_sent_and_never_noted(kit: Fetching, server: UrlServer) -> None:
    """It may be signed: the public manifest must not hold it."""
    fetched = kit.fetch(url=server.url(FILE) + "?suffix=tar.gz")
    assert server.requests[-1].query == {"suffix": "tar.gz"}
    assert "suffix" not in str(fetched.files[0].source)


# --- what may go wrong


@pytest.mark.parametrize("endpoint", [SUM, FILE])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_final_status_is_not_tried_again(kit: Fetching, server: UrlServer, endpoint: str, status: int) -> None:
    """One request, and a word for a person."""
    server.fail(endpoint, status=status)
    error = kit.refused()
    assert str(status) in str(error)
    assert (server.count(endpoint), kit.clock.slept, error.retryable) == (1, [], False)


@pytest.mark.parametrize("status", [500, 503, 408, 429])
def test_a_passing_failure_is_tried_again_the_download_once(kit: Fetching, server: UrlServer, status: int) -> None:
    """With the wait that the server asks for."""
    server.fail(SUM, status=status, headers={"Retry-After": "37"}, times=1)
    server.fail(FILE, status=status)
    error = kit.refused()
    assert "gave up after 2 attempts" in str(error)
    assert kit.clock.slept == pytest.approx([37, 0.5])
    assert (server.count(SUM), server.count(FILE)) == (2, 2)


def test_a_page_in_place_of_anything_is_named(kit: Fetching, server: UrlServer) -> None:
    """A captive portal answers everything with 200."""
    server.fail(SUM, body=PAGE, times=1)
    assert "one digest in hex for some.mmdb, found an HTML page" in str(kit.refused())
    server.fail(FILE, body=PAGE, headers={"Content-Type": "text/html"}, times=1)
    assert "expected a file, found an HTML page" in str(kit.refused())
    server.fail(FILE, body=PAGE, times=1)
    assert "expected sha256:" in str(kit.refused())


def _bomb() -> Iterator[bytes]:
    packer = zlib.compressobj(9, wbits=31)
    for _ in range(512):
        yield packer.compress(bytes(MIB))
    yield packer.flush()


def test_sizes_and_time_are_bounded(kit: Fetching, server: UrlServer) -> None:
    """A body beyond the limit, a bomb of 512 MB, a digest without an end, and a drip."""
    server.fail(FILE, headers={"Content-Length": str(5 * 1024**3)}, times=1)
    assert "longer than" in str(kit.refused())
    server.fail(FILE, stream=_bomb, times=1)
    assert "unpacks to more than the 16,777,216 bytes" in str(kit.refused(unpack="gz", max_bytes=16 * MIB))
    server.fail(SUM, stream=lambda: (b" " * 65536 for _ in range(600)), times=1)
    assert "longer than the 262,144 bytes" in str(kit.refused())
    server.fail(FILE, drip_s=0.02)
    assert "allowed in all" in str(kit.refused(timeout_s=0.5))


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ((("a.mmdb", BODY), ("b.mmdb", BODY)), "more than one file"),
        ((("a.txt", BODY),), "no file ending .mmdb"),
        ((("../a.mmdb", BODY),), "leads out"),
    ],
    ids=["two", "none", "traversal"],
)
def test_an_odd_archive_is_refused(
    kit: Fetching, server: UrlServer, members: tuple[tuple[str, bytes], ...], reason: str
) -> None:
    """Whatever its digest says."""
    server.files |= {FILE: _tar(*members), SUM: line(_tar(*members))}
    assert reason in str(kit.refused(unpack="tar.gz", member=".mmdb"))


@pytest.mark.parametrize("fault", [{"cut": 100}, {"reset": True}])
def test_a_broken_body_is_fetched_again(kit: Fetching, server: UrlServer, fault: dict[str, object]) -> None:
    """Then it arrives whole."""
    server.fail(FILE, **fault, times=1)
    assert kit.fetch().files[0].path.read_bytes() == BODY


def test_redirects_are_followed_but_never_inward(kit: Fetching, server: UrlServer) -> None:
    """To another host as long as it lies where the first does."""
    server.moved.add(FILE)
    assert kit.fetch().files[0].path.read_bytes() == BODY
    server.fail(FILE, headers={"Location": "http://169.254.169.254/"})
    with pytest.raises(SourceError, match="link-local"):
        kit.fetch()


# --- options


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("https://example.net/a.mmdb", None),
        ("https://example.net/a?suffix=tar.gz&edition_id=x", None),
        ("http://127.0.0.1:8000/a", None),
        ("http://example.net/a", "anybody between"),
        ("ftp://example.net/a", "https://"),
        ("example.net/a", "https://"),
        ("https://me:hunter2@example.net/a", "user or password"),
        ("https://example.net/a#b", "fragment"),
        ("https://example.net/a?b#c", "fragment"),
        ("https://example.net/a?token=hunter2", "credential"),
        ("https://example.net/a?license_key=hunter2", "credential"),
        ("https://example.net/a?X-Amz-Signature=hunter2", "credential"),
        ("https://example.net/a?x=1&sig", "credential"),
        ("https://[::1/a", "not a URL"),
    ],
)
def test_only_public_addresses_can_be_named(url: str, problem: str | None) -> None:
    """Encrypted, or on this machine; never with a secret, which the job file would show to everybody."""
    found = file_url_problem(url)
    assert (problem or "None") in str(found)
    assert "hunter2" not in str(found)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "either `sha256` or `digest_url`"),
        ({"sha256": "0" * 64, "digest_url": "https://example.net/b"}, "either `sha256` or `digest_url`"),
        ({"sha256": "0" * 63}, "match pattern"),
        ({"sha256": "0" * 64, "digest_field": "a"}, "says where in the JSON"),
        ({"sha256": "0" * 64, "unpack": "tar.gz"}, "goes with unpack"),
        ({"sha256": "0" * 64, "member": ".mmdb"}, "goes with unpack"),
        ({"sha256": "0" * 64, "unpack": "zip"}, "'no', 'gz' or 'tar.gz'"),
        ({"sha256": "0" * 64, "key": "../x"}, "cannot be a key"),
        ({"sha256": "0" * 64, "key": "manifest.json"}, "cannot be a key"),
        ({"sha256": "0" * 64, "headers": {}}, "Extra inputs"),
        ({"digest_url": "http://example.net/b"}, "anybody between"),
    ],
    ids=[f"{n}" for n in range(11)],
)
def test_options_that_cannot_be_meant_are_refused(given: dict[str, object], message: str) -> None:
    """At the edge."""
    with pytest.raises(ValidationError, match=message):
        UrlOptions.model_validate({"url": "https://example.net/a", "key": KEY, **given})
