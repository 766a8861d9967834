"""Applies: what is confirmed is listed, what is listed is there, and what fails does not undo the rest."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from hubdata.errors import Conflict, TargetError
from hubdata.model.manifest import Manifest
from hubdata.publishing import ledger
from hubdata.publishing.survey import survey
from tests.simulator.cdn import MemoryCdn, PricedCdn
from tests.simulator.wire import When
from tests.unit.planning.samples import entry
from tests.unit.publishing.bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Return a bench with an empty store."""
    return Bench(tmp_path)


def test_receipt_tells_what_the_store_confirmed(bench: Bench) -> None:
    """The receipt has the CDN's reference as id, the new generation, and each object as stored."""
    applied = bench.publish({"a": b"1", "b": b"22"})

    assert applied.failures == {}
    assert (applied.receipt.id, applied.receipt.generation) == ("hubdata-1-memory", 1)
    assert {key: s.size for key, s in applied.receipt.stored.items()} == {"a": 1, "b": 2}
    assert applied.receipt.invalidation is not None
    assert not applied.receipt.invalidation.pending
    assert bench.manifest().files["a"].version_id == applied.receipt.stored["a"].version_id
    assert bench.manifest().files["a"].changed_at == "2026-07-01T12:00:00Z"


def test_receipt_is_open_before_the_first_put_and_closed_after_the_cdn(bench: Bench) -> None:
    """At every moment between first write and the CDN's answer the ledger knows what is to be told."""
    seen: list[int] = []
    bench.wire.on("PUT", "a", do=lambda: seen.append(len(ledger.read(bench.store).open)))
    bench.wire.on("INVALIDATE", do=lambda: seen.append(len(ledger.read(bench.store).open)), when=When.AFTER)

    bench.publish({"a": b"1"})

    assert seen == [1, 1]
    assert ledger.read(bench.store).open == ()


def test_manifest_swapped_by_another_run_is_merged(bench: Bench) -> None:
    """Another job's entries that appear meanwhile stay, and generations go on from theirs."""
    theirs = Manifest(4, "then", "other", {"theirs": entry("theirs", b"t", job="other")})
    bench.wire.on("PUT", "manifest.json", do=lambda: bench.store.seed("manifest.json", theirs.to_bytes()))

    applied = bench.publish({"a": b"1"})

    assert applied.receipt.generation == 5
    assert bench.manifest().files.keys() == {"a", "theirs"}


def test_manifest_that_never_stands_still_stops_before_anything_is_deleted(bench: Bench) -> None:
    """Without a commit nothing is deleted and the receipt stays open for the next run."""
    bench.publish({"a": b"1", "b": b"2", "c": b"3"})

    def interfere() -> None:
        now = bench.manifest()
        bench.store.seed("manifest.json", Manifest(now.generation + 1, "", "", now.files).to_bytes())

    bench.wire.on("PUT", "manifest.json", do=interfere, times=99)

    with pytest.raises(Conflict, match="changed 8 times"):
        bench.publish({"a": b"1", "b": b"2"}, prune=True, run="2")

    assert bench.store.body("c") == b"3"
    assert len(ledger.read(bench.store).open) == 1


@pytest.mark.parametrize("broke_off", [False, True])
def test_what_a_rollback_replaces_is_listed_as_withdrawn(bench: Bench, *, broke_off: bool) -> None:
    """With the same swap, also where its first attempt died after the puts; the next publication of the key ends it."""
    bench.publish({"a": b"15", "b": b"same", "c": b"new"})
    if broke_off:
        stored = bench.store.stat("a")
        assert stored is not None
        bench.store.seed("a", b"12")
    found = survey(bench.store)
    work = bench.work(found, {"a": b"12", "b": b"same"}, prune=True)
    if broke_off:
        adopted = bench.store.stat("a")
        assert adopted is not None
        changes = tuple(change for change in work.plan.changes if change.key != "a")
        work = replace(work, plan=replace(work.plan, changes=changes, adopted={"a": adopted}))
    bench.apply(found, replace(work, takes_back=True), run="2")
    digests = {key: (hashlib.sha256(body).hexdigest(),) for key, body in (("a", b"15"), ("c", b"new"))}
    assert bench.manifest().withdrawn == digests

    bench.publish({"a": b"12", "b": b"other"}, run="3")
    assert bench.manifest().withdrawn == digests
    bench.publish({"a": b"16", "b": b"other"}, run="4")
    assert bench.manifest().withdrawn == {"c": digests["c"]}


def test_another_schema_that_appears_meanwhile_stops_the_apply(bench: Bench) -> None:
    """A manifest of a newer schema that another program swaps in during the run is not overwritten."""
    bench.wire.on("PUT", "manifest.json", do=lambda: bench.store.seed("manifest.json", b'{"schema": 2}'))

    with pytest.raises(TargetError, match="expected schema 1, found 2"):
        bench.publish({"a": b"1"})

    assert bench.store.body("manifest.json") == b'{"schema": 2}'


