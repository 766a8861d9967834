"""What is simple about a bucket needs no botocore; whatever is not simple is declined, and then botocore is asked."""

import base64
import hashlib
import os
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hubdata.errors import TargetError
from hubdata.targets.s3 import S3Target
from hubdata.transfer import s3_listing, wire
from hubdata.transfer.s3_quick import Answer, Declined, QuickBucket, at_once
from tests.support.moto_server import CREDENTIALS, shared
from tests.support.strict_s3 import S3_BUCKET, Fault, Object, StrictS3

ROOT = Path(__file__).parents[3]
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "HOME": "/nonexistent"}


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def store() -> Iterator[StrictS3]:
    """Give a strict store."""
    with StrictS3() as running:
        yield running


def quick(url: str, bucket: str = S3_BUCKET) -> QuickBucket:
    """Return the bucket at `url`, read quickly."""
    found = QuickBucket.where_simple(bucket, "us-east-1", url, path_style=True, owner=None, environment=os.environ)
    assert found is not None
    return found


def listed(reader: QuickBucket, prefix: str = "") -> list[tuple[str, int, str]] | None:
    """Return what the reader lists; None when it declines."""
    found: list[tuple[str, int, str]] = []
    for page in reader.pages(prefix):
        if isinstance(page, Declined):
            return None
        found += page
    return found


def target(store: StrictS3) -> S3Target:
    """Return a target on the strict store that may read quickly."""
    made = S3Target("s3", S3Target.Options(bucket=S3_BUCKET, region="us-east-1", endpoint_url=store.url))
    assert made._quick is not None
    return made


def test_a_listing_and_objects_are_read(tmp_path: Path) -> None:
    """Keys, sizes, ETags and bytes are the store's, in the shape that botocore gives them."""
    server = shared()
    bucket = server.bucket(versioned=True)
    for key in ("data/a b+ü.txt", "data/b.txt", "other.txt"):
        server.client("s3").put_object(Bucket=bucket, Key=key, Body=key.encode())
    reader = quick(server.url, bucket)
    found = listed(reader, "data/")
    known = server.client("s3").list_objects_v2(Bucket=bucket, Prefix="data/")["Contents"]
    assert found == [(item["Key"], item["Size"], item["ETag"].strip('"')) for item in known]
    answer = reader.get("data/a b+ü.txt", max_bytes=100)
    head = server.client("s3").head_object(Bucket=bucket, Key="data/a b+ü.txt")
    assert answer is not None
    assert (answer.status, answer.body) == (200, "data/a b+ü.txt".encode())
    assert answer.answer == {name: head[name] for name in ("ETag", "VersionId", "ContentLength")}
    assert reader.requests() == {"LIST": 1, "GET": 1}


def test_an_absent_key_is_known_and_an_absent_bucket_declined() -> None:
    """Only `NoSuchKey` says that there is no such object; any other 404 is for botocore to explain."""
    server = shared()
    absent = quick(server.url, server.bucket()).get("nothing", max_bytes=10)
    assert absent is not None
    assert absent.status == 404
    assert quick(server.url, "no-such-bucket-at-all").get("nothing", max_bytes=10) is None
    assert listed(quick(server.url, "no-such-bucket-at-all")) is None


@pytest.mark.parametrize(
    "fault",
    [Fault("GET", reset=True), Fault("GET", cut=True), Fault("GET", drop=True), Fault("GET", 503, "SlowDown")],
)
def test_a_read_that_fails_is_asked_again_through_botocore(store: StrictS3, fault: Fault) -> None:
    """A broken line or a busy store costs a second request, and nothing else."""
    store.objects["manifest.json"] = Object(b"{}", {})
    store.faults.append(fault)
    made = target(store)
    blob = made.read("manifest.json", max_bytes=10)
    assert blob is not None
    assert (blob.body, blob.stored.etag) == (b"{}", hashlib.md5(b"{}").hexdigest())
    assert made.requests()["GET"] == store.count("GET") == 2


