"""What a rollback takes back stays back until the source says something new, whatever else is published."""

from dataclasses import replace

import pytest

from hubdata.model.finding import HOLDING, Finding
from hubdata.model.inventory import Held, Inventory, Stored
from hubdata.model.manifest import ABSENT, Entry, Manifest
from hubdata.model.plan import Action, Change, Plan, Reason
from hubdata.model.snapshot import Artifact, Snapshot
from hubdata.planning.diff import diff
from hubdata.planning.limits import breaches, breaches_of_rollback
from hubdata.planning.withdrawal import MOST, is_withdrawn, withdrawn_after
from tests.unit.planning.samples import artifact

NOTHING: frozenset[str] = frozenset()


def entry(sha256: str) -> Entry:
    """Return a manifest's line of these bytes."""
    return Entry(1, sha256, "cidr", "job", f"etag-{sha256}", None, "then", "text/plain", "", {})


def manifest(files: dict[str, str], **withdrawn: tuple[str, ...]) -> Manifest:
    """Return a manifest of files by SHA-256."""
    return Manifest(7, "now", "run", {key: entry(sha256) for key, sha256 in files.items()}, withdrawn=withdrawn)


@pytest.mark.parametrize(
    ("before", "puts", "removed", "back", "after"),
    [
        ({"a": "15", "b": "9"}, {"a": "12"}, [], True, {"a": ("15",)}),
        ({"a": "15"}, {}, ["a"], True, {"a": ("15",)}),
        ({}, {"a": "12"}, [], True, {"a": (ABSENT,)}),
        ({"a": "15"}, {"a": "15"}, [], True, {}),
        ({"a": "15"}, {"a": "16"}, [], False, {}),
        ({"a": "15"}, {}, ["a"], False, {}),
        ({}, {}, ["a"], True, {}),
    ],
    ids=["replaced", "deleted", "restored", "the same", "a sync", "a sync that deletes", "never there"],
)
def test_a_rollback_withdraws_what_it_replaces(
    before: dict[str, str], puts: dict[str, str], removed: list[str], back: bool, after: dict[str, tuple[str, ...]]
) -> None:
    """Bytes, or that there were none; any other run withdraws nothing."""
    keys = {*puts, *removed} if back else NOTHING
    assert withdrawn_after(manifest(before), {k: entry(v) for k, v in puts.items()}, removed, keys) == after


def test_rollbacks_add_to_the_list_and_forward_takes_off_it() -> None:
    """Back from 15 to 12, to 10, and forward to 15: then 12 and 10 are what nobody wants."""
    lists: dict[str, tuple[str, ...]] = {}
    now = "15"
    for then, listed in (("12", ("15",)), ("10", ("15", "12")), ("15", ("12", "10"))):
        lists = dict(withdrawn_after(manifest({"a": now}, **lists), {"a": entry(then)}, [], {"a"}))
        assert lists == {"a": listed}
        now = then


def test_anything_new_ends_it_and_the_same_again_does_not() -> None:
    """Other bytes of the source, or its own deletion; not the rolled back bytes put or adopted once more."""
    held = manifest({"a": "12"}, a=("15",), b=("3",))
    assert withdrawn_after(held, {"a": entry("16")}, [], NOTHING) == {"b": ("3",)}
    assert withdrawn_after(held, {}, ["a"], NOTHING) == {"b": ("3",)}
    again = replace(entry("12"), kind="opaque", etag="other")
    assert withdrawn_after(held, {"a": again}, [], NOTHING) == {"a": ("15",), "b": ("3",)}
    assert withdrawn_after(held, {"a": entry("15")}, [], NOTHING) == {"b": ("3",)}  # somebody approved it
    assert withdrawn_after(held, {"b": entry("4")}, [], NOTHING) == {"a": ("15",)}


def test_a_list_is_bounded() -> None:
    """The latest stay."""
    lists: dict[str, tuple[str, ...]] = {}
    for number in range(MOST + 5):
        lists = dict(withdrawn_after(manifest({"a": str(number)}, **lists), {"a": entry("back")}, [], {"a"}))
    assert lists["a"] == tuple(str(number) for number in range(5, MOST + 5))


