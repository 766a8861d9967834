"""A world of many jobs that publish to the same targets, and judges of what a target holds and has held.

Every job has its own directory of lists as source, so a change costs nothing but writing files. A `Bucket` is a
versioned bucket with all its past: what was ever public, in order, can be held to account.
"""

import hashlib
import http.client
import json
import shutil
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hubdata.model.key import RESERVED
from hubdata.transfer.living import is_gone
from tests.support.command import Ended
from tests.support.moto_server import CREDENTIALS, MotoServer

MANIFEST = "manifest.json"
PAGE = ("index.html", "status.json")
LEASE = ".hubdata/lease.json"
LEDGER = ".hubdata/receipts.json"
SYNC = ("sync", "--once", "--format", "json")
KEYS = {name: value for name, value in CREDENTIALS.items() if name != "AWS_DEFAULT_REGION"}

_JOB = """\
prune = true

[source]
type = "directory"
path = "../data/{name}"

[[files]]
match = "{name}/**"
kind = "cidr"
"""


def lines(number: int) -> bytes:
    """Return a good list; each number gives another."""
    return f"8.{number // 250}.{number % 250}.0/24\n9.9.9.9/32\n".encode()


@dataclass(frozen=True, slots=True)
class SharedWorld:
    """`jobs` and what their directories hold; where they publish to stands in `settings`."""

    root: Path
    jobs: tuple[str, ...]

    @classmethod
    def create(cls, root: Path, settings: str, jobs: int = 1) -> "SharedWorld":
        """Return a new world of that many jobs, their directories still empty."""
        world = cls(root, tuple(f"job{number}" for number in range(jobs)))
        for job in world.jobs:
            world.write(f"jobs/{job}.toml", _JOB.format(name=job).encode())
        world.settle(settings)
        return world

    def settle(self, settings: str) -> None:
        """Make `settings` those of all runs from now on."""
        self.write("hubdata.toml", f'jobs = "jobs"\nspool = "spool"\n{settings}'.encode())

    def write(self, path: str, body: bytes) -> None:
        """Write a file, as one act."""
        whole, draft = self.root / path, self.root / "draft"
        whole.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(body)
        draft.rename(whole)

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace a piece of a file."""
        text = (self.root / path).read_text()
        assert old in text
        self.write(path, text.replace(old, new).encode())

    def offer(self, key: str, body: bytes) -> None:
        """Have the key's job hold a file."""
        self.write(f"data/{key.partition('/')[0]}/{key}", body)

    def withdraw(self, key: str) -> None:
        """Have the key's job hold it no longer."""
        (self.root / "data" / key.partition("/")[0] / key).unlink()

    def offered(self) -> dict[str, bytes]:
        """Return what all jobs together want to be public."""
        found: dict[str, bytes] = {}
        for job in self.jobs:
            top = self.root / "data" / job
            found |= {p.relative_to(top).as_posix(): p.read_bytes() for p in top.rglob("*") if p.is_file()}
        return found

    def mirror(self, name: str = "mirror") -> dict[str, bytes]:
        """Return every file of a directory target, its private records too."""
        top = self.root / name
        return {p.relative_to(top).as_posix(): p.read_bytes() for p in top.rglob("*") if p.is_file()}

    def empty_mirror(self, name: str = "mirror") -> None:
        """Remove a directory target."""
        shutil.rmtree(self.root / name, ignore_errors=True)


def directory(name: str = "mirror") -> str:
    """Return the settings of a directory target."""
    return f'\n[targets.{name}]\ntype = "directory"\npath = "{name}"\n'


def s3(bucket: str, url: str, *, name: str = "aws", cdn: str = "none") -> str:
    """Return the settings of a bucket."""
    return (
        f'\n[targets.{name}]\ntype = "s3"\nbucket = "{bucket}"\nregion = "us-east-1"\nendpoint_url = "{url}"\n'
        f'cdn = "{cdn}"\n'
    )


def cloudfront(distribution: str, url: str, *, name: str = "edge") -> str:
    """Return the settings of a CDN."""
    return f'\n[cdns.{name}]\ntype = "cloudfront"\ndistribution_id = "{distribution}"\nendpoint_url = "{url}"\n'


def sound(ended: Ended, *codes: int) -> Ended:
    """Return `ended`, having asserted that it ended with one of `codes` (or 0) and as every run has to."""
    said = ended.stdout + ended.stderr
    assert ended.code in (codes or (0,)), said
    assert "Traceback" not in said, said
    assert "this is a bug" not in said, said
    return ended


