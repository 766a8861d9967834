"""The model: everything that may happen to hubdata's world, in any order, and what must hold after each of it.

Runs are started, moved on by some calls, overtaken, killed and given bad answers, while sources change, strangers write
and time passes. After every step the witness is asked; and whenever nothing is in flight, the world must be what the
sources say after two more runs at most.
"""

import tempfile
from collections import Counter
from datetime import timedelta
from functools import partial
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from hubdata import pipeline
from hubdata.errors import Exit
from hubdata.model.job import FileRule, Job, Limits, SourceSpec, Unit
from hubdata.model.lease import Terms
from hubdata.model.run import Outcome
from hubdata.reading import Feed
from hubdata.visiting import Orders, Place
from tests.simulator.clock import SettableClock
from tests.simulator.judging import judge, settled, source_of, state
from tests.simulator.process import Fault, HistorySource, Run, StepClock, StepWire, down, stepped
from tests.simulator.source import TextKind
from tests.simulator.stepping import Stepper
from tests.simulator.witness import Witness, held_plans
from tests.simulator.world import World

DONE: Counter[str] = Counter()
"""What was done so far, over all examples: steps, runs, and effects by kind."""

Told = tuple[Orders, tuple[str, ...]]
Changes = dict[int, bytes | None]

JOBS = ("a", "b")
KEYS = {job: tuple(f"{job}/{number}" for number in range(4)) for job in JOBS}
_GOOD = (b"1\n", b"2\n", b"1\n2\n", b"1\n2\n3\n", b"1\n2\n3\n4\n5\n6\n7\n8\n")
_BODIES = st.sampled_from((*_GOOD, b"BAD\n1\n", b""))
_MOST_CALLS = 40
_EVER = 100_000

jobs = st.sampled_from(JOBS)
changes = st.dictionaries(st.integers(0, 3), st.one_of(st.none(), _BODIES), min_size=1, max_size=3)
faults = st.dictionaries(st.integers(0, 30), st.sampled_from(list(Fault)), max_size=3)
orders = st.builds(
    Orders,
    dry_run=st.sampled_from((False, False, False, True)),
    force=st.sampled_from((False, False, False, True)),
    allow_rollback=st.sampled_from((False, False, True)),
    lease=st.sampled_from((Terms(), Terms(), Terms(waits=timedelta()))),
)
some_jobs = st.sampled_from((JOBS, JOBS, ("a",), ("b",)))
skews = st.sampled_from((timedelta(), timedelta(hours=2), timedelta(hours=-2)))
told = st.tuples(orders, some_jobs)
hows = st.tuples(st.booleans(), st.sampled_from((0, 70)))
which = st.integers(0, 2)
order = st.integers(0, 7)


