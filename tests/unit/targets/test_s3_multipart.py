"""Files too large for one put go in parts: stored whole, checked whole, under their condition, or not at all."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from hubdata.errors import Conflict, TargetError
from hubdata.model.snapshot import Artifact
from hubdata.ports import Upload
from hubdata.targets.s3 import S3Target, multipart
from hubdata.transfer.digest import multipart_etag
from tests.support.moto_server import CREDENTIALS, shared
from tests.support.strict_s3 import S3_BUCKET, Fault, Object, StrictS3

MIB = 1 << 20
PART = 5 * MIB
BODY = os.urandom(12 * MIB + 3)


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(multipart, "PART_BYTES", PART)


@pytest.fixture
def store() -> Iterator[StrictS3]:
    """Give a strict store."""
    with StrictS3() as running:
        yield running


def target_at(url: str, bucket: str = S3_BUCKET) -> S3Target:
    """Return a target that sends in parts what is larger than 5 MiB."""
    options = S3Target.Options(bucket=bucket, endpoint_url=url, multipart_over_bytes=PART)
    return S3Target("s3", options)


def artifact(tmp_path: Path, body: bytes = BODY) -> Artifact:
    """Return an artifact with its bytes on disk."""
    path = tmp_path / hashlib.sha256(body).hexdigest()
    path.write_bytes(body)
    sha256, md5 = hashlib.sha256(body).hexdigest(), hashlib.md5(body).hexdigest()
    return Artifact("big.mmdb", path, len(body), sha256, md5, "mmdb", "application/x", "public, max-age=60", {})


def test_large_file_is_stored_whole_with_its_headers(store: StrictS3, tmp_path: Path) -> None:
    """The object has the parts' ETag, the headers of a put, and the SHA-256 it is recognised by."""
    big = artifact(tmp_path)
    stored = target_at(store.url).put(Upload(big, None))
    held = store.objects["big.mmdb"]
    assert held.body == BODY
    assert stored.etag == held.etag == multipart_etag(big.path, PART)
    assert held.headers["x-amz-meta-sha256"] == big.sha256
    assert held.headers["cache-control"] == "public, max-age=60"
    assert store.uploads.open == {}
    complete = store.seen[-1]
    assert complete.headers["if-none-match"] == "*"
    assert complete.headers["x-amz-checksum-type"] == "FULL_OBJECT"
    assert "x-amz-checksum-crc32" in complete.headers


def test_small_file_still_goes_in_one_put(store: StrictS3, tmp_path: Path) -> None:
    """Its ETag stays its MD5."""
    small = artifact(tmp_path, b"x" * PART)
    assert target_at(store.url).put(Upload(small, None)).etag == small.md5


def test_moto_stores_the_same(tmp_path: Path) -> None:
    """Another store's own idea of parts agrees with ours."""
    server, big = shared(), artifact(tmp_path)
    bucket = server.bucket()
    stored = target_at(server.url, bucket).put(Upload(big, None))
    assert server.objects(bucket)["big.mmdb"] == BODY
    assert server.client("s3").head_object(Bucket=bucket, Key="big.mmdb")["ETag"].strip('"') == stored.etag


def test_condition_is_looked_at_when_the_parts_are_put_together(store: StrictS3, tmp_path: Path) -> None:
    """Whoever wrote meanwhile is not overwritten, and the parts are gone."""
    target, big = target_at(store.url), artifact(tmp_path)

    def somebody() -> None:
        store.objects["big.mmdb"] = Object(b"theirs", {})

    store.faults.append(Fault("PUT", before=somebody, status=503, code="SlowDown"))
    with pytest.raises(Conflict):
        target.put(Upload(big, None))
    assert store.objects["big.mmdb"].body == b"theirs"
    assert store.uploads.open == {}
    stored = target.put(Upload(big, store.objects["big.mmdb"].etag))
    with pytest.raises(Conflict, match="ETag 0000"):
        target.put(Upload(artifact(tmp_path, BODY[1:]), "0" * 32))
    assert target.stat("big.mmdb") == stored


@pytest.mark.parametrize(
    "fault",
    [
        Fault("PUT", 403, "AccessDenied"),
        Fault("PUT", 400, "BadDigest"),
        Fault("POST", 400, "BadDigest", key="big.mmdb"),
    ],
    ids=["a part denied", "a part damaged", "the beginning refused"],
)
def test_upload_that_fails_leaves_nothing(store: StrictS3, tmp_path: Path, fault: Fault) -> None:
    """No object, and no parts that somebody pays for."""
    store.faults.append(fault)
    with pytest.raises(TargetError):
        target_at(store.url).put(Upload(artifact(tmp_path), None))
    assert (store.objects, store.uploads.open) == ({}, {})


def test_file_that_changed_after_its_check_is_never_put_together(store: StrictS3, tmp_path: Path) -> None:
    """Its last part is not even sent."""
    big = artifact(tmp_path)
    big.path.write_bytes(BODY[:-1] + b"?")
    with pytest.raises(TargetError, match="changed on disk"):
        target_at(store.url).put(Upload(big, None))
    assert (store.objects, store.uploads.open) == ({}, {})
    assert store.count("PUT") == 2


def test_lost_answers_are_no_failure(store: StrictS3, tmp_path: Path) -> None:
    """A part is sent again; a completed upload is recognised by the SHA-256 that it is stored with."""

    def lose_the_last() -> None:
        store.faults.append(Fault("POST", drop=True))

    store.faults.append(Fault("PUT", drop=True, before=lose_the_last))
    big = artifact(tmp_path)
    assert target_at(store.url).put(Upload(big, None)).etag == multipart_etag(big.path, PART)
    assert store.objects["big.mmdb"].body == BODY


def test_busy_completion_begins_anew(store: StrictS3, tmp_path: Path) -> None:
    """409 asks for the whole upload once more; the first one's parts are gone."""

    def meet() -> None:
        store.faults.append(Fault("POST", 409, "ConditionalRequestConflict"))

    store.faults.append(Fault("PUT", before=meet))
    target_at(store.url).put(Upload(artifact(tmp_path), None))
    assert store.objects["big.mmdb"].body == BODY
    assert store.uploads.open == {}
    assert store.count("PUT") == 6
