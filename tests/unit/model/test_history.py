"""What each generation changed, told from the manifests that are left."""

from hubdata.model.history import chronicle
from hubdata.model.manifest import Entry, Manifest


def manifest(number: int, **files: str) -> Manifest:
    """Return a generation of files by SHA-256; a file's job is its first letter."""
    entries = {key: Entry(1, sha, "cidr", key[0], "etag", None, "then", "", "", {}) for key, sha in files.items()}
    return Manifest(number, f"day {number}", f"run-{number}", entries)


THREE = (manifest(3, a1="2", c1="1"), manifest(2, a1="2", b1="1"), manifest(1, a1="1"))


def test_each_generation_is_told_against_the_one_before() -> None:
    """The first against nothing; with the jobs that were concerned, those of removed files too."""
    third, second, first = chronicle(THREE, 3)
    assert (third.added, third.changed, third.removed, third.jobs) == (("c1",), (), ("b1",), ("b", "c"))
    assert (second.added, second.changed, second.removed, second.jobs) == (("b1",), ("a1",), (), ("a", "b"))
    assert (first.added, first.changed, first.removed, first.jobs) == (("a1",), (), (), ("a",))
    assert (third.number, third.published_at, third.run_id, third.files) == (3, "day 3", "run-3", 2)
    assert all(each.known for each in (third, second, first))


def test_what_cannot_be_known_is_not_made_up() -> None:
    """Where the generation before is gone; where only some are wanted, the next one still tells what changed."""
    third, second = chronicle(THREE[:2], 5)
    assert third.known
    assert (second.known, second.added, second.jobs) == (False, (), ())
    (only,) = chronicle(THREE, 1)
    assert only.known
    assert chronicle((), 5) == ()
