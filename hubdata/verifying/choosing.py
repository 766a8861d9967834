"""Choose which files to look at: those that changed last, and a few of the others by lot.

What has just changed is what caches get wrong. Of the rest a sample tells whether the copy is sound at all; another
one each time, so that in the end every file was looked at. Its seed is told, and gives the same sample again.
"""

from dataclasses import dataclass
from random import Random

from hubdata.errors import ConfigError
from hubdata.model.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be looked at: `keys` alone where there are any, or all, or what changed last and `sample` others."""

    keys: tuple[str, ...] = ()
    everything: bool = False
    sample: int = 20
    seed: str = ""


def chosen(manifest: Manifest, wish: Wish) -> tuple[str, ...]:
    """Return the keys to look at, sorted. Raises ConfigError when one was named that is not published."""
    for key in wish.keys:
        if key not in manifest.files:
            raise ConfigError(
                f"--file {key}: generation {manifest.generation} has no such file",
                advice=_near(key, manifest),
            )
    if wish.keys:
        return tuple(sorted(set(wish.keys)))
    newest = {key for key, entry in manifest.files.items() if entry.changed_at == manifest.published_at}
    others = sorted(manifest.files.keys() - newest)
    if wish.everything or len(others) <= wish.sample:
        return tuple(sorted(manifest.files))
    lot = Random(wish.seed).sample(others, wish.sample)  # noqa: S311 - nobody is to be kept from guessing it
    return tuple(sorted(newest.union(lot)))


def _near(key: str, manifest: Manifest) -> str:
    import difflib  # wanted only when something is wrong

    near = difflib.get_close_matches(key, sorted(manifest.files)[:5_000], n=1)
    return f"did you mean `{near[0]}`?" if near else "name a key of the manifest"
