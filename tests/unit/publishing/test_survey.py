"""Surveys: three reads, one picture, and no guess when one of them fails."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from hubdata.errors import TargetError
from hubdata.model.manifest import Manifest
from hubdata.publishing.survey import read_manifest, survey
from tests.simulator.store import MemoryTarget
from tests.simulator.wire import Wire
from tests.unit.planning.samples import entry


@pytest.fixture
def wire() -> Wire:
    """Return a wire that works."""
    return Wire()


@pytest.fixture
def store(wire: Wire) -> MemoryTarget:
    """Return an empty store."""
    return MemoryTarget(wire)


def test_empty_target_is_generation_zero(store: MemoryTarget) -> None:
    """A target that holds nothing has an empty manifest without an ETag, and an empty ledger."""
    found = survey(store)

    assert (found.inventory.manifest, found.inventory.manifest_etag) == (Manifest(), None)
    assert (found.inventory.objects, found.ledger.open, found.ledger.etag) == ({}, (), None)


def test_survey_costs_one_listing_per_thousand_keys_and_two_reads(store: MemoryTarget) -> None:
    """The price of finding out that nothing changed is fixed."""
    for n in range(1001):
        store.seed(f"k{n}", b"x")

    survey(store)

    assert store.requests() == {"LIST": 2, "GET": 2, "PUT": 0, "HEAD": 0, "DELETE": 0}


def test_manifest_comes_with_the_etag_to_swap_it_under(store: MemoryTarget) -> None:
    """What is read can be swapped conditionally, and nothing else."""
    body = Manifest(3, "then", "run", {"a": entry("a", b"x")}).to_bytes()
    store.seed("manifest.json", body)

    manifest, etag = read_manifest(store)

    assert manifest.generation == 3
    store.write("manifest.json", b"next", content_type="", cache_control="", if_etag=etag)


@pytest.mark.parametrize(
    ("method", "key"), [("LIST", None), ("GET", "manifest.json"), ("GET", ".hubdata/receipts.json")]
)
def test_any_failing_read_fails_the_survey(wire: Wire, store: MemoryTarget, method: str, key: str | None) -> None:
    """A target of which a part cannot be read is not taken for an emptier one."""
    wire.fail(method, key, error=TargetError("down"))

    with pytest.raises(TargetError, match="down"):
        survey(store)


@pytest.mark.parametrize("key", ["manifest.json", ".hubdata/receipts.json", ".hubdata/lease.json"])
def test_what_was_read_before_another_run_swapped_it_is_read_again(
    wire: Wire, store: MemoryTarget, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing in a survey is older than its listing, whose lease says whether the plan still holds."""
    monkeypatch.setattr("hubdata.publishing.survey.ThreadPoolExecutor", ListingLast)
    store.seed("manifest.json", Manifest(3, "then", "run", {}).to_bytes())
    store.seed(".hubdata/receipts.json", b'{"open": [], "closed": []}')
    news = {
        "manifest.json": Manifest(4, "now", "other", {}).to_bytes(),
        ".hubdata/receipts.json": b'{"closed": [], "open": []}',
    }
    wire.on("LIST", do=lambda: store.seed(key, news.get(key, b"{}")))

    found = survey(store)

    etags = (found.inventory.manifest_etag, found.ledger.etag, found.lease_etag)
    listed = store.listing()
    names = ("manifest.json", ".hubdata/receipts.json", ".hubdata/lease.json")
    assert etags == tuple(listed[name].etag if name in listed else None for name in names)
    assert found.inventory.manifest.generation == (4 if key == "manifest.json" else 3)


class ListingLast(ThreadPoolExecutor):
    """A pool that lists when everything else has been read."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        return LastOfAll(self, fn) if fn.__name__ == "listing" else super().submit(fn, *args, **kwargs)


class LastOfAll:
    """A future that is done when nothing else is left to do."""

    def __init__(self, pool: ThreadPoolExecutor, work: Callable[[], Any]) -> None:
        self._pool = pool
        self._work = work

    def result(self) -> Any:
        """Return the result."""
        self._pool.shutdown()
        return self._work()