def test_an_object_that_is_too_large_is_refused(store: StrictS3) -> None:
    """Beyond the bound nothing is read, and the message is the usual one."""
    store.objects["manifest.json"] = Object(b"x" * 11, {})
    assert quick(store.url).get("manifest.json", max_bytes=10) is None
    with pytest.raises(TargetError, match="expected at most 10 bytes, found 11"):
        target(store).read("manifest.json", max_bytes=10)


@pytest.mark.parametrize(
    "more",
    [
        {"AWS_ACCESS_KEY_ID": ""},
        {"AWS_SECRET_ACCESS_KEY": ""},
        {"AWS_PROFILE": "p"},
        {"AWS_USE_FIPS_ENDPOINT": "true"},
        {"AWS_USE_DUALSTACK_ENDPOINT": "true"},
        {"AWS_CREDENTIAL_EXPIRATION": "2030-01-01T00:00:00Z"},
        {"HTTPS_PROXY": "http://proxy:3128"},
        {"all_proxy": "socks5://proxy:1080"},
        {"AWS_CONFIG_FILE": __file__},
        {"AWS_SHARED_CREDENTIALS_FILE": __file__},
    ],
)
def test_what_only_botocore_understands_is_left_to_it(more: dict[str, str]) -> None:
    """Profiles, proxies, other endpoints, credentials that expire: any of them and nothing is read quickly."""
    environment = KEYS | more
    for url, path_style in (("http://127.0.0.1:1", True), (None, False)):
        simple = QuickBucket.where_simple(
            "bucket", "eu-west-1", url, path_style=path_style, owner=None, environment=environment
        )
        assert simple is None


