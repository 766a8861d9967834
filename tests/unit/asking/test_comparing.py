"""Comparing two sides reads only what leaves a doubt, and matches single files by name."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from hubdata.asking import comparing
from hubdata.asking.comparing import Lump, Side, compare, of_files, of_generation, of_published
from hubdata.errors import SourceError, TargetError
from hubdata.model.comparison import Comparison, State
from hubdata.model.finding import Finding, Severity
from hubdata.model.inventory import Stored
from hubdata.model.manifest import KEY, Entry, Manifest
from hubdata.model.snapshot import SourceFile
from hubdata.ports import Blob, Sink
from tests.simulator.store import MemoryTarget
from tests.simulator.wire import Wire


def _unread() -> bytes:
    raise AssertionError("nobody needs to read this")


def _lump(body: bytes, *, known: bool = True, read: Callable[[], bytes] | None = None) -> Lump:
    return Lump(len(body), hashlib.sha256(body).hexdigest() if known else None, read or (lambda: body))


def _compared(old: Side, new: Side, kind: str | None = "needle", wanted: str = "") -> Comparison:
    return compare(old, new, lambda _: kind, lambda key: key.startswith(wanted))


def test_what_both_sides_know_to_be_the_same_is_not_read() -> None:
    """Equal digests are equal bytes: comparing a checkout with an unchanged bucket downloads nothing."""
    old, new = (Side(name, {"a": _lump(b"/a\n", read=_unread)}) for name in ("old", "new"))
    result = _compared(old, new)
    assert (result.files, result.same, result.old, result.new) == ((), 1, "old", "new")


def test_other_sizes_are_other_bytes_without_a_digest() -> None:
    """A database of another size differs, and neither is read: of such a kind nothing else is known."""
    old, new = (Side(name, {"a": _lump(b"x" * size, read=_unread)}) for name, size in (("old", 5), ("new", 6)))
    (file,) = _compared(old, new, "mmdb").files
    assert (file.state, file.difference.before, file.difference.after) == (State.CHANGED, 5, 6)


def test_an_unknown_digest_is_found_by_reading() -> None:
    """A checkout and an object that somebody overwrote have no digest yet; then the bytes decide."""
    same = _lump(b"/a\n", known=False)
    assert _compared(Side("old", {"a": same}), Side("new", {"a": _lump(b"/a\n", read=_unread)})).same == 1
    other = Side("new", {"a": _lump(b"/b\n")})
    assert _compared(Side("old", {"a": same}), other).files[0].state is State.CHANGED


def test_files_that_came_and_went_are_named() -> None:
    """Each by its key, in order."""
    result = _compared(Side("old", {"b": _lump(b"/b\n")}), Side("new", {"a": _lump(b"/a\n")}))
    assert [(file.key, file.state) for file in result.files] == [("a", State.ADDED), ("b", State.REMOVED)]


def test_unwanted_keys_are_left_out_unless_one_was_named() -> None:
    """A whole set is filtered; who names a file wants that file."""
    old, new = Side("old", {}), Side("new", {"x": _lump(b"/x\n")})
    assert _compared(old, new, wanted="y").files == ()
    alone = Side("new", {"x": _lump(b"/x\n")}, alone="x")
    assert [file.key for file in _compared(old, alone, wanted="y").files] == ["x"]


def test_two_single_files_are_one_file_by_the_new_name() -> None:
    """`hubdata diff a.txt b.txt` compares them, whatever they are called."""
    old = Side("old", {"a": _lump(b"/a\n")}, alone="a")
    (file,) = _compared(old, Side("new", {"b": _lump(b"/b\n")}, alone="b")).files
    assert (file.key, file.state) == ("b", State.CHANGED)


def test_one_single_file_is_compared_with_its_like_alone() -> None:
    """Of the other side only the file of that name counts; where there is none, a notice says so."""
    set_ = Side("set", {"a": _lump(b"/a\n"), "b": _lump(b"/b\n", read=_unread)})
    assert [file.key for file in _compared(set_, Side("one", {"a": _lump(b"/x\n")}, alone="a")).files] == ["a"]
    result = _compared(set_, Side("one", {"c": _lump(b"/c\n")}, alone="c"))
    assert [file.state for file in result.files] == [State.ADDED]
    assert result.notices == ("set holds no c",)


def test_the_kind_is_the_jobs_else_what_a_side_knows() -> None:
    """A job file's word counts before the manifest's, and the new side's before the old one's."""
    old = Side("old", {"a": _lump(b"/a\n")}, kinds={"a": "regexp"})
    new = Side("new", {"a": _lump(b"/b\n")})
    assert _compared(old, new, None).files[0].kind == "regexp"
    assert _compared(old, new, "needle").files[0].kind == "needle"
    assert _compared(Side("old", old.files), new, None).files[0].kind == ""


def test_a_huge_file_is_compared_by_its_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond what any kind allows a list, nothing is parsed."""
    monkeypatch.setattr(comparing, "MAX_UNDERSTOOD_BYTES", 3)
    old, new = Side("old", {"a": _lump(b"/aa\n")}), Side("new", {"a": _lump(b"/ab\n")})
    (file,) = _compared(old, new).files
    assert (file.difference.names, file.difference.equal) == (None, False)


