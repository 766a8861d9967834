"""Manifests: the same after a trip through JSON, and strict about what is read."""

import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.errors import TargetError
from hubdata.model.manifest import Entry, Manifest
from hubdata.model.snapshot import Stats
from hubdata.model.stage import Promoted
from tests.unit.planning.samples import entry

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
counts = st.none() | st.integers(0, 2**64)
entries = st.builds(
    Entry,
    size=st.integers(0, 2**50),
    sha256=words,
    kind=words,
    job=words,
    etag=words,
    version_id=st.none() | words,
    changed_at=words,
    content_type=words,
    cache_control=words,
    source=st.dictionaries(words, words, max_size=3),
    stats=st.builds(Stats, counts, counts, counts, counts),
    cache_tag=words,
)
manifests = st.builds(
    Manifest,
    st.integers(0, 2**40),
    words,
    words,
    st.dictionaries(words, entries, max_size=4),
    withdrawn=st.dictionaries(words, st.lists(words, max_size=2).map(tuple), max_size=2),
    promoted=st.none() | st.builds(Promoted, words, st.integers(0, 9), partial=st.booleans()),
)


@settings(max_examples=150, deadline=None)
@given(manifests)
def test_manifest_survives_the_trip_through_json(manifest: Manifest) -> None:
    """Reading what was written gives the same value, and writing that the same bytes."""
    body = manifest.to_bytes()

    assert Manifest.from_bytes(body) == manifest
    assert Manifest.from_bytes(body).to_bytes() == body
    assert body == (json.dumps(json.loads(body), indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def test_written_form_is_the_contract_s() -> None:
    """Schema, generation and files by sorted key; counts that nobody made are left out."""
    data = json.loads(
        Manifest(2, "t", "r", {"b": entry("b", b"x"), "a": entry("a", b"x", stats=Stats(entries=3))}).to_bytes()
    )

    assert (data["schema"], data["generation"], data["published_at"], data["run_id"]) == (1, 2, "t", "r")
    assert list(data["files"]) == ["a", "b"]
    assert data["files"]["a"]["stats"] == {"entries": 3}
    assert data["files"]["b"]["stats"] == {}
    assert data["files"]["a"].keys() >= {"size", "sha256", "kind", "job", "etag", "version_id", "changed_at", "source"}


def test_unknown_fields_are_left_out() -> None:
    """A field that a later version added does not stop this one."""
    data = json.loads(Manifest(1, "t", "r", {"a": entry("a", b"x")}).to_bytes())
    data["later"] = data["files"]["a"]["later"] = 1

    assert Manifest.from_bytes(json.dumps(data).encode()).files.keys() == {"a"}


def _spoilt(**fields: Any) -> bytes:
    data = json.loads(Manifest(1, "t", "r", {"a": entry("a", b"x")}).to_bytes())
    data["files"]["a"].update(fields)
    return json.dumps(data).encode()


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"<html>", b"[]", b"null", b"{}", b'{"schema": 1}', b"\xff", b"[" * 100_000),
        b'{"schema": 1, "generation": 1e999, "published_at": "", "run_id": "", "files": {}}',
        b'{"schema": 1, "generation": 1, "published_at": "", "run_id": "", "files": []}',
        *(_spoilt(size="big"), _spoilt(source=None), _spoilt(stats=[])),
        *(_spoilt(stats={"entries": "many"}), _spoilt(stats={"entries": 1.5})),
    ],
)
def test_anything_else_is_not_a_manifest(body: bytes) -> None:
    """Whatever else lies there is an error with advice, never a crash and never an empty manifest."""
    with pytest.raises(TargetError, match="not a hubdata manifest") as caught:
        Manifest.from_bytes(body)

    assert caught.value.advice


@pytest.mark.parametrize("schema", [0, 2, "1", None])
def test_another_schema_is_named(schema: object) -> None:
    """A manifest of another schema says which, and that hubdata must be updated."""
    with pytest.raises(TargetError, match=f"expected schema 1, found {schema!r}"):
        Manifest.from_bytes(json.dumps({"schema": schema}).encode())


def test_file_may_be_called_like_a_field_of_an_entry() -> None:
    """What is an entry is told by where it stands, not by the names around it."""
    names = ("size", "sha256", "kind", "job", "etag", "version_id", "changed_at", "content_type", "source", "stats")
    manifest = Manifest(1, "t", "r", {name: entry(name, b"x") for name in names})
    assert Manifest.from_bytes(manifest.to_bytes()) == manifest


def test_what_many_entries_have_in_common_is_held_once() -> None:
    """A hundred thousand files of one commit do not carry a hundred thousand copies of its id."""
    made = Manifest(1, "t", "r", {name: entry(name, b"x", stats=Stats(entries=3)) for name in ("a", "b")})
    first, second = Manifest.from_bytes(made.to_bytes()).files.values()
    assert first.source is second.source
    assert first.stats is second.stats
    assert first.changed_at is second.changed_at


def test_what_looks_like_an_entry_elsewhere_is_left_out() -> None:
    """A field that a later version added may hold such a thing, right or wrong."""
    data = json.loads(Manifest(1, "t", "r", {"a": entry("a", b"x")}).to_bytes())
    data["later"] = [data["files"]["a"], {"changed_at": 1, "sha256": None}]
    assert Manifest.from_bytes(json.dumps(data).encode()).files.keys() == {"a"}


def test_large_manifest_is_read_and_written_without_a_second_one() -> None:
    """Beside the entries there is the text that they are read from, or written to, and no tree of either."""
    names = [f"lists/{number // 100:04}/{number:06}.txt" for number in range(1_000)]
    manifest = Manifest(1, "t", "r", {name: entry(name, name.encode(), stats=Stats(1, 256, 0)) for name in names})

    def peak_of(work: Callable[[], object]) -> float:
        tracemalloc.start()
        work()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak / len(body)

    body = manifest.to_bytes()
    assert peak_of(manifest.to_bytes) < 2.5
    assert peak_of(lambda: Manifest.from_bytes(body)) < 2.5  # the text once, and the entries
