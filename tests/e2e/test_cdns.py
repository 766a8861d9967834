"""CDNs before targets, whole processes over real HTTP: what they are told, what it costs, and what is left when not."""

from collections.abc import Iterator, Mapping

import pytest

from tests.support.command import Ended, hubdata
from tests.support.moto_server import CREDENTIALS, shared
from tests.support.small_world import GOOD, NEW, OTHER, OWN, WORDS, SmallWorld
from tests.support.strict_cloudflare import HOST, TOKEN, ZONE, StrictCloudflare, Trouble
from tests.support.strict_cloudfront import DISTRIBUTION, StrictCloudfront

CLOUDFLARE = f"""
cdn = "edge"

[cdns.edge]
type = "cloudflare"
zone_id = "{ZONE}"
base_url = "{HOST}"
endpoint_url = "{{url}}"
patience_s = 0
"""
CLOUDFRONT = f"""
[targets.aws]
type = "s3"
bucket = "{{bucket}}"
region = "us-east-1"
endpoint_url = "{{store}}"
cdn = "edge"

[cdns.edge]
type = "cloudfront"
distribution_id = "{DISTRIBUTION}"
endpoint_url = "{{url}}"
cache_tags = true
collapse = "never"
free_paths = 1
"""
TOKENS = {"CLOUDFLARE_API_TOKEN": TOKEN}


@pytest.fixture
def zone() -> Iterator[StrictCloudflare]:
    """Give a strict Cloudflare."""
    with StrictCloudflare() as running:
        yield running


def cdn_at(ended: Ended, target: str, job: str = "lists") -> dict[str, object]:
    """Return what a job's CDN at one target was told."""
    found: dict[str, object] = next(t["cdn"] for t in ended.job(job)["targets"] if t["target"] == target)
    return found


def loudly(small: SmallWorld, *flags: str, env: Mapping[str, str] = TOKENS) -> Ended:
    """Run `sync --once`, everything logged that can be."""
    return hubdata("sync", "--once", "--format", "json", "-vv", *flags, cwd=small.root, env=env)


def behind_cloudflare(small: SmallWorld, zone: StrictCloudflare) -> None:
    """Put the world's mirror behind Cloudflare."""
    small.write("hubdata.toml", (small.root / "hubdata.toml").read_text() + CLOUDFLARE.format(url=zone.url))


def test_cloudflare_is_told_what_changed(small: SmallWorld, zone: StrictCloudflare) -> None:
    """One changed list: its URL, the manifest's and the page's are purged, nothing else; unchanged, nobody is asked."""
    behind_cloudflare(small, zone)
    small.repo.commit({GOOD: NEW})
    plan = small.run("plan", env=TOKENS).stdout
    assert "cdn of mirror: 4 paths to forget" in plan
    assert zone.asked == 0

    ended = loudly(small, "--wait")

    assert ended.code == 0
    assert zone.purged == [HOST + key for key in (GOOD, *OWN)]
    assert cdn_at(ended, "mirror")["waited_s"] is not None
    assert TOKEN not in ended.stdout + ended.stderr
    assert small.sync(env=TOKENS).code == 0
    assert zone.asked == 1


@pytest.mark.parametrize("trouble", [Trouble(503), Trouble(429, retry_after="40"), Trouble(401, echo=True)])
def test_a_purge_that_failed_is_made_by_the_next_run(
    small: SmallWorld, zone: StrictCloudflare, trouble: Trouble
) -> None:
    """The files are public, the run ends with 7; the next one, with nothing else to do, purges the same URLs."""
    behind_cloudflare(small, zone)
    small.repo.commit({GOOD: NEW})
    zone.troubles.append(trouble)

    ended = loudly(small)

    assert ended.code == 7
    assert small.public()[GOOD] == NEW
    assert TOKEN not in ended.stdout + ended.stderr + "".join(map(str, small.mirror_files().values()))
    assert zone.purged == []
    assert small.sync(env=TOKENS).code == 0
    assert zone.purged == [HOST + key for key in (GOOD, *OWN)]


def test_without_a_token_the_purge_waits_for_one(small: SmallWorld, zone: StrictCloudflare) -> None:
    """One line names the variable; data is published all the same."""
    behind_cloudflare(small, zone)
    small.repo.commit({GOOD: NEW})
    ended = small.sync()
    assert ended.code == 7
    assert "CLOUDFLARE_API_TOKEN" in str(cdn_at(ended, "mirror")["advice"])
    assert small.sync(env=TOKENS).code == 0
    assert HOST + GOOD in zone.purged


def test_one_tag_takes_the_place_of_a_jobs_paths(small: SmallWorld) -> None:
    """Objects are put with their job's tag; when more changes than is free, CloudFront is told the tag instead."""
    cloud = shared()
    bucket = cloud.bucket()
    with StrictCloudfront(tag_header="x-amz-meta-cache-tag") as edge:
        settings = (small.root / "hubdata.toml").read_text()
        settings += CLOUDFRONT.format(bucket=bucket, store=cloud.url, url=edge.url)
        small.write("hubdata.toml", settings)
        assert small.sync(env=CREDENTIALS).code == 0
        assert [sorted(batch.paths) for batch in edge.batches] == [
            sorted(f"/{key}" for key in (GOOD, OTHER, WORDS, *OWN))
        ]
        head = cloud.client("s3").head_object(Bucket=bucket, Key=GOOD)
        assert head["Metadata"]["cache-tag"] == "hubdata:lists"

        small.repo.commit({GOOD: NEW, OTHER: b"1.1.1.0/24\n9.9.9.0/24\n"})
        plan = small.run("plan", "--target", "aws", env=CREDENTIALS).stdout
        assert "cdn of aws: 4 paths to forget, 0.015 USD beyond the 1 free one" in plan
        assert small.sync(env=CREDENTIALS).code == 0

        assert edge.batches[1].paths == ("#hubdata:lists", *(f"/{key}" for key in OWN))


def test_a_distribution_without_tags_is_told_paths(small: SmallWorld) -> None:
    """The settings ask for tags, the distribution reads none: objects go without, and the log says why."""
    cloud = shared()
    bucket = cloud.bucket()
    with StrictCloudfront() as edge:
        settings = (small.root / "hubdata.toml").read_text()
        settings += CLOUDFRONT.format(bucket=bucket, store=cloud.url, url=edge.url)
        small.write("hubdata.toml", settings)
        ended = loudly(small, env=CREDENTIALS)
        assert ended.code == 0
        assert "its CacheTagConfig names no header, not x-amz-meta-cache-tag" in ended.stderr
        assert "cache-tag" not in cloud.client("s3").head_object(Bucket=bucket, Key=GOOD)["Metadata"]
        assert len(edge.batches[0].paths) == 3 + len(OWN)
