"""What every target promises, asked of each one, and of S3 through each store double: quickly, and through botocore."""

import hashlib
import os
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hubdata.errors import Conflict, TargetError
from hubdata.model.inventory import Stored
from hubdata.model.snapshot import Artifact
from hubdata.ports import Target, Upload
from hubdata.targets.directory import DirectoryTarget
from hubdata.targets.s3 import S3Target
from hubdata.targets.s3.abilities import KEY
from tests.support import ceph
from tests.support.moto_server import CREDENTIALS, shared
from tests.support.strict_s3 import S3_BUCKET, StrictS3

KEYS = (
    "plain.txt",
    "lists/with space.txt",
    "lists/plus+sign.txt",
    "lists/100%.txt",
    "lists/%41.txt",
    "lists/é-日本.txt",
    "lists/tilde~and'quote\".txt",
    "lists/?query&a=b#c.txt",
    ".github/hidden",
)


_CEPH_BOTOCORE = pytest.param("ceph-botocore", marks=pytest.mark.interop)
_STORES = ("moto", "moto-prefix", "strict", pytest.param("ceph", marks=pytest.mark.interop))
_SORTS = ["directory", *_STORES, *(pytest.param(f"{one}-botocore") for one in ("moto", "strict")), _CEPH_BOTOCORE]
"""Where a store's name ends in `botocore`, the environment leaves nothing to the quick way."""


@pytest.fixture(params=_SORTS)
def target(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Target]:
    """Give one empty target of each sort."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    sort = request.param.removesuffix("-botocore")
    if sort != request.param:
        monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "false")  # says nothing new, but is for botocore to read
    if sort == "directory":
        yield DirectoryTarget("dir", DirectoryTarget.Options(path=tmp_path / "public"))
    elif sort == "strict":
        with StrictS3() as store:
            yield on_s3(request, bucket=S3_BUCKET, endpoint_url=store.url)
    elif sort == "ceph":
        server = ceph.needed()
        monkeypatch.setenv("AWS_CA_BUNDLE", str(server.authority))
        prefix = uuid.uuid4().hex
        yield probed(on_s3(request, bucket=server.bucket("contract"), endpoint_url=server.https, prefix=prefix))
    else:
        prefix = "a/prefix" if sort == "moto-prefix" else ""
        yield on_s3(request, bucket=shared().bucket(), endpoint_url=shared().url, prefix=prefix)


def on_s3(request: pytest.FixtureRequest, **options: str) -> S3Target:
    """Return a target on S3 that is reached the way the fixture's parameter says, and no other."""
    made = S3Target("s3", S3Target.Options.model_validate({"region": "us-east-1", **options}))
    assert (made._quick is None) is request.param.endswith("-botocore")
    request.addfinalizer(lambda: still_quick(made))
    return made


def still_quick(target: S3Target) -> None:
    """See that what was to go the quick way did not end with botocore."""
    assert target._quick is None or not target._quick.given_up


def probed(target: S3Target) -> S3Target:
    """Return the target, knowing what its store enforces, with neither traces in the store nor requests to its name."""
    options = target._bucket
    trial = S3Target(
        "trial",
        S3Target.Options(
            bucket=options.name, region="us-east-1", endpoint_url=options.settings.endpoint_url, prefix="trial"
        ),
    )
    trial.probe()
    trial.delete(KEY)
    target._writer.abilities = trial._writer.abilities
    return target


