"""Inventories: what the listing and the manifest prove together, and what an ETag proves alone."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from hubdata.model.inventory import Held, Inventory, Stored
from hubdata.model.manifest import Manifest
from hubdata.model.snapshot import Snapshot
from hubdata.planning.inventory import USUAL_PART_SIZES, recognise, reconcile, vouched
from tests.unit.planning.samples import artifact, entry, inventory, md5, snapshot


def test_manifest_vouches_only_for_the_object_it_saw() -> None:
    """The digest holds while ETag and size agree; an overwritten object is of unknown content."""
    held = inventory({"same": entry("same", b"x"), "drifted": entry("drifted", b"x")}, {"same": b"x", "drifted": b"y"})

    assert held.objects["same"].sha256 == hashlib.sha256(b"x").hexdigest()
    assert held.objects["drifted"].sha256 is None


def test_size_that_differs_breaks_the_word_of_the_manifest() -> None:
    """An equal ETag with another size is not trusted."""
    held = reconcile("t", Manifest(files={"a": entry("a", b"x")}), "e", {"a": Stored(2, md5(b"x"))})

    assert held.objects["a"].sha256 is None


def test_names_of_our_own_are_no_data() -> None:
    """Manifest, pages and private records are not in an inventory, so nothing ever deletes or overwrites them."""
    names = ("manifest.json", "index.html", "status.json", ".hubdata/receipts.json", "a.txt", "sub/manifest.json")

    held = reconcile("t", Manifest(), None, {name: Stored(1, "e") for name in names})

    assert held.objects.keys() == {"a.txt", "sub/manifest.json"}


def _unknown(stored: Stored) -> Inventory:
    return Inventory("t", objects={"a": Held(stored, None)})


@pytest.mark.parametrize(
    ("stored", "known"),
    [
        (Stored(3, md5(b"abc")), True),
        (Stored(3, md5(b"abd")), False),
        (Stored(4, md5(b"abc")), False),
        (Stored(3, "not-an-md5"), False),
        (Stored(3, "0" * 32 + "-1"), False),
        (Stored(3, ""), False),
    ],
)
def test_md5_etag_proves_equal_bytes(stored: Stored, known: bool) -> None:
    """An object is recognised by size and MD5 together, and by nothing less."""
    found = recognise(_unknown(stored), snapshot({"a": b"abc"}), lambda *_: "never")

    assert (found.objects["a"].sha256 is not None) is known


@pytest.mark.parametrize("part_size", USUAL_PART_SIZES[:4])
def test_multipart_etag_is_asked_only_for_part_sizes_that_fit(part_size: int) -> None:
    """Only part sizes that give the ETag's number of parts are tried, and the first equal ETag proves the bytes."""
    size = 20 * 1024 * 1024
    big = artifact("a", b"")
    big = replace(big, size=size)
    count = -(-size // part_size)
    asked: list[int] = []

    def etag(_: Path, part: int) -> str:
        asked.append(part)
        return f"{part:032x}-{-(-size // part)}"

    found = recognise(_unknown(Stored(size, f"{part_size:032x}-{count}")), Snapshot("job", {"a": big}), etag)

    assert found.objects["a"].sha256 == big.sha256
    assert all(-(-size // part) == count for part in asked)


def test_known_objects_are_not_looked_at_again() -> None:
    """What the manifest vouches for costs no further digest."""

    def never(*_: object) -> str:
        raise AssertionError("asked for a multipart ETag")

    held = inventory({"a": entry("a", b"x")}, {"a": b"x"})

    assert recognise(held, snapshot({"a": b"y"}), never) is held


def test_vouched_names_what_need_not_be_fetched() -> None:
    """Only objects in place as listed are vouched for: not drifted, lost or foreign ones."""
    listed = {key: entry(key, b"x") for key in ("right", "drifted", "lost")}
    held = inventory(listed, {"right": b"x", "drifted": b"y", "foreign": b"z"})

    assert vouched(held) == {"right": {"type": "scripted", "revision": "r1"}}
