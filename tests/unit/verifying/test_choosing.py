"""Which files are looked at: what changed last always, of the others a few by lot."""

from dataclasses import replace

import pytest

from hubdata.errors import ConfigError
from hubdata.model.manifest import Manifest
from hubdata.verifying.choosing import Wish, chosen
from tests.unit.verifying.samples import CHANGED, entry

OLD = {f"old/{n:03}.txt": entry(changed_at="2026-01-01T00:00:00Z") for n in range(100)}
NEW = {f"new/{n}.txt": entry() for n in range(30)}
MANIFEST = Manifest(7, CHANGED, "run", {**OLD, **NEW})


def test_all_that_changed_last_and_a_sample_of_the_others() -> None:
    """However many changed, all of them are looked at."""
    keys = chosen(MANIFEST, Wish(sample=5, seed="x"))
    assert set(NEW) <= set(keys)
    assert len(keys) == len(NEW) + 5
    assert keys == tuple(sorted(keys))


def test_a_seed_gives_the_same_sample_and_others_give_others() -> None:
    """So that a look can be repeated, and in the end every file is looked at."""
    seen = {chosen(MANIFEST, Wish(sample=5, seed=str(seed))) for seed in range(20)}
    assert len(seen) > 15
    assert chosen(MANIFEST, Wish(sample=5, seed="x")) == chosen(MANIFEST, Wish(sample=5, seed="x"))


def test_a_publication_that_only_deleted_leaves_a_sample() -> None:
    """No file changed when the manifest was published."""
    later = replace(MANIFEST, published_at="2026-11-22T11:30:00Z")
    assert len(chosen(later, Wish(sample=5, seed="x"))) == 5


def test_everything_or_nothing_but_what_is_named() -> None:
    """`--all`, `--sample 0` and `--file`."""
    assert len(chosen(MANIFEST, Wish(everything=True))) == 130
    assert set(chosen(MANIFEST, Wish(sample=0))) == set(NEW)
    assert chosen(MANIFEST, Wish(keys=("old/001.txt", "new/1.txt", "new/1.txt"))) == ("new/1.txt", "old/001.txt")


@pytest.mark.parametrize(("key", "advice"), [("old/001.tx", "did you mean `old/001.txt`?"), ("zzz", "name a key")])
def test_a_key_that_is_not_published_is_refused(key: str, advice: str) -> None:
    """With the nearest one, where one is near."""
    with pytest.raises(ConfigError, match="generation 7 has no such file") as failed:
        chosen(MANIFEST, Wish(keys=(key,)))
    assert failed.value.advice.startswith(advice)
