"""How many requests a run sends, and how many of them one after another: what it waits for at a store far away.

The real process against a real S3 and CloudFront, whose answers come in rounds (`tests/support/rounds.py`). No times:
counts and the length of the chain are the same on every machine. docs/adr/0027 says why each round waits for the last.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.moto_server import shared
from tests.support.rounds import Rounds, diagram
from tests.support.shared_target import KEYS, SYNC, Bucket, SharedWorld, cloudfront, lines, s3

FILES = 6

SURVEY = [("GET .hubdata/receipts.json", "GET manifest.json", "LIST")]
STORE = ".hubdata/store.json"
TRIED = [
    (f"PUT {STORE}",),
    ("DELETE .hubdata/no-such-object", f"PUT {STORE}", f"PUT {STORE}", f"PUT {STORE}"),
    (f"HEAD {STORE}",),
    (f"PUT {STORE}",),
]
LEASED = [("PUT .hubdata/lease.json",)]
ENDED = [
    ("INVALIDATE",),
    ("PUT .hubdata/receipts.json",),
    ("PUT .hubdata/lease.json", "PUT .hubdata/runs/RUN.json"),
]


def published(change: str, count: int) -> list[tuple[str, ...]]:
    """Return the rounds of a publication of so many changes, its page among them."""
    return [
        ("GET .hubdata/page.json", "PUT .hubdata/receipts.json"),
        (change,) * count,
        ("PUT manifest.json",),
        ("PUT .hubdata/page.json", "PUT index.html", "PUT status.json"),
    ]


@dataclass
class Far:
    """A world whose store is far away, and the store, looked at from near."""

    world: SharedWorld
    bucket: Bucket
    proxy: Rounds

    def run(self) -> list[tuple[str, ...]]:
        """Return the rounds of one run, which ended well."""
        argv = [sys.executable, "-m", "hubdata", *SYNC]
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.world.root), **KEYS}
        with (self.world.root / "out").open("wb") as out:
            process = subprocess.Popen(argv, cwd=self.world.root, env=environment, stdout=out, stderr=out)
            rounds = self.proxy.conduct(process)
        print(f"\n{sum(map(len, rounds))} requests in {len(rounds)} rounds\n{diagram(rounds)}")
        assert process.wait() == 0, (self.world.root / "out").read_text()
        return rounds


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Far]:
    """Give a world of one job and six files, of which nothing is published yet; the tests here walk through it."""
    cloud = shared()
    bucket = Bucket(cloud)
    with Rounds(cloud.url) as proxy:
        settings = s3(bucket.name, proxy.url, cdn="edge") + cloudfront(cloud.distribution(bucket.name), proxy.url)
        world = SharedWorld.create(tmp_path_factory.mktemp("far"), settings)
        for number in range(FILES):
            world.offer(f"job0/{number}.txt", lines(number))
        yield Far(world, bucket, proxy)


def test_1_a_first_run(far: Far) -> None:
    """A store that is no AWS is tried once; then every file goes out in one round, between receipt and manifest."""
    assert far.run() == [*SURVEY, *TRIED, *LEASED, *published("PUT data", FILES), *ENDED]


def test_2_one_file_changed(far: Far) -> None:
    """One data PUT and one manifest, and around them what makes a crash or a race harmless."""
    far.world.offer("job0/3.txt", lines(100))
    assert far.run() == [*SURVEY, *LEASED, *published("PUT data", 1), *ENDED]


def test_3_files_deleted(far: Far) -> None:
    """They go after the swap, all at once."""
    far.world.withdraw("job0/0.txt")
    far.world.withdraw("job0/1.txt")
    rounds = far.run()
    assert rounds[3:-3] == [
        ("PUT manifest.json",),
        ("DELETE data", "DELETE data", "PUT .hubdata/page.json", "PUT index.html", "PUT status.json"),
    ]
    assert [*rounds[:3], *rounds[-3:]] == [*SURVEY, *LEASED, *published("", 0)[:1], *ENDED]


def test_4_nothing_changed(far: Far) -> None:
    """Three requests, all at once."""
    assert far.run() == SURVEY
