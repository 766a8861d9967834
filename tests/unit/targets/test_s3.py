"""What only S3 can show: headers, checksums, lost answers, busy stores, and what is said when it refuses."""

import base64
import hashlib
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from hubdata.errors import Conflict, TargetError
from hubdata.model.snapshot import Artifact
from hubdata.ports import Archive, Upload
from hubdata.targets.s3 import S3Target, writing
from hubdata.targets.s3 import target as s3
from hubdata.transfer.digest import VerifiedReader
from tests.support.moto_server import CREDENTIALS, shared
from tests.support.strict_s3 import S3_BUCKET, Fault, Object, StrictS3


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def store() -> Iterator[StrictS3]:
    """Give a strict store."""
    with StrictS3() as running:
        yield running


@pytest.fixture(params=["us-east-1", None], ids=["quick", "botocore"])
def region(request: pytest.FixtureRequest) -> str | None:
    """Give a region, with which all is simple; or none, which leaves the store to botocore."""
    found: str | None = request.param
    return found


@pytest.fixture
def target(store: StrictS3, region: str | None) -> S3Target:
    """Give a target on the strict store that goes one way to it or the other."""
    made = S3Target("s3", S3Target.Options(bucket=S3_BUCKET, region=region, endpoint_url=store.url))
    assert (made._quick is not None) is (region is not None)
    return made


def artifact_of(tmp_path: Path, body: bytes = b"1.2.3.0/24\n", key: str = "lists/a.txt") -> Artifact:
    """Return an artifact with its bytes on disk."""
    path = tmp_path / "body"
    path.write_bytes(body)
    sha256, md5 = hashlib.sha256(body).hexdigest(), hashlib.md5(body).hexdigest()
    return Artifact(key, path, len(body), sha256, md5, "cidr", "text/plain", "public, max-age=60", {})


def test_a_put_carries_headers_checksum_and_digest(store: StrictS3, target: S3Target, tmp_path: Path) -> None:
    """Each object is sent with its whole SHA-256 as a plain header, and how it is to be served; no ACL, no trailer."""
    artifact = artifact_of(tmp_path)
    target.put(Upload(artifact, None))
    headers = store.seen[0].headers
    assert headers["x-amz-checksum-sha256"] == base64.b64encode(bytes.fromhex(artifact.sha256)).decode()
    assert headers["x-amz-content-sha256"] == artifact.sha256
    assert headers["content-type"] == "text/plain"
    assert headers["cache-control"] == "public, max-age=60"
    assert headers["x-amz-meta-sha256"] == artifact.sha256
    assert headers["if-none-match"] == "*"
    assert not {"x-amz-acl", "x-amz-trailer", "content-encoding", "expect"} & set(headers)