def test_lists_are_kept_in_the_manifest_and_only_where_there_are_any() -> None:
    """Readers that know nothing of them read on; ours read back what they wrote."""
    held = manifest({"a": "12"}, a=("15", ABSENT))
    assert Manifest.from_bytes(held.to_bytes()) == held
    assert b"withdrawn" not in manifest({"a": "12"}).to_bytes()
    assert is_withdrawn(held, "a", "15")
    assert not is_withdrawn(held, "a", "12")
    assert not is_withdrawn(held, "b", "15")


def snapshot_of(*files: Artifact) -> Snapshot:
    """Return what a job would have public."""
    return Snapshot("job", {file.key: file for file in files})


def found(held: Manifest, *changes: Change, of: Snapshot | None = None) -> list[Finding]:
    """Return what limits say of a plan of these changes."""
    return list(breaches(Plan("job", "target", changes), of or Snapshot("job"), held, {}, max_deletes=1.0))


def test_exactly_the_withdrawn_bytes_are_held() -> None:
    """With a rule that says so, whose findings hold and cannot be waived; other bytes go out."""
    file = artifact("a", b"15")
    put = Change(Action.PUT, "a", Reason.CHANGED, file.size, file.sha256, "etag")
    (finding,) = found(manifest({"a": "12"}, a=("x", file.sha256)), put, of=snapshot_of(file))
    assert (finding.key, finding.rule) == ("a", "limits.withdrawn")
    assert finding.rule in HOLDING
    assert "approve" in finding.advice
    assert found(manifest({"a": "12"}, a=("x",)), put, of=snapshot_of(file)) == []
    assert found(manifest({"a": "12"}, b=(file.sha256,)), put, of=snapshot_of(file)) == []


def test_a_new_file_is_held_too_where_a_rollback_deleted_it() -> None:
    """It is in no manifest any more, and comes back all the same."""
    file = artifact("a", b"15")
    put = Change(Action.PUT, "a", Reason.NEW, file.size, file.sha256, None)
    (finding,) = found(manifest({}, a=(file.sha256,)), put, of=snapshot_of(file))
    assert finding.rule == "limits.withdrawn"


def test_an_approval_from_before_the_rollback_lets_nothing_out() -> None:
    """The same bytes over the same object are another plan now: a script that approves the old one again fails."""
    file = artifact("a", b"15")
    there = {"a": Held(Stored(1, "etag-12"), "12")}
    before, after = (
        diff(snapshot_of(file), Inventory("target", held, "etag", there))
        for held in (manifest({"a": "12"}), manifest({"a": "12"}, a=(file.sha256,)))
    )
    assert [change.reason for change in (*before.puts, *after.puts)] == [Reason.CHANGED, Reason.WITHDRAWN]
    assert before.id != after.id


def test_a_deletion_that_a_rollback_undid_is_held() -> None:
    """The source still lacks the file; with its bytes withdrawn instead, it may go."""
    gone = Change(Action.DELETE, "a", Reason.REMOVED, 1, "12", "etag")
    (finding,) = found(manifest({"a": "12"}, a=(ABSENT,)), gone)
    assert finding.rule == "limits.withdrawn"
    assert found(manifest({"a": "12"}, a=("15",)), gone) == []


def test_a_rollback_is_held_by_nothing_but_too_many_deletes() -> None:
    """Neither by how far it goes nor by what was withdrawn: both were asked for."""
    files = dict.fromkeys("abcdef", "1")
    put = Change(Action.PUT, "a", Reason.CHANGED, 1, "15", "etag")
    deletes = tuple(Change(Action.DELETE, name, Reason.REMOVED, 1, "1", "etag") for name in "bcdef")
    held = manifest(files, a=("15",))
    assert breaches_of_rollback(Plan("job", "target", (put,)), held) == ()
    assert {f.rule for f in breaches_of_rollback(Plan("job", "target", (put, *deletes)), held)} == {
        "limits.max-deletes"
    }
    assert breaches_of_rollback(Plan("job", "target", (put, *deletes)), held, max_deletes=1.0) == ()
