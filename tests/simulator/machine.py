"""The model: everything that may happen to hubdata's world, in any order, and what must hold after each of it.

Runs are started, moved on by some calls, overtaken, killed and given bad answers, while sources change, strangers write
and time passes. After every step the witness is asked; and whenever nothing is in flight, the world must be what the
sources say after two more runs at most.
"""

from datetime import timedelta

from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule, run_state_machine_as_test

from hubdata.errors import Exit
from hubdata.model.job import FileRule, Job, Limits, SourceSpec, Unit
from hubdata.model.run import Outcome
from hubdata.publishing.pages import KEYS as PAGES
from hubdata.running.visiting import Orders
from tests.simulator import chances
from tests.simulator.chances import GOOD, JOBS, KEYS, SHARED, Changes, Stay, Told, Wreck
from tests.simulator.driving import DONE, EVER, Driver
from tests.simulator.judging import settled
from tests.simulator.pages import THEIRS, LinePager
from tests.simulator.process import Aim, Fault, HistorySource, down
from tests.simulator.seals import SEALER, unsign
from tests.simulator.witness import MANIFEST, held_plans

_MOST_CALLS = 40


class Publishing(Driver):
    """A store or two, CDNs before them, two sources with a history, and up to three runs at once."""

    # The world.

    @initialize(
        second=st.sampled_from(("none", "cdn", "silent", "priced")),
        prune=st.booleans(),
        unit=st.sampled_from(list(Unit)),
    )
    def begin(self, second: str, prune: bool, unit: Unit) -> None:
        """Set the world up: job `a` by file, job `b` as drawn, and with a source that keeps what is published."""
        self.world.sealer = SEALER if second in ("cdn", "silent") else None
        self.world.pager = None if second == "priced" else LinePager()
        self.world.add_target("one", concurrency=2)
        if second != "none":
            self.world.add_target("two", silent_cdn=second == "silent", priced_cdn=second == "priced")
        for name in JOBS:
            job = Job(name, SourceSpec("scripted", {"of": name}), (), prune=prune or name == "a")
            self.world.add_job(job)
            self.world.sources[name] = HistorySource(
                self.world.spool / name, stepper=self.stepper, job=job, conditional=name == "b"
            )
            self.source(name).commit(dict.fromkeys(KEYS[name][:3], GOOD[3]))
        self.world.change_job("b", unit=unit)
        self.hand_over("a")

    @rule(job=chances.jobs, changes=chances.changes)
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

    @rule(owner=chances.jobs)
    def hand_over(self, owner: str) -> None:
        """Let the shared key belong to one of the jobs; the other one ignores what its source may have by that name."""
        for name in JOBS:
            names = (f"{name}/*", *([SHARED] if name == owner else []))
            rules = tuple(FileRule(name, "text", limits=Limits(max_change=0.5, floor_entries=1)) for name in names)
            self.world.change_job(name, files=rules, ignore=() if name == owner else (SHARED,))

    @rule(job=chances.jobs, number=st.integers(0, 20))
    def rewind(self, job: str, number: int) -> None:
        """Take a source back, or to a branch that was left."""
        source = self.source(job)
        source.head = 1 + number % (len(source.states) - 1)

    @rule(job=chances.jobs, lost=st.booleans())
    def reach(self, job: str, lost: bool) -> None:
        """Make a source unreachable, or reachable again."""
        self.source(job).error = down() if lost else None

    @rule(job=chances.jobs, prune=st.booleans(), unit=st.sampled_from(list(Unit)))
    def change_job(self, job: str, prune: bool, unit: Unit) -> None:
        """Edit a job file."""
        self.world.change_job(job, prune=prune, unit=unit)

    @rule(number=chances.which, refusing=st.booleans())
    def change_cdn(self, number: int, refusing: bool) -> None:
        """Let a CDN refuse, or accept again."""
        self.world.cdns[self.target(number)].refusing = refusing

    @rule(
        number=chances.which,
        job=chances.jobs,
        key=chances.numbers,
        body=st.one_of(st.none(), chances.bodies, st.just(b"theirs\n")),
    )
    def meddle(self, number: int, job: str, key: int, body: bytes | None) -> None:
        """Let somebody else write or delete an object."""
        name = self.target(number)
        store, key_ = self.world.targets[name], KEYS[job][key]
        if body is not None:
            store.seed(key_, body, part_size=8 << 20 if key == 3 and body else None)
        elif store.body(key_) is None:
            return
        else:
            store.lose(key_)
        self.witness.stranger(name, key_)

    @rule(number=chances.which, key=st.sampled_from(PAGES), lost=st.booleans())
    def deface(self, number: int, key: str, lost: bool) -> None:
        """Let somebody write a page of their own, perhaps before hubdata does, or delete what is there."""
        name = self.target(number)
        store = self.world.targets[name]
        if not lost:
            store.seed(key, THEIRS)
        elif store.body(key) is not None:
            store.lose(key)

    @rule(number=chances.which, how=st.sampled_from(("lost", "older", "garbled")))
    def harm(self, number: int, how: str) -> None:
        """Let somebody remove the manifest, put an older one back, or write something else there."""
        name = self.target(number)
        store = self.world.targets[name]
        if store.body(MANIFEST) is None:
            return
        if how == "lost":
            store.lose(MANIFEST)
        else:
            store.seed(MANIFEST, b"[]" if how == "garbled" else store.versions[MANIFEST][0].body or b"")
            unsign(store)
        self.witness.harmed(name)

    @rule(seconds=st.sampled_from((1, 15, 25, 70)))
    def pass_time(self, seconds: int) -> None:
        """Let time pass while nobody moves."""
        self.world.clock.sleep(timedelta(seconds=seconds))

    # Runs that are in flight.

    @precondition(lambda self: len(self.flying) < 3)
    @rule(
        orders=chances.orders,
        names=chances.some_jobs,
        faults=chances.faults,
        skew=chances.skews,
        machine=st.integers(0, 1),
        calls=st.integers(0, 40),
    )
    def start(
        self,
        orders: Orders,
        names: tuple[str, ...],
        faults: dict[Aim, Fault],
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
    @rule(number=chances.which, calls=st.integers(1, _MOST_CALLS), order=chances.order)
    def go_on(self, number: int, calls: int, order: int) -> None:
        """Let one of the runs make some calls."""
        self.move(self.flying[number % len(self.flying)], calls, order)

    @precondition(lambda self: self.flying)
    @rule(number=chances.which, order=chances.order)
    def finish(self, number: int, order: int) -> None:
        """Let one of the runs come to its end."""
        self.move(self.flying[number % len(self.flying)], EVER, order)

    @rule(
        runs=st.lists(st.tuples(chances.orders, chances.some_jobs, chances.faults), min_size=2, max_size=3),
        moves=st.lists(st.tuples(chances.which, st.sampled_from((1, 2, 3, 5, 9, 14, 40)), chances.order), max_size=10),
        machine=st.integers(0, 1),
    )
    def race(
        self,
        runs: list[tuple[Orders, tuple[str, ...], dict[Aim, Fault]]],
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

    @rule(
        job=chances.jobs,
        wreck=chances.wrecks,
        told=chances.sober,
        meanwhile=st.booleans(),
        back=st.booleans(),
        order=chances.order,
    )
    def break_off(self, job: str, wreck: Wreck, told: Told, meanwhile: bool, back: bool, order: int) -> None:
        """Let a run go wrong amid its work, perhaps one of the other job come by, and perhaps want none of it after."""
        self.wreck(job, wreck, told, order)
        if meanwhile:
            self.flying.append(self.process(Orders(), tuple({*JOBS} - {job}), skew=timedelta(), machine=1))
        self.land_all()
        if back:
            self.source(job).back()
            self.heal()
            self.alone(Orders(allow_rollback=True), JOBS)

    @rule(
        first=chances.sober,
        second=chances.sober,
        wreck=st.one_of(st.none(), chances.wrecks, chances.wrecks),
        stay=chances.stays,
        order=chances.order,
        job=chances.jobs,
        changes=st.one_of(st.none(), chances.gentle_changes),
    )
    def stall(
        self, first: Told, second: Told, wreck: Wreck | None, stay: Stay, order: int, job: str, changes: Changes | None
    ) -> None:
        """Let a run stand still, between two calls or with one on its way, until another one has done all its work.

        Perhaps what it is about to do is to clear up after one that has broken off; or what that one has put is wanted
        once more meanwhile.
        """
        self.land_all()
        if wreck is not None:
            self.wreck(job, wreck, first, 0)
            self.land_all()
            self.source(job).back()
        run = self.process(*first, skew=timedelta(), machine=0)
        run.faults[stay.aim] = stay.fault
        self.flying.append(run)
        self.move(run, EVER, order)
        self.world.clock.sleep(timedelta(seconds=stay.seconds))
        if changes is None:
            self.source(job).back()
        else:
            self.commit(job, changes)
        self.flying.append(self.process(*second, skew=timedelta(), machine=1))
        self.move(self.flying[-1], EVER, 0)
        self.witness.stand()
        self.land_all()

    def wreck(self, job: str, wreck: Wreck, told: Told, order: int) -> None:
        """Add, remove and change files of a source, and let the run that is to publish that go wrong."""
        self.land_all()
        self.heal()
        self.alone(Orders(allow_rollback=True), JOBS)
        files = dict(self.source(job).states[self.source(job).head])
        there, absent = sorted(files), [key for key in KEYS[job] if key not in files]
        if wreck.removes and len(there) > 1:
            del files[there[wreck.number % len(there)]]
        for key in sorted(files)[:1]:
            files[key] = GOOD[2] if files[key] == GOOD[3] else GOOD[3]
        if wreck.adds and absent:
            files[absent[wreck.number % len(absent)]] = GOOD[2]
        self.source(job).commit(files)
        run = self.process(*told, skew=timedelta(), machine=0)
        run.faults[wreck.aim] = wreck.fault
        self.flying.append(run)
        self.move(run, EVER, order)
        self.witness.stand()

    @precondition(lambda self: self.flying)
    @rule(number=chances.which)
    def kill(self, number: int) -> None:
        """Kill one of the runs between two calls."""
        run = self.flying[number % len(self.flying)]
        self.stepper.bury(run)
        self.landed(run)

    # Runs that have the world to themselves.

    @precondition(lambda self: not self.flying)
    @rule(orders=chances.orders, names=chances.some_jobs, skew=chances.skews, order=chances.order)
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
        self.world.clock.sleep(timedelta(seconds=70))  # who has but a page to mend waits for no dead run's lease
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
        self.look()

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
