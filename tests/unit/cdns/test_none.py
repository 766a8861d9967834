"""No CDN: nothing is asked, nothing is pending."""

from datetime import timedelta

from hubdata.cdns.none import NoCdn
from hubdata.model.receipt import Invalidation


def test_it_forgets_nothing_and_is_never_pending() -> None:
    """A run without a CDN reports no path and ends as done."""
    cdn = NoCdn("none", NoCdn.Options(), "prefix/")
    assert cdn.name == "none"
    assert cdn.paths(("a.txt",)) == ()
    done = cdn.invalidate((), "r1")
    assert done == Invalidation(paths=(), reference="r1", id=None, pending=False)
    cdn.wait(done, timeout=timedelta(0))
