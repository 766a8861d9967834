"""What every CDN promises."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from hubdata.cdns.cloudflare import CloudflareCdn
from hubdata.cdns.cloudfront import CloudfrontCdn
from hubdata.cdns.none import NoCdn
from hubdata.errors import CdnError, Exit
from hubdata.plugins import CDNS
from hubdata.ports import Cdn
from tests.support.moto_server import CREDENTIALS
from tests.support.strict_cloudflare import HOST, TOKEN, ZONE, StrictCloudflare
from tests.support.strict_cloudfront import DISTRIBUTION, StrictCloudfront


@pytest.fixture(params=sorted(CDNS))
def cdn(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cdn]:
    """Give one CDN of every sort that there is."""
    for name, value in (CREDENTIALS | {"CLOUDFLARE_API_TOKEN": TOKEN}).items():
        monkeypatch.setenv(name, value)
    match request.param:
        case "none":
            yield NoCdn("none", NoCdn.Options())
        case "cloudfront":
            with StrictCloudfront() as edge:
                yield CloudfrontCdn("edge", CloudfrontCdn.Options(distribution_id=DISTRIBUTION, endpoint_url=edge.url))
        case "cloudflare":
            with StrictCloudflare() as zone:
                yield CloudflareCdn("edge", CloudflareCdn.Options(zone_id=ZONE, base_url=HOST, endpoint_url=zone.url))


def test_nothing_to_forget_asks_nothing(cdn: Cdn) -> None:
    """No keys, no paths, and an invalidation that is done."""
    assert cdn.paths(()) == ()
    done = cdn.invalidate((), "r0")
    assert (done.paths, done.reference, done.id, done.pending) == ((), "r0", None, False)
    cdn.wait(done, timeout=timedelta(0))


def test_what_was_asked_is_what_is_reported(cdn: Cdn) -> None:
    """The invalidation holds the paths and the reference, is not pending, and can be waited for."""
    paths = cdn.paths(("a.txt", "lists/b c.txt"))
    done = cdn.invalidate(paths, "r1")
    assert (done.paths, done.reference, done.pending) == (paths, "r1", False)
    cdn.wait(done, timeout=timedelta(seconds=5))


def test_asking_again_is_the_same_request(cdn: Cdn) -> None:
    """A run that died after asking may ask again: one invalidation, not two."""
    paths = cdn.paths(("a.txt",))
    assert cdn.invalidate(paths, "r1") == cdn.invalidate(paths, "r1")


def test_more_paths_than_one_request_takes_are_all_told(cdn: Cdn) -> None:
    """However a CDN cuts them, the answer is one invalidation of every path."""
    paths = cdn.paths(tuple(f"{number}.txt" for number in range(3_100)))
    assert cdn.invalidate(paths, "r1").paths == paths


def test_getting_ready_asks_nothing_and_may_be_done_twice(cdn: Cdn) -> None:
    """It is done in a thread of its own while the store answers."""
    cdn.warm()
    cdn.warm()


@pytest.mark.parametrize("word", sorted(set(CDNS) - {"none"}))
def test_a_cdn_that_cannot_be_reached_is_pending(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is the CDN's, may pass, and ends in exit 7; it names no secret."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    for name, value in (CREDENTIALS | {"CLOUDFLARE_API_TOKEN": TOKEN}).items():
        monkeypatch.setenv(name, value)
    nowhere = "http://127.0.0.1:9"
    cdn: Cdn = (
        CloudfrontCdn("edge", CloudfrontCdn.Options(distribution_id=DISTRIBUTION, endpoint_url=nowhere))
        if word == "cloudfront"
        else CloudflareCdn(
            "edge",
            CloudflareCdn.Options(zone_id=ZONE, base_url=HOST, endpoint_url=nowhere, patience_s=3),
            sleep=lambda _: None,
        )
    )
    with pytest.raises(CdnError) as caught:
        cdn.invalidate(cdn.paths(("a",)), "r1")
    assert caught.value.retryable
    assert caught.value.exit_code is Exit.CDN_PENDING
    assert "sentinel" not in f"{caught.value} {caught.value.advice}"


def test_each_path_is_absolute_ascii_and_one_line(cdn: Cdn) -> None:
    """Whatever the key, the path can travel in a request."""
    for path in cdn.paths(("é 日.txt", "a%b#c?.txt", "~x")):
        assert path.isascii()
        assert path.isprintable()
        assert " " not in path
        assert path.startswith(("/", "https://"))
