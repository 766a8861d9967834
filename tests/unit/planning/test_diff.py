"""Differences: the fewest changes, each with its reason and the ETag it was planned against."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.model.job import Unit
from hubdata.model.manifest import Entry
from hubdata.model.plan import Action, Reason
from hubdata.model.snapshot import Snapshot
from hubdata.planning.diff import diff, split
from hubdata.planning.inventory import recognise
from tests.unit.planning.samples import artifact, entry, inventory, md5, snapshot


@pytest.mark.parametrize(
    ("listed", "there", "reason", "planned"),
    [
        (None, None, Reason.NEW, None),
        (b"old", b"old", Reason.CHANGED, md5(b"old")),
        (b"new", b"evil", Reason.DRIFTED, md5(b"evil")),
        (b"new", None, Reason.LOST, None),
        (None, b"other", Reason.CHANGED, md5(b"other")),
    ],
)
def test_put_has_a_reason_and_the_etag_it_replaces(
    listed: bytes | None, there: bytes | None, reason: Reason, planned: str | None
) -> None:
    """What the manifest and the listing say decides why a file is put, and on which condition."""
    held = inventory({"a": entry("a", listed)} if listed is not None else {}, {"a": there} if there is not None else {})

    (change,) = diff(snapshot({"a": b"new"}), held).changes

    assert (change.action, change.reason, change.planned_etag) == (Action.PUT, reason, planned)


def test_unchanged_object_is_in_no_plan() -> None:
    """An object that holds the right bytes is neither put nor adopted again."""
    plan = diff(snapshot({"a": b"x"}), inventory({"a": entry("a", b"x")}, {"a": b"x"}))

    assert plan.empty
    assert plan.unchanged == 1


def test_force_puts_unchanged_objects_on_their_etag() -> None:
    """`force` gives every artifact a put that still does not overwrite another writer."""
    (change,) = diff(snapshot({"a": b"x"}), inventory({"a": entry("a", b"x")}, {"a": b"x"}), force=True).changes

    assert (change.reason, change.planned_etag) == (Reason.FORCED, md5(b"x"))


@pytest.mark.parametrize(
    "listed", [replace(entry("a", b"x"), job="other"), replace(entry("a", b"x"), kind="other")], ids=["job", "kind"]
)
def test_entry_that_names_another_owner_is_adopted_not_put(listed: Entry) -> None:
    """Right bytes under another job's name, or as another kind, only change the manifest."""
    held = inventory({"a": listed}, {"a": b"x"})

    plan = diff(snapshot({"a": b"x"}), held)

    assert (plan.changes, set(plan.adopted)) == ((), {"a"})


def test_prune_deletes_only_what_this_job_published_and_nobody_speaks_for() -> None:
    """Other jobs' files, refused, kept and never published ones stay; without prune everything does."""
    listed = {key: entry(key, b"x") for key in ("gone", "kept", "refused", "here")}
    listed["theirs"] = entry("theirs", b"x", job="other")
    held = inventory(listed, dict.fromkeys([*listed, "foreign"], b"x"))
    mine = Snapshot("job", {"here": artifact("here", b"x")}, frozenset({"kept"}), frozenset({"refused"}))

    (change,) = diff(mine, held, prune=True).changes

    assert (change.action, change.key, change.planned_etag) == (Action.DELETE, "gone", md5(b"x"))
    assert diff(mine, held).empty
    assert diff(mine, held, prune=True, spared=frozenset({"gone"})).empty


@pytest.mark.parametrize("there", [b"theirs", None], ids=["overwritten", "lost"])
def test_what_the_source_no_longer_has_is_listed_only_while_it_is_what_was_published(there: bytes | None) -> None:
    """Nobody can put it back: the manifest forgets it, and what lies there is left alone; with prune it is deleted."""
    listed = {key: entry(key, b"x") for key in ("harmed", "whole", "kept", "spared", "here")}
    listed["theirs"] = entry("theirs", b"x", job="other")
    objects = {**dict.fromkeys(listed, b"x"), **{key: there for key in ("harmed", "kept", "spared", "theirs") if there}}
    objects = {key: body for key, body in objects.items() if there or key in ("whole", "here")}
    held = inventory(listed, objects)
    mine = Snapshot("job", {"here": artifact("here", b"x")}, frozenset({"kept"}))

    plan = diff(mine, held, spared=frozenset({"spared"}))
    pruned = diff(mine, held, spared=frozenset({"spared"}), prune=True)

    assert (plan.changes, plan.forgotten, plan.empty) == ((), frozenset({"harmed"}), False)
    assert ({change.key for change in pruned.deletes}, pruned.forgotten) == ({"harmed", "whole"}, frozenset[str]())
    assert plan.id != replace(plan, forgotten=frozenset()).id
    assert diff(replace(mine, whole=False), held, spared=frozenset({"spared"})).empty, "nobody has looked for it"


def test_prune_of_an_object_that_is_gone_has_no_condition() -> None:
    """A listed object that is not there any more is planned for removal from the manifest alone."""
    (change,) = diff(
        snapshot({"here": b"x"}), inventory({"gone": entry("gone", b"x")}, {"here": b"x"}), prune=True
    ).deletes

    assert change.planned_etag is None


def test_split_holds_one_key_or_all() -> None:
    """A held key takes only itself out of the plan, or with `unit = "job"` everything."""
    plan = diff(snapshot({"a": b"1", "b": b"2"}), inventory({}, {}))

    free, held = split(plan, frozenset({"a"}), Unit.FILE)
    assert held is not None
    assert ([c.key for c in free.changes], [c.key for c in held.changes]) == (["b"], ["a"])
    free, held = split(plan, frozenset({"a"}), Unit.JOB)
    assert held is not None
    assert (free.changes, held.changes) == ((), plan.changes)
    assert split(plan, frozenset(), Unit.JOB) == (plan, None)


bodies = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from([b"1", b"2", b"3"]))


@settings(max_examples=200, deadline=None)
@given(wanted=bodies, listed=bodies, there=bodies, prune=st.booleans())
def test_carrying_out_a_diff_makes_the_store_hold_the_snapshot(
    wanted: Mapping[str, bytes], listed: Mapping[str, bytes], there: Mapping[str, bytes], prune: bool
) -> None:
    """Whatever manifest and store say before, the changes lead to the snapshot and never touch what is right."""
    target = snapshot(wanted)
    entries = {key: entry(key, body) for key, body in listed.items()}
    held = recognise(inventory(entries, there), target, lambda *_: "")

    plan = diff(target, held, prune=prune)

    store = dict(there)
    for change in plan.changes:
        assert change.planned_etag == (md5(store[change.key]) if change.key in store else None)
        if change.action is Action.PUT:
            assert store.get(change.key) != wanted[change.key], "an unchanged object is never written"
            store[change.key] = wanted[change.key]
        else:
            store.pop(change.key, None)
    assert {key: store.get(key) for key in wanted} == wanted
    assert store.keys() - wanted.keys() == there.keys() - wanted.keys() - (listed.keys() if prune else set())
    assert [c.key for c in plan.puts] == sorted(c.key for c in plan.puts)
    files = {key for key in entries if key not in {c.key for c in plan.deletes}} | set(plan.adopted)
    assert {c.key for c in plan.puts} | files >= wanted.keys(), "every wanted file ends up in the manifest"
