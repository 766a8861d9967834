"""What a run stands on gives way amid it: disk, clock, credentials, bucket. One line, the right code, good data.

Refusals from the first request on are in `tests/e2e/test_bad_targets.py`; here the ground shifts under a run.
"""

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.command import Ended
from tests.support.small_world import GOOD, LISTS, OTHER, WORDS, SmallWorld, problem
from tests.support.strict_s3 import S3_BUCKET, Fault, StrictS3

BUCKET = """
[targets.aws]
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
ALL = (GOOD, OTHER, WORDS)


@pytest.fixture(scope="module")
def published_world(tmp_path_factory: pytest.TempPathFactory) -> SmallWorld:
    """Give a world whose first run, to a directory, went well; only ever copied."""
    world = SmallWorld.create(tmp_path_factory.mktemp("published"))
    ended = world.sync()
    assert ended.code == 0, ended.stdout + ended.stderr
    return world


@pytest.fixture
def small(published_world: SmallWorld, tmp_path: Path) -> SmallWorld:
    """Give a copy of the published world."""
    return published_world.copied(tmp_path / "world")


@pytest.fixture
def store() -> Iterator[StrictS3]:
    """Give an empty store that is as strict as S3."""
    with StrictS3() as one:
        yield one


def with_bucket(small: SmallWorld, store: StrictS3) -> None:
    """Add the bucket to the world's targets."""
    settings = (small.root / "hubdata.toml").read_text()
    small.write("hubdata.toml", settings + BUCKET.format(bucket=S3_BUCKET, url=store.url))


def lists(number: int) -> Mapping[str, bytes]:
    """Return the lists of change `number`."""
    return {key: body + f"8.{number}.4.0/24\n".encode() for key, body in LISTS.items()}


def at(ended: Ended, target: str) -> Mapping[str, object]:
    """Return what became of the job `lists` at a target."""
    found: Mapping[str, object] = next(t for t in ended.job("lists")["targets"] if t["target"] == target)
    return found


# --- The disk of the spool --------------------------------------------------------------------------------------------

MAY_MOUNT = subprocess.run(["unshare", "-rm", "true"], check=False, capture_output=True).returncode == 0
SHELL = """
mkdir -p "$PWD/spool" && mount -t tmpfs -o {options} none "$PWD/spool" && {then} || exit 99
"$@"
code=$?
ls -A "$PWD/spool" > left
exit $code
"""


@pytest.mark.skipif(not MAY_MOUNT, reason="no file system may be mounted here")
@pytest.mark.parametrize(
    ("options", "then", "code", "words"),
    [
        pytest.param("size=1m", "true", 5, ("No space left", "spool"), id="fills up amid a fetch"),
        pytest.param("size=64k", "true", 5, ("No space left", "spool"), id="has room for nothing much"),
        pytest.param("nr_inodes=6", "true", 2, ("No space left", "spool"), id="has no inodes"),
        pytest.param("nr_inodes=1", "true", 2, ("No space left", "spool"), id="has none at all"),
        pytest.param("size=1m", 'mount -o remount,ro "$PWD/spool"', 2, ("Read-only", "spool"), id="is read-only"),
    ],
)
def test_spool_without_room_fails_the_fetch_and_leaves_the_public_alone(
    small: SmallWorld, options: str, then: str, code: int, words: tuple[str, ...]
) -> None:
    """One line says that there is no space and where; nothing public is touched, nothing lies about, room heals it."""
    big = b"".join(f"# {os.urandom(8000).hex()}\n8.8.{n}.0/24\n".encode() for n in range(256))  # packs badly
    small.repo.commit({"lists/big.txt": big})
    before = small.untouched()
    script = SHELL.format(options=options, then=then)
    ended = small.sync("--job", "lists", within=["unshare", "-rm", "sh", "-c", script, "sh"])
    assert ended.code == code, ended.stdout + ended.stderr
    if ended.stderr:  # there was no spool at all, so there was no run
        assert ended.stderr.count("hubdata: error: ") == ended.stderr.count("advice: ") == 1
        assert all(word in ended.stderr for word in words), ended.stderr
    else:
        problem(ended, "lists", code, *words)
    assert small.untouched() == before
    assert not [name for name in (small.root / "left").read_text().split() if name.startswith("run-")]
    healed = small.sync("--job", "lists")
    assert healed.code == 0, healed.stdout
    assert small.public()["lists/big.txt"] == big


