"""CloudFront: which paths, how many requests, and what is said when it does not accept."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from hubdata.cdns.cloudfront import CloudfrontCdn
from hubdata.errors import CdnError, ConfigError
from hubdata.model.event import Event
from hubdata.model.snapshot import Artifact
from hubdata.ports import Upload
from hubdata.targets.s3 import S3Target
from tests.support.moto_server import CREDENTIALS, shared
from tests.support.strict_cloudfront import DISTRIBUTION, StrictCloudfront


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def edge() -> Iterator[StrictCloudfront]:
    """Give a strict CloudFront."""
    with StrictCloudfront() as running:
        yield running


class Time:
    """A clock that sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def monotonic(self) -> float:
        return self.now


class Events(list[Event]):
    """A reporter that remembers."""

    def emit(self, event: Event) -> None:
        self.append(event)

    def of(self, name: str) -> list[dict[str, str | int | float]]:
        """Return the fields of every event called `name`, without the CDN's own name."""
        return [{k: v for k, v in e.fields.items() if k != "cdn"} for e in self if e.name == name]


def cdn_of(
    url: str, prefix: str = "", time: Time | None = None, events: Events | None = None, **options: object
) -> CloudfrontCdn:
    """Return a CDN on a double."""
    given = {"distribution_id": DISTRIBUTION, "endpoint_url": url} | options
    clock = time or Time()
    return CloudfrontCdn(
        "edge",
        CloudfrontCdn.Options.model_validate(given),
        prefix,
        sleep=clock.sleep,
        monotonic=clock.monotonic,
        reporter=events,
    )


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("lists/a.txt", "/lists/a.txt"),
        ("a b+c&d=e@f:g;h,i(j)'!$.txt", "/a%20b+c&d=e@f:g;h,i(j)'!$.txt"),
        ('é/日/"<>#%{}|^[]`?.txt', "/%C3%A9/%E6%97%A5/%22%3C%3E%23%25%7B%7D%7C%5E%5B%5D%60%3F.txt"),
        ("d/old~1.txt", "/d/old*"),
    ],
)
def test_paths_are_encoded_as_cloudfront_compares_them(key: str, path: str) -> None:
    """Unsafe characters and non-ASCII are encoded, nothing else; `~`, which never matches, becomes a wildcard."""
    assert cdn_of("http://127.0.0.1:9").paths((key,)) == (path,)


def test_paths_are_as_readers_see_them_behind_an_origin_path() -> None:
    """What the distribution puts before each request is no part of a path; the rest of the prefix is."""
    cdn = cdn_of("http://127.0.0.1:9", "data/public/", origin_path="/data")
    assert cdn.paths(("a.txt", "b.txt")) == ("/public/a.txt", "/public/b.txt")
    assert cdn_of("http://127.0.0.1:9", "data/").paths(("a",)) == ("/data/a",)
    with pytest.raises(ConfigError, match="origin_path"):
        cdn_of("http://127.0.0.1:9", "database/", origin_path="/data")


def test_more_than_3000_paths_go_in_several_requests(edge: StrictCloudfront) -> None:
    """Each batch has a reference of its own, so that asking again is still the same request."""
    cdn = cdn_of(edge.url)
    paths = cdn.paths(tuple(f"{n}.txt" for n in range(6_001)))
    done = cdn.invalidate(paths, "r1")
    assert [(b.reference, len(b.paths)) for b in edge.batches] == [("r1", 3000), ("r1-2", 3000), ("r1-3", 1)]
    assert done.id == "I1,I2,I3"
    assert cdn.invalidate(paths, "r1") == done
    assert len(edge.batches) == 3
    cdn.wait(done, timeout=timedelta(seconds=1))
    assert [b.looks for b in edge.batches] == [1, 1, 1]


def test_what_is_in_progress_never_exceeds_cloudfronts_limit(edge: StrictCloudfront) -> None:
    """Each batch waits until the ones before it are done; every one is accepted in the end, in order."""
    edge.polls, time, events = 4, Time(), Events()
    cdn = cdn_of(edge.url, time=time, events=events)
    paths = cdn.paths(tuple(f"{n}.txt" for n in range(7_000)))
    done = cdn.invalidate(paths, "r1")
    assert edge.busiest == (3_000, 0)
    assert tuple(path for batch in edge.batches for path in batch.paths) == paths
    assert not done.pending
    assert 0 < sum(time.slept) < 60
    busy = events.of("cdn.busy")
    first, second = (float(told["patience_s"]) for told in busy)
    assert first == 60
    assert 60 > second > 60 - sum(time.slept)
    assert "TooManyInvalidationsInProgress" in str(busy[0]["error"])
    assert events.of("cdn.waiting")[0] == {"elapsed_s": 1.0}


