"""The published status page, by the real command: in a directory, in S3 behind CloudFront, and in a lesser store."""

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.guillotine import Guillotine
from tests.support.moto_server import MotoServer, shared
from tests.support.small_world import GOOD, NEW, SETTINGS, WORDS, SmallWorld
from tests.support.strict_s3 import S3_BUCKET, Object, StrictS3
from tests.unit.report.page.reading import read

PAGE, STATUS = "index.html", "status.json"
MOST_BYTES = 100_000
THEIRS = b"<h1>Somebody else's</h1>\n"


@dataclass(frozen=True, slots=True)
class Stage:
    """A world and the one store that it publishes to, looked at from outside.

    `sent` gives the requests since it was asked last, as they came over the wire; None where there is none. `told` are
    the paths of each invalidation.
    """

    small: SmallWorld
    env: Mapping[str, str]
    files: Callable[[], dict[str, bytes]]
    put: Callable[[str, bytes], None]
    lose: Callable[[str], None]
    sent: Callable[[], list[str] | None] = lambda: None
    told: Callable[[], list[set[str]]] = list

    def sync(self, code: int = 0) -> Any:
        """Run, and return the result."""
        ended = self.small.sync(env=self.env)
        assert ended.code == code, ended.stdout + ended.stderr
        return ended.json

    def offer(self, number: int) -> None:
        """Let one file have other bytes."""
        self.small.repo.commit({GOOD: NEW + b"9.9.%d.0/24\n" % number})

    def in_force(self, generation: int) -> Any:
        """Return what `status.json` says, having asserted that it and the page are of that generation."""
        files = self.files()
        assert json.loads(files["manifest.json"])["generation"] == generation
        status = json.loads(files[STATUS])
        assert status["generation"] == generation
        assert len(files[PAGE]) < MOST_BYTES
        (header,) = read(files[PAGE].decode("ascii")).all("header")
        assert f"Generation {generation}, published" in "".join(header.itertext())
        return status


@contextlib.contextmanager
def in_directory(small: SmallWorld) -> Iterator[Stage]:
    """Give a stage that publishes to a directory."""
    mirror = small.root / "mirror"
    yield Stage(
        small,
        {},
        small.mirror_files,
        lambda key, body: small.write(f"mirror/{key}", body),
        lambda key: (mirror / key).unlink(),
    )


def settings(bucket: str, url: str, distribution: str = "") -> str:
    """Return the settings of a bucket, behind CloudFront if there is a distribution."""
    text = (
        SETTINGS.partition("[targets")[0] + f'[targets.aws]\ntype = "s3"\nbucket = "{bucket}"\nregion = "us-east-1"\n'
    )
    text += f'endpoint_url = "{url}"\n'
    if distribution:
        text += f'cdn = "edge"\n[cdns.edge]\ntype = "cloudfront"\ndistribution_id = "{distribution}"\n'
        text += f'endpoint_url = "{url}"\n'
    return text + "[lease]\nholds_s = 5\n"


@contextlib.contextmanager
def in_bucket(small: SmallWorld) -> Iterator[Stage]:
    """Give a stage that publishes to S3 behind CloudFront, with everything counted on the wire."""
    moto: MotoServer = shared()
    bucket = moto.bucket()
    distribution, s3 = moto.distribution(bucket), moto.client("s3")
    with Guillotine((moto.url,)) as proxy:
        proxy.reset()
        small.write("hubdata.toml", settings(bucket, proxy.urls[0], distribution))

        def sent() -> list[str]:
            seen = [line for line in proxy.seen if f"/{bucket}" in line]
            proxy.reset()
            return seen

        yield Stage(
            small,
            moto.env,
            lambda: moto.objects(bucket),
            lambda key, body: s3.put_object(Bucket=bucket, Key=key, Body=body),
            lambda key: s3.delete_object(Bucket=bucket, Key=key),
            sent,
            lambda: [set(each["Paths"]) for each in moto.invalidations(distribution)],
        )
        heads = {key: s3.head_object(Bucket=bucket, Key=key) for key in (PAGE, STATUS)}
        assert [head["ContentType"] for head in heads.values()] == ["text/html; charset=utf-8", "application/json"]
        assert all(head["CacheControl"].startswith("public, max-age=60, stale-") for head in heads.values())


