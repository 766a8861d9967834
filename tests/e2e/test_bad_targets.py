"""Targets that cannot be read or written: exit 6 and advice, nothing half-written; other targets get their files."""

import json
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.command import Ended
from tests.support.moto_server import shared
from tests.support.small_world import GOOD, HTML, LISTS, NEW, OTHER, OWN, WORDS, SmallWorld, problem
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


def with_bucket(small: SmallWorld, url: str, bucket: str = S3_BUCKET) -> None:
    """Add a bucket to the world's targets."""
    small.write("hubdata.toml", (small.root / "hubdata.toml").read_text() + BUCKET.format(bucket=bucket, url=url))


@pytest.fixture
def store() -> Iterator[StrictS3]:
    """Give an empty store that is as strict as S3."""
    with StrictS3() as one:
        yield one


def at(ended: Ended, target: str, job: str = "lists") -> dict[str, object]:
    """Return what became of a job at one target."""
    found: dict[str, object] = next(t for t in ended.job(job)["targets"] if t["target"] == target)
    return found


# --- A bucket ---------------------------------------------------------------------------------------------------------

REGION = "<Region>eu-west-1</Region>"


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        pytest.param([Fault("LIST", 403, "AccessDenied")] * 9, ("denied", "s3:ListBucket"), id="may not list"),
        pytest.param([Fault("GET", 403, "AccessDenied")] * 9, ("denied", "s3:GetObject"), id="may not read"),
        pytest.param([Fault("PUT", 403, "AccessDenied")] * 9, ("denied", "s3:PutObject"), id="may not write"),
        pytest.param([Fault("LIST", 301, "PermanentRedirect", REGION)] * 9, ("eu-west-1", "region"), id="wrong region"),
        pytest.param(
            [Fault("LIST", 400, "AuthorizationHeaderMalformed", REGION)] * 9,
            ("eu-west-1", "region"),
            id="wrong region, told",
        ),
        pytest.param(
            [Fault("LIST", 403, "InvalidAccessKeyId")] * 9, ("credentials", "AWS_ACCESS_KEY_ID"), id="unknown key"
        ),
        pytest.param([Fault("LIST", 403, "SignatureDoesNotMatch")] * 9, ("credentials",), id="wrong secret"),
        pytest.param([Fault("LIST", 400, "ExpiredToken")] * 9, ("expired", "renew"), id="expired token"),
        pytest.param([Fault("LIST", 403, "RequestTimeTooSkewed")] * 9, ("clock", "NTP"), id="a clock that is off"),
        pytest.param([Fault("LIST", 503, "SlowDown")] * 9, ("SlowDown", "later"), id="busy"),
        pytest.param([Fault("LIST", reset=True)] * 9, ("endpoint_url",), id="hangs up"),
    ],
)
def test_a_bucket_that_refuses(small: SmallWorld, store: StrictS3, faults: list[Fault], words: tuple[str, ...]) -> None:
    """The target fails with what to change; the mirror beside it is brought up to date."""
    with_bucket(small, store.url)
    small.repo.commit({GOOD: NEW})
    store.faults.extend(faults)
    ended = small.sync(env=KEYS)
    problem(ended, "lists", 6, *words, store.url)
    assert KEYS["AWS_SECRET_ACCESS_KEY"] not in ended.stdout + ended.stderr
    assert store.objects == {}
    assert small.public()[GOOD] == NEW
    store.faults.clear()
    assert small.sync(env=KEYS).code == 0, "and the next run does all of it"
    assert {GOOD, OTHER, WORDS, "manifest.json"} <= store.objects.keys()


def test_a_busy_moment_is_waited_out(small: SmallWorld, store: StrictS3) -> None:
    """A few 503s on any request, and answers that get lost, are no failure of the run."""
    with_bucket(small, store.url)
    store.faults.extend([Fault(method, 503, "SlowDown") for method in ("LIST", "GET", "PUT")])
    store.faults.append(Fault("PUT", drop=True))
    assert small.sync(env=KEYS).code == 0
    assert {key: held.body for key, held in store.objects.items() if key in LISTS} == LISTS


