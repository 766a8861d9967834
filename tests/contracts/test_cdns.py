"""What every CDN promises."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from hubdata.cdns.cloudfront import CloudfrontCdn
from hubdata.cdns.none import NoCdn
from hubdata.ports import Cdn
from tests.support.moto_server import CREDENTIALS
from tests.support.strict_cloudfront import DISTRIBUTION, StrictCloudfront


@pytest.fixture(params=["none", "cloudfront"])
def cdn(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cdn]:
    """Give one CDN of each sort."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    if request.param == "none":
        yield NoCdn("none", NoCdn.Options())
    else:
        with StrictCloudfront() as edge:
            yield CloudfrontCdn("edge", CloudfrontCdn.Options(distribution_id=DISTRIBUTION, endpoint_url=edge.url))


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


def test_each_path_is_absolute_ascii_and_one_line(cdn: Cdn) -> None:
    """Whatever the key, the path can travel in a request."""
    for path in cdn.paths(("é 日.txt", "a%b#c?.txt", "~x")):
        assert path.isascii()
        assert path.isprintable()
        assert " " not in path
        assert path.startswith(("/", "https://"))