def test_a_large_file_is_read_once_for_signature_and_body(
    store: StrictS3, target: S3Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The signed digest of a large body is the artifact's, and the one pass that sends it is checked against that."""
    monkeypatch.setattr(s3, "SMALL_BYTES", 1000)
    artifact = artifact_of(tmp_path, b"1.2.3.0/24\n" * 100_000)
    read = 0

    def counting(file: VerifiedReader, size: int | None = -1) -> bytes:
        nonlocal read
        body = whole_read(file, size)
        read += len(body)
        return body

    whole_read = VerifiedReader.read
    monkeypatch.setattr(VerifiedReader, "read", counting)
    target.put(Upload(artifact, None))
    assert read == artifact.size
    assert store.seen[-1].headers["x-amz-content-sha256"] == artifact.sha256
    assert store.objects[artifact.key].body == artifact.path.read_bytes()


def test_a_large_file_that_changed_since_it_was_checked_is_not_stored(
    store: StrictS3, target: S3Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its digest is signed before it is read, so the bytes that differ are never sent to the end, nor sent again."""
    monkeypatch.setattr(s3, "SMALL_BYTES", 1000)
    artifact = artifact_of(tmp_path, b"1.2.3.0/24\n" * 100_000)
    body = bytearray(artifact.path.read_bytes())
    body[500_000] ^= 1
    artifact.path.write_bytes(body)
    with pytest.raises(TargetError, match="changed on disk") as caught:
        target.put(Upload(artifact, None))
    assert caught.value.advice == "nothing was stored: run again"
    assert store.objects == {}
    assert target.requests()["PUT"] == 1


def test_a_change_is_sent_under_if_match(store: StrictS3, target: S3Target, tmp_path: Path) -> None:
    """A replacement names the ETag that it was planned against."""
    first = target.put(Upload(artifact_of(tmp_path, b"one"), None))
    target.put(Upload(artifact_of(tmp_path, b"two"), first.etag))
    assert store.seen[1].headers["if-match"].strip('"') == first.etag
    assert "if-none-match" not in store.seen[1].headers


def test_versions_and_headers_are_kept_by_a_versioned_bucket(tmp_path: Path) -> None:
    """The version id is recorded, and the object is served with the job's headers."""
    server, artifact = shared(), artifact_of(tmp_path)
    bucket = server.bucket(versioned=True)
    target = S3Target("s3", S3Target.Options(bucket=bucket, endpoint_url=server.url, prefix="/data/"))
    stored = target.put(Upload(artifact, None))
    head = server.client("s3").head_object(Bucket=bucket, Key="data/lists/a.txt")
    assert stored.version_id == head["VersionId"]
    assert head["CacheControl"] == "public, max-age=60"
    assert head["ContentType"] == "text/plain"
    assert head["Metadata"] == {"sha256": artifact.sha256}
    assert server.objects(bucket) == {"data/lists/a.txt": b"1.2.3.0/24\n"}


def test_the_past_of_an_object_is_read_by_version() -> None:
    """The newest version first, of this key alone; each gives the bytes that were public then."""
    server = shared()
    bucket = server.bucket(versioned=True)
    target = S3Target("s3", S3Target.Options(bucket=bucket, endpoint_url=server.url, prefix="data"))
    etag = None
    for body in (b"one", b"two"):
        etag = target.write("a", body, content_type="x/y", cache_control="", if_etag=etag).etag
    target.write("ab", b"another", content_type="x/y", cache_control="", if_etag=None)

    versions = target.history("a")

    blobs = [target.read("a", max_bytes=10, version_id=version) for version in versions]
    assert [blob and blob.body for blob in blobs] == [b"two", b"one"]
    assert isinstance(target, Archive)
    assert target.history("absent") == ()


def test_only_keys_below_the_prefix_are_seen(tmp_path: Path) -> None:
    """Neighbours whose names merely begin alike are not ours, and folder markers are no objects."""
    server = shared()
    bucket = server.bucket()
    for key in ("data/a.txt", "data/", "data/sub/", "database/b.txt", "c.txt"):
        server.client("s3").put_object(Bucket=bucket, Key=key, Body=b"")
    target = S3Target("s3", S3Target.Options(bucket=bucket, endpoint_url=server.url, prefix="data"))
    assert list(target.listing()) == ["a.txt"]


def test_a_lost_answer_is_recognised(store: StrictS3, target: S3Target, tmp_path: Path) -> None:
    """The store took the object but its answer was lost: the retry meets 412 and finds its own bytes. Nobody fails."""
    store.faults.append(Fault("PUT", drop=True))
    stored = target.put(Upload(artifact_of(tmp_path), None))
    assert stored.etag == hashlib.md5(b"1.2.3.0/24\n").hexdigest()
    assert (store.count("PUT"), store.count("HEAD")) == (2, 1)
    assert target.requests()["PUT"] == 2


def test_a_lost_answer_to_a_write_is_recognised(store: StrictS3, target: S3Target) -> None:
    """So for the manifest, whose swap must not be taken for somebody else's."""
    store.faults.append(Fault("PUT", drop=True))
    target.write("manifest.json", b"{}", content_type="application/json", cache_control="", if_etag=None)
    assert store.objects["manifest.json"].body == b"{}"


def test_another_writer_during_a_lost_answer_is_a_conflict(store: StrictS3, target: S3Target, tmp_path: Path) -> None:
    """A retry that meets other bytes than its own says so."""

    def somebody() -> None:
        store.objects["lists/a.txt"] = Object(b"theirs", {})

    store.faults.append(Fault("PUT", reset=True, before=somebody))
    with pytest.raises(Conflict, match="somebody else"):
        target.put(Upload(artifact_of(tmp_path), None))
    assert store.objects["lists/a.txt"].body == b"theirs"


def test_a_write_that_crossed_the_end_of_its_connection_may_have_met_itself(store: StrictS3) -> None:
    """The store closed a connection that was kept, having done the work or not: sent again, and recognised, at once."""
    target = S3Target("s3", S3Target.Options(bucket=S3_BUCKET, region="us-east-1", endpoint_url=store.url))
    for name, fault in (("done", Fault("PUT", drop=True)), ("not-done", Fault("PUT", reset=True))):
        target.listing()  # leaves a connection
        store.faults.append(fault)
        body = name.encode()
        stored = target.write(name, body, content_type="x/y", cache_control="", if_etag=None)
        assert (stored.etag, store.objects[name].body) == (hashlib.md5(body).hexdigest(), body)
    assert target.requests()["PUT"] == store.count("PUT") == 4
    assert target._bucket.client._client is None, "botocore was not needed"


def test_a_write_that_crossed_the_end_of_its_connection_may_have_met_another(store: StrictS3) -> None:
    """What lies there then is somebody else's, and stays."""
    target = S3Target("s3", S3Target.Options(bucket=S3_BUCKET, region="us-east-1", endpoint_url=store.url))

    def somebody() -> None:
        store.objects["lease"] = Object(b"theirs", {})

    target.listing()
    store.faults.append(Fault("PUT", reset=True, before=somebody))
    with pytest.raises(Conflict, match="somebody else"):
        target.write("lease", b"ours", content_type="x/y", cache_control="", if_etag=None)
    assert store.objects["lease"].body == b"theirs"


def test_a_busy_store_is_asked_more_slowly_and_by_fewer(
    store: StrictS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 is waited for before botocore asks again, and halves the connections for the rest of the run."""
    waits: list[int] = []
    monkeypatch.setattr(writing, "pause", waits.append)
    target = S3Target("s3", S3Target.Options(bucket=S3_BUCKET, region="us-east-1", endpoint_url=store.url))
    assert target._quick is not None
    before = target._quick._wire._most
    store.faults.append(Fault("PUT", 503, "SlowDown"))
    target.put(Upload(artifact_of(tmp_path), None))
    assert (waits, target._quick._wire._most) == ([1], before // 2)
    assert store.count("PUT") == 2


def test_the_pace_is_the_lines(store: StrictS3) -> None:
    """Before any answer, and where botocore is asked, 32 at once; then as many as the fastest answer is worth."""
    target = S3Target("s3", S3Target.Options(bucket=S3_BUCKET, region="us-east-1", endpoint_url=store.url))
    assert target._quick is not None
    assert target.concurrency == 32
    target.listing()
    assert 8 <= target.concurrency <= 64
    target._quick._wire._fastest_s = 0.04
    assert target.concurrency == 64
    store.faults.append(Fault("LIST", 403, "AccessDenied"))
    target.listing()
    assert (target._quick.given_up, target.concurrency) == (True, 32)


def test_busy_conditional_writes_are_repeated(store: StrictS3, target: S3Target, tmp_path: Path) -> None:
    """409 means that two conditional writes met, not that ours lost: it is sent again."""
    store.faults.extend([Fault("PUT", 409, "ConditionalRequestConflict")] * 2)
    target.put(Upload(artifact_of(tmp_path), None))
    assert store.count("PUT") == 3


def test_endless_409_is_a_conflict(
    store: StrictS3, target: S3Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attempts are bounded."""
    monkeypatch.setattr(writing, "pause", lambda attempt: None)
    store.faults.extend([Fault("PUT", 409, "ConditionalRequestConflict")] * 9)
    with pytest.raises(Conflict):
        target.put(Upload(artifact_of(tmp_path), None))
    assert store.count("PUT") == 5


def test_a_slow_store_is_asked_again(store: StrictS3, target: S3Target, tmp_path: Path) -> None:
    """503 and resets pass: the object arrives, streamed bodies from their start."""
    store.faults.extend([Fault("PUT", 503, "SlowDown"), Fault("PUT", reset=True)])
    body = bytes(range(256)) * (9 << 12)
    target.put(Upload(artifact_of(tmp_path, body), None))
    assert store.objects["lists/a.txt"].body == body
    assert target.requests()["PUT"] == 3


def test_a_body_cut_while_read_is_read_again(store: StrictS3, target: S3Target) -> None:
    """A manifest whose transfer broke off is fetched again, never used in part."""
    store.objects["manifest.json"] = Object(b"0123456789", {})
    store.faults.append(Fault("GET", cut=True))
    blob = target.read("manifest.json", max_bytes=100)
    assert blob is not None
    assert blob.body == b"0123456789"
    assert store.count("GET") == 2


def test_a_store_that_keeps_other_bytes_is_found_out(store: StrictS3, target: S3Target, tmp_path: Path) -> None:
    """An ETag that is not the MD5 of what was sent stops the run."""
    store.etag_of = lambda held: "0" * 32
    with pytest.raises(TargetError, match="the store answered 0000") as caught:
        target.put(Upload(artifact_of(tmp_path), None))
    assert "do not trust" in caught.value.advice
    store.objects["m"] = Object(b"x", {})
    with pytest.raises(TargetError, match="do not match its ETag"):
        target.read("m", max_bytes=10)


@pytest.mark.parametrize("bytes_of_head", [60, 70, 80, 95])
def test_headers_that_break_off_are_asked_for_again(
    store: StrictS3, target: S3Target, tmp_path: Path, bytes_of_head: int
) -> None:
    """A put answered with half an ETag, or none, is not taken for done: the next answer is, and the ETag is whole."""
    store.faults.append(Fault("PUT", head=bytes_of_head))
    artifact = artifact_of(tmp_path)
    stored = target.put(Upload(artifact, None))
    assert stored.etag == artifact.md5
    store.faults.append(Fault("HEAD", head=bytes_of_head))
    assert target.stat(artifact.key) == stored


def test_kms_etags_are_not_compared(store: StrictS3, target: S3Target, tmp_path: Path) -> None:
    """Under KMS the ETag is no MD5: it is recorded, and lost answers are recognised by the SHA-256 in the metadata."""
    store.etag_of = lambda held: hashlib.md5(b"kms" + held.body).hexdigest()
    store.answer_headers["x-amz-server-side-encryption"] = "aws:kms"
    store.faults.append(Fault("PUT", drop=True))
    artifact = artifact_of(tmp_path)
    stored = target.put(Upload(artifact, None))
    assert stored.etag != artifact.md5
    with pytest.raises(Conflict):
        target.put(Upload(artifact_of(tmp_path, b"10.0.0.0/8\n"), None))


@pytest.mark.parametrize(
    ("status", "code", "extra", "message", "advice"),
    [
        (403, "AccessDenied", "", "PutObject was denied", "grant s3:PutObject .* on arn:aws:s3:::strict/"),
        (400, "ExpiredToken", "", "credentials have expired", "sign in again"),
        (403, "InvalidAccessKeyId", "", "credentials are not valid", "AWS_ACCESS_KEY_ID"),
        (403, "SignatureDoesNotMatch", "", "credentials are not valid", "AWS_SECRET_ACCESS_KEY"),
        (403, "RequestTimeTooSkewed", "", "clock", "NTP"),
        (404, "NoSuchBucket", "", "no such bucket", "create it"),
        (400, "BadDigest", "", "BadDigest", "run again"),
        (501, "NotImplemented", "", "NotImplemented", "as it says"),
        (301, "PermanentRedirect", "<Region>eu-west-3</Region>", "region eu-west-1 but in eu-west-3", "`region`"),
    ],
)
def test_refusals_are_one_line_with_advice(
    store: StrictS3, tmp_path: Path, status: int, code: str, extra: str, message: str, advice: str
) -> None:
    """Each way S3 refuses names store and cause on one line, says what to do, and holds no secret."""
    options = S3Target.Options(bucket=S3_BUCKET, endpoint_url=store.url, region="eu-west-1")
    store.faults.extend([Fault("PUT", status, code, extra)] * 9)
    with pytest.raises(TargetError, match=message) as caught:
        S3Target("s3", options).put(Upload(artifact_of(tmp_path), None))
    said = f"{caught.value} {caught.value.advice}"
    assert f"s3://{S3_BUCKET}/lists/a.txt at {store.url}" in said
    assert "\n" not in said
    assert CREDENTIALS["AWS_SECRET_ACCESS_KEY"] not in said
    assert caught.value.exit_code == 6
    assert re.search(advice, caught.value.advice)


def test_an_absent_bucket_is_said_by_every_method(store: StrictS3, region: str | None, tmp_path: Path) -> None:
    """None of them takes an absent bucket for an absent object."""
    target = S3Target("s3", S3Target.Options(bucket="absent", region=region, endpoint_url=store.url))
    calls: list[Callable[[], object]] = [
        target.listing,
        lambda: target.read("a", max_bytes=1),
        lambda: target.put(Upload(artifact_of(tmp_path), None)),
        lambda: target.delete("a"),
        lambda: target.delete("a", if_etag="0" * 32),
    ]
    for call in calls:
        with pytest.raises(TargetError, match="no such bucket"):
            call()


def test_missing_credentials_are_said(store: StrictS3, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without credentials nothing is sent, and the variables to set are named."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    target = S3Target("s3", S3Target.Options(bucket=S3_BUCKET, endpoint_url=store.url))
    with pytest.raises(TargetError, match="no complete AWS credentials") as caught:
        target.listing()
    assert "AWS_ACCESS_KEY_ID" in caught.value.advice
    assert store.seen == []


def test_an_unreachable_endpoint_is_said(region: str | None) -> None:
    """A closed port is a network error that may pass."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(TargetError, match="got no whole answer") as caught:
            S3Target("s3", S3Target.Options(bucket="b-1", region=region, endpoint_url=url)).listing()
    assert url in str(caught.value)
    assert caught.value.retryable


def test_something_that_is_not_s3_is_said(store: StrictS3, region: str | None) -> None:
    """TLS spoken to a plain port fails with a word on certificates, not with a traceback."""
    url = store.url.replace("http:", "https:")
    with pytest.raises(TargetError, match="TLS failed") as caught:
        S3Target("s3", S3Target.Options(bucket="b-1", region=region, endpoint_url=url)).listing()
    assert "AWS_CA_BUNDLE" in caught.value.advice


def test_an_answer_without_an_etag_is_not_s3(store: StrictS3, target: S3Target, tmp_path: Path) -> None:
    """A web server that says 200 to everything is not taken for a store."""
    store.etag_of = lambda held: ""
    with pytest.raises(TargetError, match="without an ETag"):
        target.put(Upload(artifact_of(tmp_path), None))


@pytest.mark.parametrize(
    "settings",
    [
        {"bucket": "b-1", "endpoint_url": "http://user:secret@host"},
        {"bucket": "b-1", "endpoint_url": "ftp://host"},
        {"bucket": "b-1", "prefix": "a/../b"},
        {"bucket": "b-1", "prefix": "a//b"},
        {"bucket": "b/1"},
        {"bucket": "b-1", "unknown": 1},
        {"bucket": "b-1", "expected_bucket_owner": "me"},
        {},
    ],
)
def test_wrong_options_are_refused(settings: dict[str, object]) -> None:
    """Unknown names, credentials in URLs and unsafe prefixes are configuration errors."""
    with pytest.raises(ValidationError):
        S3Target.Options.model_validate(settings)


def test_empty_options_count_as_unset() -> None:
    """The settings file may show every name with an empty value."""
    options = S3Target.Options.model_validate({"bucket": "b-1", "prefix": "", "region": "", "endpoint_url": ""})
    assert (options.prefix, options.region, options.endpoint_url) == ("", None, None)
    assert S3Target("s3", options.model_copy(update={"prefix": "x/"})).key_prefix == "x/"


def test_the_owner_is_named_on_each_request(store: StrictS3) -> None:
    """A bucket that changed hands is not written to."""
    owner = "123456789012"
    options = S3Target.Options(bucket=S3_BUCKET, endpoint_url=store.url, expected_bucket_owner=owner)
    target = S3Target("s3", options)
    target.listing()
    target.stat("a")
    assert [one.headers["x-amz-expected-bucket-owner"] for one in store.seen] == [owner, owner]


def test_connections_are_begun_ahead_without_a_request(target: S3Target, store: StrictS3) -> None:
    """What is asked afterwards goes over them, or past them where botocore asks; nothing is asked by beginning."""
    for _ in range(2):
        target.reach(3)
    assert store.seen == []
    assert target.listing() == {}
    assert target.stat("a") is None
    assert (store.count("LIST"), store.count("HEAD")) == (1, 1)
