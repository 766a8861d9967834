"""What may be drawn: orders, faults and where they hit, changes of a source; some of it is likelier than the rest."""

from dataclasses import dataclass
from datetime import timedelta

from hypothesis import strategies as st

from hubdata.model.lease import Terms
from hubdata.running.visiting import Orders
from tests.simulator.process import SORTS, Aim, Fault

JOBS = ("a", "b")
SHARED = "c/0"
"""A key that either job may publish: whose it is, changes."""

KEYS = {job: (*(f"{job}/{number}" for number in range(4)), SHARED) for job in JOBS}
GOOD = (b"1\n", b"2\n", b"1\n2\n", b"1\n2\n3\n", b"1\n2\n3\n4\n5\n6\n7\n8\n")

Told = tuple[Orders, tuple[str, ...]]
Changes = dict[int, bytes | None]


@dataclass(frozen=True)
class Wreck:
    """A run that goes wrong: which files it adds, removes and changes, and how and where then."""

    adds: bool
    removes: bool
    number: int
    aim: Aim
    fault: Fault


@dataclass(frozen=True)
class Stay:
    """How a run stands still: at which call, whether with it on its way, and for how long."""

    aim: Aim
    fault: Fault
    seconds: int


jobs = st.sampled_from(JOBS)
numbers = st.integers(0, len(KEYS["a"]) - 1)
bodies = st.sampled_from((*GOOD, b"BAD\n1\n", b""))
changes = st.dictionaries(numbers, st.one_of(st.none(), bodies), min_size=1, max_size=3)
gentle_changes = st.dictionaries(numbers, st.sampled_from((*GOOD[2:4], None)), min_size=1, max_size=3)

sorts = st.tuples(st.sampled_from(SORTS), st.integers(0, 3))
aims = st.one_of(st.integers(0, 30), sorts)
faults = st.dictionaries(aims, st.sampled_from(list(Fault)), max_size=3)
amid = st.tuples(
    st.sampled_from(("PUT", "PUT", "PUT manifest.json", "DELETE", "DELETE")), st.sampled_from((0, 0, 1, 2))
)
wrecks = st.builds(
    Wreck,
    adds=st.sampled_from((True, True, False)),
    removes=st.booleans(),
    number=st.integers(0, 3),
    aim=amid,
    fault=st.sampled_from((*Fault, Fault.KILL_AFTER, Fault.LOST, Fault.ERROR)),
)
stays = st.builds(
    Stay,
    aim=st.one_of(aims, st.tuples(st.just("GET manifest.json"), st.integers(0, 3)), amid),
    fault=st.sampled_from((Fault.LATE, Fault.STILL, Fault.STILL)),
    seconds=st.sampled_from((0, 70, 70)),
)
patience = st.sampled_from((Terms(), Terms(), Terms(waits=timedelta())))
rarely = st.sampled_from((False, False, False, True))
orders = st.builds(
    Orders, dry_run=rarely, force=rarely, allow_rollback=st.sampled_from((False, False, True)), lease=patience
)
sober_orders = st.builds(Orders, allow_rollback=rarely, lease=patience)
some_jobs = st.sampled_from((JOBS, JOBS, ("a",), ("b",)))
told = st.tuples(orders, some_jobs)
sober = st.tuples(sober_orders, some_jobs)
skews = st.sampled_from((timedelta(), timedelta(hours=2), timedelta(hours=-2)))
which = st.integers(0, 2)
order = st.integers(0, 7)
