"""A real S3 store that is not AWS: Ceph's gateway, over TLS, with what it lacks.

It takes an If-Match on a delete and a SHA-256 of the body without looking at them, and knows only bare ETags in
conditions. The contract suite runs against it as well (`tests/contracts/test_targets.py`).
"""

import hashlib
import os
from pathlib import Path

import pytest

from hubdata.model.snapshot import Artifact
from hubdata.ports import Upload
from hubdata.targets.s3 import S3Target, multipart
from hubdata.targets.s3.abilities import KEY, Abilities
from hubdata.transfer.digest import multipart_etag
from tests.support import ceph
from tests.support.moto_server import CREDENTIALS
from tests.support.small_world import GOOD, LISTS, NEW, SmallWorld

pytestmark = pytest.mark.interop

SETTINGS = """\
jobs = "jobs"
spool = "spool"

[targets.ceph]
type = "s3"
bucket = "{bucket}"
region = "us-east-1"
endpoint_url = "{url}"
"""


def artifact(tmp_path: Path, size: int) -> Artifact:
    """Return an artifact of `size` bytes that are not repeated."""
    body, path = os.urandom(size), tmp_path / "big"
    path.write_bytes(body)
    sha256, md5 = hashlib.sha256(body).hexdigest(), hashlib.md5(body).hexdigest()
    return Artifact("mmdb/big.mmdb", path, size, sha256, md5, "mmdb", "application/x", "public, max-age=60", {})


def test_runs_publish_and_change_over_tls_and_say_what_they_do_without(tmp_path: Path) -> None:
    """Real processes: first run, no-op, change, deletion; what Ceph lacks is found, kept and told."""
    server = ceph.needed()
    bucket = server.bucket()
    world = SmallWorld.create(tmp_path)
    world.write("hubdata.toml", SETTINGS.format(bucket=bucket, url=server.https))
    world.edit("jobs/lists.toml", "[source]", "prune = true\n\n[source]")
    env = {**CREDENTIALS, "AWS_CA_BUNDLE": str(server.authority)}

    first = world.sync(env=env)
    assert first.code == 0, first.stdout
    held = server.objects(bucket)
    assert {key: held[key] for key in LISTS} == LISTS
    assert Abilities.from_bytes(held[KEY]) == Abilities(deletes=False, checksums=False, versions=False)
    assert len(first.json["notices"]) == 2

    idle = world.sync(env=env)
    assert (idle.code, idle.requests("ceph")["PUT"], idle.json["notices"]) == (0, 0, [])

    world.repo.commit({GOOD: NEW, "lists/more.txt": NEW, "lists/yet.txt": NEW})
    assert world.sync(env=env).puts("ceph") == [GOOD, "lists/more.txt", "lists/yet.txt"]
    (world.repo.path / "lists/more.txt").unlink()
    world.repo.commit()
    assert world.sync(env=env).code == 0
    held = server.objects(bucket)
    assert held[GOOD] == NEW
    assert "lists/more.txt" not in held


def test_object_of_66_mb_arrives_whole_over_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one put, streamed, without trailers, its ETag its MD5; and in parts, with the ETag that parts have."""
    server = ceph.needed()
    for name, value in {**CREDENTIALS, "AWS_CA_BUNDLE": str(server.authority)}.items():
        monkeypatch.setenv(name, value)
    big = artifact(tmp_path, 66_000_001)
    bucket = server.bucket()
    target = S3Target("ceph", S3Target.Options(bucket=bucket, endpoint_url=server.https))
    target.probe()
    stored = target.put(Upload(big, None))
    assert (stored.size, stored.etag) == (big.size, big.md5)

    monkeypatch.setattr(multipart, "PART_BYTES", 16 << 20)
    options = S3Target.Options(bucket=bucket, endpoint_url=server.https, multipart_over_bytes=8 << 20)
    in_parts = S3Target("ceph", options)
    in_parts.probe()
    again = in_parts.put(Upload(big, stored.etag))
    assert again.etag == multipart_etag(big.path, 16 << 20)
    body = server.client().get_object(Bucket=bucket, Key="mmdb/big.mmdb")["Body"].read()
    assert hashlib.sha256(body).hexdigest() == big.sha256
    assert server.client().list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []
