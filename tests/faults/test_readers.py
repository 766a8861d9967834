"""Readers under load: eight read without rest while twenty runs change, add, delete and refuse files.

They read from a real S3 server, and from a directory behind a plain file server. No reader may ever see half a file,
bytes that no run has proved, a file that is older than the manifest it read before, or miss a file that is named.
"""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import shared_target as there
from tests.support.forks import Forks
from tests.support.moto_server import shared
from tests.support.readers import Readers
from tests.support.shared_target import KEYS, SYNC, Bucket, SharedWorld, lines, sound

RUNS = 20
JOBS = 2
BAD = b"<!DOCTYPE html>\n<html><body>Sign in to continue</body></html>\n"
LONG_LIST = b"".join(b"9.%d.%d.0/24\n" % (n // 256, n % 256) for n in range(20_000))


class Story:
    """A world whose files change from run to run; `ages` tells of each good body when it was first offered."""

    def __init__(self, root: Path, settings: str) -> None:
        self.world = SharedWorld.create(root, settings, JOBS)
        self.ages: dict[str, dict[str, int]] = {}
        self.number = 0

    def offer(self, key: str, body: bytes) -> None:
        """Have a good file published by the next run."""
        self.ages = {**self.ages, key: {**self.ages.get(key, {}), hashlib.sha256(body).hexdigest(): self.number}}
        self.world.offer(key, body)

    def go_on(self) -> bool:
        """Change a small and a large file of each job, add one, remove one; tell whether there is a bad one among."""
        self.number += 1
        bad = self.number % 5 == 3
        for index, job in enumerate(self.world.jobs):
            body = lines(self.number * 10 + index)
            if bad and index == 0:
                self.world.offer(f"{job}/small.txt", BAD)
            else:
                self.offer(f"{job}/small.txt", body)
            self.offer(f"{job}/large.txt", body.splitlines(keepends=True)[0] + LONG_LIST)
            self.offer(f"{job}/new-{self.number}.txt", body)
            if self.number > 2:
                self.world.withdraw(f"{job}/new-{self.number - 2}.txt")
        return bad


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    """Give cheap processes."""
    with Forks() as one:
        yield one


@contextmanager
def served(directory: Path) -> Iterator[str]:
    """Give the URL of a file server that is Python's own, in another process."""
    command = [sys.executable, "-u", "-m", "http.server", "--bind", "127.0.0.1", "--directory", str(directory), "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        words = process.stdout.readline().split()
        yield f"http://127.0.0.1:{words[words.index('port') + 1]}"
        process.stdout.close()
    finally:
        process.kill()
        process.wait()


def told(story: Story, forks: Forks, url: str, held: Callable[[], dict[str, bytes]]) -> None:
    """Tell the story to eight readers."""
    root = story.world.root
    story.go_on()
    sound(forks.run(*SYNC, cwd=root, env=KEYS))
    with Readers(url, story.ages) as readers:
        for run in range(RUNS):
            bad = story.go_on()
            readers.ages = story.ages
            if run % 4:
                sound(forks.run(*SYNC, cwd=root, env=KEYS), 3 if bad else 0)
            else:  # the jobs apart, at the same time
                both = [forks.start(*SYNC, "--job", job, cwd=root, env=KEYS, poll_s=0.03) for job in story.world.jobs]
                for one in both:
                    sound(one.ended(), 0, 3 if bad else 0)
            if run % 3 == 2:  # between the others nobody waits for anybody
                readers.until(json.loads(held()["manifest.json"])["generation"])
            assert not readers.wrong, readers.wrong[:5]
        last = RUNS + 1 + len(range(0, RUNS, 4))
        readers.until(last)
        readers.until_fetched(10 * readers.count + 1)
    assert not readers.wrong, readers.wrong[:5]
    assert len(readers.generations) > 5, "they saw it change"
    there.assert_holds(held(), story.world.offered(), generation=last)


def test_readers_of_a_bucket(tmp_path: Path, forks: Forks) -> None:
    """Eight readers of a bucket see nothing but whole, proved, ever newer files, as the manifest has them."""
    bucket = Bucket(shared())
    story = Story(tmp_path, there.s3(bucket.name, bucket.cloud.url))
    bucket.open_to_all()
    told(story, forks, f"{bucket.cloud.url}/{bucket.name}", bucket.files)


def test_readers_of_a_directory(tmp_path: Path, forks: Forks) -> None:
    """So do eight readers of a web server that knows nothing of hubdata."""
    story = Story(tmp_path, there.directory())
    (tmp_path / "mirror").mkdir()
    with served(tmp_path / "mirror") as url:
        told(story, forks, url, story.world.mirror)


@pytest.mark.parametrize(
    ("key", "body", "word"),
    [
        pytest.param("job0/small.txt", lines(10)[:7], "proved", id="half a file"),
        pytest.param("job0/small.txt", BAD, "proved", id="bad bytes"),
        pytest.param("job0/small.txt", lines(10), "state 1", id="an older file"),
        pytest.param(
            "manifest.json", b'{"generation": 1, "files": {}}', "generation 1 after 2", id="an older manifest"
        ),
        pytest.param("job0/small.txt", None, "missing", id="a file that is missing"),
    ],
)
def test_readers_notice(tmp_path: Path, forks: Forks, key: str, body: bytes | None, word: str) -> None:
    """The readers can complain: each thing that they must never see is shown to them once."""
    story = Story(tmp_path, there.directory())
    for _ in range(2):
        story.go_on()
        sound(forks.run(*SYNC, cwd=tmp_path, env=KEYS))
    with served(tmp_path / "mirror") as url, Readers(url, story.ages, count=1) as readers:
        readers.until(2)
        path = tmp_path / "mirror" / key
        if body is None:
            path.unlink()
        else:
            story.world.write("spoilt", body)
            (tmp_path / "spoilt").rename(path)
        for _ in range(500):
            if readers.wrong or readers.resting:
                break
    assert word in " ".join(readers.wrong)
