"""Merging: one generation on, our keys on top, everybody else's untouched."""

from hubdata.model.inventory import Stored
from hubdata.model.manifest import Manifest
from hubdata.model.snapshot import Stats
from hubdata.planning.merge import entry_of, merged
from tests.unit.planning.samples import artifact, entry


def test_merge_keeps_other_jobs_and_goes_one_generation_on() -> None:
    """What another run swapped in meanwhile stays; ours is put in, removed keys go, and the inputs do not change."""
    newest = Manifest(7, "then", "other", {"theirs": entry("theirs", b"t"), "old": entry("old", b"o")})

    after = merged(newest, {"mine": entry("mine", b"m")}, frozenset({"old", "never"}), run_id="me", published_at="now")

    assert (after.generation, after.run_id, after.published_at) == (8, "me", "now")
    assert after.files.keys() == {"theirs", "mine"}
    assert newest.files.keys() == {"theirs", "old"}


def test_file_that_moved_between_jobs_in_one_run_stays_listed() -> None:
    """A key that one job gives up and another takes over in the same run is in the manifest."""
    after = merged(Manifest(), {"a": entry("a", b"x", job="new")}, frozenset({"a"}), run_id="", published_at="")

    assert after.files["a"].job == "new"


def test_entry_holds_what_the_store_confirmed_and_what_was_checked() -> None:
    """ETag and version are the store's, digest, kind, headers and stats the artifact's."""
    line = entry_of(artifact("a", b"abc", stats=Stats(entries=1)), "job", Stored(3, "etag", "v9"), "now")

    assert (line.etag, line.version_id, line.changed_at, line.job) == ("etag", "v9", "now", "job")
    assert (line.size, line.stats.entries, line.content_type) == (3, 1, "text/plain")