def test_no_request_holds_more_than_15_wildcards(edge: StrictCloudfront) -> None:
    """Forty names that only a wildcard reaches go in three requests, one after the other."""
    edge.polls = 3
    cdn = cdn_of(edge.url)
    paths = cdn.paths(tuple(f"{n:02}~" for n in range(40)))
    cdn.invalidate(("/a", *paths), "r1")
    assert [(len(b.paths), b.wildcards) for b in edge.batches] == [(16, 15), (15, 15), (10, 10)]
    assert edge.busiest == (1, 15)


@pytest.mark.parametrize("code", ["TooManyInvalidationsInProgress", "Throttling"])
def test_a_busy_cloudfront_is_waited_for_within_the_patience(
    edge: StrictCloudfront, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up to a minute a run asks again; beyond, what was published stays and the next run tells it."""
    monkeypatch.setattr("time.sleep", lambda _: None)  # botocore's own pauses
    edge.refusals.extend([(400, code)] * 500)
    time = Time()
    with pytest.raises(CdnError, match=rf"{code}.* \(after 60 s of waiting\)$") as caught:
        cdn_of(edge.url, time=time).invalidate(("/a",), "r1")
    assert time.now == 60
    assert caught.value.retryable
    assert caught.value.exit_code == 7


def test_patience_is_for_the_whole_run(edge: StrictCloudfront) -> None:
    """What the first request has used up, the second does not wait again; with none at all nobody waits."""
    edge.refusals.extend([(400, "TooManyInvalidationsInProgress")] * 500)
    time = Time()
    cdn = cdn_of(edge.url, time=time, patience_s=30)
    for reference in ("r1", "r2"):
        with pytest.raises(CdnError, match="after 30 s"):
            cdn.invalidate(("/a",), reference)
    assert time.now == 30
    with pytest.raises(CdnError, match=r"strict\)$"):
        cdn_of(edge.url, time=time, patience_s=0).invalidate(("/a",), "r3")
    assert time.now == 30


def test_a_run_that_said_it_would_wait_waits_longer(edge: StrictCloudfront) -> None:
    """The patience that comes with `--wait` counts where it is more than the settings allow."""
    edge.refusals.extend([(400, "TooManyInvalidationsInProgress")] * 500)
    time = Time()
    options = CloudfrontCdn.Options(distribution_id=DISTRIBUTION, endpoint_url=edge.url)
    patient = CloudfrontCdn("edge", options, patience=timedelta(minutes=4), sleep=time.sleep)
    with pytest.raises(CdnError, match="after 240 s"):
        patient.invalidate(("/a",), "r1")


def test_a_resumed_receipt_sends_no_accepted_batch_twice(edge: StrictCloudfront) -> None:
    """A run gave up after the first of three batches: the next makes the other two, and the first only once."""
    paths = tuple(f"/{n}" for n in range(7_000))
    cdn = cdn_of(edge.url, patience_s=0)
    edge.polls = 10**6
    with pytest.raises(CdnError, match="TooManyInvalidationsInProgress"):
        cdn.invalidate(paths, "r1")
    assert [b.reference for b in edge.batches] == ["r1"]

    edge.polls = 0
    done = cdn_of(edge.url).invalidate(paths, "r1")

    assert [b.reference for b in edge.batches] == ["r1", "r1-2", "r1-3"]
    assert tuple(path for batch in edge.batches for path in batch.paths) == paths
    assert done.id == "I1,I2,I3"


@pytest.mark.parametrize("said", ["InvalidArgument", "InvalidationBatchAlreadyExists"])
def test_a_reference_that_was_used_for_other_paths_leaves_nothing_stuck(edge: StrictCloudfront, said: str) -> None:
    """Else the receipt would stay open for ever: it goes on under a name made of the paths, the same every time."""
    edge.said = said
    cdn = cdn_of(edge.url)
    cdn.invalidate(("/a",), "r1")
    again = [cdn.invalidate(("/b",), "r1") for _ in range(2)]
    assert again[0] == again[1]
    assert [b.paths for b in edge.batches] == [("/a",), ("/b",)]
    assert edge.batches[1].reference.startswith("r1-")


def test_a_path_that_cloudfront_does_not_take_is_an_error_at_once(edge: StrictCloudfront) -> None:
    """Waiting would not mend it, and neither would another reference."""
    time = Time()
    with pytest.raises(CdnError, match="InvalidArgument") as caught:
        cdn_of(edge.url, time=time).invalidate(("a b",), "r1")
    assert not caught.value.retryable
    assert (edge.asked, time.slept) == (2, []), "simply, and through botocore, which knows what was said"


def test_a_directory_becomes_one_wildcard() -> None:
    """It stands where readers see the directory, encoded as its files are."""
    cdn = cdn_of("http://127.0.0.1:9", "data/public/", origin_path="/data")
    assert cdn.wildcards(("lists/é/",)) == ("/public/lists/%C3%A9/*",)
    assert cdn.wildcards(("old~1/",)) == ("/public/old*",)


def test_prices_and_limits_are_cloudfronts() -> None:
    """The settings say how many free paths are left and whether to collapse; the rest is as published."""
    tariff = cdn_of("http://127.0.0.1:9").tariff
    assert (tariff.free_paths, tariff.usd_per_path, tariff.max_plain, tariff.max_wildcards) == (1_000, 0.005, 3_000, 15)
    assert tariff.collapses
    other = cdn_of("http://127.0.0.1:9", collapse="never", free_paths=0).tariff
    assert (other.free_paths, other.collapses) == (0, False)


def test_a_tag_is_given_only_where_the_distribution_reads_it(edge: StrictCloudfront) -> None:
    """Asked once; one that reads no tags, or another header, would take a tag and forget nothing."""
    assert cdn_of(edge.url).tag("lists") == ""
    assert edge.requests == 0
    events = Events()
    assert cdn_of(edge.url, events=events, cache_tags=True).tag("lists") == ""
    edge.tag_header = "Cache-Tag"
    assert cdn_of(edge.url, events=events, cache_tags=True).tag("lists") == ""
    assert [str(told["error"]).partition(",")[0] for told in events.of("cdn.untagged")] == [
        "its CacheTagConfig names no header",
        "its CacheTagConfig names Cache-Tag",
    ]
    edge.tag_header, edge.requests = "X-Amz-Meta-Cache-Tag", 0
    cdn = cdn_of(edge.url, cache_tags=True)
    assert [cdn.tag("lists"), cdn.tag("geoip")] == ["hubdata:lists", "hubdata:geoip"]
    assert edge.requests == 1


def test_a_tag_is_not_given_without_the_right_to_look(edge: StrictCloudfront) -> None:
    """Then everything goes by path, and the log names the right that is missing."""
    edge.tag_header, edge.config_refusal, events = "x-amz-meta-cache-tag", (403, "AccessDenied"), Events()
    assert cdn_of(edge.url, events=events, cache_tags=True).tag("lists") == ""
    (told,) = events.of("cdn.untagged")
    assert "grant cloudfront:GetDistributionConfig" in str(told["error"])


def test_tags_and_paths_go_in_one_request(edge: StrictCloudfront) -> None:
    """A tag is a path that begins with `#`."""
    cdn = cdn_of(edge.url)
    cdn.invalidate((*cdn.tagged(("hubdata:lists",)), "/manifest.json"), "r1")
    assert edge.batches[0].paths == ("#hubdata:lists", "/manifest.json")


def test_refusals_that_waiting_does_not_mend_say_what_to_do(edge: StrictCloudfront) -> None:
    """The right that is missing is named, as is a distribution that does not exist."""
    edge.refusals.extend([(403, "AccessDenied")] * 2)
    with pytest.raises(CdnError, match="denied") as caught:
        cdn_of(edge.url).invalidate(("/a",), "r1")
    assert not caught.value.retryable
    assert caught.value.advice.startswith(
        f"grant cloudfront:CreateInvalidation on arn:aws:cloudfront::*:distribution/{DISTRIBUTION}"
    )
    with pytest.raises(CdnError, match="no such distribution"):
        cdn_of(edge.url, distribution_id="E2").invalidate(("/a",), "r1")


def test_waiting_polls_more_slowly_until_completed(edge: StrictCloudfront) -> None:
    """Minutes of waiting cost few requests."""
    edge.polls, time = 8, Time()
    cdn = cdn_of(edge.url, time=time)
    cdn.wait(cdn.invalidate(("/a",), "r1"), timeout=timedelta(minutes=10))
    assert edge.batches[0].looks == 9
    assert time.slept == sorted(time.slept)
    assert (time.slept[0], time.slept[-1]) == (1.0, 10.0)


def test_waiting_tells_how_far_it_is(edge: StrictCloudfront) -> None:
    """Of three batches two are done: 66 percent, and how long it has taken."""
    time, events = Time(), Events()
    cdn = cdn_of(edge.url, time=time, events=events)
    done = cdn.invalidate(tuple(f"/{n}" for n in range(6_001)), "r1")
    edge.batches[2].born = edge.requests + 4
    cdn.wait(done, timeout=timedelta(minutes=1))
    assert events.of("cdn.waiting") == [{"percent": 66, "elapsed_s": 0.0}, {"percent": 66, "elapsed_s": 1.0}]


def test_waiting_outlasts_a_busy_cloudfront(edge: StrictCloudfront, monkeypatch: pytest.MonkeyPatch) -> None:
    """A question that is throttled is no answer: it is asked again. One that is denied ends the waiting."""
    monkeypatch.setattr("time.sleep", lambda _: None)  # botocore's own pauses
    cdn = cdn_of(edge.url)
    done = cdn.invalidate(("/a",), "r1")
    edge.look_refusals.extend([(400, "Throttling")] * 7)
    cdn.wait(done, timeout=timedelta(minutes=1))
    edge.look_refusals.append((403, "AccessDenied"))
    with pytest.raises(CdnError, match="denied") as caught:
        cdn.wait(done, timeout=timedelta(minutes=1))
    assert "cloudfront:GetInvalidation" in caught.value.advice


def test_waiting_ends_at_its_timeout(edge: StrictCloudfront) -> None:
    """An invalidation that takes too long is an error that may pass."""
    edge.polls, time = 10**6, Time()
    cdn = cdn_of(edge.url, time=time)
    with pytest.raises(CdnError, match="I1 is not completed after 60 s") as caught:
        cdn.wait(cdn.invalidate(("/a",), "r1"), timeout=timedelta(seconds=60))
    assert caught.value.retryable
    assert time.now == 60


def test_moto_takes_the_same_requests() -> None:
    """The demo's CloudFront records reference and paths."""
    server = shared()
    distribution = server.distribution("bucket")
    cdn = cdn_of(server.url, distribution_id=distribution)
    paths = cdn.paths(("lists/a b.txt", "manifest.json"))
    done = cdn.invalidate(paths, "receipt-1")
    cdn.wait(done, timeout=timedelta(seconds=5))
    assert server.invalidations(distribution) == [
        {"Id": done.id, "CallerReference": "receipt-1", "Paths": ["/lists/a%20b.txt", "/manifest.json"]}
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"distribution_id": "a/b"},
        {"distribution_id": "E1", "x": 1},
        {"distribution_id": "E1", "endpoint_url": "x"},
        {"distribution_id": "E1", "collapse": "always"},
        {"distribution_id": "E1", "free_paths": -1},
        {"distribution_id": "E1", "patience_s": 601},
    ],
)
def test_wrong_options_are_refused(wrong: dict[str, object]) -> None:
    """Unknown names and odd ids are configuration errors."""
    with pytest.raises(ValidationError):
        CloudfrontCdn.Options.model_validate(wrong)


def test_an_upload_keeps_its_tag_whole_or_in_parts(tmp_path: Path) -> None:
    """S3 serves the metadata `cache-tag` as the header that the distribution reads, beside the object's SHA-256."""
    server = shared()
    bucket = server.bucket()
    file, body = tmp_path / "file", b"x" * ((5 << 20) + 1)
    file.write_bytes(body)
    sha256, md5 = (hashlib.new(name, body).hexdigest() for name in ("sha256", "md5"))
    for key, options in (("whole", {}), ("parts", {"multipart_over_bytes": 5 << 20})):
        given = {"bucket": bucket, "region": "us-east-1", "endpoint_url": server.url} | options
        artifact = Artifact(key, file, len(body), sha256, md5, "opaque", "text/plain", "", {})
        target = S3Target("s3", S3Target.Options.model_validate(given))
        target.put(Upload(artifact, None, {"cache-tag": "hubdata:lists"}))
        metadata = server.client("s3").head_object(Bucket=bucket, Key=key)["Metadata"]
        assert metadata == {"sha256": sha256, "cache-tag": "hubdata:lists"}
