"""Choose what a CDN is told to forget: path by path while that is free, else the cheapest that covers every change.

A wildcard for a directory costs one path, however many changes lie below it, but it also evicts what did not change,
and a tag does so for a whole job. So nothing is collapsed while each changed key may have a path of its own. Beyond,
every set of directories is weighed, and of those that cost the same the one is chosen that evicts the fewest
unchanged bytes.

The root is never collapsed: what else a distribution serves from there is not known here.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from typing import NamedTuple

from hubdata.model.tariff import Estimate, Tariff

_MOST_OPTIONS = 200
_MOST_DIRECTORIES = 300
_MOST_TAGS = 4
"""How many ways of covering one directory, how many directories, and how many jobs' tags are weighed at all. Real trees
have a few dozen; beyond these the choice stays good and quick, but need not be the very best."""

_GB = 1_000_000_000
_ROOT = ""


@dataclass(frozen=True, slots=True)
class Forgetting:
    """What to forget: `keys` by a path each, `directories` (ending in a slash) by a wildcard each, `tags` by name.

    Together they cover every changed key. `evicted` unchanged objects of `evicted_bytes` go with them.
    """

    keys: tuple[str, ...]
    directories: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    evicted: int = 0
    evicted_bytes: int = 0


_Rank = tuple[bool, float, int, int]
"""What a choice is worse by, the gravest first: too much in progress at once, money, evicted bytes, paths."""


class _Option(NamedTuple):
    """One way of covering the changes below a directory. The order of fields is the order of preference."""

    paths: int
    evicted_bytes: int
    wildcards: int
    directories: tuple[str, ...]


def fewest(
    changed: Collection[str],
    sizes: Mapping[str, int],
    tariff: Tariff,
    tags: Callable[[], Mapping[str, str]] = dict,
) -> Forgetting:
    """Return the cheapest way to have all `changed` keys forgotten.

    `sizes` are those of all objects at the target, in bytes. `tags`, asked where they may be of use, names by key
    the tag that its cached copy is known to carry; a key that is not in it is out of reach for tags.
    """
    keys = tuple(dict.fromkeys(changed))
    best = _by_path(keys, frozenset(), sizes, tariff)
    if _is_cheap(best, tariff):
        return best
    carried = tags()
    for chosen in _subsets(_promising(keys, carried)):
        covered = frozenset(key for key, name in carried.items() if name in chosen)
        best = min(best, _by_path(keys, covered, sizes, tariff, tags=chosen), key=lambda each: _rank_of(each, tariff))
    return best


def estimate(forgetting: Forgetting, paths: int, tariff: Tariff) -> Estimate:
    """Return what it comes to to tell a CDN of `forgetting`, which makes `paths` in all with hubdata's own."""
    return Estimate(
        paths,
        wildcards=len(forgetting.directories) + sum(_is_starred(key, tariff) for key in forgetting.keys),
        tags=len(forgetting.tags),
        evicted=forgetting.evicted,
        evicted_bytes=forgetting.evicted_bytes,
        free_paths=tariff.free_paths,
        usd=round(max(0, paths - tariff.free_paths) * tariff.usd_per_path, 6),
    )


def _is_cheap(made: Forgetting, tariff: Tariff) -> bool:
    """Tell whether there is nothing to save: all of it is free and goes at once."""
    return _paths(made) <= tariff.free_paths and _paths(made) - len(made.directories) <= tariff.max_plain


def _promising(keys: Collection[str], tags: Mapping[str, str]) -> list[str]:
    """Return tags that save at least a path, those that save the most first."""
    saved: dict[str, int] = defaultdict(int)
    for key in keys:
        if key in tags:
            saved[tags[key]] += 1
    return sorted((tag for tag, count in saved.items() if count > 1), key=lambda tag: (-saved[tag], tag))