@pytest.mark.parametrize(
    ("bucket", "region", "url", "path_style", "more"),
    [
        ("bucket", None, None, False, {}),
        ("bucket", "cn-north-1", None, False, {}),
        ("bucket", "us-gov-west-1", None, False, {}),
        ("with.dots", "eu-west-1", None, False, {}),
        ("Upper", "eu-west-1", None, False, {}),
        ("bucket--use1-az4--x-s3", "us-east-1", None, False, {}),
        ("bucket", "eu-west-1", None, True, {}),
        ("bucket", "eu-west-1", "http://127.0.0.1:1", False, {}),
        ("bucket", "eu-west-1", None, False, {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1"}),
    ],
)
def test_places_that_are_not_simple_are_left_to_botocore(
    bucket: str, region: str | None, url: str | None, path_style: bool, more: dict[str, str]
) -> None:
    """Other partitions, names that are no host's, and addressing that somebody chose."""
    simple = QuickBucket.where_simple(bucket, region, url, path_style=path_style, owner=None, environment=KEYS | more)
    assert simple is None


def test_aws_itself_is_asked_at_the_buckets_own_host() -> None:
    """The host that botocore would choose, over TLS."""
    simple = QuickBucket.where_simple("bucket", "eu-west-1", None, path_style=False, owner=None, environment=KEYS)
    assert simple is not None
    assert simple._url.geturl() == "https://bucket.s3.eu-west-1.amazonaws.com"


def test_a_run_that_only_reads_never_imports_botocore() -> None:
    """That is what this module is for: a survey of a small bucket leaves botocore alone."""
    server = shared()
    bucket = server.bucket()
    code = (
        "import sys; from hubdata.targets.s3 import S3Target; "
        f"t = S3Target('a', S3Target.Options(bucket='{bucket}', region='us-east-1', endpoint_url='{server.url}')); "
        "assert t.listing() == {} and t.read('manifest.json', max_bytes=9) is None; "
        "print(sorted(m for m in sys.modules if m.partition('.')[0] in ('boto3', 'botocore', 'urllib3')))"
    )
    environment = os.environ | CREDENTIALS
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_passing_trouble_is_borne_a_while_and_a_lasting_one_not_at_all(store: StrictS3) -> None:
    """A broken line now and then costs botocore's help each time; what refuses all costs it once."""
    store.objects["a"] = Object(b"a", {})
    store.faults.extend([Fault("GET", reset=True), Fault("GET", 503, "SlowDown"), Fault("GET", cut=True)])
    reader = quick(store.url)
    tried = [(reader.get("a", max_bytes=10) is None, reader.given_up) for _ in range(4)]
    assert tried == [(True, False), (True, False), (True, False), (False, False)]
    store.faults.append(Fault("GET", 403, "SignatureDoesNotMatch"))
    assert [reader.get("a", max_bytes=10) for _ in range(2)] == [None, None]
    assert reader.given_up
    assert reader.requests() == {"GET": 5}
    weary = quick(store.url)
    store.always = Fault("GET", 500, "InternalError")
    assert [weary.get("a", max_bytes=10) for _ in range(20)] == [None] * 20
    assert weary.requests()["GET"] < 10


def test_a_store_that_never_answers_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What timed out once would time out again."""
    monkeypatch.setattr(wire, "PAUSE_TIMEOUT_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        reader = quick(f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert reader.get("a", max_bytes=10) is None
        assert reader.given_up
        assert isinstance(reader.put("a", b"a", sha256=sha256(b"a"), said={}), Declined)
        assert reader.requests() == {"GET": 1}


def test_what_was_begun_ahead_is_closed_when_nothing_more_is_tried() -> None:
    """A server that hears one connection after the other would wait for a request that never comes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        reader = quick(f"http://127.0.0.1:{server.getsockname()[1]}")
        reader.reach(2)
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(reader.get, "a", max_bytes=10)
            clients = [server.accept()[0] for _ in range(2)]
            ready, _, _ = select.select(clients, [], [], 10)
            for client in ready:
                client.recv(1 << 16)
                client.sendall(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")
            assert (answer.result(), reader.given_up) == (None, True)
        for client in clients:
            client.settimeout(10)
            assert client.recv(1) == b""
            client.close()


def test_a_listing_of_many_pages_is_read_to_its_end(store: StrictS3) -> None:
    """Each page by its token, and no page twice; a page that fails is for botocore, with all before it."""
    store.objects.update({f"d/{n:04} é+%&.txt": Object(b"x", {}) for n in range(2500)})
    reader = quick(store.url)
    found = listed(reader, "d/")
    assert found is not None
    assert [key for key, _, _ in found] == sorted(store.objects)
    assert (reader.requests(), store.count("LIST")) == ({"LIST": 3}, 3)
    store.faults.append(Fault("LIST", cut=True, before=lambda: None))
    assert listed(reader, "d/") is None
    made = target(store)
    store.faults.extend([Fault("LIST", 503, "SlowDown")])
    assert len(made.listing()) == 2500


def test_a_listing_that_turns_in_a_circle_is_declined(store: StrictS3, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that leads back is noticed, and so are pages without end."""
    body = (
        b"<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>x</NextContinuationToken>"
        b"</ListBucketResult>"
    )
    reader = quick(store.url)
    asked: list[str] = []

    def page(prefix: str, token: str) -> s3_listing.Page | None:
        asked.append(token)
        return s3_listing.read_page(body)

    monkeypatch.setattr(reader, "_page", page)
    assert listed(reader) is None
    assert (reader.given_up, asked) == (True, ["", "x"])


SAID = {
    "ContentType": "text/plain",
    "CacheControl": "public, max-age=60",
    "Metadata": {"sha256": "0" * 64, "Cache-Tag": "lists"},
    "IfNoneMatch": "*",
}


def sha256(body: bytes) -> str:
    """Return what a body is signed with."""
    return hashlib.sha256(body).hexdigest()


def test_a_put_says_all_that_botocore_would_say(store: StrictS3) -> None:
    """Type, cache control, metadata, condition, checksum and the body's hash; the answer in botocore's words."""
    checksum = base64.b64encode(hashlib.sha256(b"body").digest()).decode()
    said = SAID | {"ChecksumSHA256": checksum}
    answer = quick(store.url).put("a b.txt", b"body", sha256=sha256(b"body"), said=said)
    made = target(store)
    made._bucket.client.build().put_object(Bucket=S3_BUCKET, Key="c d.txt", Body=b"body", **said)
    ours, theirs = (one.headers for one in store.seen)
    sent_otherwise = {"authorization", "x-amz-date", "user-agent", "amz-sdk-invocation-id", "amz-sdk-request"}
    assert {name: text for name, text in ours.items() if name not in sent_otherwise} == {
        name: text for name, text in theirs.items() if name not in sent_otherwise
    }
    assert store.objects["a b.txt"] == store.objects["c d.txt"]
    assert isinstance(answer, Answer)
    assert (answer.status, answer.answer["ETag"], answer.sends) == (200, f'"{hashlib.md5(b"body").hexdigest()}"', 1)


@pytest.mark.parametrize(
    ("fault", "sent"),
    [
        (Fault("PUT", reset=True), True),
        (Fault("PUT", drop=True), True),
        (Fault("PUT", head=30), True),
        (Fault("PUT", head=60), True),
        (Fault("PUT", 500, "InternalError"), True),
        (Fault("PUT", 503, "SlowDown"), True),
        (Fault("PUT", 409, "ConditionalRequestConflict"), True),
        (Fault("PUT", 400, "BadDigest"), True),
        (Fault("PUT", 403, "AccessDenied"), True),
        (Fault("PUT", 301, "PermanentRedirect"), True),
        (Fault("PUT", 307, "TemporaryRedirect"), True),
        (Fault("PUT", 404, "NoSuchBucket"), True),
        (Fault("PUT", 412, "SomethingElse"), True),
        (Fault("PUT", 200, "InternalError"), True),
    ],
)
def test_what_is_not_plainly_stored_or_refused_is_declined(store: StrictS3, fault: Fault, sent: bool) -> None:
    """An error in the body of a 200 is an error; a refusal counts for what it says, not for its number alone."""
    store.faults.append(fault)
    answer = quick(store.url).put("a", b"a", sha256=sha256(b"a"), said=SAID)
    assert isinstance(answer, Declined)
    assert answer.sent is sent


@pytest.mark.parametrize(
    ("status", "body", "etag", "plain"),
    [
        (200, b"", '"e"', True),
        (200, b"<Error><Code>InternalError</Code></Error>", '"e"', False),
        (200, b"", '"', False),
        (200, b"", None, False),
        (204, b"", '"e"', False),
    ],
)
def test_a_put_is_done_when_a_whole_etag_says_so_and_nothing_else(
    status: int, body: bytes, etag: str | None, plain: bool
) -> None:
    """A success that goes on to speak, or says half of what it must, is none."""
    headers = {"content-length": str(len(body)), **({"etag": etag} if etag else {})}
    reply = wire.Reply(status, headers, body, 1)
    reader = quick("http://127.0.0.1:1")
    assert isinstance(reader._judged("PUT", reply, 1 << 16, trial=False), Answer) is plain


@pytest.mark.parametrize(
    "said", [{"ACL": "public-read"}, {"Metadata": {"bad name": "x"}}, {"CacheControl": "a\r\nx-amz-acl: public-read"}]
)
def test_words_that_need_care_are_botocores(store: StrictS3, said: dict[str, object]) -> None:
    """Nothing was sent, so what botocore sends is the first."""
    answer = quick(store.url).put("a", b"a", sha256=sha256(b"a"), said=said)
    assert answer == Declined(sent=False)
    assert store.seen == []


def test_a_refusal_for_a_condition_is_an_answer(store: StrictS3) -> None:
    """412, and 404 of an object that was to be replaced; a delete likewise."""
    store.objects["held"] = Object(b"theirs", {})
    reader = quick(store.url)
    wrong = {"IfMatch": "0" * 32}
    found = [
        reader.put("held", b"a", sha256=sha256(b"a"), said={"IfNoneMatch": "*"}),
        reader.put("held", b"a", sha256=sha256(b"a"), said=wrong),
        reader.put("gone", b"a", sha256=sha256(b"a"), said=wrong),
        reader.delete("held", wrong),
        reader.delete("gone", {}),
        reader.delete("held", {"IfMatch": hashlib.md5(b"theirs").hexdigest()}),
    ]
    assert [one.status for one in found if isinstance(one, Answer)] == [412, 412, 404, 412, 204, 204]
    assert store.objects == {}


def test_many_at_once_pays_only_where_answers_take_long() -> None:
    """On loopback a few threads are enough to keep a processor busy; over a line of 40 ms it takes dozens."""
    assert [at_once(seconds) for seconds in (0.0, 0.001, 0.01, 0.04, 3.0)] == [8, 8, 17, 64, 64]
