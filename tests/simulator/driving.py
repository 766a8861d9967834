"""How the model lets runs move: it starts them, lets them make calls, looks at how they ended, and stops trouble."""

import tempfile
from collections import Counter
from datetime import timedelta
from functools import partial
from pathlib import Path

from hypothesis.stateful import RuleBasedStateMachine

from hubdata import pipeline
from hubdata.errors import Exit
from hubdata.model import lease as leases
from hubdata.model.lease import Lease
from hubdata.model.run import RunResult
from hubdata.publishing.pages import KEYS as PAGES
from hubdata.running.beside import Beside
from hubdata.running.reading import Feed
from hubdata.running.visiting import Orders, Place
from tests.simulator.chances import GOOD, JOBS, KEYS, SHARED
from tests.simulator.clock import SettableClock
from tests.simulator.judging import judge, source_of, state
from tests.simulator.pages import unpaged
from tests.simulator.process import HistorySource, Run, StepClock, StepWire, stepped
from tests.simulator.seals import unsealed
from tests.simulator.source import TextKind
from tests.simulator.stepping import Stepper
from tests.simulator.wire import Call
from tests.simulator.witness import MANIFEST, Witness, held_plans
from tests.simulator.world import World

EVER = 100_000

DONE: Counter[str] = Counter()
"""What was done so far, over all examples: steps, runs, and effects by kind."""


class Driver(RuleBasedStateMachine):
    """The world, its witness, and the runs in flight."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        clock = SettableClock()
        self.stepper = Stepper(clock)
        self.witness = Witness()
        wire = StepWire(self.stepper, self.witness.sets_out, self.witness.took_effect)
        wire.meddle = self.intrude
        self.world = World(Path(self.directory.name), wire=wire, clock=clock)
        self.witness.world = self.world
        self.flying: list[Run] = []
        self.steps = 0
        self.last_held: frozenset[str] = frozenset()
        self.patched = stepped(self.stepper, self.witness.runs)
        self.patched.__enter__()

    def look(self) -> None:
        """Ask the witness."""
        self.witness.stand()
        assert not self.witness.broken, "\n".join(self.witness.broken)

    def intrude(self, call: Call) -> None:
        """Let somebody else write the very object that `call` is about to."""
        if call.actor in self.world.targets and (call.key[:1] in (*JOBS, SHARED[0]) or call.key in PAGES):
            store = self.world.targets[call.actor]
            store.seed(call.key, b"theirs %d\n" % len(self.world.wire.calls))
            self.witness.stranger(call.actor, call.key)

    def process(self, orders: Orders, names: tuple[str, ...], *, skew: timedelta, machine: int) -> Run:
        """Return a run that has not begun."""
        world = self.world
        world.runs += 1
        selected = {name: world.jobs[name] for name in names}
        others = tuple(job for name, job in world.jobs.items() if name not in selected)
        run = Run(f"run{world.runs}", orders, selected, skew=skew, machine=machine, others=others)
        self.witness.runs[run.name] = run
        feeds = tuple(
            Feed(world.sources[name], (job,), frozenset({name}), again=partial(self.source, name))
            for name, job in selected.items()
        )
        places = tuple(
            Place(target, world.cdns[name], sealer=world.sealer, pager=world.pager)
            for name, target in world.targets.items()
        )
        clock = StepClock(self.stepper, skew)

        def go() -> RunResult:
            beside = Beside()
            to = (feeds, places, lambda _: TextKind(), orders)
            try:
                return pipeline.run(
                    *to, run_id=run.name, others=others, clock=clock, reporter=world.events, later=beside
                )
            finally:
                beside.settle()

        self.stepper.spawn(run, go)
        return run

    def move(self, run: Run, calls: int, order: int) -> None:
        """Let `run` make some calls, or end."""
        run.hangs = run.still = False
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
            self.move(self.flying[0], EVER, 0)

    def alone(self, orders: Orders, names: tuple[str, ...], *, skew: timedelta = timedelta(), order: int = 0) -> Run:
        """Return a run that came to its end undisturbed."""
        run = self.process(orders, names, skew=skew, machine=0)
        if run.orders.lease.waits == timedelta():
            self.world.clock.sleep(timedelta(seconds=70))  # whoever was killed holds the lease no more
        self.move(run, EVER, order)
        self.look()
        judge(self.world, self.witness, run)
        self.mirror(run)
        self.read_pages(run)
        return run

    def mirror(self, run: Run) -> None:
        """Look at the seals that a run has left which came to a good end, undisturbed."""
        if self.world.sealer is not None and run.result.exit_code is Exit.FINE and not run.orders.dry_run:
            for name, target in self.world.targets.items():
                assert not unsealed(target), f"{name}: {unsealed(target)} after {run.name}"
                DONE["seals"] += 1

    def read_pages(self, run: Run) -> None:
        """Look at the pages that such a run has left; but who has but a page to mend waits for nobody's lease."""
        if self.world.pager is None or run.result.exit_code is not Exit.FINE or run.orders.dry_run:
            return
        for name, target in self.world.targets.items():
            lease = Lease.from_bytes(target.body(leases.KEY) or b"")
            if lease is None or lease.run_id == run.name or lease.is_over(self.world.clock.now()):
                wrong = unpaged(target, self.world.manifest(name))
                assert not wrong, f"10: {name}: {wrong} after {run.name}"
                DONE["pages"] += 1

    def heal(self) -> None:
        """Stop all trouble that comes from outside."""
        for job in JOBS:
            source = self.source(job)
            source.error = None
            files = self.state(job)
            if not files or any(b"BAD" in body.splitlines() for body in files.values()):
                good = {key: body for key, body in files.items() if b"BAD" not in body.splitlines()}
                source.commit(good or {KEYS[job][0]: GOOD[0]})
        for cdn in self.world.cdns.values():
            cdn.refusing = False
        for name in filter(self.world.garbled, self.world.targets):
            self.world.targets[name].lose(MANIFEST)
            self.witness.harmed(name)

    def source(self, job: str) -> HistorySource:
        """Return the source of a job."""
        return source_of(self.world, job)

    def state(self, job: str) -> dict[str, bytes]:
        """Return what the source of a job holds now."""
        return state(self.world, job)

    def target(self, number: int) -> str:
        """Return the name of a target."""
        return sorted(self.world.targets)[number % len(self.world.targets)]
