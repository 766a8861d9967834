"""From a held change to its publication, a process at a time, at two targets: what CI and a person at a shell do."""

import json
import shlex

import pytest

from tests.support.small_world import GOOD, OTHER, SmallWorld

SECOND = '\n[targets.second]\ntype = "directory"\npath = "second"\n'
MANY = b"".join(b"8.8.%d.0/24\n" % number for number in range(8))
CUT = MANY[: len(MANY) // 8]
CHANGED = b"9.9.9.0/24\n149.112.112.0/24\n"


@pytest.fixture
def held(small: SmallWorld) -> SmallWorld:
    """Give a world in which one list has just lost seven of its eight networks, and another gained one."""
    small.write("hubdata.toml", (small.root / "hubdata.toml").read_text() + SECOND)
    small.repo.commit({GOOD: MANY, OTHER: b"9.9.9.0/24\n"})
    assert small.sync().code == 0
    small.edit("jobs/lists.toml", 'kind = "cidr"\n', 'kind = "cidr"\nlimits = { max_change = 1.0 }\n')
    assert at(small, "mirror", GOOD) == at(small, "second", GOOD) == MANY
    small.repo.commit({GOOD: CUT})
    return small


def at(world: SmallWorld, target: str, key: str) -> bytes:
    """Return what is public under `key`."""
    return (world.root / target / key).read_bytes()


def plans(world: SmallWorld) -> dict[str, str]:
    """Return the id of what is held, by target, as `hubdata plan` tells it."""
    ended = world.run("plan", "--format", "json")
    assert ended.code == 4
    return {target["target"]: target["plan_id"] for target in ended.job("lists")["targets"] if target["held"]}


def test_one_plan_at_one_target(held: SmallWorld) -> None:
    """The id of one target's plan publishes there and nowhere else; the other's id then does the rest."""
    ids = plans(held)
    assert ids.keys() == {"mirror", "second"}

    first = held.sync("--approve", ids["mirror"])

    assert first.code == 4, "the other target still holds it"
    assert (at(held, "mirror", GOOD), at(held, "second", GOOD)) == (CUT, MANY)
    assert held.sync("--approve", ids["second"]).code == 0
    assert at(held, "second", GOOD) == CUT


def test_the_printed_command_approves_both_targets_and_leaves_what_came_since(held: SmallWorld) -> None:
    """Pasted into a shell it publishes what was held; a commit made meanwhile waits for the next run."""
    shown = held.run("sync", "--once")
    assert shown.code == 4
    (command,) = [line for line in shown.stdout.splitlines() if "--approve" in line]
    held.repo.commit({OTHER: CHANGED})

    done = held.run(*shlex.split(command)[1:], "--format", "json")

    assert done.code == 0, done.stdout
    assert done.puts("mirror") == done.puts("second") == [GOOD]
    assert [target["waiting"]["puts"] for target in done.job("lists")["targets"]] == [[OTHER], [OTHER]]
    assert at(held, "mirror", OTHER) == b"9.9.9.0/24\n"
    assert held.sync().puts("mirror") == [OTHER]


def test_a_plan_that_has_gone_stale(held: SmallWorld) -> None:
    """The list changes once more before the approval comes: nothing at all is written, and the new id is named."""
    stale = plans(held)["mirror"]
    held.repo.commit({GOOD: CUT + b"1.1.1.0/24\n", OTHER: CHANGED})
    before = held.untouched()

    ended = held.sync("--approve", stale)

    assert ended.code == 4
    assert ended.json["unknown_plans"] == [stale]
    fresh = plans(held)["mirror"]
    assert fresh != stale
    assert fresh in ended.json["problem"]["message"]
    assert held.untouched() == before
    assert json.loads(at(held, "mirror", "manifest.json"))["files"][GOOD]["size"] == len(MANY)
    assert held.sync("--approve", fresh).puts("mirror") == [GOOD]
