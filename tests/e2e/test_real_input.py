"""The main job on real input: the real data tree in a git repository, a real GeoLite2-City of 66 MB, S3 and CloudFront.

Every run is a process of its own; every server speaks over a socket. What is asserted is seen from outside hubdata.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hubdata.config.builtin import builtin_jobs_dir
from hubdata.model.key import RESERVED
from tests.support.big_mmdb import real_city_database
from tests.support.command import Ended, hubdata
from tests.support.maxmind_server import MaxmindServer
from tests.support.moto_server import MotoServer
from tests.support.proxy import Proxy
from tests.support.real import SEC_LISTS, lasting, needs_real
from tests.support.repos import Repo
from tests.support.small_world import OWN

pytestmark = needs_real

REPOSITORY = "https://github.com/crowdsecurity/sec-lists"
CITY = "mmdb_update/GeoLite2-City.mmdb"
NOT_PUBLISHED = {"README.md", "LICENSE", "test"}
SETTINGS = """\
jobs = "jobs"
spool = "spool"

[targets.aws]
type = "s3"
bucket = "{bucket}"
region = "us-east-1"
endpoint_url = "{url}"
cdn = "edge"

[targets.mirror]
type = "directory"
path = "mirror"

[cdns.edge]
type = "cloudfront"
distribution_id = "{distribution}"
endpoint_url = "{url}"
"""


@dataclass(frozen=True, slots=True)
class World:
    """Everything around one run: the repository, the vendor, the cloud behind a counting proxy, and the settings."""

    root: Path
    repo: Repo
    vendor: MaxmindServer
    cloud: MotoServer
    proxy: Proxy
    bucket: str
    distribution: str
    city: Path

    def sync(self, *flags: str) -> Ended:
        """Run `sync --once` and return what it said."""
        return self.run("sync", "--once", *flags)

    def run(self, *command: str) -> Ended:
        """Run a command with everybody's credentials and return what it said."""
        self.proxy.reset()
        credentials = {"MAXMIND_ACCOUNT_ID": "123456", "MAXMIND_LICENSE_KEY": "sentinel-licence-key"}
        return hubdata(*command, "--format", "json", cwd=self.root, env={**self.cloud.env, **credentials}, alone=True)

    def expected(self) -> dict[str, bytes]:
        """Return what must be public: every file of the commit that is not ignored by name, and the database."""
        files = (path for path in self.repo.path.rglob("*") if path.is_file())
        keys = {path.relative_to(self.repo.path).as_posix(): path.read_bytes() for path in files}
        lists = {k: v for k, v in keys.items() if not k.startswith(".") and k not in NOT_PUBLISHED}
        return {**lists, CITY: self.city.read_bytes()}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give a world that the tests of this module walk through in order, from the first run on."""
    root = tmp_path_factory.mktemp("world")
    city = real_city_database()
    repo = Repo.of_tree(root / "sec-lists", SEC_LISTS)
    with (
        MotoServer() as cloud,
        Proxy(cloud.url) as proxy,
        MaxmindServer({"GeoLite2-City": city}, account="123456", key="sentinel-licence-key") as vendor,
    ):
        bucket = cloud.bucket(versioned=True)
        distribution = cloud.distribution(bucket)
        (root / "hubdata.toml").write_text(SETTINGS.format(bucket=bucket, distribution=distribution, url=proxy.url))
        _lay_jobs(root / "jobs", repo, vendor)
        yield World(root, repo, vendor, cloud, proxy, bucket, distribution, city)


def _lay_jobs(into: Path, repo: Repo, vendor: MaxmindServer) -> None:
    """Copy the jobs that come with hubdata; no other than where their upstreams are, and how long waivers last."""
    into.mkdir()
    for path in builtin_jobs_dir().glob("*.toml"):
        text = lasting(path.read_text(encoding="utf-8")).replace(REPOSITORY, repo.path.as_uri())
        text = text.replace("https://updates.maxmind.com", vendor.url)
        text = text.replace('editions = ["GeoLite2-City", "GeoLite2-ASN"]', 'editions = ["GeoLite2-City"]')
        (into / path.name).write_text(text, encoding="utf-8")


def _mirrored(root: Path) -> dict[str, bytes]:
    mirror = root / "mirror"
    files = {p.relative_to(mirror).as_posix(): p.read_bytes() for p in mirror.rglob("*") if p.is_file()}
    return {key: body for key, body in files.items() if not key.startswith(".hubdata/")}


def test_1_the_first_run_publishes_every_claimed_file(world: World) -> None:
    """Every file arrives with its bytes at both targets, the manifests agree, and there is one invalidation."""
    ended = world.sync("--wait")
    assert ended.code == 0, ended.stdout + ended.stderr
    expected = world.expected()
    assert len(expected) == 170

    held = world.cloud.objects(world.bucket)
    public = {key: body for key, body in held.items() if not key.startswith(".hubdata/")}
    for there in (public, _mirrored(world.root)):
        manifest = json.loads(there.pop("manifest.json"))
        assert json.loads(there.pop("status.json"))["generation"] == 1
        assert 50_000 < len(there.pop("index.html")) < 100_000
        assert there == expected
        assert manifest["files"].keys() == expected.keys()
        assert manifest["generation"] == 1
        for key, entry in manifest["files"].items():
            assert entry["sha256"] == hashlib.sha256(expected[key]).hexdigest()
            assert entry["size"] == len(expected[key])

    (told,) = world.cloud.invalidations(world.distribution)
    assert set(told["Paths"]) == {f"/{key}" for key in (*expected, *OWN)}
    assert ended.puts("aws") == ended.puts("mirror") == sorted(expected)
    print(f"\nfirst run: 170 files, peak {ended.peak_mb:.0f} MB RSS, {ended.json['elapsed_s']} s")
    assert ended.peak_mb < 450, "the run with the 66 MB database must stay under 450 MB"


def test_2_objects_carry_their_digest_and_headers(world: World) -> None:
    """Each object has its SHA-256 as metadata, a content type by kind and a cache-control."""
    s3 = world.cloud.client("s3")
    for key, content_type in {
        "whitelists/cdn_providers/cloudflare_ips.txt": "text/plain; charset=utf-8",
        CITY: "application/octet-stream",
    }.items():
        head = s3.head_object(Bucket=world.bucket, Key=key, ChecksumMode="ENABLED")
        digest = hashlib.sha256(world.expected()[key])
        assert head["Metadata"]["sha256"] == digest.hexdigest()
        assert head["ContentType"] == content_type
        assert head["CacheControl"].startswith("public, max-age=")


def test_3_the_second_run_writes_nothing(world: World) -> None:
    """From a new clone with new times: no put, no byte, no invalidation; one LIST per 1,000 keys and two GETs."""
    downloads = world.vendor.count("download")
    before = world.cloud.objects(world.bucket).keys()
    ended = world.sync()
    assert ended.code == 0, ended.stdout + ended.stderr
    assert {job["outcome"] for job in ended.json["jobs"]} == {"unchanged"}
    assert ended.puts("aws") == ended.puts("mirror") == []
    assert ended.requests("aws") == {"LIST": 1, "GET": 2, "PUT": 0, "HEAD": 0, "DELETE": 0}
    assert world.proxy.counts()["requests"] == {"LIST": 1, "GET": 2}, "as seen on the wire"
    assert world.cloud.objects(world.bucket).keys() == before
    assert len(world.cloud.invalidations(world.distribution)) == 1
    assert world.vendor.count("download") == downloads, "an unchanged database is not downloaded again"


def test_4_one_changed_line_moves_one_file(world: World) -> None:
    """That file and the manifest are written, and one invalidation names just these two."""
    key = "whitelists/cdn_providers/cloudflare_ips.txt"
    path = world.repo.path / key
    versions = _versions(world)
    path.write_text(path.read_text() + "\n188.42.98.0/24\n")
    world.repo.commit(message="One more network")
    ended = world.sync()
    assert ended.code == 0, ended.stdout + ended.stderr
    assert ended.puts("aws") == ended.puts("mirror") == [key]
    assert ended.job("allowlists")["outcome"] == "published"
    assert {name for name, version in _versions(world).items() if versions.get(name) != version} == {
        key,
        "manifest.json",
        "index.html",
        "status.json",
        ".hubdata/page.json",
        ".hubdata/receipts.json",
        ".hubdata/lease.json",
        f".hubdata/runs/{ended.json['run_id']}.json",
    }
    told = world.cloud.invalidations(world.distribution)
    assert [set(one["Paths"]) for one in told[1:]] == [{f"/{name}" for name in (key, *OWN)}]
    assert world.cloud.objects(world.bucket)[key] == path.read_bytes() == _mirrored(world.root)[key]


def test_5_damage_at_a_target_is_repaired(world: World) -> None:
    """An object that somebody overwrote or deleted is put right by the next run, and nothing else is touched."""
    s3 = world.cloud.client("s3")
    drifted, lost = "web/backdoors.txt", "appsec/crs/crs-setup.conf"
    s3.put_object(Bucket=world.bucket, Key=drifted, Body=b"not what was published\n")
    s3.delete_object(Bucket=world.bucket, Key=lost)
    (world.root / "mirror" / lost).unlink()
    ended = world.sync()
    assert ended.code == 0, ended.stdout + ended.stderr
    assert ended.puts("aws") == [lost, drifted]
    assert ended.puts("mirror") == [lost]
    held = world.cloud.objects(world.bucket)
    assert (held[drifted], held[lost]) == (world.expected()[drifted], world.expected()[lost])


def test_6_a_refused_file_keeps_its_published_version(world: World) -> None:
    """A poisoned line refuses its file with line and advice, exit 3; the other change of the commit goes out."""
    poisoned, honest = "whitelists/cdn_providers/arvancloud_ips.txt", "web/trendy_cves.txt"
    before = world.cloud.objects(world.bucket)[poisoned]
    for key, line in ((poisoned, "0.0.0.0/0"), (honest, "/some/new/probe.php")):
        path = world.repo.path / key
        path.write_text(path.read_text().rstrip("\n") + f"\n{line}\n")
    world.repo.commit(message="A good line and a bad one")
    ended = world.sync()
    assert ended.code == 3, ended.stdout + ended.stderr
    assert ended.job("allowlists")["outcome"] == "refused"
    errors = [f for f in ended.job("allowlists")["findings"] if f["severity"] == "error"]
    assert {(f["key"], f["line"], f["rule"]) for f in errors} == {
        (poisoned, 13, "cidr.too-wide"),
        (poisoned, 13, "cidr.special-purpose"),
    }
    assert all(f["advice"] for f in errors)
    assert ended.puts("aws") == [honest]
    assert world.cloud.objects(world.bucket)[poisoned] == before
    world.repo.git("revert", "--no-edit", "HEAD")


def test_7_a_forced_geoip_refresh_publishes_the_database_anew(world: World) -> None:
    """`geoip refresh` alone downloads nothing when upstream is unchanged; with --force it downloads and puts again."""
    downloads = world.vendor.count("download")
    idle = world.run("geoip", "refresh")
    assert (idle.code, [job["job"] for job in idle.json["jobs"]]) == (0, ["geoip"])
    assert idle.job("geoip")["outcome"] == "unchanged"
    assert world.vendor.count("download") == downloads
    before = _versions(world)
    forced = world.run("geoip", "refresh", "--force", "--edition", "GeoLite2-City")
    assert forced.code == 0, forced.stdout + forced.stderr
    assert forced.job("geoip")["outcome"] == "published"
    assert forced.puts("aws") == forced.puts("mirror") == [CITY]
    assert world.vendor.count("download") == downloads + 1
    assert {key for key, version in _versions(world).items() if before.get(key) != version} >= {CITY, "manifest.json"}
    print(f"\nforced refresh of 66 MB: peak {forced.peak_mb:.0f} MB RSS, {forced.json['elapsed_s']} s")


def test_8_no_secret_is_left_anywhere(world: World) -> None:
    """Neither the bucket, the mirror, the spool nor any output holds a credential, even at full verbosity."""
    secrets = (b"sentinel-licence-key", world.cloud.env["AWS_SECRET_ACCESS_KEY"].encode())
    ended = world.sync("-vv")
    haystacks = [ended.stdout.encode(), ended.stderr.encode(), *world.cloud.objects(world.bucket).values()]
    haystacks += [
        p.read_bytes() for place in ("mirror", "spool") for p in (world.root / place).rglob("*") if p.is_file()
    ]
    assert not [secret for secret in secrets for text in haystacks if secret in text]


def _versions(world: World, bucket: str | None = None) -> dict[str, str]:
    pages = world.cloud.client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket or world.bucket)
    return {v["Key"]: v["VersionId"] for page in pages for v in page["Versions"] if v["IsLatest"]}


def test_a_bucket_filled_by_another_tool_is_adopted(world: World, tmp_path: Path) -> None:
    """Objects put by someone else, whole or in parts, enter the manifest; not one byte is uploaded."""
    bucket = world.cloud.bucket(versioned=True)
    s3 = world.cloud.client("s3")
    for key, body in world.expected().items():
        if key == CITY:
            _upload_in_parts(s3, bucket, key, body, part=8 << 20)
        else:
            s3.put_object(Bucket=bucket, Key=key, Body=body)
    settings = SETTINGS.format(bucket=bucket, distribution=world.cloud.distribution(bucket), url=world.proxy.url)
    (world.root / "adopt.toml").write_text(settings.replace('"mirror"', f'"{tmp_path}/mirror"'))
    before = _versions(world, bucket)
    ended = world.sync("-c", "adopt.toml", "--target", "aws")
    assert ended.code == 0, ended.stdout + ended.stderr
    assert ended.puts("aws") == []
    after = _versions(world, bucket)
    assert {key: after[key] for key in before} == before, "no object was written"
    assert all(key in RESERVED or key.startswith(".hubdata/") for key in after.keys() - before.keys())
    manifest = json.loads(world.cloud.objects(bucket)["manifest.json"])
    assert manifest["files"].keys() == world.expected().keys()
    assert world.sync("-c", "adopt.toml", "--target", "aws").requests("aws")["PUT"] == 0


def _upload_in_parts(s3: object, bucket: str, key: str, body: bytes, part: int) -> None:
    upload = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]  # type: ignore[attr-defined]
    parts = []
    for number, start in enumerate(range(0, len(body), part), 1):
        put = s3.upload_part(  # type: ignore[attr-defined]
            Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=body[start : start + part]
        )
        parts.append({"PartNumber": number, "ETag": put["ETag"]})
    s3.complete_multipart_upload(  # type: ignore[attr-defined]
        Bucket=bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}
    )
