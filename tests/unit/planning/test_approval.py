"""Approvals: what was reviewed goes out, whole and alone, and an id lets out nothing but its own plan."""

from itertools import product

import pytest

from hubdata.model.inventory import Stored
from hubdata.model.job import Unit
from hubdata.model.plan import Action, Change, Plan, Reason
from hubdata.planning.approval import decide
from hubdata.planning.diff import split


def change(key: str, content: str = "00") -> Change:
    """Return a put of `key`."""
    return Change(Action.PUT, key, Reason.CHANGED, 1, content, "etag")


WHOLE = Plan("job", "t", (change("free"), change("held")), {"adopted": Stored(1, "e")}, 7)
HELD_KEYS = frozenset({"held"})
FREE = split(WHOLE, HELD_KEYS, Unit.FILE)[0]
HELD = Plan("job", "t", (change("held"),))


def test_without_approvals_all_goes_out_but_what_is_held() -> None:
    """The usual run: nobody has to approve what broke no limit."""
    decision = decide(WHOLE, HELD_KEYS, Unit.FILE, frozenset())

    assert (decision.plan, decision.held, decision.waiting, decision.approved) == (FREE, HELD, None, frozenset())


def test_an_approved_plan_goes_out_alone() -> None:
    """Its changes under its very id; the rest, adoptions too, waits for a run without approvals."""
    decision = decide(WHOLE, HELD_KEYS, Unit.FILE, frozenset({HELD.id}))

    assert (decision.plan.id, decision.plan.changes, decision.plan.adopted) == (HELD.id, HELD.changes, {})
    assert decision.plan.unchanged == 7
    assert (decision.held, decision.waiting, decision.let_out) == (None, FREE, HELD)
    assert decision.approved == {HELD.id}


def test_a_plan_that_no_limit_holds_can_be_approved_as_well() -> None:
    """Whoever reviewed the free part may have just that carried out; the held part stays held."""
    decision = decide(WHOLE, HELD_KEYS, Unit.FILE, frozenset({FREE.id}))

    assert (decision.plan, decision.held, decision.waiting, decision.let_out) == (FREE, HELD, None, None)


def test_both_parts_can_be_approved_at_once() -> None:
    """Two ids carry out both plans, in the order of keys."""
    decision = decide(WHOLE, HELD_KEYS, Unit.FILE, frozenset({FREE.id, HELD.id}))

    assert (decision.plan, decision.held, decision.waiting) == (WHOLE, None, None)
    assert decision.approved == {FREE.id, HELD.id}


@pytest.mark.parametrize("id_", ["0" * 64, WHOLE.id, HELD.id[:12], Plan("job", "t").id])
def test_another_id_lets_nothing_out(id_: str) -> None:
    """A stale id, the id of the undivided plan, a part of an id, or that of an empty plan: nothing is carried out."""
    decision = decide(WHOLE, HELD_KEYS, Unit.FILE, frozenset({id_}))

    assert decision.plan.empty
    assert (decision.held, decision.waiting, decision.approved) == (HELD, FREE, frozenset())


def test_a_plan_of_nothing_cannot_be_approved() -> None:
    """Every unchanged job has the same empty plan: its id is no approval of anything."""
    nothing = Plan("job", "t", unchanged=7)

    assert decide(nothing, frozenset(), Unit.FILE, frozenset({nothing.id})).approved == frozenset()


def test_the_same_change_elsewhere_or_of_other_bytes_has_another_id() -> None:
    """An approval is for one job, one target, these bytes and what they replace."""
    others = (
        Plan("other", "t", HELD.changes),
        Plan("job", "u", HELD.changes),
        Plan("job", "t", (change("held", "01"),)),
        Plan("job", "t", (Change(Action.PUT, "held", Reason.CHANGED, 1, "00", "another etag"),)),
    )
    assert len({HELD.id, *(plan.id for plan in others)}) == 5


def test_nothing_is_ever_both_carried_out_and_left() -> None:
    """Whatever is held and approved: each change is in exactly one of the three parts."""
    for unit, held_keys, approve in product(
        Unit, (frozenset[str](), HELD_KEYS), ((), (FREE.id,), (HELD.id,), (FREE.id, HELD.id), ("0" * 64,))
    ):
        decision = decide(WHOLE, held_keys, unit, frozenset(approve))
        parts = [p for p in (decision.plan, decision.held, decision.waiting) if p is not None]
        keys = [c.key for part in parts for c in part.changes]
        assert sorted(keys) == ["free", "held"], (unit, held_keys, approve)
