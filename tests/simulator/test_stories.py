"""Short stories of two or three runs, all that there are: one breaks off or stands still, others come by.

The model's walk meets these too, but only now and then; here nothing is left to chance.
"""

import itertools
from datetime import timedelta

import pytest

from hubdata.model.job import Unit
from hubdata.model.lease import Terms
from hubdata.running.visiting import Orders
from tests.simulator.chances import GOOD, JOBS, Changes, Stay, Wreck
from tests.simulator.driving import EVER
from tests.simulator.machine import Publishing
from tests.simulator.process import SORTS, Fault

_AMID = (("PUT", 0), ("PUT", 1), ("PUT manifest.json", 0), ("DELETE", 0))
_SOBER = (Orders(lease=Terms()), JOBS)


def _machine() -> Publishing:
    machine = Publishing()
    machine.begin(second="none", prune=True, unit=Unit.FILE)
    return machine


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("aim", _AMID)
def test_invariants_hold_wherever_a_run_breaks_off(aim: tuple[str, int], fault: Fault) -> None:
    """A run that adds, removes or renames a file goes wrong, and another comes by, until that is wanted no more."""
    for renames, meanwhile, back in itertools.product((None, False, True), (False, True), (False, True)):
        machine = _machine()
        try:
            wreck = Wreck(adds=renames is not None, removes=renames is not False, number=0, aim=aim, fault=fault)
            machine.break_off(job="a", wreck=wreck, told=_SOBER, meanwhile=meanwhile, back=back, order=0)
            machine.holds()
        finally:
            machine.teardown()


@pytest.mark.parametrize("fault", [Fault.LATE, Fault.STILL])
@pytest.mark.parametrize("sort", [*SORTS, "GET manifest.json again"])
def test_invariants_hold_wherever_a_run_stands_still(sort: str, fault: Fault) -> None:
    """A run stands still past its lease while another does all its work, with and without something to clear up."""
    sort, again, _ = sort.partition(" again")
    killed = Wreck(adds=True, removes=False, number=0, aim=("PUT", 1), fault=Fault.KILL_AFTER)
    changes: tuple[Changes | None, ...] = (None, {0: GOOD[2]})
    for wreck, number, change, order in itertools.product((None, killed), (2, 3) if again else (0, 1), changes, (0, 3)):
        machine = _machine()
        try:
            machine.alone(Orders(), JOBS)
            stay = Stay((sort, number), fault, 70)
            machine.stall(first=_SOBER, second=_SOBER, wreck=wreck, stay=stay, order=order, job="a", changes=change)
            machine.holds()
        finally:
            machine.teardown()


@pytest.mark.parametrize("fault", [Fault.LATE, Fault.STILL])
@pytest.mark.parametrize("sort", ["PUT manifest.json", "PUT index.html", "DELETE", "INVALIDATE", "PUT receipts.json"])
def test_invariants_hold_wherever_a_run_that_deletes_stands_still(sort: str, fault: Fault) -> None:
    """Two files go at once, beside the page; the lease is over amid that, and both are wanted again as they were."""
    for number, order, again in itertools.product((0, 1), (0, 1, 5), (False, True)):
        machine = _machine()
        try:
            machine.commit("a", {3: GOOD[3]})
            machine.alone(Orders(), JOBS)
            machine.commit("a", {0: None, 1: None, 2: GOOD[2]})
            run = machine.process(*_SOBER, skew=timedelta(), machine=0)
            run.faults[sort, number] = fault
            machine.flying.append(run)
            machine.move(run, EVER, order)
            machine.world.clock.sleep(timedelta(seconds=70))
            if again:
                machine.commit("a", {0: GOOD[3], 1: GOOD[3], 3: GOOD[2]})
            machine.flying.append(machine.process(*_SOBER, skew=timedelta(), machine=1))
            machine.move(machine.flying[-1], EVER, order)
            machine.land_all()
            machine.holds()
        finally:
            machine.teardown()
