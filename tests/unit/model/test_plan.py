"""Plan ids: the same plan has the same id anywhere, and any difference makes another."""

import subprocess
import sys
from dataclasses import replace

import pytest

from hubdata.model.inventory import Stored
from hubdata.model.plan import Action, Change, Plan, Reason

PUT = Change(Action.PUT, "a", Reason.NEW, 1, "00", None)
DELETE = Change(Action.DELETE, "b", Reason.REMOVED, 2, "11", "e")
PLAN = Plan("job", "target", (PUT, DELETE), {"c": Stored(3, "f"), "d": Stored(4, "g")}, 5)


def test_plan_id_is_the_same_in_another_process() -> None:
    """The id does not depend on the process, its hash seed, or the order in which adoptions were found."""
    code = (
        "from tests.unit.model.test_plan import PLAN; from dataclasses import replace;"
        "print(replace(PLAN, adopted=dict(reversed(PLAN.adopted.items()))).id)"
    )
    made = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONHASHSEED": "7", "PYTHONPATH": "."},
        capture_output=True,
        check=True,
        text=True,
    )

    assert made.stdout.strip() == PLAN.id
    assert len(PLAN.id) == 64


@pytest.mark.parametrize(
    "other",
    [
        replace(PLAN, job="x"),
        replace(PLAN, target="x"),
        replace(PLAN, changes=(PUT,)),
        replace(PLAN, changes=(DELETE, PUT)),
        replace(PLAN, changes=(replace(PUT, action=Action.DELETE), DELETE)),
        replace(PLAN, changes=(replace(PUT, key="x"), DELETE)),
        replace(PLAN, changes=(replace(PUT, reason=Reason.LOST), DELETE)),
        replace(PLAN, changes=(replace(PUT, size=9), DELETE)),
        replace(PLAN, changes=(replace(PUT, sha256="22"), DELETE)),
        replace(PLAN, changes=(replace(PUT, planned_etag="e"), DELETE)),
        replace(PLAN, adopted={"c": Stored(3, "f")}),
        replace(PLAN, adopted={**PLAN.adopted, "d": Stored(4, "h")}),
    ],
)
def test_any_difference_makes_another_id(other: Plan) -> None:
    """Whoever approves an id approves these changes to these objects at this target, and no others."""
    assert other.id != PLAN.id


def test_what_was_not_touched_is_no_part_of_the_id() -> None:
    """A count of unchanged files does not change what is approved."""
    assert replace(PLAN, unchanged=0).id == PLAN.id


def test_plan_counts_its_own_work() -> None:
    """Puts, deletes and bytes are those of the changes; a plan that only adopts is not empty."""
    assert (PLAN.puts, PLAN.deletes, PLAN.bytes) == ((PUT,), (DELETE,), 1)
    assert not replace(PLAN, changes=()).empty
    assert Plan("job", "target").empty