# --- The clock --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hours", [-2, 2])
def test_clock_two_hours_off_is_told_and_nothing_is_written(small: SmallWorld, store: StrictS3, hours: int) -> None:
    """S3 refuses what is signed at another time than its own: the target fails with advice, the mirror is served."""
    with_bucket(small, store)
    store.max_skew = timedelta(minutes=15)
    store.now = lambda: datetime.now(UTC) + timedelta(hours=hours)
    small.repo.commit(dict(lists(1)))
    ended = small.sync(env=KEYS)
    problem(ended, "lists", 6, "clock", "NTP", store.url)
    assert store.objects == {}
    assert small.public().items() >= lists(1).items()
    store.now = lambda: datetime.now(UTC)
    assert small.sync(env=KEYS).code == 0
    assert {key: store.objects[key].body for key in LISTS} == lists(1)


@pytest.mark.parametrize("hours", [-2, 2])
def test_clock_two_hours_off_at_a_store_that_does_not_mind_changes_nothing(
    small: SmallWorld, store: StrictS3, hours: int
) -> None:
    """Leases go by the store's clock, so runs of a machine whose own is wrong neither wait nor take anything over."""
    with_bucket(small, store)
    store.now = lambda: datetime.now(UTC) + timedelta(hours=hours)
    assert small.sync(env=KEYS).code == 0
    small.repo.commit(dict(lists(1)))
    assert small.sync(env=KEYS).code == 0
    assert {key: store.objects[key].body for key in LISTS} == lists(1)
    lease = json.loads(store.objects[".hubdata/lease.json"].body)
    taken = datetime.fromisoformat(lease["acquired_at"])
    assert abs(taken - store.now()) < timedelta(minutes=5)
    assert lease["fence"] == 2


# --- What a bucket may do amid a run ----------------------------------------------------------------------------------


def expire(store: StrictS3) -> None:
    """Let the credentials be over."""
    store.always = Fault("*", 400, "ExpiredToken")


def turn_back(store: StrictS3) -> None:
    """Let the store's clock jump by two hours."""
    store.now = lambda: datetime.now(UTC) + timedelta(hours=2)


def well(store: StrictS3) -> None:
    """Let all be well again."""
    store.always, store.gone = None, False
    store.now = lambda: datetime.now(UTC)
    store.arriving = lambda number: None


def from_request(store: StrictS3, number: int, happens: Callable[[StrictS3], None]) -> None:
    """Let something happen as the request comes that follows the next `number`."""
    start = len(store.seen)

    def arriving(now: int) -> None:
        if now - start > number:
            happens(store)

    store.arriving = arriving


def test_refused_from_some_request_on_the_run_fails_clean_wherever_that_is(small: SmallWorld, store: StrictS3) -> None:
    """Credentials that end, a clock that jumps: whatever was done by then, listed files are whole; a good run heals."""
    with_bucket(small, store)
    store.max_skew = timedelta(minutes=15)
    assert small.sync(env=KEYS).code == 0
    versions = {key: {body} for key, body in LISTS.items()}
    for number in range(1, 11):
        change = lists(number)
        for key, body in change.items():
            versions[key].add(body)
        small.repo.commit(dict(change))
        happens, words = ((expire, ("expired", "renew")), (turn_back, ("clock", "NTP")))[number % 2]
        from_request(store, number, happens)
        ended = small.sync(env=KEYS)
        well(store)
        if ended.code:  # giving the lease back is the last request: whether it is granted changes nothing
            problem(ended, "lists", 6, *words)
        assert number > 8 or ended.code == 6, (number, ended.stdout)
        assert small.public().items() >= change.items(), "the mirror has its files"
        held = {key: one.body for key, one in store.objects.items()}
        assert all(held[key] in versions[key] for key in LISTS)
        assert json.loads(held["manifest.json"])["files"].keys() == set(ALL)
    assert small.sync(env=KEYS).code == 0
    assert {key: store.objects[key].body for key in LISTS} == lists(10)


@pytest.mark.parametrize("number", [1, 4, 5, 7])
def test_bucket_that_is_deleted_amid_a_run(small: SmallWorld, store: StrictS3, number: int) -> None:
    """It is told that there is no such bucket; the mirror is served; in a new bucket the next run puts everything."""
    with_bucket(small, store)
    assert small.sync(env=KEYS).code == 0
    small.repo.commit(dict(lists(1)))

    def vanish(store: StrictS3) -> None:
        store.gone = True
        store.objects.clear()

    from_request(store, number, vanish)
    ended = small.sync(env=KEYS)
    problem(ended, "lists", 6, "no such bucket", "correct `bucket`")
    assert at(ended, "mirror")["problem"] is None
    assert store.objects == {}
    assert small.public().items() >= lists(1).items()
    well(store)
    assert small.sync(env=KEYS).puts("aws") == sorted(ALL)
    assert {key: store.objects[key].body for key in LISTS} == lists(1)
