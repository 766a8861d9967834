"""Paths to forget: one a key while that is free, then what costs the least and evicts the fewest unchanged bytes."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hubdata.model.tariff import Tariff
from hubdata.planning.invalidation import Forgetting, estimate, fewest

FREE = Tariff(free_paths=1_000, usd_per_path=0.005, usd_per_evicted_gb=1.2, max_plain=3_000, max_wildcards=15)
DEAR = replace(FREE, free_paths=0)

MB = 1_000_000


def tree(directory: str, count: int, size: int = 1_000) -> dict[str, int]:
    """Return `count` files of `size` bytes in a directory, by key."""
    return {f"{directory}/{number:04}.txt": size for number in range(count)}


def usd(made: Forgetting, tariff: Tariff) -> float:
    """Return what a choice costs, evicted bytes included, computed apart from the code under test."""
    paths = len(made.keys) + len(made.directories) + len(made.tags)
    return (
        max(0, paths - tariff.free_paths) * tariff.usd_per_path + made.evicted_bytes * tariff.usd_per_evicted_gb / 1e9
    )


def test_nothing_is_collapsed_while_every_path_is_free() -> None:
    """A thousand changes in one directory are a thousand paths: no unchanged object is evicted for nothing."""
    sizes = tree("lists", 1_100)
    changed = tuple(sizes)[:1_000]
    assert fewest(changed, sizes, FREE) == Forgetting(changed)


def test_the_same_key_twice_is_one_path() -> None:
    """A key that two plans name is forgotten once, where it stood first."""
    assert fewest(("b", "a", "b"), {}, FREE) == Forgetting(("b", "a"))


def test_only_as_much_is_collapsed_as_the_free_paths_demand() -> None:
    """One path too many: the directory that evicts the fewest bytes becomes a wildcard, the others stay."""
    sizes = tree("big", 600, 5_000) | tree("small", 500, 10) | {"small/rest.txt": 70, "big/rest.txt": 900}
    changed = tuple(key for key in sizes if not key.endswith("rest.txt"))
    made = fewest(changed, sizes, FREE)
    assert made.directories == ("small/",)
    assert len(made.keys) == 600
    assert (made.evicted, made.evicted_bytes) == (1, 70)


def test_a_directory_that_changed_whole_is_the_first_to_be_collapsed() -> None:
    """Its wildcard evicts nothing at all, so it is better than a smaller one beside it that evicts a byte."""
    sizes = tree("whole", 5, 9 * MB) | tree("part", 50, 1)
    changed = (*tree("whole", 5), *tree("part", 49))
    made = fewest(changed, sizes, replace(DEAR, free_paths=50))
    assert (made.directories, made.evicted) == (("whole/",), 0)


def test_the_fewest_bytes_decide_where_the_price_is_the_same() -> None:
    """Two free ways to save a path, with evictions that cost nothing: the one that spares more of the cache."""
    sizes = tree("a", 6) | tree("b", 3) | {"a/rest": 10, "b/rest": 5}
    changed = (*tree("a", 6), *tree("b", 3))
    made = fewest(changed, sizes, replace(DEAR, free_paths=8, usd_per_evicted_gb=0))
    assert (made.directories, made.evicted_bytes) == (("b/",), 5)


def test_an_eviction_that_costs_more_than_the_paths_is_not_worth_it() -> None:
    """Four paths at half a cent never pay for a database of 66 MB that every edge fetches again."""
    sizes = tree("mmdb", 4) | {"mmdb/City.mmdb": 66 * MB}
    assert fewest(tuple(tree("mmdb", 4)), sizes, DEAR).directories == ()
    assert fewest(tuple(tree("mmdb", 4)), sizes | {"mmdb/City.mmdb": MB}, DEAR).directories == ("mmdb/",)


def test_the_inner_directory_is_preferred_to_the_outer() -> None:
    """A wildcard stands as deep as it can: what lies beside stays cached."""
    sizes = tree("a/b", 10) | tree("a/c", 10)
    assert fewest(tuple(tree("a/b", 9)), sizes, DEAR).directories == ("a/b/",)


def test_the_root_is_never_collapsed() -> None:
    """Nobody here knows what else a distribution serves from its root."""
    sizes = {f"{number}.txt": 1 for number in range(50)}
    assert fewest(tuple(sizes), sizes, DEAR) == Forgetting(tuple(sizes))


def test_the_limit_in_progress_collapses_even_where_paths_are_free() -> None:
    """More than 3,000 single paths would have to wait for one another."""
    sizes = tree("a", 2_000) | tree("b", 2_000) | {"a/rest": 5, "b/rest": 6}
    made = fewest((*tree("a", 2_000), *tree("b", 2_000)), sizes, replace(FREE, free_paths=10**6))
    assert (made.directories, len(made.keys), made.evicted_bytes) == (("a/",), 2_000, 5)


def test_no_more_than_15_wildcards_are_used() -> None:
    """Of thirty directories the fifteen that save the most are collapsed."""
    sizes = {key: size for number in range(30) for key, size in tree(f"d{number:02}", number + 2).items()}
    made = fewest(tuple(sizes), sizes, DEAR)
    assert made.directories == tuple(f"d{number:02}/" for number in range(15, 30))


def test_keys_that_need_a_wildcard_of_their_own_count_among_the_15() -> None:
    """Where `~` takes them all, nothing else may be collapsed, nor a directory that has it in its name."""
    tariff = replace(DEAR, unmatchable="~")
    starred = {f"{number}~": 1 for number in range(14)}
    sizes = starred | tree("a", 5) | tree("b", 6)
    assert fewest(tuple(sizes), sizes, tariff).directories == ("b/",)
    assert fewest(tuple(tree("x~y", 5)), tree("x~y", 5), tariff).directories == ()


def test_a_cdn_that_collapses_nothing_gets_every_path() -> None:
    """`collapse = "never"` means never, whatever it costs."""
    sizes = tree("a", 4_000)
    assert fewest(tuple(sizes), sizes, replace(DEAR, collapses=False)) == Forgetting(tuple(sizes))


def test_a_tag_takes_the_place_of_a_jobs_paths_where_they_cost() -> None:
    """Of 40 files in 20 directories a job's one tag covers those known to carry it; the others keep their paths."""
    sizes = {f"d{number:02}/{name}": 100 for number in range(20) for name in "ab"}
    tags = {key: "hubdata:lists" for key in sizes if key != "d00/a"}
    changed = tuple(key for key in sizes if key != "d19/b")
    made = fewest(changed, sizes, DEAR, lambda: tags)
    assert made == Forgetting(("d00/a",), (), ("hubdata:lists",), 1, 100)


