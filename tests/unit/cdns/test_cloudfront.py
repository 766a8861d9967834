"""CloudFront: which paths, how many requests, and what is said when it does not accept."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from pydantic import ValidationError

from hubdata.cdns.cloudfront import CloudfrontCdn
from hubdata.errors import CdnError, ConfigError
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


def cdn_of(url: str, prefix: str = "", time: Time | None = None, **options: str) -> CloudfrontCdn:
    """Return a CDN on a double."""
    given = {"distribution_id": DISTRIBUTION, "endpoint_url": url} | options
    clock = time or Time()
    return CloudfrontCdn(
        "edge",
        CloudfrontCdn.Options.model_validate(given),
        prefix,
        sleep=clock.sleep,
        monotonic=clock.monotonic,
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


def test_a_busy_cloudfront_is_a_retryable_error(edge: StrictCloudfront) -> None:
    """What was published stays; the next run asks again."""
    edge.refusals.append((400, "TooManyInvalidationsInProgress"))
    with pytest.raises(CdnError, match="TooManyInvalidationsInProgress") as caught:
        cdn_of(edge.url).invalidate(("/a",), "r1")
    assert caught.value.retryable
    assert caught.value.exit_code == 7


def test_refusals_that_waiting_does_not_mend_say_what_to_do(edge: StrictCloudfront) -> None:
    """The right that is missing is named, as is a distribution that does not exist."""
    edge.refusals.append((403, "AccessDenied"))
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
    [{}, {"distribution_id": "a/b"}, {"distribution_id": "E1", "x": 1}, {"distribution_id": "E1", "endpoint_url": "x"}],
)
def test_wrong_options_are_refused(wrong: dict[str, object]) -> None:
    """Unknown names and odd ids are configuration errors."""
    with pytest.raises(ValidationError):
        CloudfrontCdn.Options.model_validate(wrong)
