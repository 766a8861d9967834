"""What a broken-off run has left is finished by the next one: deleted, told, taken over or remembered."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from hubdata.errors import CdnError, Conflict
from hubdata.publishing import ledger
from hubdata.publishing.resuming import resume
from hubdata.publishing.survey import survey
from tests.simulator.wire import When
from tests.unit.publishing.bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Return a bench with an empty store."""
    return Bench(tmp_path)


def test_resume_deletes_nothing_that_the_manifest_still_names(bench: Bench) -> None:
    """A run killed before its commit has deleted nothing: the manifest decides, not the receipt."""
    bench.publish({"a": b"1"})
    stored = bench.store.stat("a")
    assert stored is not None
    line = ledger.Line("r", "r", "", ("/a",), (("a", stored.etag),))
    ledger.opened(bench.store, ledger.read(bench.store), line)

    bench.resume()

    assert bench.store.body("a") == b"1"


def test_resume_closes_what_the_cdn_accepted_before_it_refused(bench: Bench) -> None:
    """Receipts are finished one by one, oldest first: a refusal keeps only the rest open."""
    now = ledger.read(bench.store)
    for name in ("a", "b"):
        now = ledger.opened(bench.store, now, ledger.Line(name, name, "", (f"/{name}",)))

    def refuse() -> None:
        bench.cdn.refusing = True

    bench.wire.on("INVALIDATE", "a", do=refuse, when=When.AFTER)

    with pytest.raises(CdnError):
        bench.resume()

    assert [item.reference for item in ledger.read(bench.store).open] == ["b"]


def test_new_object_that_nobody_wants_any_more_is_cleared_away(bench: Bench) -> None:
    """A run that broke off had put two new objects; the one that is still wanted stays, and is not written again."""
    bench.break_off({"a": b"1", "b": b"2"})

    left = bench.resume("a").ledger

    assert bench.store.public() == {"a": b"1"}
    assert [line.puts for line in left.open] == [(("a", hashlib.md5(b"1").hexdigest()),)]
    bench.publish({"a": b"1"}, run="2")
    assert not ledger.read(bench.store).open


def test_new_object_that_is_perhaps_wanted_is_remembered_until_somebody_knows(bench: Bench) -> None:
    """While its job says nothing it stays, and nothing is written for it; then it goes, and the CDN is told."""
    bench.break_off({"a": b"1"})
    bench.resume("a")
    effects = len(bench.wire.effects)

    assert bench.resume("a").told == ()
    assert len(bench.wire.effects) == effects
    done = bench.resume()

    assert bench.store.public() == {}
    assert [each.paths for each in done.told] == [("/a",)]
    assert not done.ledger.open


def test_a_run_that_has_lost_its_lease_clears_nothing_away(bench: Bench) -> None:
    """Whoever holds it now may want the object."""
    bench.break_off({"a": b"1"})
    lease = bench.lease()
    bench.stall()
    at = (bench.store, bench.cdn, ledger.read(bench.store), frozenset[str]())
    with pytest.raises(Conflict, match="without being able to renew"):
        resume(*at, publishes=False, lease=lease, reporter=bench.events)
    assert bench.store.public() == {"a": b"1"}


def test_object_that_somebody_else_put_in_the_meantime_is_not_cleared_away(bench: Bench) -> None:
    """Only the very bytes that the broken-off run put are its own."""
    bench.break_off({"a": b"1"})
    bench.store.seed("a", b"theirs")

    bench.resume()

    assert bench.store.public() == {"a": b"theirs"}


def test_receipt_of_which_nothing_was_published_is_taken_over_by_the_next(bench: Bench) -> None:
    """Its paths are told with the new one's, once, when all is in place; and what it may still be wanted for stays."""
    bench.break_off({"a": b"1", "b": b"2", "c": b"3"})

    left = bench.resume("a", "c", publishes=True)
    found = replace(survey(bench.store), ledger=left.ledger)
    assert not bench.cdn.accepted
    bench.apply(found, bench.work(found, {"a": b"1"}), run="2", inherited=left.inherited)

    ((reference, told),) = bench.cdn.accepted.items()
    assert reference == "hubdata-2-memory"
    assert sorted(told.paths) == ["/a", "/b", "/c", "/manifest.json"]
    assert bench.store.public().keys() == {"a", "c"}
    assert [line.reference for line in ledger.read(bench.store).open] == ["hubdata-1-memory-rest"]


def test_receipt_that_was_taken_over_outlives_the_one_that_took_it(bench: Bench) -> None:
    """Two runs in a row break off before they publish: the third tells what all three changed."""
    bench.break_off({"a": b"1"})
    left = bench.resume("a", publishes=True)
    bench.break_off({"a": b"1", "b": b"2"}, run="2", inherited=left.inherited)
    assert [line.reference for line in ledger.read(bench.store).open] == ["hubdata-1-memory-rest", "hubdata-2-memory"]

    left = bench.resume("c", publishes=True)
    found = replace(survey(bench.store), ledger=left.ledger)
    bench.apply(found, bench.work(found, {"c": b"3"}), run="3", inherited=left.inherited)

    told = {reference: set(batch.paths) for reference, batch in bench.cdn.accepted.items()}
    assert told == {"hubdata-1-memory-rest": {"/a"}, "hubdata-3-memory": {"/a", "/b", "/c", "/manifest.json"}}
    assert not ledger.read(bench.store).open


def test_receipt_of_which_something_was_published_is_told_under_its_own_name(bench: Bench) -> None:
    """The manifest was swapped: perhaps the CDN has heard of it, which only the same reference can tell."""
    bench.cdn.refusing = True
    bench.publish({"a": b"1"})
    bench.cdn.refusing = False

    left = bench.resume("a", publishes=True)

    assert list(bench.cdn.accepted) == ["hubdata-1-memory"]
    assert left.inherited == ()
