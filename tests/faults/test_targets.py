"""One run, three targets: two buckets at two S3 servers, each with a CDN of its own, and a directory.

They are served at the same time. One that hangs, refuses or is gone holds none of the others up; the run ends with 6
and says which it was; and the next run does there what is missing, and nothing anywhere else.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support import shared_target as there
from tests.support.command import Ended
from tests.support.forks import Forks
from tests.support.guillotine import Guillotine
from tests.support.moto_server import MotoServer, shared
from tests.support.ports import own_port
from tests.support.shared_target import KEYS, MANIFEST, PAGE, SYNC, Bucket, SharedWorld, lines, sound
from tests.support.strict_cloudfront import DISTRIBUTION, StrictCloudfront

FIRST = {"job0/a.txt": lines(1), "job0/b.txt": lines(2), "job1/c.txt": lines(3)}
THEN = {"job0/a.txt": lines(4), "job0/b.txt": lines(2), "job1/c.txt": lines(5), "job1/d.txt": lines(6)}
CHANGED = {"job0/a.txt", "job1/c.txt", "job1/d.txt"}
NAMES = ("one", "two", "mirror")


@dataclass(slots=True)
class Three:
    """The world, its targets, and a proxy before target `two`."""

    world: SharedWorld
    forks: Forks
    buckets: dict[str, Bucket]
    cdns: dict[str, StrictCloudfront]
    proxy: Guillotine
    counted: dict[str, dict[str, tuple[int, int]]] = field(default_factory=dict)

    def settle(self, url: str = "") -> None:
        """Let all three be the targets, `two` at `url` if that is given."""
        one, two = self.buckets["one"], self.buckets["two"]
        text = there.s3(one.name, one.cloud.url, name="one", cdn="edge-one")
        text += there.s3(two.name, url or self.proxy.urls[0], name="two", cdn="edge-two")
        text += there.directory()
        for name, cdn in self.cdns.items():
            text += there.cloudfront(DISTRIBUTION, cdn.url, name=f"edge-{name}")
        self.world.settle(text)

    def files(self, name: str) -> dict[str, bytes]:
        """Return all that a target holds."""
        return self.world.mirror() if name == "mirror" else self.buckets[name].files()

    def sync(self, *codes: int) -> Ended:
        """Run to an end with one of `codes`."""
        return sound(self.forks.run(*SYNC, cwd=self.world.root, env=KEYS), *codes)

    def assert_up_to_date(self, name: str) -> None:
        """Assert that a target holds all that is wanted now, put once, and that its CDN was told once."""
        there.assert_holds(self.files(name), THEN, generation=2)
        there.assert_settled(self.files(name))
        if name in self.buckets:
            counted = {k: puts for k, (puts, _) in self.buckets[name].count().items() if not k.startswith(".hubdata/")}
            assert {counted.pop(key) for key in PAGE} <= {2, 3}  # three times, if something broke off before the ledger
            assert counted == {"job0/a.txt": 2, "job0/b.txt": 1, "job1/c.txt": 2, "job1/d.txt": 1, MANIFEST: 2}
            paths = {f"/{key}" for key in (*CHANGED, MANIFEST, "index.html", "")}
            assert [set(batch.paths) for batch in self.cdns[name].batches[1:]] == [paths]


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    """Give cheap processes."""
    with Forks() as one:
        yield one


@pytest.fixture(scope="module")
def second() -> Iterator[MotoServer]:
    """Give an S3 server beside the shared one."""
    with MotoServer() as server:
        yield server


@pytest.fixture
def three(tmp_path: Path, forks: Forks, second: MotoServer) -> Iterator[Three]:
    """Give three targets that hold FIRST and are wanted to hold THEN."""
    with ExitStack() as stack:
        cdns = {name: stack.enter_context(StrictCloudfront()) for name in ("one", "two")}
        proxy = stack.enter_context(Guillotine((second.url,)))
        proxy.reset()
        world = SharedWorld.create(tmp_path, "", jobs=2)
        made = Three(world, forks, {"one": Bucket(shared()), "two": Bucket(second)}, cdns, proxy)
        made.settle()
        for key, body in FIRST.items():
            world.offer(key, body)
        made.sync()
        for name in NAMES:
            there.assert_holds(made.files(name), FIRST, generation=1)
        for key, body in THEN.items():
            world.offer(key, body)
        yield made


def at(ended: Ended, name: str) -> list[dict[str, object]]:
    """Return what became of each job at a target."""
    return [target for job in ended.json["jobs"] for target in job["targets"] if target["target"] == name]


def until(reached: Callable[[], bool]) -> None:
    """Return once `reached()`."""
    deadline = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def reads_only(ended: Ended, name: str) -> bool:
    """Tell whether a run wrote nothing at a target."""
    asked = ended.requests(name)
    return asked["GET"] > 0 and asked["PUT"] == asked["DELETE"] == 0


@pytest.mark.parametrize("methods", ["PUT", "GET PUT"], ids=["writes", "everything"])
def test_target_that_hangs_holds_no_other_up(three: Three, methods: str) -> None:
    """While one target answers nothing, the others are published and their CDNs told; then it gets its share too."""
    asked, release = threading.Event(), threading.Event()

    def gate(method: str, path: str) -> None:
        if method in methods:
            asked.set()
            assert release.wait(60)

    three.proxy.gate = gate
    running = three.forks.start(*SYNC, cwd=three.world.root, env=KEYS)
    try:
        assert asked.wait(60)
        until(lambda: all(there.public(three.files(name)) == THEN for name in ("one", "mirror")))
        until(lambda: len(three.cdns["one"].batches) == 2)
        three.assert_up_to_date("mirror")
        assert there.public(three.files("two")) == FIRST
        assert not running.done.done()
    finally:
        release.set()
    sound(running.ended())
    for name in NAMES:
        three.assert_up_to_date(name)


def after_ledger() -> Callable[[str, str], int | None]:
    """Return a gate that lets a run begin to write, and refuses whatever follows."""
    begun = threading.Event()

    def gate(method: str, path: str) -> int | None:
        if begun.is_set():
            return 503
        if method == "PUT" and path.partition("?")[0].endswith(there.LEDGER):
            begun.set()
        return None

    return gate


@pytest.mark.parametrize("failing", ["gone", "refuses all", "refuses all once it is written to"])
def test_target_that_fails_is_made_good_by_the_next_run(three: Three, failing: str) -> None:
    """The others are done with 6 as the exit code; the next run writes at that target alone, and just what is missing.

    One that fails when its receipt is open is told of these paths twice: nobody knew whether a put had arrived.
    """
    if failing == "gone":
        three.settle(f"http://127.0.0.1:{own_port()}")
    else:
        three.proxy.gate = after_ledger() if "once" in failing else (lambda method, path: 503)
    ended = three.sync(6)
    assert all(target["problem"] for target in at(ended, "two"))
    for name in ("one", "mirror"):
        assert not any(target["problem"] for target in at(ended, name))
        three.assert_up_to_date(name)
    assert there.public(three.files("two")) == FIRST

    three.proxy.gate = lambda method, path: None
    three.settle()
    mended = three.sync()
    assert mended.puts("two") == sorted(CHANGED)
    assert reads_only(mended, "one")
    assert reads_only(mended, "mirror")
    if "once" in failing:
        del three.cdns["two"].batches[1:-1]
    for name in NAMES:
        three.assert_up_to_date(name)


def test_single_file_that_a_target_refuses(three: Three) -> None:
    """What else was to be published there is, and named; the next run puts that one file there, and none elsewhere."""
    three.proxy.gate = lambda method, path: 503 if method == "PUT" and path.endswith("/job1/d.txt") else None
    ended = three.sync(6)
    assert [bool(target["problem"]) for target in at(ended, "two")] == [False, True]
    rest = {key: body for key, body in THEN.items() if key != "job1/d.txt"}
    there.assert_holds(three.files("two"), rest, generation=2)
    for name in ("one", "mirror"):
        three.assert_up_to_date(name)

    three.proxy.gate = lambda method, path: None
    mended = three.sync()
    assert mended.puts("two") == ["job1/d.txt"]
    assert reads_only(mended, "one")
    assert reads_only(mended, "mirror")
    there.assert_holds(three.files("two"), THEN, generation=3)
    there.assert_settled(three.files("two"))
    assert {key: three.buckets["two"].count()[key] for key in CHANGED} == {
        "job0/a.txt": (2, 0), "job1/c.txt": (2, 0), "job1/d.txt": (1, 0),
    }  # fmt: skip


def test_two_targets_that_fail_at_once(three: Three) -> None:
    """Each keeps what it had, the third is served; the next run brings both up to date."""
    three.proxy.gate = lambda method, path: 503
    mirror = three.world.root / "mirror"
    mirror.rename(three.world.root / "away")
    mirror.write_bytes(b"a file where the directory was")
    ended = three.sync(6)
    assert all(target["problem"] for name in ("two", "mirror") for target in at(ended, name))
    three.assert_up_to_date("one")

    three.proxy.gate = lambda method, path: None
    mirror.unlink()
    (three.world.root / "away").rename(mirror)
    mended = three.sync()
    assert reads_only(mended, "one")
    for name in NAMES:
        three.assert_up_to_date(name)
