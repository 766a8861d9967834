"""What must be so when nobody disturbs: after one run, what it says of itself; after all trouble, what sources say."""

import hashlib

from hubdata.errors import Exit, worst
from hubdata.model.job import Unit
from tests.simulator.pages import unpaged
from tests.simulator.process import HistorySource, Run, claims
from tests.simulator.witness import Witness, held_keys, held_plans, open_lines
from tests.simulator.world import World


def source_of(world: World, job: str) -> HistorySource:
    """Return the source of a job."""
    source = world.sources[job]
    assert isinstance(source, HistorySource)
    return source


def state(world: World, job: str) -> dict[str, bytes]:
    """Return what the source of a job holds now of what its rules name."""
    source = source_of(world, job)
    return {key: body for key, body in source.states[source.head].items() if claims(world.jobs[job], key)}


def settled(world: World, witness: Witness, name: str) -> None:
    """Assert that a target is as the sources say and as its manifest says, and that nobody has to be told anything."""
    store = world.targets[name]
    files, public = world.manifest(name).files, store.public()
    as_listed(world, name)
    assert open_lines(store) == (), "4: receipts are left open"
    assert witness.untold(name) == set(), f"4: {name}: the CDN was not told"
    wrong = "" if world.pager is None else unpaged(store, world.manifest(name))
    assert not wrong, f"10: {name}: {wrong}"
    for job in world.jobs:
        wanted = state(world, job)
        for key, body in wanted.items():
            assert public.get(key) == body, f"4: {name}: {key} is {public.get(key)!r}, not {body!r}"
            assert key in files, f"4: {name}: {key} is not listed"
        left = {key for key, entry in files.items() if entry.job == job} - wanted.keys()
        assert not (left and world.jobs[job].prune), f"4: {name}: {left} is still listed"
    for key in public.keys() - files.keys():
        assert witness.author(name, key) is None or key in witness.seen[name].strange, (
            f"4: {name}: {key} lies there for ever"
        )


def as_listed(world: World, name: str) -> None:
    """Assert that every listed file is there, as those very bytes."""
    public = world.targets[name].public()
    for key, entry in world.manifest(name).files.items():
        assert key in public, f"3: {name}: {key} is listed and not there"
        assert hashlib.sha256(public[key]).hexdigest() == entry.sha256, f"3: {name}: {key} is not as listed"


def judge(world: World, witness: Witness, run: Run) -> None:
    """Assert that a run that nobody disturbed did its work, and that its exit code tells how it went."""
    taking_part = [job for job in run.jobs if source_of(world, job).error is None]
    codes = [Exit.SOURCE] * (len(taking_part) < len(run.jobs))
    for job in taking_part:
        files = state(world, job)
        bad = any(b"BAD" in body.splitlines() for body in files.values())
        codes += [Exit.REFUSED] * (bad or not files)
    sound = [name for name in world.targets if not world.garbled(name)]
    codes += [Exit.TARGET] * bool(taking_part and sound != list(world.targets))
    codes += [Exit.HELD] * bool(held_plans(run) or run.result.unknown_plans)
    for name in () if run.orders.dry_run else sound:
        pending = world.cdns[name].refusing and any(line.paths for line in open_lines(world.targets[name]))
        codes += [Exit.CDN_PENDING] * pending
    assert run.result.exit_code is worst(codes), (run.result.exit_code, codes, run.result.jobs)
    if run.orders.dry_run or run.orders.approve:
        return
    for name, store in ((name, world.targets[name]) for name in sound):
        if run.result.exit_code is Exit.FINE and run.jobs.keys() == world.jobs.keys():
            as_listed(world, name)
        listed = world.manifest(name).files
        for key, body in ((k, b) for job in taking_part for k, b in state(world, job).items()):
            if key not in run.refused | held_keys(run, name) and not _held_whole(run, name, key):
                assert (store.body(key), key in listed) == (body, True), f"{name}: {key} was not published"
        if not world.cdns[name].refusing and not witness.seen[name].strange:
            untold = witness.untold(name)
            assert not untold, f"4: {name}: the CDN does not know of {untold}"


def _held_whole(run: Run, name: str, key: str) -> bool:
    """Tell whether the job of `key` publishes all or nothing, and something of it is held."""
    job = next(job for job in run.jobs.values() if claims(job, key))
    return job.unit is Unit.JOB and any(claims(job, other) for other in held_keys(run, name))