def _subsets(tags: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield every set of some of the first `tags`, smaller ones first."""
    few = sorted(tags[:_MOST_TAGS])
    return chain.from_iterable(combinations(few, count) for count in range(1, len(few) + 1))


def _by_path(
    changed: tuple[str, ...],
    covered: frozenset[str],
    sizes: Mapping[str, int],
    tariff: Tariff,
    *,
    tags: tuple[str, ...] = (),
) -> Forgetting:
    """Return the best choice of paths for what of `changed` is not `covered` by `tags` already."""
    keys = tuple(key for key in changed if key not in covered)
    fresh = frozenset(changed)
    gone = {key: sizes[key] for key in covered if key in sizes and key not in fresh}
    plainly = Forgetting(keys, (), tags, len(gone), sum(gone.values()))
    if _is_cheap(plainly, tariff) or not tariff.collapses:
        return plainly
    unchanged = {key: size for key, size in sizes.items() if key not in fresh and key not in covered}
    evicted = plainly.evicted_bytes

    def rank(option: _Option) -> _Rank:
        return _rank(option.paths + len(tags), option.wildcards, evicted + option.evicted_bytes, tariff)

    return _collapsed(plainly, min(_options(keys, unchanged, tariff), key=rank), unchanged)


def _collapsed(plainly: Forgetting, option: _Option, unchanged: Mapping[str, int]) -> Forgetting:
    """Return `plainly` with the directories of `option` in place of the keys below them."""
    if not option.directories:
        return plainly
    collapsed = frozenset(option.directories)

    def below(key: str) -> bool:
        return any(directory in collapsed for directory in _directories(key))

    return Forgetting(
        tuple(key for key in plainly.keys if not below(key)),
        tuple(sorted(collapsed)),
        plainly.tags,
        plainly.evicted + sum(map(below, unchanged)),
        plainly.evicted_bytes + option.evicted_bytes,
    )


def _rank(paths: int, directories: int, evicted_bytes: int, tariff: Tariff) -> _Rank:
    usd = max(0, paths - tariff.free_paths) * tariff.usd_per_path + evicted_bytes / _GB * tariff.usd_per_evicted_gb
    return paths - directories > tariff.max_plain, round(usd, 9), evicted_bytes, paths


def _rank_of(made: Forgetting, tariff: Tariff) -> _Rank:
    return _rank(_paths(made), len(made.directories), made.evicted_bytes, tariff)


def _paths(made: Forgetting) -> int:
    return len(made.keys) + len(made.directories) + len(made.tags)


def _options(keys: tuple[str, ...], unchanged: Mapping[str, int], tariff: Tariff) -> list[_Option]:
    """Return every way worth thinking of to cover `keys`: none is better than another in each respect."""
    room = max(0, tariff.max_wildcards - sum(_is_starred(key, tariff) for key in keys))
    evicted = _candidates(keys, unchanged, tariff) if room else {}
    direct = Counter(_nearest(key, evicted) for key in keys)
    within: dict[str, list[list[_Option]]] = defaultdict(list)
    for directory in sorted((*evicted, _ROOT), key=len, reverse=True):  # what lies below comes before
        options = [_Option(direct[directory], 0, 0, ())]
        for inner in within.pop(directory, ()):
            options = _best(_both(options, inner, room), room)
        if directory == _ROOT:
            return options
        options = _best([*options, _Option(1, evicted[directory], 1, (directory,))], room)
        within[_nearest(directory[:-1], evicted)].append(options)
    raise AssertionError("unreachable: the root is the shortest")


def _candidates(keys: Collection[str], unchanged: Mapping[str, int], tariff: Tariff) -> dict[str, int]:
    """Return the directories that may be collapsed, with the bytes that this evicts: those that save the most."""
    changes = Counter(directory for key in keys for directory in _directories(key))
    evicted = {directory: 0 for directory, count in changes.items() if count > 1 and not _is_starred(directory, tariff)}
    for key, size in unchanged.items():
        for directory in _directories(key):
            if directory in evicted:
                evicted[directory] += size

    def saves(directory: str) -> float:
        refetched = evicted[directory] / _GB * tariff.usd_per_evicted_gb
        return (changes[directory] - 1) * tariff.usd_per_path - refetched

    chosen = sorted(evicted, key=lambda directory: (-saves(directory), directory))[:_MOST_DIRECTORIES]
    return {directory: evicted[directory] for directory in chosen}


def _nearest(key: str, candidates: Collection[str]) -> str:
    """Return the innermost of the `candidates` that `key` lies in, else the root."""
    return next((directory for directory in _directories(key) if directory in candidates), _ROOT)


def _both(options: Iterable[_Option], inner: Sequence[_Option], room: int) -> Iterator[_Option]:
    """Yield each of `options` with each of `inner`, as far as there are wildcards for both."""
    for a in options:
        for b in inner:
            if a.wildcards + b.wildcards <= room:
                yield _Option(
                    a.paths + b.paths,
                    a.evicted_bytes + b.evicted_bytes,
                    a.wildcards + b.wildcards,
                    a.directories + b.directories,
                )


def _best(options: Iterable[_Option], room: int) -> list[_Option]:
    """Return the options that no other beats in paths, bytes and wildcards together; by paths, the fewest first."""
    kept: list[_Option] = []
    least = [float("inf")] * (room + 1)  # evicted bytes of what is kept, by the wildcards it takes at most
    for option in sorted(options):
        if option.evicted_bytes < least[option.wildcards]:
            kept.append(option)
            for count in range(option.wildcards, room + 1):
                least[count] = min(least[count], option.evicted_bytes)
    if len(kept) <= _MOST_OPTIONS:
        return kept
    step = (len(kept) - 1) / (_MOST_OPTIONS - 1)
    return [kept[round(number * step)] for number in range(_MOST_OPTIONS)]  # the first and the last among them


def _parent(key: str) -> str:
    """Return the directory of `key`, with its slash; empty at the root."""
    return key[: key.rfind("/") + 1]


def _directories(key: str) -> Iterator[str]:
    """Yield all directories that `key` lies in, without the root, the innermost first."""
    directory = _parent(key)
    while directory:
        yield directory
        directory = _parent(directory[:-1])


def _is_starred(key: str, tariff: Tariff) -> bool:
    return any(character in key for character in tariff.unmatchable)