Make = Callable[..., Artifact]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Give a maker of artifacts whose bytes lie in a spool."""
    spool = tmp_path / "spool"
    spool.mkdir()

    def made(key: str, body: bytes) -> Artifact:
        sha256 = hashlib.sha256(body).hexdigest()
        path = spool / sha256
        path.write_bytes(body)
        md5 = hashlib.md5(body).hexdigest()
        return Artifact(key, path, len(body), sha256, md5, "opaque", "text/plain", "public, max-age=60", {})

    return made


def body_of(target: Target, key: str) -> bytes | None:
    """Return the bytes under a key."""
    blob = target.read(key, max_bytes=1 << 20)
    return None if blob is None else blob.body


def same(a: Stored | None, b: Stored) -> bool:
    """Tell whether two views show the same bytes; listings do not tell versions."""
    return a is not None and (a.size, a.etag) == (b.size, b.etag)


def write(target: Target, key: str, body: bytes, if_etag: str | None = None) -> Stored:
    """Write a small object of our own."""
    return target.write(key, body, content_type="application/json", cache_control="no-store", if_etag=if_etag)


def test_an_empty_target_holds_nothing(target: Target) -> None:
    """Listing, reading, stat and delete all cope with a store that was never written."""
    assert target.listing() == {}
    assert target.read("a.txt", max_bytes=10) is None
    assert target.stat("a/b.txt") is None
    target.delete("a.txt")
    target.delete("a.txt", if_etag="0" * 32)


@pytest.mark.parametrize("key", KEYS)
def test_every_safe_key_keeps_its_exact_name_and_bytes(target: Target, make: Make, key: str) -> None:
    """Spaces, plus and percent signs, quotes and other scripts survive the trip both ways."""
    artifact = make(key, b"exact \x00 bytes\r\n\xff")
    stored = target.put(Upload(artifact, None))
    assert (stored.size, stored.etag) == (artifact.size, artifact.md5)
    assert list(target.listing()) == [key]
    assert same(target.listing()[key], stored)
    assert same(target.stat(key), stored)
    assert body_of(target, key) == b"exact \x00 bytes\r\n\xff"
    target.delete(key, if_etag=stored.etag)
    assert target.listing() == {}


def test_an_empty_object_is_an_object(target: Target, make: Make) -> None:
    """A file of no bytes is stored, listed and read, also in between others on the same connection."""
    for number in range(3):
        target.put(Upload(make(f"{number}.txt", b"x" * number), None))
    assert body_of(target, "0.txt") == b""
    assert [s.size for s in target.listing().values()] == [0, 1, 2]


def test_creating_what_exists_is_a_conflict(target: Target, make: Make) -> None:
    """Someone else's object is never overwritten by a plan that thought there was none."""
    target.put(Upload(make("a.txt", b"theirs"), None))
    with pytest.raises(Conflict, match="expected no "):
        target.put(Upload(make("a.txt", b"ours"), None))
    with pytest.raises(Conflict):
        write(target, "a.txt", b"ours")
    assert body_of(target, "a.txt") == b"theirs"


def test_overwriting_needs_the_planned_etag(target: Target, make: Make) -> None:
    """The right ETag replaces; a stale one is a conflict and changes nothing."""
    first = target.put(Upload(make("a.txt", b"one"), None))
    second = target.put(Upload(make("a.txt", b"two"), first.etag))
    with pytest.raises(Conflict, match=first.etag):
        target.put(Upload(make("a.txt", b"three"), first.etag))
    assert same(target.stat("a.txt"), second)
    assert body_of(target, "a.txt") == b"two"


def test_overwriting_what_is_gone_is_a_conflict(target: Target, make: Make) -> None:
    """An object deleted meanwhile is not silently made anew."""
    with pytest.raises(Conflict):
        target.put(Upload(make("a.txt", b"one"), "0" * 32))
    with pytest.raises(Conflict):
        write(target, "a.txt", b"one", if_etag="0" * 32)
    assert target.listing() == {}


def test_putting_what_is_there_already_succeeds(target: Target, make: Make) -> None:
    """A put whose bytes the store holds is done, whatever was planned: its answer may have been lost."""
    artifact = make("a.txt", b"same")
    stored = target.put(Upload(artifact, None))
    assert same(target.put(Upload(artifact, None)), stored)
    assert same(target.put(Upload(artifact, "0" * 32)), stored)


def test_writing_what_is_there_already_is_a_conflict(target: Target) -> None:
    """Two writers of equal bytes do not both hold a lease: only the one that created the object."""
    write(target, ".hubdata/lease.json", b"{}")
    with pytest.raises(Conflict):
        write(target, ".hubdata/lease.json", b"{}")


def test_deleting_needs_the_right_etag(target: Target, make: Make) -> None:
    """A stale ETag keeps the object; the right one or none removes it."""
    stored = target.put(Upload(make("d/a.txt", b"one"), None))
    with pytest.raises(Conflict):
        target.delete("d/a.txt", if_etag="0" * 32)
    assert same(target.stat("d/a.txt"), stored)
    target.delete("d/a.txt", if_etag=stored.etag)
    assert target.stat("d/a.txt") is None
    target.put(Upload(make("d/a.txt", b"two"), None))
    target.delete("d/a.txt")
    assert target.listing() == {}


def test_hubdatas_own_files_are_written_and_listed(target: Target) -> None:
    """The manifest and private records are objects like others, and are swapped by ETag."""
    first = write(target, "manifest.json", b"{}")
    write(target, ".hubdata/runs/1.json", b"[1]")
    second = write(target, "manifest.json", b"{1}", if_etag=first.etag)
    listed = target.listing()
    assert sorted(listed) == [".hubdata/runs/1.json", "manifest.json"]
    blob = target.read("manifest.json", max_bytes=3)
    assert blob is not None
    assert blob.body == b"{1}"
    assert same(blob.stored, second)


def test_reading_more_than_allowed_is_refused(target: Target, make: Make) -> None:
    """An object that somebody made huge is not read into memory."""
    target.put(Upload(make("a.txt", b"12345"), None))
    assert body_of(target, "a.txt") == b"12345"
    with pytest.raises(TargetError, match="at most 4 bytes, found 5"):
        target.read("a.txt", max_bytes=4)