@contextlib.contextmanager
def in_lesser_store(small: SmallWorld) -> Iterator[Stage]:
    """Give a stage that publishes to a store that enforces no condition at all."""
    with StrictS3() as store:
        store.lacks = frozenset({"creates", "replaces", "deletes", "checksums"})
        small.write("hubdata.toml", settings(S3_BUCKET, store.url))

        def sent() -> list[str]:
            seen = [f"{one.method} {one.key}" for one in store.seen]
            store.seen.clear()
            return seen

        yield Stage(
            small,
            {"AWS_ACCESS_KEY_ID": "AKIATESTTESTTESTTEST", "AWS_SECRET_ACCESS_KEY": "s", **NO_METADATA},
            lambda: {key: held.body for key, held in store.objects.items()},
            lambda key, body: store.objects.update({key: Object(body, {})}),
            store.objects.__delitem__,
            sent,
        )


NO_METADATA = {"AWS_EC2_METADATA_DISABLED": "true"}
STORES = {"directory": in_directory, "bucket": in_bucket, "lesser": in_lesser_store}


@pytest.fixture(params=STORES)
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    """Give a stage of each sort, with nothing published yet."""
    with STORES[request.param](SmallWorld.create(tmp_path)) as made:
        yield made


def test_the_page_is_there_with_each_generation_and_costs_an_unchanged_run_nothing(stage: Stage) -> None:
    """Three generations; a run between them sends three requests; a page that is lost or defaced is put back.

    The CDN is told of data, manifest and page in one request for each generation, and nothing when a page is mended.
    """
    stage.sync()
    status = stage.in_force(1)
    assert {job["job"]: job["files"] for job in status["jobs"]} == {"lists": 2, "words": 1}
    stage.offer(1)
    stage.sync()
    assert [run["jobs"][0]["puts"] for run in stage.in_force(2)["runs"]] == [1, 2]
    before = stage.files()

    stage.sent()
    result = stage.sync()
    assert {job["outcome"] for job in result["jobs"]} == {"unchanged"}
    sent = stage.sent()
    assert sent is None or len(sent) == 3, sent
    requests = {name: count for name, count in result["jobs"][0]["targets"][0]["requests"].items() if count}
    assert requests == {"LIST": 1, "GET": 2}
    assert stage.files() == before

    stage.lose(PAGE)
    stage.put(STATUS, THEIRS)
    assert {job["outcome"] for job in stage.sync()["jobs"]} == {"unchanged"}
    stage.in_force(2)
    stage.sync()
    stage.offer(2)
    stage.sync()
    stage.in_force(3)
    own = {"/manifest.json", "/index.html", "/"}
    data = [{f"/{key}" for key in (GOOD, "lists/other.txt", WORDS)} | own, {f"/{GOOD}"} | own]
    assert stage.told() in ([], [*data, data[1]])


def test_somebody_elses_page_is_left_alone(stage: Stage) -> None:
    """The run says so, in every form, and how to have hubdata's; once it is gone, hubdata's is there."""
    stage.put(PAGE, THEIRS)
    result = stage.sync()
    (notice,) = [line for line in result["notices"] if "index.html" in line]
    assert "is not hubdata's and stays as it is: remove it" in notice
    assert stage.files()[PAGE] == THEIRS
    assert json.loads(stage.files()[STATUS])["generation"] == 1
    quiet = stage.sync()
    assert not any("index.html" in line for line in quiet["notices"])
    assert sum(quiet["jobs"][0]["targets"][0]["requests"].values()) == 3
    stage.offer(1)
    text = stage.small.run("sync", "--once", env=stage.env).stdout
    assert "index.html there is not hubdata's" in " ".join(text.split())
    assert stage.files()[PAGE] == THEIRS

    stage.lose(PAGE)
    stage.sync()
    stage.in_force(2)


