"""What a plan costs the fleet: every put is downloaded by every engine, at most, and nothing else is."""

from dataclasses import replace

import pytest

from hubdata.model.fleet import Downloads, Fleet
from hubdata.model.plan import Plan
from hubdata.model.run import JobResult, Outcome, RunResult, TargetResult
from hubdata.planning.diff import diff
from hubdata.planning.fleet import downloads, priced
from tests.unit.planning.samples import entry, inventory, snapshot

FLEET = Fleet(100_000, 0.085)


def test_what_is_put_is_downloaded_by_each_engine() -> None:
    """A new file and a changed one count with their new sizes; one that stays does not."""
    held = inventory({"same": entry("same", b"x"), "old": entry("old", b"old")}, {"same": b"x", "old": b"old"})
    plan = diff(snapshot({"same": b"x", "old": b"y" * 600_000, "new": b"z" * 400_000}), held)

    told = downloads(plan, FLEET)

    assert told == Downloads(100_000, 1_000_000, 8.5)
    assert told.bytes == 100_000_000_000


def test_forced_put_of_the_same_bytes_costs_as_much_as_new_ones() -> None:
    """Its Last-Modified is newer, and that is all an engine looks at."""
    body = b"x" * 20_000
    held = inventory({"a": entry("a", body)}, {"a": body})

    assert downloads(diff(snapshot({"a": body}), held, force=True), FLEET) == Downloads(100_000, 20_000, 0.17)


@pytest.mark.parametrize("published", [{"a": b"x"}, {"a": b"x", "gone": b"1"}], ids=["nothing", "a delete"])
def test_what_is_not_put_costs_nothing(published: dict[str, bytes]) -> None:
    """A delete, and what is adopted, make nobody download."""
    held = inventory({key: entry(key, body) for key, body in published.items()}, published)

    assert downloads(diff(snapshot({"a": b"x"}), held, prune=True), FLEET) is None


def test_every_plan_of_a_run_has_its_price() -> None:
    """What goes out and what is held, each under its own id."""
    out, held = (diff(snapshot({"a": body}), inventory({}, {})) for body in (b"1", b"22"))
    result = RunResult(
        "run", (JobResult("job", Outcome.HELD, {}, targets=(TargetResult("memory", out, held=held),)),), 0.1
    )

    (job,) = priced(result, replace(FLEET, engines=3)).jobs

    assert {id_: cost.bytes for id_, cost in job.targets[0].downloads.items()} == {out.id: 3, held.id: 6}
    assert priced(replace(result, jobs=()), FLEET).jobs == ()
    assert Plan("job", "memory").id not in job.targets[0].downloads