def test_one_object_that_is_refused(small: SmallWorld, store: StrictS3) -> None:
    """A put that fails does not undo the others: they are in the manifest, and the next run puts what is missing."""
    with_bucket(small, store.url)
    store.faults += [Fault("PUT", 403, "AccessDenied", key=GOOD)] * 2  # what is refused is asked once more, by botocore
    ended = small.sync(env=KEYS)
    assert ended.code == 6
    named = json.loads(store.objects["manifest.json"].body)["files"].keys()
    assert len(named) == 2
    assert named < {GOOD, OTHER, WORDS}
    assert all(key in store.objects for key in named)
    again = small.sync(env=KEYS)
    assert again.code == 0
    assert {*again.puts("aws"), *named} == {GOOD, OTHER, WORDS}


def test_a_bucket_that_is_not_there(small: SmallWorld) -> None:
    """A wrong name is told as such, at a real S3 server."""
    with_bucket(small, shared().url, "no-such-bucket")
    problem(small.sync(env=KEYS), "lists", 6, "there is no such bucket", "correct `bucket`", "s3://no-such-bucket")


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://no-such-host.invalid"])
def test_an_endpoint_that_cannot_be_reached(small: SmallWorld, url: str) -> None:
    """Nobody there, or no such name: the target fails with the address it tried."""
    with_bucket(small, url)
    problem(small.sync(env=KEYS), "lists", 6, url, "`endpoint_url`")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 64\r\n\r\n" + HTML, id="HTML"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", id="nothing"),
        pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n", id="another protocol"),
    ],
)
def test_an_endpoint_that_is_no_s3(small: SmallWorld, answer: bytes) -> None:
    """Whatever else answers there, nothing is taken for an empty bucket to be filled."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    one, _ = server.accept()
                except OSError:
                    return
                with one:
                    asked.append(one.recv(65_536))
                    one.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        with_bucket(small, f"http://127.0.0.1:{server.getsockname()[1]}")
        ended = small.sync(env=KEYS)
        server.shutdown(socket.SHUT_RDWR)
        thread.join(60)  # else it might accept by a number that is another listener's by then
    problem(ended, "lists", 6, "`endpoint_url`")
    assert not [request for request in asked if request.startswith((b"PUT", b"DELETE"))]


# --- The CDN ----------------------------------------------------------------------------------------------------------

CDN = """
cdn = "edge"

