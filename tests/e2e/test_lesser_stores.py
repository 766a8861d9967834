"""Stores that enforce less than AWS: files are published all the same, and the run says what it does without."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.small_world import GOOD, LISTS, NEW, SmallWorld
from tests.support.strict_s3 import S3_BUCKET, StrictS3

SETTINGS = """\
jobs = "jobs"
spool = "spool"

[targets.lesser]
type = "s3"
bucket = "{bucket}"
region = "us-east-1"
endpoint_url = "{url}"
"""
KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIATESTTESTTESTTEST",
    "AWS_SECRET_ACCESS_KEY": "sentinel-secret-sentinel-secret-sentinel",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


@pytest.fixture
def store() -> Iterator[StrictS3]:
    """Give an empty store."""
    with StrictS3() as one:
        yield one


@pytest.fixture
def world(tmp_path: Path, store: StrictS3) -> SmallWorld:
    """Give a world that publishes to that store alone."""
    made = SmallWorld.create(tmp_path)
    made.write("hubdata.toml", SETTINGS.format(bucket=S3_BUCKET, url=store.url))
    return made


def test_run_says_what_it_does_without(world: SmallWorld, store: StrictS3) -> None:
    """In JSON and in text, whenever it writes; a run with nothing to write asks and says nothing."""
    store.lacks = frozenset({"creates", "replaces", "deletes", "checksums"})
    first = world.sync(env=KEYS)
    assert first.code == 0
    assert [notice.split(":")[0] for notice in first.json["notices"]] == ["target lesser"] * 3
    assert "only the lease" in first.json["notices"][0]
    assert {key: store.objects[key].body for key in LISTS} == LISTS

    idle = world.sync(env=KEYS)
    assert idle.requests("lesser") == {"LIST": 1, "GET": 2, "PUT": 0, "HEAD": 0, "DELETE": 0}
    assert idle.json["notices"] == []

    world.repo.commit({GOOD: NEW})
    told = world.run("sync", "--once", env=KEYS).stdout
    assert told.count("target lesser: the store does not") == 3, told
    assert store.objects[GOOD].body == NEW


def test_store_that_enforces_all_is_tried_once_and_not_spoken_of(world: SmallWorld, store: StrictS3) -> None:
    """Later runs know it from their listing: they ask for nothing more than before."""
    assert world.sync(env=KEYS).json["notices"] == []
    tried = [one for one in store.seen if one.key == ".hubdata/store.json"]
    assert 0 < len(tried) <= 7
    world.repo.commit({GOOD: NEW})
    assert world.sync(env=KEYS).code == 0
    assert [one for one in store.seen if one.key == ".hubdata/store.json"] == tried