class Publishing(RuleBasedStateMachine):
    """A store or two, CDNs before them, two sources with a history, and up to three runs at once."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        clock = SettableClock()
        self.stepper = Stepper(clock)
        self.witness = Witness()
        wire = StepWire(self.stepper, self.witness.sets_out, self.witness.took_effect)
        self.world = World(Path(self.directory.name), wire=wire, clock=clock)
        self.witness.world = self.world
        self.flying: list[Run] = []
        self.steps = 0
        self.last_held: frozenset[str] = frozenset()
        self.patched = stepped(self.stepper, self.witness.runs)
        self.patched.__enter__()

    # The world.

    @initialize(
        second=st.sampled_from(("none", "cdn", "silent")), prune=st.booleans(), unit=st.sampled_from(list(Unit))
    )
    def begin(self, second: str, prune: bool, unit: Unit) -> None:
        """Set the world up: job `a` by file, job `b` as drawn, and with a source that keeps what is published."""
        self.world.add_target("one")
        if second != "none":
            self.world.add_target("two", silent_cdn=second == "silent")
        for name in JOBS:
            limits = Limits(max_change=0.5, floor_entries=1)
            rules = (FileRule(f"{name}/*", "text", limits=limits),)
            job = Job(name, SourceSpec("scripted", {"of": name}), rules, prune=prune or name == "a")
            self.world.add_job(job)
            self.world.sources[name] = HistorySource(
                self.world.spool / name, stepper=self.stepper, job=job, conditional=name == "b"
            )
            self.source(name).commit(dict.fromkeys(KEYS[name][:3], _GOOD[3]))
        self.world.change_job("b", unit=unit)

    @rule(job=jobs, changes=changes)
    def commit(self, job: str, changes: Changes) -> None:
        """Change, add and remove files of a source."""
        source = self.source(job)
        files = dict(source.states[source.head])
        for number, body in changes.items():
            if body is None:
                files.pop(KEYS[job][number], None)
            else:
                files[KEYS[job][number]] = body
        source.commit(files)

    @rule(job=jobs, number=st.integers(0, 20))
    def rewind(self, job: str, number: int) -> None:
        """Take a source back, or to a branch that was left."""
        source = self.source(job)
        source.head = 1 + number % (len(source.states) - 1)

    @rule(job=jobs, lost=st.booleans())
    def reach(self, job: str, lost: bool) -> None:
        """Make a source unreachable, or reachable again."""
        self.source(job).error = down() if lost else None

    @rule(job=jobs, prune=st.booleans(), unit=st.sampled_from(list(Unit)))
    def change_job(self, job: str, prune: bool, unit: Unit) -> None:
        """Edit a job file."""
        self.world.change_job(job, prune=prune, unit=unit)

    @rule(number=which, refusing=st.booleans())
    def change_cdn(self, number: int, refusing: bool) -> None:
        """Let a CDN refuse, or accept again."""
        self.world.cdns[self.target(number)].refusing = refusing

    @rule(number=which, job=jobs, key=st.integers(0, 3), body=st.one_of(st.none(), _BODIES, st.just(b"theirs\n")))
    def meddle(self, number: int, job: str, key: int, body: bytes | None) -> None:
        """Let somebody else write or delete an object."""
        name = self.target(number)
        store, key_ = self.world.targets[name], KEYS[job][key]
        if body is not None:
            store.seed(key_, body, part_size=8 << 20 if key == 3 else None)
        elif store.body(key_) is None:
            return
        else:
            store.lose(key_)
        self.witness.stranger(name, key_)

    @rule(seconds=st.sampled_from((1, 15, 25, 70)))
    def pass_time(self, seconds: int) -> None:
        """Let time pass while nobody moves."""
        self.world.clock.sleep(timedelta(seconds=seconds))

    # Runs that are in flight.

    @precondition(lambda self: len(self.flying) < 3)
    @rule(
        orders=orders, names=some_jobs, faults=faults, skew=skews, machine=st.integers(0, 1), calls=st.integers(0, 40)
    )
    def start(
        self,
        orders: Orders,
        names: tuple[str, ...],
        faults: dict[int, Fault],
        skew: timedelta,
        machine: int,
        calls: int,
    ) -> None:
        """Start a run and let it make some calls, of which some go wrong."""
        run = self.process(orders, names, skew=skew, machine=machine)
        run.faults = dict(faults)
        self.flying.append(run)
        self.move(run, calls, 0)

    @precondition(lambda self: self.flying)
    @rule(number=which, calls=st.integers(1, _MOST_CALLS), order=order)
    def go_on(self, number: int, calls: int, order: int) -> None:
        """Let one of the runs make some calls."""
        self.move(self.flying[number % len(self.flying)], calls, order)

    @precondition(lambda self: self.flying)
    @rule(number=which, order=order)
    def finish(self, number: int, order: int) -> None:
        """Let one of the runs come to its end."""
        self.move(self.flying[number % len(self.flying)], _EVER, order)

    @rule(
        runs=st.lists(st.tuples(orders, some_jobs, faults), min_size=2, max_size=3),
        moves=st.lists(st.tuples(which, st.sampled_from((1, 2, 3, 5, 9, 14, 40)), order), max_size=10),
        machine=st.integers(0, 1),
    )
    def race(
        self,
        runs: list[tuple[Orders, tuple[str, ...], dict[int, Fault]]],
        moves: list[tuple[int, int, int]],
        machine: int,
    ) -> None:
        """Let two or three runs overtake each other until all have ended."""
        self.land_all()
        for number, (orders, names, faults) in enumerate(runs):
            run = self.process(orders, names, skew=timedelta(), machine=number * machine)
            run.faults = dict(faults)
            self.flying.append(run)
        for number, calls, order in moves:
            if self.flying:
                self.move(self.flying[number % len(self.flying)], calls, order)
                self.witness.stand()
        self.land_all()

    @rule(first=told, second=told, calls=st.integers(1, 20), how=hows, order=order, job=jobs, changes=changes)
    def stall(
        self, first: Told, second: Told, calls: int, how: tuple[bool, int], order: int, job: str, changes: Changes
    ) -> None:
        """Let a run stand still, between two calls or with one on its way, until another one has done all its work."""
        self.land_all()
        late, seconds = how
        run = self.process(*first, skew=timedelta(), machine=0)
        self.flying.append(run)
        if late:
            run.faults[calls] = Fault.LATE
        self.move(run, _EVER if late else calls, order)
        self.world.clock.sleep(timedelta(seconds=seconds))
        self.commit(job, changes)
        self.flying.append(self.process(*second, skew=timedelta(), machine=1))
        self.move(self.flying[-1], _EVER, 0)
        self.witness.stand()
        self.land_all()

    @precondition(lambda self: self.flying)
    @rule(number=which)
    def kill(self, number: int) -> None:
        """Kill one of the runs between two calls."""
        run = self.flying[number % len(self.flying)]
        self.stepper.bury(run)
        self.landed(run)

    # Runs that have the world to themselves.

    @precondition(lambda self: not self.flying)
    @rule(orders=orders, names=some_jobs, skew=skews, order=order)
    def run_alone(self, orders: Orders, names: tuple[str, ...], skew: timedelta, order: int) -> None:
        """Let one run come to its end undisturbed: it does what its result says, and its code is what it must be."""
        self.alone(orders, names, skew=skew, order=order)

    @precondition(lambda self: self.last_held)
    @rule(dry_run=st.booleans(), one=st.booleans())
    def approve(self, dry_run: bool, one: bool) -> None:
        """Approve what the last run has held, whatever happened since."""
        ids = sorted(self.last_held)[: 1 if one else None]
        self.land_all()
        self.alone(Orders(dry_run=dry_run, approve=frozenset(ids)), JOBS)

    @precondition(lambda self: self.steps > 12)
    @rule()
    def settle(self) -> None:
        """Stop all trouble: two runs later the world is as the sources say, and a third one writes nothing."""
        self.steps = 0
        self.land_all()
        self.heal()
        run = self.alone(Orders(allow_rollback=True), JOBS)
        for _ in range(2):
            if plans := held_plans(run):
                run = self.alone(Orders(approve=plans, allow_rollback=True), JOBS)
        run = self.alone(Orders(allow_rollback=True), JOBS)
        assert run.result.exit_code is Exit.FINE, (run.result.exit_code, run.result.jobs)
        for name in self.world.targets:
            settled(self.world, self.witness, name)
        calls = len(self.world.wire.calls)
        assert {job.outcome for job in self.alone(Orders(), JOBS).result.jobs} == {Outcome.UNCHANGED}
        assert {call.method for call in self.world.wire.calls[calls:]} == {"LIST", "GET"}

    # What must hold.

    @invariant()
    def holds(self) -> None:
        """Ask the witness."""
        DONE["steps"] += 1
        self.steps += 1
        self.witness.stand()
        assert not self.witness.broken, "\n".join(self.witness.broken)

    # How it is done.

    def process(self, orders: Orders, names: tuple[str, ...], *, skew: timedelta, machine: int) -> Run:
        """Return a run that has not begun."""
        world = self.world
        world.runs += 1
        selected = {name: world.jobs[name] for name in names}
        run = Run(f"run{world.runs}", orders, selected, skew=skew, machine=machine)
        self.witness.runs[run.name] = run
        feeds = tuple(
            Feed(world.sources[name], (job,), frozenset({name}), again=partial(self.source, name))
            for name, job in selected.items()
        )
        places = tuple(Place(target, world.cdns[name]) for name, target in world.targets.items())
        others = tuple(job for name, job in world.jobs.items() if name not in selected)
        go = partial(pipeline.run, feeds, places, lambda _: TextKind(), orders, run_id=run.name, others=others)
        self.stepper.spawn(run, partial(go, clock=StepClock(self.stepper, skew), reporter=world.events))
        return run

    def move(self, run: Run, calls: int, order: int) -> None:
        """Let `run` make some calls, or end."""
        run.hangs = False
        self.stepper.advance(run, calls, order)
        if run.over:
            self.landed(run)

    def landed(self, run: Run) -> None:
        """Look at a run that has ended."""
        DONE["runs"] += 1
        if run in self.flying:
            self.flying.remove(run)
        if run.killed:
            DONE["killed"] += 1
            return
        code = run.result.exit_code
        DONE[f"exit {code.value}"] += 1
        assert code not in (Exit.BUG, Exit.CONFIG), run.result
        self.last_held = held_plans(run) or self.last_held

    def land_all(self) -> None:
        """Let all runs come to their end."""
        while self.flying:
            self.move(self.flying[0], _EVER, 0)

    def alone(self, orders: Orders, names: tuple[str, ...], *, skew: timedelta = timedelta(), order: int = 0) -> Run:
        """Return a run that came to its end undisturbed."""
        run = self.process(orders, names, skew=skew, machine=0)
        if run.orders.lease.waits == timedelta():
            self.world.clock.sleep(timedelta(seconds=70))  # whoever was killed holds the lease no more
        self.move(run, _EVER, order)
        self.holds()
        judge(self.world, self.witness, run)
        return run

    def heal(self) -> None:
        """Stop all trouble that comes from outside."""
        for job in JOBS:
            source = self.source(job)
            source.error = None
            files = self.state(job)
            if not files or any(b"BAD" in body.splitlines() for body in files.values()):
                good = {key: body for key, body in files.items() if b"BAD" not in body.splitlines()}
                source.commit(good or {KEYS[job][0]: _GOOD[0]})
        for cdn in self.world.cdns.values():
            cdn.refusing = False

    def source(self, job: str) -> HistorySource:
        """Return the source of a job."""
        return source_of(self.world, job)

    def state(self, job: str) -> dict[str, bytes]:
        """Return what the source of a job holds now."""
        return state(self.world, job)

    def target(self, number: int) -> str:
        """Return the name of a target."""
        return sorted(self.world.targets)[number % len(self.world.targets)]

    def teardown(self) -> None:
        """Settle once more, and forget everything."""
        try:
            if self.world.targets and not self.witness.broken:
                self.settle()
        finally:
            for run in self.witness.runs.values():
                self.stepper.bury(run)
            DONE.update(self.witness.effects)
            self.patched.__exit__(None, None, None)
            self.directory.cleanup()


def explore(examples: int, *, seed: int | None, shrink: bool) -> None:
    """Walk through the model `examples` times; without a seed always the same way. Raises what broke."""
    phases = (Phase.generate, Phase.shrink) if shrink else (Phase.generate,)
    given = settings(
        max_examples=examples,
        stateful_step_count=50,
        derandomize=seed is None,
        deadline=None,
        database=None,
        phases=phases,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    machine = type("Publishing", (Publishing,), {})
    if seed is not None:
        seeded(seed)(machine)
    run_state_machine_as_test(machine, settings=given)