[cdns.edge]
type = "cloudfront"
distribution_id = "{distribution}"
endpoint_url = "{url}"
"""


@pytest.mark.parametrize(
    ("distribution", "url", "words"),
    [
        pytest.param("E1NOTTHERE", "", ("no such distribution", "`distribution_id`"), id="no such distribution"),
        pytest.param("", "http://127.0.0.1:1", ("127.0.0.1:1", "`endpoint_url`"), id="unreachable"),
    ],
)
def test_a_cdn_that_does_not_take_it(small: SmallWorld, distribution: str, url: str, words: tuple[str, ...]) -> None:
    """Files are published, the run ends with 7 and stays so; once the CDN can be told, the next run tells it all."""
    cloud = shared()
    bucket = cloud.bucket()
    right = cloud.distribution(bucket)
    settings = (small.root / "hubdata.toml").read_text() + BUCKET.format(bucket=bucket, url=cloud.url)
    small.write("hubdata.toml", settings + CDN.format(distribution=distribution or right, url=url or cloud.url))
    for puts in ([GOOD, OTHER, WORDS], []):
        ended = small.sync(env=KEYS)
        assert ended.code == 7, ended.stdout + ended.stderr
        assert ended.puts("aws") == puts
        cdn = at(ended, "aws")["cdn"]
        assert isinstance(cdn, dict)
        assert cdn["pending"]
        assert all(word in cdn["reason"] + cdn["advice"] for word in words), cdn
    told_in_text = small.run("sync", "--once", env=KEYS).stdout
    assert told_in_text.count("error: ") == told_in_text.count("advice: ") == 1, told_in_text
    assert cloud.objects(bucket)[GOOD] == LISTS[GOOD]
    assert cloud.invalidations(right) == []

    small.write("hubdata.toml", settings + CDN.format(distribution=right, url=cloud.url))
    assert small.sync(env=KEYS).code == 0
    (told,) = cloud.invalidations(right)
    assert set(told["Paths"]) == {f"/{key}" for key in (GOOD, OTHER, WORDS, *OWN)}


# --- The manifest -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        pytest.param(lambda good: b"", ("manifest.json", "restore"), id="empty"),
        pytest.param(lambda good: good[: len(good) // 2], ("manifest.json", "restore"), id="cut short"),
        pytest.param(lambda good: HTML, ("manifest.json", "restore"), id="HTML"),
        pytest.param(lambda good: b"[]", ("manifest.json", "restore"), id="another JSON"),
        pytest.param(lambda good: b'{"schema": 1}', ("manifest.json", "restore"), id="fields missing"),
        pytest.param(lambda good: b"[" * 200_000, ("manifest.json", "restore"), id="nested deeply"),
        pytest.param(
            lambda good: good.replace(b'"size": 22', b'"size": "x"'), ("manifest.json", "restore"), id="no number"
        ),
        pytest.param(
            lambda good: good.replace(b'"schema": 1', b'"schema": 2'), ("schema", "update"), id="newer schema"
        ),
    ],
)
@pytest.mark.parametrize("target", ["mirror", "aws"])
def test_a_manifest_that_is_none(
    small: SmallWorld, store: StrictS3, target: str, damage: Callable[[bytes], bytes], words: tuple[str, ...]
) -> None:
    """Nothing is written on top of a manifest that cannot be understood, and which target it is at is told."""
    with_bucket(small, store.url)
    assert small.sync(env=KEYS).code == 0
    good = small.mirror_files()["manifest.json"]
    bad = damage(good)
    assert bad != good
    if target == "mirror":
        small.write("mirror/manifest.json", bad)
    else:
        store.objects["manifest.json"].body = bad
    small.repo.commit({GOOD: NEW})
    ended = small.sync(env=KEYS)
    assert ended.code == 6, ended.stdout
    other = "aws" if target == "mirror" else "mirror"
    told = at(ended, target)["problem"]
    assert isinstance(told, dict)
    assert f"target {target}" in told["message"]
    for word in words:
        assert word in told["message"] + told["advice"]
    assert at(ended, other)["puts"] == [GOOD]
    held = {"mirror": small.public()[GOOD], "aws": store.objects[GOOD].body}
    assert (held[target], held[other]) == (LISTS[GOOD], NEW)
    assert (small.mirror_files() if target == "mirror" else {k: o.body for k, o in store.objects.items()})[
        "manifest.json"
    ] == bad


# --- A directory ------------------------------------------------------------------------------------------------------


def _a_file(small: SmallWorld) -> None:
    shutil.rmtree(small.root / "mirror")
    small.write("mirror", b"in the way")


def _below_a_file(small: SmallWorld) -> None:
    small.edit("hubdata.toml", '"mirror"', '"hubdata.toml/mirror"')


def _a_directory_for_a_file(small: SmallWorld) -> None:
    (small.root / "mirror" / GOOD).unlink()
    (small.root / "mirror" / GOOD).mkdir()


def _a_link_out(small: SmallWorld) -> None:
    (small.root / "elsewhere").mkdir()
    shutil.rmtree(small.root / "mirror/lists")
    (small.root / "mirror/lists").symlink_to(small.root / "elsewhere")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        pytest.param(_a_file, ("mirror",), id="a file"),
        pytest.param(_below_a_file, ("mirror",), id="below a file"),
        pytest.param(_a_directory_for_a_file, ("good.txt", "remove the directory"), id="a directory for a file"),
        pytest.param(_a_link_out, ("lists", "link"), id="a link that leads out"),
    ],
)
def test_a_directory_that_cannot_be_written(
    small: SmallWorld, damage: Callable[[SmallWorld], None], words: tuple[str, ...]
) -> None:
    """What stands in the way is named; nothing of it is removed, and nothing is written through a link."""
    small.repo.commit({GOOD: NEW})
    damage(small)
    ended = small.sync()
    problem(ended, "lists", 6, *words)
    assert list(small.root.glob("elsewhere/*")) == []


MAY_MOUNT = subprocess.run(["unshare", "-rm", "true"], check=False, capture_output=True).returncode == 0
SHELL = """
mount -t tmpfs -o {options} none "$PWD/mirror" && cp -a before/. "$PWD/mirror" && {then} || exit 99
"$@"
code=$?
cp -a "$PWD/mirror" after
exit $code
"""


def mounted(small: SmallWorld, options: str, then: str) -> list[str]:
    """Return a command that runs another with a new file system at `mirror`, and leaves its content in `after`."""
    shutil.copytree(small.root / "mirror", small.root / "before")
    return ["unshare", "-rm", "sh", "-c", SHELL.format(options=options, then=then), "sh"]


@pytest.mark.skipif(not MAY_MOUNT, reason="no file system may be mounted here")
@pytest.mark.parametrize(
    ("options", "then", "words"),
    [
        pytest.param("size=128k", "true", ("No space left", "free some space"), id="full disk"),
        pytest.param("nr_inodes=20", "true", ("No space left", "free some space"), id="no inodes"),
        pytest.param("size=9m", 'mount -o remount,ro "$PWD/mirror"', ("Read-only", "writable"), id="read-only"),
    ],
)
def test_a_file_system_that_takes_no_more(small: SmallWorld, options: str, then: str, words: tuple[str, ...]) -> None:
    """The target fails with the system's reason; what was there before is whole, and no half file is public."""
    upstream = {"lists/big.txt": b"".join(f"8.{n // 256}.{n % 256}.0/24\n".encode() for n in range(10_000))}
    upstream |= {f"lists/n{number}.txt": NEW for number in range(12)}
    small.repo.commit(upstream)
    before = small.public()
    problem(small.sync(within=mounted(small, options, then)), "lists", 6, *words)
    found = (path for path in (small.root / "after").rglob("*") if path.is_file())
    after = {path.relative_to(small.root / "after").as_posix(): path.read_bytes() for path in found}
    public = {key: body for key, body in after.items() if key.startswith(("lists/", "words/"))}
    assert public.items() >= before.items()
    assert public.items() <= {**before, **upstream}.items(), "whole files only"
    assert json.loads(after["manifest.json"])["files"].keys() <= public.keys()