@pytest.mark.parametrize("size", [10, 9 << 20])
def test_bytes_that_changed_after_the_check_are_never_stored(target: Target, make: Make, size: int) -> None:
    """The spool file is hashed on its way: other bytes of the same length stop the put, small or streamed."""
    artifact = make("a.bin", b"a" * size)
    artifact.path.write_bytes(b"a" * (size - 1) + b"b")
    with pytest.raises(TargetError, match="changed on disk") as caught:
        target.put(Upload(artifact, None))
    assert not isinstance(caught.value, Conflict)
    assert target.listing() == {}
    artifact.path.unlink()
    with pytest.raises(TargetError):
        target.put(Upload(artifact, None))
    assert target.listing() == {}


def test_a_large_file_arrives_whole(target: Target, make: Make) -> None:
    """A body that is streamed has the same ETag as one that is not."""
    artifact = make("big.mmdb", os.urandom(9 << 20))
    stored = target.put(Upload(artifact, None))
    assert (stored.size, stored.etag) == (artifact.size, artifact.md5)
    assert same(target.stat("big.mmdb"), stored)
    blob = target.read("big.mmdb", max_bytes=artifact.size)
    assert blob is not None
    assert hashlib.sha256(blob.body).hexdigest() == artifact.sha256


def test_eight_threads_store_everything(target: Target, make: Make) -> None:
    """Puts from many threads neither fail nor mix their bytes up."""
    artifacts = [make(f"d{n % 5}/{n}.txt", f"body {n}".encode()) for n in range(60)]
    with ThreadPoolExecutor(8) as pool:
        stored = list(pool.map(lambda a: target.put(Upload(a, None)), artifacts))
    listed = target.listing()
    assert {a.key: a.md5 for a in artifacts} == {key: s.etag for key, s in listed.items()}
    assert [s.etag for s in stored] == [a.md5 for a in artifacts]
    assert target.requests()["PUT"] == 60


def test_of_racing_writers_exactly_one_wins(target: Target, make: Make) -> None:
    """Whoever loses learns of it, for creating and for replacing."""
    if isinstance(target, S3Target) and target._quick is not None:
        target._quick._patience += 40  # a store may answer each of forty that race with "busy": that is no trouble here
    planned: str | None = None
    for round_ in range(5):
        artifacts = [make("one.txt", f"{round_} writer {n}".encode()) for n in range(8)]

        def attempt(artifact: Artifact, against: str | None = planned) -> Stored | None:
            try:
                return target.put(Upload(artifact, against))
            except Conflict:
                return None

        with ThreadPoolExecutor(8) as pool:
            won = [s for s in pool.map(attempt, artifacts) if s is not None]
        assert len(won) == 1
        assert same(target.stat("one.txt"), won[0])
        planned = won[0].etag


def test_requests_are_counted_by_method(target: Target, make: Make) -> None:
    """The counts are what the run's report shows: LIST apart from GET."""
    stored = target.put(Upload(make("a.txt", b"1"), None))
    target.listing()
    target.read("a.txt", max_bytes=10)
    target.stat("a.txt")
    target.delete("a.txt", if_etag=stored.etag)
    looked = 1 if isinstance(target, S3Target) and target.without() else 0  # before it deleted
    assert dict(target.requests()) == {"LIST": 1, "GET": 1, "PUT": 1, "HEAD": 1 + looked, "DELETE": 1}


def test_it_tells_its_own_time(target: Target) -> None:
    """Within a minute of this machine's, as both run here, before and after the first other call."""
    for _ in range(2):
        told = target.now()
        assert abs(told - datetime.now(UTC)) < timedelta(minutes=1)
        target.listing()


def test_it_knows_its_name_and_its_pace(target: Target) -> None:
    """The pipeline asks for both before anything is built or sent."""
    assert target.name in ("dir", "s3")
    assert 1 <= target.concurrency <= 64
    assert set(target.requests().values()) == {0}


@pytest.mark.parametrize("target", ["directory", "moto", "strict", "strict-botocore"], indirect=True)
def test_more_than_a_thousand_objects_are_all_listed(target: Target, make: Make) -> None:
    """Listings of several pages are whole, with one request per 1,000 keys on S3."""
    artifact = make("x", b"")
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda n: target.put(Upload(replace(artifact, key=f"k{n:04} é+%.txt"), None)), range(1001)))
    listed = target.listing()
    assert sorted(listed) == [f"k{n:04} é+%.txt" for n in range(1001)]
    assert target.requests()["LIST"] == (1 if isinstance(target, DirectoryTarget) else 2)
