"""Any story of changes, waits, runs, crashes and harm: production only ever has whole generations that had soaked."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.errors import Exit
from hubdata.model.manifest import Manifest
from tests.simulator.wire import Killed, When
from tests.simulator.world import World, text_job

SOAK = timedelta(minutes=30)
STATES = (
    {"a.txt": b"1\n"},
    {"a.txt": b"2\n", "b.txt": b"1\n"},
    {"a.txt": b"1\n", "b.txt": b"2\n"},
    {"b.txt": b"1\n", "c.txt": b"1\n"},
)
STEPS = st.one_of(
    st.tuples(st.just("offer"), st.integers(0, len(STATES) - 1)),
    st.tuples(st.just("wait"), st.sampled_from((1, 10, 29, 30, 31, 90))),
    st.tuples(st.just("run"), st.just(0)),
    st.tuples(st.just("one target"), st.integers(0, 1)),
    st.tuples(st.just("crash before"), st.integers(0, 60)),
    st.tuples(st.just("crash after"), st.integers(0, 60)),
    st.tuples(st.just("harm"), st.integers(0, 1)),
)


def at(manifest: Manifest) -> datetime:
    """Return when a generation was published."""
    return datetime.fromisoformat(manifest.published_at)


def past(world: World, target: str) -> list[Manifest]:
    """Return every generation that a target ever had, the oldest first."""
    versions = world.targets[target].versions.get("manifest.json", [])
    return [Manifest.from_bytes(version.body) for version in versions if version.body is not None]


def digests(manifest: Manifest) -> dict[str, str]:
    """Return what a generation holds."""
    return {key: entry.sha256 for key, entry in manifest.files.items()}


def judge(world: World) -> None:
    """Assert of all that production ever had that it was whole, in order, and in time."""
    canary = {manifest.generation: manifest for manifest in past(world, "canary")}
    last = 0
    for manifest in past(world, "production"):
        record = manifest.promoted
        assert record is not None
        assert record.generation >= last, "it went back"
        last = record.generation
        source, successor = canary[last], canary.get(last + 1)
        until = at(manifest) if successor is None else min(at(successor), at(manifest))
        assert until - at(source) >= SOAK, f"generation {last} had not soaked"
        assert digests(manifest) == digests(source), f"this is not generation {last}"
        assert not record.partial
    for target in world.targets:
        for key in world.manifest(target).files:
            assert world.targets[target].body(key) is not None, f"{target}: {key} is listed but gone"


def take(world: World, step: str, number: int) -> None:
    """Take one step of a story."""
    if step == "offer":
        world.sources["texts"].files = dict(STATES[number])
    elif step == "wait":
        world.clock.sleep(timedelta(minutes=number))
    elif step == "harm":
        target = world.targets[("canary", "production")[number]]
        for key in target.public():
            target.seed(key, b"harmed\n")
    elif step.startswith("crash"):
        world.wire.kill_at(len(world.wire.calls) + number, When.BEFORE if step.endswith("before") else When.AFTER)
        try:
            world.run()
        except Killed:
            world.clock.sleep(timedelta(minutes=2))  # nobody else is on this machine to see that it is gone
        world.wire.revive()
    else:
        result = world.run(at=None if step == "run" else [("canary", "production")[number]])
        assert result.exit_code in (Exit.FINE, Exit.TARGET), [t.problem for j in result.jobs for t in j.targets]


@settings(max_examples=150, deadline=None)
@given(steps=st.lists(STEPS, max_size=24))
def test_production_has_only_ever_had_what_had_soaked(steps: list[tuple[str, int]]) -> None:
    """After every step; and once all is quiet, both targets have what the source has."""
    with TemporaryDirectory() as directory:
        world = World(Path(directory))
        world.add_target("canary")
        world.add_stage("production", after="canary", soak=SOAK)
        world.add_job(replace(text_job("texts"), prune=True, max_deletes=1.0), STATES[0])
        for step, number in steps:
            take(world, step, number)
            judge(world)
        for _ in range(3):
            world.run()
            world.clock.sleep(SOAK)
        assert world.run().exit_code is Exit.FINE
        judge(world)
        for target in world.targets.values():
            assert target.public() == world.sources["texts"].files
            assert world.untold(target.name) == set()