def test_who_wants_no_page_has_none(tmp_path: Path) -> None:
    """`publish = false` in [page], or `HUBDATA_PAGE__PUBLISH`: nothing is written, nothing looked after."""
    small = SmallWorld.create(tmp_path)
    small.write("hubdata.toml", SETTINGS + "[page]\npublish = false\n")
    assert small.sync().code == 0
    assert not {PAGE, STATUS, ".hubdata/page.json"} & small.mirror_files().keys()
    small.write("hubdata.toml", SETTINGS)
    assert small.sync(env={"HUBDATA_PAGE__PUBLISH": "false"}).code == 0
    assert PAGE not in small.mirror_files()
    assert small.sync().code == 0
    assert {PAGE, STATUS, ".hubdata/page.json"} <= small.mirror_files().keys()


def test_no_job_can_claim_the_names_of_the_page(tmp_path: Path) -> None:
    """A source that has such a file gets the finding that it gets for `manifest.json`, and the page is hubdata's."""
    small = SmallWorld.create(tmp_path)
    small.edit("jobs/words.toml", 'match = "words/*.txt"', 'match = "**"')
    for name in (PAGE, STATUS, "manifest.json"):
        small.write(f"data/{name}", "forged\n")
    ended = small.sync()
    assert ended.code == 3
    found = {row["key"]: row["rule"] for row in ended.job("words")["findings"] if row["severity"] == "error"}
    assert len(set(found.values())) == 1
    assert found.keys() == {PAGE, STATUS, "manifest.json"}
    assert b"forged" not in small.mirror_files()[PAGE]


def test_a_rollback_is_a_generation_with_a_page(tmp_path: Path) -> None:
    """It tells of the generation that the rollback made, and that it was one."""
    with in_directory(SmallWorld.create(tmp_path)) as stage:
        stage.sync()
        stage.offer(1)
        stage.sync()
        back = stage.small.run("rollback", "--to", "1", "--yes", "--job", "lists", "--format", "json")
        assert back.code == 0, back.stdout + back.stderr
        assert stage.in_force(3)["runs"][0]["command"] == "rollback --to 1"


@pytest.mark.parametrize("key", [PAGE, STATUS, ".hubdata/page.json"])
def test_a_process_that_is_killed_amid_its_page_leaves_nothing_for_a_person_to_do(tmp_path: Path, key: str) -> None:
    """Killed right before that file is written to the bucket, after the swap; the next run writes the page."""
    small = SmallWorld.create(tmp_path)
    moto, seen = shared(), []
    with in_bucket(small) as stage:
        bucket = (small.root / "hubdata.toml").read_text().partition('bucket = "')[2].partition('"')[0]
        stage.sync()
        stage.offer(1)
        with Guillotine((moto.url,)) as guillotine:

            def gate(method: str, path: str) -> int | None:
                seen.append(path)
                if method != "PUT" or path.partition("?")[0] != f"/{bucket}/{key}":
                    return None
                guillotine.fall()
                return 503

            guillotine.gate = gate
            guillotine.reset(1_000_000)
            good = (small.root / "hubdata.toml").read_text()
            small.write("hubdata.toml", good.replace(stage_url(good), guillotine.urls[0]))
            process = subprocess.Popen(
                [sys.executable, "-m", "hubdata", "sync", "--once", "-q"],
                cwd=small.root,
                env={**moto.env, "HOME": str(small.root)},
            )
            guillotine.victim(process.pid)
            assert process.wait(60) == -signal.SIGKILL
            small.write("hubdata.toml", good)
        assert json.loads(stage.files()["manifest.json"])["generation"] == 2

        stage.sync()

        stage.in_force(2)
        assert sum(stage.sync()["jobs"][0]["targets"][0]["requests"].values()) == 3


def stage_url(text: str) -> str:
    """Return the endpoint that settings name."""
    return text.partition('endpoint_url = "')[2].partition('"')[0]
