"""Real runs remember verdicts; and nothing that is done to what they remember lets a poisoned file out."""

import os
import re
import shutil
from pathlib import Path

import pytest

import hubdata
from hubdata.assembly import kind_builder
from hubdata.model.job import FileRule, Limits
from hubdata.model.snapshot import Artifact
from hubdata.ports import Demands, Verdict
from hubdata.running.verdict_memory import Remembering, VerdictMemory, encoded
from hubdata.transfer.code_digest import own_code
from hubdata.transfer.digest import digests
from hubdata.transfer.verdict_file import Verdicts
from tests.simulator.clock import START
from tests.support.command import Ended
from tests.support.command import hubdata as command
from tests.support.small_world import GOOD, LISTS, SmallWorld

BAD = b"0.0.0.0/0\n"
FILES = 3


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> SmallWorld:
    """Give a world that has published once."""
    world = SmallWorld.create(tmp_path_factory.mktemp("published"))
    assert world.sync().code == 0
    return world


@pytest.fixture
def small(published: SmallWorld, tmp_path: Path) -> SmallWorld:
    """Give a copy of it."""
    return published.copied(tmp_path / "world")


def loud(small: SmallWorld, *flags: str, env: dict[str, str] | None = None) -> Ended:
    """Return a run that tells what happens."""
    return command("sync", "--once", "--format", "json", "-v", *flags, cwd=small.root, env=env)


def used(ended: Ended) -> tuple[int, int]:
    """Return how many verdicts a run remembered, and how many files it judged."""
    found = re.search(r"verdicts\.used remembered=(\d+) judged=(\d+)", ended.stderr)
    assert found, ended.stderr
    return int(found[1]), int(found[2])


def forged(small: SmallWorld, version: str | None = None) -> None:
    """Have the memory say, as only its owner could, that the poisoned list is a good one."""
    version = version or own_code()
    assert version is not None
    memory = VerdictMemory(small.root / "spool/memory-verdicts", version)
    kind = memory.remembering(kind_builder()(FileRule("**", "cidr")), FileRule("**", "cidr"))
    assert isinstance(kind, Remembering)
    artifact = Artifact(GOOD, Path(), len(BAD), "", "", "cidr", "", "", {})
    name = kind._name(artifact, digests(BAD), Demands(Limits(), START))
    assert memory._file.save(Verdicts([encoded(Verdict(), GOOD)], [{name: 0}])) == ""
    assert VerdictMemory(small.root / "spool/memory-verdicts", version).recall(name, GOOD) == Verdict()


def cache(small: SmallWorld) -> Path:
    """Return where the memory lies."""
    return small.root / "spool/memory-verdicts/verdicts"


def test_second_run_judges_nothing_and_a_changed_file_alone_is_judged(small: SmallWorld) -> None:
    """What was judged by the first run is read and digested; what is new is judged, and remembered from then on."""
    assert used(loud(small)) == (FILES, 0)
    small.repo.commit({GOOD: b"8.8.4.0/24\n"})
    assert used(loud(small)) == (FILES - 1, 1)
    assert used(loud(small)) == (FILES, 0)


def test_force_and_the_setting_judge_everything(small: SmallWorld) -> None:
    """By force everything is looked at anew; without a memory there is nothing to tell of."""
    assert used(loud(small, "--force")) == (0, FILES)
    ended = loud(small, env={"HUBDATA_VALIDATION__REMEMBER": "false"})
    assert ended.code == 0
    assert "verdicts." not in ended.stderr


def test_another_limit_judges_the_files_that_it_is_for(small: SmallWorld) -> None:
    """A job file that asks for more is asked of what was let out before."""
    small.edit("jobs/lists.toml", 'kind = "cidr"', 'kind = "cidr"\nlimits = { min_entries = 2 }')
    ended = loud(small)
    assert used(ended) == (1, 2)
    assert ended.code == 3


def test_changed_rules_judge_everything_again(small: SmallWorld, tmp_path: Path) -> None:
    """One byte of the code that judges is enough; nobody has to count a version up."""
    package = Path(hubdata.__file__).parent
    shutil.copytree(package, tmp_path / "new/hubdata", ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp_path / "new/hubdata/grammar/networks.py").open("a") as file:
        file.write("# stricter\n")
    newer = {"PYTHONPATH": str(tmp_path / "new")}
    assert used(loud(small, env=newer)) == (0, FILES)


def test_believed_memory_would_let_it_out(small: SmallWorld) -> None:
    """The forgery of these tests works: so what keeps the others from working is the guard that each of them names."""
    forged(small)
    small.repo.commit({GOOD: BAD})
    assert small.sync().code == 0
    assert small.public()[GOOD] == BAD


def _others_write(path: Path) -> None:
    path.chmod(0o666)


def _open_directory(path: Path) -> None:
    path.parent.chmod(0o777)


def _other_owner(path: Path) -> None:
    os.chown(path, 65534, 65534)


def _linked(path: Path) -> None:
    path.rename(path.parents[2] / "elsewhere")
    path.symlink_to(path.parents[2] / "elsewhere")


def _bad_digest(path: Path) -> None:
    body = path.read_bytes()
    path.write_bytes(body[:30] + (b"0" if body[30:31] != b"0" else b"1") + body[31:])


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


TOLD = (_others_write, _open_directory, _other_owner, _linked)
"""What somebody must have done on purpose, or by a wrong umask, is told."""


@pytest.mark.parametrize("hurt", [*TOLD, _bad_digest, _truncated], ids=lambda f: f.__name__)
def test_memory_that_somebody_else_could_have_written_lets_nothing_out(small: SmallWorld, hurt: object) -> None:
    """The poisoned list is judged, refused, and the last good version stays in public."""
    assert callable(hurt)
    if hurt is _other_owner and os.geteuid() != 0:
        pytest.skip("only root can give files away")
    forged(small)
    hurt(cache(small))
    small.repo.commit({GOOD: BAD})
    ended = small.sync()
    assert ended.code == 3, ended.stderr
    assert small.public()[GOOD] == LISTS[GOOD]
    assert any("is not believed" in line for line in ended.json["notices"]) == (hurt in TOLD)
    again = small.sync()
    assert (again.code, again.json["notices"]) == (3, [])


def test_memory_of_other_code_lets_nothing_out(small: SmallWorld) -> None:
    """What another version said is not asked."""
    cache(small).unlink()
    forged(small, "another version")
    small.repo.commit({GOOD: BAD})
    assert small.sync().code == 3
    assert small.public()[GOOD] == LISTS[GOOD]


def test_spool_that_keeps_nothing_costs_a_run_nothing_but_time(small: SmallWorld) -> None:
    """Where the memory cannot be written the run publishes all the same, and says so to whoever listens."""
    shutil.rmtree(cache(small).parent)
    cache(small).parent.write_text("in the way")
    ended = loud(small)
    assert ended.code == 0
    assert used(ended) == (0, FILES)
    assert "verdicts.lost" in ended.stderr
