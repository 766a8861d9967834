"""Follow files through generations: entries and size of those that changed last.

A chart for each of hundreds of files would say nothing. So only files whose bytes changed within the generations that
are at hand are followed, the last changed first, and only so many.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hubdata.model.manifest import Manifest

_MOST_LOOKED_AT = 500
"""Files compared through all generations, in search of those that changed: the last changed come first."""


@dataclass(frozen=True, slots=True)
class Series:
    """One file through generations, the oldest first; None where it was not public, or nobody counted."""

    key: str
    size: tuple[int | None, ...]
    entries: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Past:
    """The generations at hand, the oldest first, with when each was published; and the files that changed in them."""

    generations: tuple[int, ...]
    published_at: tuple[str, ...]
    series: tuple[Series, ...]
    cut: bool = False


def past(manifest: Manifest, older: Sequence[Manifest], most: int) -> Past:
    """Return what became of the files of `manifest` since the oldest of `older`; none with fewer than two."""
    by_number = {each.generation: each for each in older if 0 < each.generation < manifest.generation}
    row = [by_number[number] for number in sorted(by_number)] + [manifest]
    changed: list[str] = []
    newest_first = sorted(manifest.files, key=lambda key: (_backwards(manifest.files[key].changed_at), key))
    for key in newest_first[:_MOST_LOOKED_AT]:
        if len(row) > 1 and _changed(key, row):
            changed.append(key)
            if len(changed) > most:
                break
    return Past(
        tuple(each.generation for each in row),
        tuple(each.published_at for each in row),
        tuple(_series(key, row) for key in changed[:most]),
        cut=len(changed) > most,
    )


def _changed(key: str, row: list[Manifest]) -> bool:
    now = row[-1].files[key].sha256
    entries = (manifest.files.get(key) for manifest in reversed(row))
    return any(entry is not None and entry.sha256 != now for entry in entries)


def _series(key: str, row: list[Manifest]) -> Series:
    entries = [manifest.files.get(key) for manifest in row]
    return Series(
        key,
        tuple(None if each is None else each.size for each in entries),
        tuple(None if each is None else each.stats.entries for each in entries),
    )


def _backwards(text: str) -> tuple[int, ...]:
    """Return what sorts `text` from the last to the first."""
    return tuple(-ord(character) for character in text[:32])
