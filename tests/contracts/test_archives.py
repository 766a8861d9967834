"""What every target promises that keeps the past of its objects, asked of each store double that can."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from hubdata.errors import TargetError
from hubdata.ports import Archive, Attic, Target
from hubdata.targets.s3 import S3Target
from hubdata.transfer import s3_versions
from tests.support.moto_server import CREDENTIALS, shared
from tests.support.strict_s3 import S3_BUCKET, Fault, StrictS3

STORES = ("moto", "moto-prefix", "strict", "strict-pages")


@pytest.fixture(params=STORES)
def target(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Target]:
    """Give one empty target of each sort, in a bucket that keeps versions."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    if request.param.startswith("strict"):
        pages = 2 if request.param == "strict-pages" else 1000
        with StrictS3(versioned=True, versions_a_page=pages) as store:
            yield S3Target("s3", S3Target.Options(bucket=S3_BUCKET, endpoint_url=store.url))
    else:
        prefix = "a/prefix" if request.param == "moto-prefix" else ""
        bucket = shared().bucket(versioned=True)
        if prefix:
            shared().client("s3").put_object(Bucket=bucket, Key="db/one", Body=b"outside the prefix")
        yield S3Target("s3", S3Target.Options(bucket=bucket, endpoint_url=shared().url, prefix=prefix))


def written(target: Target, key: str, *bodies: bytes) -> list[str]:
    """Write these bytes under a key, one after the other, and return their version ids, the newest first."""
    ids: list[str] = []
    held = target.stat(key)
    for body in bodies:
        etag = held.etag if held else None
        held = target.write(key, body, content_type="text/plain", cache_control="", if_etag=etag)
        assert held.version_id
        ids.insert(0, held.version_id)
    return ids


def ids(target: S3Target, prefix: str) -> list[str]:
    """Return the ids of all that is kept, in the order told."""
    return [state.version_id for state in target.past(prefix)]


def test_it_is_an_archive_and_an_attic(target: S3Target) -> None:
    """The pipeline asks so before it asks for more."""
    assert isinstance(target, Archive)
    assert isinstance(target, Attic)


def test_every_state_is_told_by_key_the_newest_first(target: S3Target) -> None:
    """With its time, its size, and whether it is what readers get; keys as the manifest has them."""
    one, two = written(target, "db/one é+.mmdb", b"1", b"22", b"333"), written(target, "db/two", b"x", b"y")
    written(target, "elsewhere", b"z")
    past = target.past("db/")
    assert [state.version_id for state in past] == [*one, *two]
    assert [state.key for state in past] == ["db/one é+.mmdb"] * 3 + ["db/two"] * 2
    assert [state.current for state in past] == [True, False, False, True, False]
    assert [state.size for state in past[:3]] == [3, 2, 1]
    assert not any(state.deleted for state in past)
    assert all(abs(state.written_at - datetime.now(UTC)) < timedelta(minutes=1) for state in past)
    assert all(a.written_at >= b.written_at for a, b in pairwise(past[:3]))
    assert target.history("db/two") == tuple(two)
    assert target.history("db/") == ()


def test_a_deletion_is_a_state_too(target: S3Target) -> None:
    """A marker, current until something is written again; the history of bytes does not name it."""
    before = written(target, "db/one", b"1")
    target.delete("db/one")
    marker, *rest = target.past("db/one")
    assert (marker.deleted, marker.current) == (True, True)
    assert [(state.version_id, state.current) for state in rest] == [(before[0], False)]
    after = written(target, "db/one", b"2")
    first, *older = ids(target, "db/one")
    assert first == after[0]
    assert set(older) == {marker.version_id, before[0]}  # stores tell times in seconds, and these two share one
    assert target.history("db/one") == (after[0], before[0])


def test_what_is_forgotten_is_gone_and_nothing_else(target: S3Target) -> None:
    """The bytes of that version cannot be read any more; readers get what they got; twice is fine."""
    newest, middle, oldest = written(target, "db/one", b"1", b"22", b"333")
    other = written(target, "db/one2", b"x")
    target.forget("db/one", middle)
    assert ids(target, "db/one") == [newest, oldest, *other]
    blob = target.read("db/one", max_bytes=10)
    assert blob is not None
    assert blob.body == b"333"
    kept = target.read("db/one", max_bytes=10, version_id=oldest)
    assert kept is not None
    assert kept.body == b"1"
    target.forget("db/one", middle)
    target.forget("db/never-was", oldest)
    assert sorted(target.listing()) == ["db/one", "db/one2"]


def test_a_marker_that_hides_nothing_can_be_forgotten(target: S3Target) -> None:
    """The key is as if it had never been."""
    (only,) = written(target, "db/one", b"1")
    target.delete("db/one")
    target.forget("db/one", only)
    (marker,) = target.past("db/one")
    target.forget("db/one", marker.version_id)
    assert target.past("db/") == ()
    assert target.read("db/one", max_bytes=10) is None


def test_looking_at_the_past_counts_as_listing(target: S3Target) -> None:
    """The report shows what was asked; forgetting is a DELETE."""
    (only,) = written(target, "db/one", b"1")
    before = target.requests()
    target.past("db/")
    target.forget("db/one", only)
    after = target.requests()
    assert {m: after[m] - before[m] for m in after if after[m] != before[m]} == {"LIST": 1, "DELETE": 1}


def test_a_bucket_without_versions_has_only_the_present(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its objects are told as current, so nothing is ever due."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    target = S3Target("s3", S3Target.Options(bucket=shared().bucket(), endpoint_url=shared().url))
    for body in (b"1", b"2"):
        held = target.stat("a")
        target.write("a", body, content_type="", cache_control="", if_etag=held.etag if held else None)
    assert [(state.current, state.size) for state in target.past("")] == [(True, 1)]


def test_a_store_that_refuses_is_named_with_the_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    """The advice is what to write into the policy; a bucket with too long a past is left to its own rules."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with StrictS3(versioned=True) as store:
        target = S3Target("s3", S3Target.Options(bucket=S3_BUCKET, endpoint_url=store.url))
        written(target, "db/one", b"1", b"2")
        store.faults += [Fault("LIST", 403, "AccessDenied"), Fault("DELETE", 403, "AccessDenied")]
        with pytest.raises(TargetError) as caught:
            target.past("db/")
        assert "s3:ListBucketVersions" in caught.value.advice
        with pytest.raises(TargetError) as caught:
            target.forget("db/one", "v1")
        assert "s3:DeleteObjectVersion" in caught.value.advice
        monkeypatch.setattr(s3_versions, "MOST", 1)
        with pytest.raises(TargetError, match="more than 1 versions"):
            target.past("db/")