def public(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return the data files among what a target holds."""
    return {key: body for key, body in files.items() if key not in RESERVED and not key.startswith(".hubdata/")}


def assert_holds(files: dict[str, bytes], wanted: dict[str, bytes], generation: int | None = None) -> None:
    """Assert that a target holds the `wanted` files and no others, and that its manifest tells just that."""
    assert public(files) == wanted
    manifest = json.loads(files[MANIFEST])
    named = {key: (entry["size"], entry["sha256"], entry["etag"]) for key, entry in manifest["files"].items()}
    assert named == {key: (len(body), hashlib.sha256(body).hexdigest(), md5(body)) for key, body in wanted.items()}
    if generation is not None:
        assert manifest["generation"] == generation


def assert_page(files: dict[str, bytes]) -> None:
    """Assert that the status page, in both its forms, is of the manifest in force."""
    generation = json.loads(files[MANIFEST])["generation"]
    assert json.loads(files["status.json"])["generation"] == generation
    assert f"Generation {generation}, published".encode() in files["index.html"]


def assert_settled(files: dict[str, bytes]) -> None:
    """Assert that nothing is left to be done or told, and that nobody who lives holds the lease."""
    if LEDGER in files:
        assert json.loads(files[LEDGER])["open"] == []
    lease = json.loads(files[LEASE])
    assert lease["expires_at"] <= lease["acquired_at"] or is_gone(lease["process"])


def md5(body: bytes) -> str:
    """Return the MD5 as S3 writes it."""
    return hashlib.md5(body).hexdigest()


@dataclass(slots=True)
class Bucket:
    """A versioned bucket of a real S3 server, looked at from outside."""

    cloud: MotoServer
    name: str = ""
    _s3: Any = field(default=None)

    def __post_init__(self) -> None:
        self.name = self.cloud.bucket(versioned=True)
        self._s3 = self.cloud.client("s3")

    def files(self) -> dict[str, bytes]:
        """Return every object with its bytes."""
        return self.cloud.objects(self.name)

    def open_to_all(self) -> None:
        """Let anybody read it without a signature."""
        self._s3.put_bucket_acl(Bucket=self.name, ACL="public-read")
        statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}
        policy = {"Version": "2012-10-17", "Statement": [statement | {"Resource": f"arn:aws:s3:::{self.name}/*"}]}
        self._s3.put_bucket_policy(Bucket=self.name, Policy=json.dumps(policy))

    def put(self, key: str, body: bytes) -> None:
        """Store an object, whatever is there."""
        self._s3.put_object(Bucket=self.name, Key=key, Body=body)

    def states(self, prefix: str = "") -> dict[str, list[str]]:
        """Return by key, oldest first, the ids of all its versions; an empty one is a delete marker."""
        found: dict[str, list[tuple[Any, str]]] = {}
        for page in self._s3.get_paginator("list_object_versions").paginate(Bucket=self.name, Prefix=prefix):
            for item in page.get("Versions", ()):
                found.setdefault(item["Key"], []).append((item["LastModified"], item["VersionId"]))
            for item in page.get("DeleteMarkers", ()):
                found.setdefault(item["Key"], []).append((item["LastModified"], ""))
        return {key: [version for _, version in reversed(states)] for key, states in found.items()}

    def count(self, prefix: str = "") -> dict[str, tuple[int, int]]:
        """Return by key how often it was put, and how often deleted."""
        return {key: (sum(map(bool, states)), states.count("")) for key, states in self.states(prefix).items()}

    def past(self, key: str) -> list[Any]:
        """Return every state of a JSON record, oldest first. Opens the bucket: readers need not sign, which is slow."""
        self.open_to_all()
        return [self._json(key, version) for version in self.states(key).get(key, ()) if version]

    def _json(self, key: str, version: str) -> Any:
        with closing(http.client.HTTPConnection(self.cloud.url.partition("//")[2], timeout=30)) as connection:
            connection.request("GET", f"/{self.name}/{quote(key)}?versionId={version}")
            answer = connection.getresponse()
            assert answer.status == 200, answer.status
            return json.loads(answer.read())


def assert_one_after_the_other(manifests: list[Any], leases: list[Any]) -> None:
    """Assert that generations rose one by one, and that every lease has a number of its own that is one more."""
    generations = [manifest["generation"] for manifest in manifests]
    assert generations == list(range(1, len(generations) + 1))
    fences = [lease["fence"] for lease in leases]
    assert fences == sorted(fences)
    runs = {(lease["fence"], lease["run_id"]) for lease in leases}
    assert sorted(fence for fence, _ in runs) == list(range(1, len(runs) + 1)), "a number, a run"