def test_a_tag_is_not_used_while_paths_are_free() -> None:
    """It would evict the whole job for nothing."""
    sizes = tree("a", 10)
    assert fewest(tuple(sizes)[:9], sizes, FREE, lambda: dict.fromkeys(sizes, "t")).tags == ()


def test_a_tag_that_evicts_more_than_a_wildcard_is_left_alone() -> None:
    """Both cost one path; the directory's wildcard spares the job's database."""
    sizes = tree("a", 10) | {"mmdb/City.mmdb": 66 * MB}
    made = fewest(tuple(tree("a", 10)), sizes, DEAR, lambda: dict.fromkeys(sizes, "t"))
    assert (made.tags, made.directories, made.evicted) == ((), ("a/",), 0)


def test_two_tags_and_a_wildcard_may_work_together() -> None:
    """Each job that changed widely has its tag, a third without tags its directory."""
    one = {f"x{number:02}/one": 10 for number in range(20)}
    two = {f"x{number:02}/two": 10 for number in range(20)}
    sizes = one | two | tree("z", 10)
    made = fewest(tuple(sizes), sizes, DEAR, lambda: dict.fromkeys(one, "1") | dict.fromkeys(two, "2"))
    assert (made.tags, made.directories, made.keys) == (("1", "2"), ("z/",), ())


def test_the_estimate_counts_what_is_beyond_the_free_paths() -> None:
    """1,201 paths with 1,000 free cost 201 times half a cent."""
    made = estimate(Forgetting(tuple(map(str, range(1_199))), ("d/",), (), 3, 99), 1_201, FREE)
    assert (made.paths, made.wildcards, made.tags) == (1_201, 1, 0)
    assert made.usd == pytest.approx(1.005)
    assert (made.evicted, made.evicted_bytes, made.free_paths) == (3, 99, 1_000)
    assert estimate(Forgetting(("a",)), 2, FREE).usd == 0


KEYS = st.lists(
    st.builds(
        lambda parts, name: "/".join((*parts, name)),
        st.lists(st.sampled_from("ab"), max_size=3),
        st.sampled_from("xyz"),
    ),
    min_size=1,
    max_size=12,
    unique=True,
)


@given(KEYS, st.data())
@example(["a/x", "a/y", "x"], None)
def test_no_choice_of_directories_is_cheaper(keys: list[str], data: st.DataObject | None) -> None:
    """Whatever the tree: every set of directories is tried, and none costs less, nor evicts less at the same price."""
    if data is None:
        changed, sizes, free, room = keys[:2], dict.fromkeys(keys, MB), 0, 15
    else:
        changed = data.draw(st.lists(st.sampled_from(keys), unique=True, min_size=1))
        sizes = {key: data.draw(st.sampled_from((0, 1, MB, 4 * MB, 20 * MB))) for key in keys}
        free, room = data.draw(st.integers(0, 4)), data.draw(st.integers(0, 3))
    tariff = replace(DEAR, free_paths=free, max_wildcards=room)

    made = fewest(changed, sizes, tariff)

    places = {"/".join(key.split("/")[:depth]) + "/" for key in keys for depth in range(1, key.count("/") + 1)}
    sets = itertools.chain.from_iterable(itertools.combinations(sorted(places), count) for count in range(room + 1))
    every = [covering(tuple(chosen), changed, sizes) for chosen in sets]
    assert made == covering(made.directories, changed, sizes)
    best = min((round(usd(each, tariff), 9), each.evicted_bytes) for each in every)
    assert (round(usd(made, tariff), 9), made.evicted_bytes) == best


def covering(directories: tuple[str, ...], changed: list[str], sizes: dict[str, int]) -> Forgetting:
    """Return what a set of directories comes to, counted key by key."""
    below = {key for key in sizes if key.startswith(directories)} if directories else set()
    evicted = below - set(changed)
    left = tuple(key for key in changed if key not in below)
    return Forgetting(left, directories, (), len(evicted), sum(sizes[key] for key in evicted))


def test_a_large_target_with_thousands_of_directories_is_chosen_from() -> None:
    """Beyond what is weighed exactly the choice still covers every change, within all limits and soon."""
    sizes = {f"a{n % 13}/b{n % 170}/c{n % 23}/{n}.txt": n % 977 for n in range(20_000)}
    changed = [key for key in sizes if int(key.rpartition("/")[2][:-4]) % 3]
    made = fewest(changed, sizes, FREE)
    assert len(made.directories) <= 15
    assert made == covering(made.directories, changed, sizes)
    assert usd(made, FREE) < usd(Forgetting(tuple(changed)), FREE)