def test_a_file_that_vanished_is_told(tmp_path: Path) -> None:
    """What was listed and cannot be read is an error with advice, not an empty file."""
    side = of_files("here", [SourceFile("a", tmp_path / "absent", 5, {})])
    with pytest.raises(SourceError, match="absent: cannot be read"):
        _compared(side, Side("new", {"a": _lump(b"12345")}))


def test_entries_that_were_not_read_are_notices(tmp_path: Path) -> None:
    """A link in a checkout is not compared, and that is said."""
    side = of_files("here", [], [Finding("l", None, "file.link", Severity.ERROR, "a link", "remove it")])
    assert _compared(side, Side("new", {})).notices == ("l: a link",)


def _stored(body: bytes, version: str) -> Stored:
    return Stored(len(body), hashlib.md5(body, usedforsecurity=False).hexdigest(), version)


class Vault(MemoryTarget):
    """A store that gives out its past: one version a generation of the file `a` and of the manifest."""

    def __init__(self, generations: int) -> None:
        super().__init__(Wire())
        self.past: dict[str, dict[str, bytes]] = {"a": {}, KEY: {}}
        for number in range(1, generations + 1):
            body, version = f"/needle-{number}\n".encode(), f"v{number}"
            stored = _stored(body, version)
            digest = hashlib.sha256(body).hexdigest()
            entry = Entry(len(body), digest, "needle", "job", stored.etag, version, "then", "text/plain", "", {})
            self.past["a"][version] = body
            self.past[KEY][version] = Manifest(number, "then", "run", {"a": entry}).to_bytes()
        for key, versions in self.past.items():
            self.seed(key, versions[f"v{generations}"])

    def history(self, key: str) -> tuple[str, ...]:
        """Return what is left of the past of `key`, the newest first."""
        return tuple(reversed(self.past[key]))

    def read(self, key: str, *, max_bytes: int, version_id: str | None = None) -> Blob | None:
        """Return one state of `key`."""
        if version_id is None:
            return super().read(key, max_bytes=max_bytes)
        body = self.past[key].get(version_id)
        return None if body is None else Blob(body, _stored(body, version_id))

    def retrieve(self, key: str, state: Stored, into: Sink) -> bool:
        """Write one state of `key`."""
        body = self.past[key].get(state.version_id or "")
        if body is None:
            return False
        into.begin()
        into.write(body)
        return True


@pytest.mark.parametrize("wanted", range(1, 8))
def test_any_generation_that_is_kept_is_found(wanted: int) -> None:
    """By halving, from the first to the present one; its files are what they were then."""
    side = of_generation(Vault(7), wanted)
    assert side.files["a"].read() == f"/needle-{wanted}\n".encode()
    assert (side.kinds, side.label) == ({"a": "needle"}, f"memory, generation {wanted}")


def test_a_generation_that_is_not_kept_any_more_is_told() -> None:
    """Whether its manifest has expired or one of its files; nothing else is given out in its place."""
    vault = Vault(7)
    del vault.past[KEY]["v3"]
    with pytest.raises(TargetError, match="generation 3 is wanted, 7 is published; its store no longer has it"):
        of_generation(vault, 3)
    side = of_generation(vault, 2)
    vault.past["a"]["v2"] = b"/something else\n"
    with pytest.raises(TargetError, match="a: the store no longer keeps the version that was published"):
        side.files["a"].read()
    with pytest.raises(TargetError, match="expected generation 9, found 7"):
        of_generation(vault, 9)


def test_an_object_that_changes_while_it_is_compared_is_told() -> None:
    """Bytes of a later moment are not taken for those of the listing."""
    vault = Vault(1)
    side = of_published(vault)
    vault.seed("a", b"/later\n")
    with pytest.raises(TargetError, match="a changed while it was compared"):
        side.files["a"].read()
