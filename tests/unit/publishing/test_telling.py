"""Tellings: which paths a target's CDN gets, and what they come to."""

from collections.abc import Mapping
from dataclasses import replace

from hubdata.model.inventory import Held, Inventory, Stored
from hubdata.model.manifest import Entry, Manifest
from hubdata.model.tariff import Estimate
from hubdata.ports import Priced
from hubdata.publishing.telling import metadata_of, telling
from tests.simulator.cdn import TARIFF, MemoryCdn, PricedCdn
from tests.simulator.wire import Wire
from tests.unit.planning.samples import entry


def inventory(sizes: Mapping[str, int], tag: str = "", *, drifted: str = "") -> Inventory:
    """Return a target that holds files of these sizes, all put with `tag` by the job `job`; one drifted since."""
    entries: dict[str, Entry] = {
        key: replace(entry(key, b"x"), size=size, cache_tag=tag) for key, size in sizes.items()
    }
    held = {
        key: Held(Stored(line.size, line.etag), None if key == drifted else line.sha256)
        for key, line in entries.items()
    }
    return Inventory("t", Manifest(1, "", "", entries), "e", held)


SIZES = {f"d/{number}": 10 for number in range(6)}


def test_a_cdn_without_prices_gets_a_path_a_key_and_the_manifests_last() -> None:
    """Nothing is known of its costs, so only the paths are counted."""
    told = telling(MemoryCdn(Wire()), ("b", "a"), inventory(SIZES))
    assert told.paths == ("/b", "/a", "/manifest.json")
    assert told.estimate == Estimate(3)


def test_no_cdn_gets_nothing_and_costs_nothing() -> None:
    """What names no paths has no estimate either."""
    told = telling(MemoryCdn(Wire(), silent=True), ("b", "a"), inventory(SIZES))
    assert (told.paths, told.estimate) == ((), None)


def test_the_manifest_counts_among_the_free_paths() -> None:
    """Three changes and the manifest are four and free; with one more change the directory becomes a wildcard."""
    cdn = PricedCdn(Wire())
    assert isinstance(cdn, Priced)
    few, many = (telling(cdn, tuple(SIZES)[:count], inventory(SIZES)) for count in (3, 4))
    assert few.paths == ("/d/0", "/d/1", "/d/2", "/manifest.json")
    assert few.estimate == Estimate(4, free_paths=4, usd=0)
    assert many.paths == ("/d/*", "/manifest.json")
    assert many.estimate == Estimate(2, wildcards=1, evicted=2, evicted_bytes=20, free_paths=4, usd=0)


def test_paths_beyond_the_free_ones_are_priced() -> None:
    """A CDN that may not collapse is told every path, and the estimate says what that costs."""
    told = telling(PricedCdn(Wire(), replace(TARIFF, collapses=False)), tuple(SIZES), inventory(SIZES))
    assert len(told.paths) == 7
    assert told.estimate == Estimate(7, free_paths=4, usd=0.015)


def test_a_path_that_two_names_share_is_told_once() -> None:
    """Two names with `~` may be reached by one and the same wildcard."""

    class Starring(PricedCdn):
        def paths(self, keys: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(f"/{key.partition('~')[0]}" for key in keys)

    told = telling(Starring(Wire(), replace(TARIFF, unmatchable="~")), ("a~1", "a~2"), inventory({}))
    assert told.paths == ("/a", "/manifest.json")
    assert told.estimate is not None
    assert told.estimate.paths == 2


def test_a_tag_is_used_for_what_is_known_to_carry_it() -> None:
    """Objects that drifted since, or are new, keep a path of their own beside the tag."""
    sizes = {f"d{number}/f": 10 for number in range(8)}
    held = inventory(sizes, "tag-job", drifted="d7/f")
    told = telling(PricedCdn(Wire(), reads_tags=True), (*sizes, "new"), held)
    assert told.paths == ("/d7/f", "/new", "#tag-job", "/manifest.json")


def test_tags_of_a_distribution_that_reads_none_are_not_used() -> None:
    """It would take them and forget nothing. While paths are free, nobody even asks."""
    sizes = {f"d{number}/f": 10 for number in range(8)}
    cdn = PricedCdn(Wire(), reads_tags=False)
    assert telling(cdn, tuple(sizes)[:3], inventory(sizes, "tag-job")).paths[-2] == "/d2/f"
    assert cdn.asked == 0
    told = telling(cdn, tuple(sizes), inventory(sizes, "tag-job"))
    assert len(told.paths) == 9
    assert cdn.asked > 0


def test_objects_are_put_with_their_jobs_tag_where_it_is_read() -> None:
    """The metadata's name is the one that S3 serves as the header the distribution reads."""
    assert metadata_of(PricedCdn(Wire(), reads_tags=True), "lists") == {"cache-tag": "tag-lists"}
    assert metadata_of(PricedCdn(Wire(), reads_tags=False), "lists") == {}
    assert metadata_of(MemoryCdn(Wire()), "lists") == {}