@pytest.mark.parametrize("kilobytes", [4, 64])
def test_a_file_size_limit(small: SmallWorld, kilobytes: int) -> None:
    """Where the system lets no file grow, spool or target say so, and no half file is public."""
    big = os.urandom(150_000).hex().encode()
    small.write("data/words/big.txt", b"\n".join(big[i : i + 60] for i in range(0, len(big), 60)) + b"\n")
    before = small.public()
    ended = small.sync(within=["bash", "-c", f'ulimit -f {kilobytes}; exec "$@"', "bash"])
    assert ended.code in (2, 5, 6), ended.stdout
    assert "File too large" in ended.stdout
    assert {key: body for key, body in small.public().items() if key in before} == before
    assert "words/big.txt" not in small.public()
    assert small.left_over() == []


# --- Several runs at once ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["mirror", "aws"])
@pytest.mark.parametrize("jobs", [("lists", "words"), ("lists", "lists"), ("lists", "lists", "words", "words")])
def test_runs_at_the_same_time(small: SmallWorld, store: StrictS3, where: str, jobs: tuple[str, ...]) -> None:
    """None loses another's files: afterwards all is there and named, and the next run has nothing to do."""
    with_bucket(small, store.url)
    if where == "mirror":
        shutil.rmtree(small.root / "mirror")
    with ThreadPoolExecutor(len(jobs)) as pool:
        runs = list(pool.map(lambda job: small.sync("--job", job, "--target", where, env=KEYS), jobs))
    assert [ended.code for ended in runs] == [0] * len(jobs), [ended.stdout for ended in runs if ended.code]
    wanted = {key for key in (GOOD, OTHER, WORDS) if key.split("/")[0] in jobs}
    held = small.mirror_files() if where == "mirror" else {key: one.body for key, one in store.objects.items()}
    assert json.loads(held["manifest.json"])["files"].keys() == wanted
    assert {key: held[key] for key in LISTS} == LISTS
    again = small.sync("--target", where, *(flag for job in set(jobs) for flag in ("--job", job)), env=KEYS)
    assert again.puts(where) == []
    assert small.left_over() == []