def test_failed_put_leaves_no_entry_and_spares_the_others(bench: Bench) -> None:
    """Only what the store confirmed is listed; the CDN is told all the same, for the answer may have been lost."""
    bench.wire.fail("PUT", "a", error=TargetError("no"))

    applied = bench.publish({"a": b"1", "b": b"2"})

    assert applied.failures.keys() == {"a"}
    assert bench.manifest().files.keys() == {"b"}
    assert applied.receipt.invalidation is not None
    assert "/a" in applied.receipt.invalidation.paths
    assert "put.failed" in bench.events.names()


def test_nothing_stored_means_no_new_generation_and_an_open_receipt(bench: Bench) -> None:
    """When every put fails the manifest stays; the receipt stays too, for the next run to tell the CDN."""
    bench.wire.fail("PUT", "a", error=TargetError("lost"), when=When.AFTER)

    applied = bench.publish({"a": b"1"})

    assert applied.receipt.generation == 0
    assert bench.store.body("manifest.json") is None
    assert [item.paths for item in ledger.read(bench.store).open] == [("/a", "/manifest.json")]


def test_delete_meets_another_writer_and_leaves_their_object(bench: Bench) -> None:
    """An object that somebody overwrote after planning is not deleted, neither now nor by the next run."""
    bench.publish({"a": b"1", "b": b"2", "c": b"3"})
    bench.wire.on("DELETE", "c", do=lambda: bench.store.seed("c", b"theirs"))

    applied = bench.publish({"a": b"1", "b": b"2"}, prune=True, run="2")
    done = bench.resume()

    assert isinstance(applied.failures["c"], Conflict)
    assert bench.store.body("c") == b"theirs"
    assert [i.reference for i in done.told] == ["hubdata-2-memory-rest"]
    assert done.ledger.open == ()


def test_target_without_a_cdn_keeps_a_receipt_of_what_is_new_alone(bench: Bench) -> None:
    """Where nobody has to be told, a change costs its put and the manifest; a new key might be left behind."""
    bench.cdn = MemoryCdn(bench.wire, silent=True)
    bench.publish({"a": b"1"}, run="1")
    before = len(bench.wire.effects)

    bench.publish({"a": b"2"}, run="2")

    receipt = ".hubdata/receipts.json"
    assert [e.call.key for e in bench.wire.effects[:before]] == [receipt, "a", "manifest.json", receipt]
    assert [e.call.key for e in bench.wire.effects[before:]] == ["a", "manifest.json"]


def test_lost_lease_stops_before_the_manifest(bench: Bench) -> None:
    """What is stored stays for the next run to recognise; nothing is committed, deleted or told."""
    bench.break_off({"a": b"1"})

    assert bench.store.body("a") == b"1"
    assert bench.store.body("manifest.json") is None
    assert not bench.cdn.accepted
    assert ledger.read(bench.store).open[0].puts == (("a", hashlib.md5(b"1").hexdigest()),)


def test_receipt_closed_by_a_hasty_run_is_told_anew(bench: Bench) -> None:
    """When another run resumes our receipt before our put, the CDN is told again, under another reference."""

    def hasty() -> None:
        bench.resume()

    bench.wire.on("PUT", "a", do=hasty)

    applied = bench.publish({"a": b"1"})

    assert list(bench.cdn.accepted) == ["hubdata-1-memory", "hubdata-1-memory-again"]
    assert applied.receipt.invalidation is not None
    assert applied.receipt.invalidation.reference == "hubdata-1-memory-again"
    assert ledger.read(bench.store).open == ()


def test_objects_carry_their_jobs_tag_and_the_manifest_says_so(bench: Bench) -> None:
    """While the CDN reads tags, objects are put with one; later it is known of them, until they are put without."""
    bench.cdn = PricedCdn(bench.wire, reads_tags=True)
    bench.publish({"a": b"1", "b": b"1"}, run="1")
    assert bench.store.versions["a"][-1].headers["cache-tag"] == "tag-job"
    bench.cdn = PricedCdn(bench.wire, reads_tags=False)
    bench.publish({"a": b"1", "b": b"2"}, run="2")

    assert {key: line.cache_tag for key, line in bench.manifest().files.items()} == {"a": "tag-job", "b": ""}
    assert Manifest.from_bytes(bench.manifest().to_bytes()) == bench.manifest()


def test_the_receipt_keeps_the_collapsed_paths(bench: Bench) -> None:
    """What is to be told is chosen once, before the first put, and told later word for word."""
    bench.cdn = PricedCdn(bench.wire)
    bench.cdn.refusing = True
    applied = bench.publish({f"d/{number}": b"1" for number in range(9)})
    assert applied.receipt.invalidation is not None
    assert applied.receipt.invalidation.pending

    bench.cdn.refusing = False
    found = survey(bench.store)
    assert found.ledger.open[0].paths == ("/d/*", "/manifest.json")
    bench.resume()

    assert bench.cdn.accepted["hubdata-1-memory"].paths == ("/d/*", "/manifest.json")
