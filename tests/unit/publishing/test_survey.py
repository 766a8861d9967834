"""Surveys: three reads, one picture, and no guess when one of them fails."""

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
