"""A year in the life of the real data tree: commits as its history has them, each followed by a run.

The story is a table, `tests/support/year.py`. Everything is real but the clock: a git repository with the real tree,
the jobs that come with hubdata, the fetch, the kinds, a directory that is published into. Runs are made in this
process, because starting one for every commit would take a minute.
"""

import hashlib
import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, time
from pathlib import Path

from hubdata.assembly import kind_builder
from hubdata.cdns.none import NoCdn
from hubdata.config.builtin import builtin_jobs_dir
from hubdata.config.jobs import load_jobs
from hubdata.errors import Exit
from hubdata.model.finding import HOLDING, Severity
from hubdata.model.job import SourceSpec
from hubdata.model.run import RunResult
from hubdata.pipeline import run
from hubdata.planning.claims import rule_for
from hubdata.ports import SourceContext
from hubdata.running.reading import Feed
from hubdata.running.visiting import Orders, Place
from hubdata.sources.git import GitSource
from hubdata.targets.directory import DirectoryTarget
from tests.simulator.clock import SettableClock
from tests.simulator.world import Events
from tests.support.real import SEC_LISTS, needs_real
from tests.support.repos import Repo
from tests.support.year import A_DAY, EVERY, FIRST_DAY, YEAR, Entry


class World:
    """The repository, the directory that is published into, and the clock; each run is a fresh fetch."""

    def __init__(self, root: Path) -> None:
        self.repo = Repo.of_tree(root / "sec-lists", SEC_LISTS)
        self.public = root / "public"
        self.clock = SettableClock()
        self._spool = root / "spool"
        self._kind_of = kind_builder()
        source = SourceSpec("git", {"url": self.repo.url, "ref": "master"})
        jobs = [job for job in load_jobs(builtin_jobs_dir()) if job.source.type == "git"]
        self.jobs = tuple(replace(job, source=source) for job in jobs)
        self.runs = 0

    def run(self, approve: frozenset[str] = frozenset()) -> RunResult:
        """Return what one run of all jobs did, from a new clone."""
        self.runs += 1
        workspace = self._spool / str(self.runs)
        workspace.mkdir(parents=True)
        options = GitSource.Options(url=self.repo.url, ref="master")
        source = GitSource(options, SourceContext(workspace, {}, self.clock))
        target = DirectoryTarget("disk", DirectoryTarget.Options(path=self.public))
        result = run(
            (Feed(source, self.jobs, frozenset(job.name for job in self.jobs)),),
            (Place(target, NoCdn()),),
            self._kind_of,
            Orders(approve=approve),
            run_id=f"run-{self.runs}",
            clock=self.clock,
            reporter=Events(),
        )
        shutil.rmtree(workspace)
        return result

    def claimed(self) -> dict[str, bytes]:
        """Return every file of the work tree that a job publishes."""
        paths = (path for path in self.repo.path.rglob("*") if path.is_file() and ".git" not in path.parts)
        keys = {path.relative_to(self.repo.path).as_posix(): path for path in paths}
        return {k: p.read_bytes() for k, p in keys.items() if any(rule_for(job, k) for job in self.jobs)}

    def files(self) -> dict[str, tuple[bytes, int, int]]:
        """Return every public file with its bytes, inode and time of modification."""
        paths = (p for p in self.public.rglob("*") if p.is_file() and ".hubdata" not in p.parts)
        return {
            path.relative_to(self.public).as_posix(): (path.read_bytes(), path.stat().st_ino, path.stat().st_mtime_ns)
            for path in paths
        }

    def generation(self) -> int:
        """Return the generation in force."""
        generation: int = json.loads((self.public / "manifest.json").read_bytes())["generation"]
        return generation


def said(result: RunResult) -> Entry:
    """Return what a run did, as a row of the story."""
    errors = {(f.key, f.rule) for job in result.jobs for f in job.findings if f.severity is Severity.ERROR}
    targets = [target for job in result.jobs for target in job.targets]
    return Entry(
        told="",
        published=tuple(sorted(change.key for t in targets if t.applied for change in t.done.changes)),
        refused=tuple(sorted(pair for pair in errors if pair[1] not in HOLDING)),
        held=tuple(sorted(pair for pair in errors if pair[1] in HOLDING)),
    )


def differences(row: Entry, found: Entry, result: RunResult) -> list[str]:
    """Return in what a run differs from its row."""
    code = Exit.HELD if row.held else Exit.REFUSED if row.refused else Exit.FINE
    wrong = [
        f"{what}: expected {sorted(getattr(row, what))}, found {list(getattr(found, what))}"
        for what in ("published", "refused", "held")
        if tuple(sorted(getattr(row, what))) != getattr(found, what)
    ]
    return wrong if result.exit_code is code else [*wrong, f"exit code: expected {code}, found {result.exit_code}"]


@needs_real
def test_a_year_of_commits_publishes_what_is_good_and_nothing_else(tmp_path: Path) -> None:
    """Every row: refused, held and published as told, one generation a publication, all other files untouched."""
    assert sum(row.edit is not None for row in YEAR) >= 50
    world = World(tmp_path)
    world.clock.set(datetime.combine(FIRST_DAY, time(6), UTC))
    assert world.run().exit_code is Exit.FINE
    expected, held = world.claimed(), frozenset[str]()
    wrong: list[str] = []
    after = world.files()
    for row in YEAR:
        now = world.clock.now() + (A_DAY if row.approve else EVERY)
        world.clock.set(datetime.combine(row.on, time(6), UTC) if row.on else now)
        if row.edit is not None:
            row.edit(world.repo)
            world.repo.commit(message=row.told)
        before, generation = after, world.generation()

        result = world.run(held if row.approve else frozenset())

        found, tree = said(result), world.claimed()
        told = differences(row, found, result)
        expected |= {key: tree[key] for key in found.published}
        after = world.files()
        told += untold(before, after, expected, found)
        if frozenset(result.unknown_plans) != (held if row.approve and row.held else frozenset()):
            told.append(f"approval: no plan has the ids {result.unknown_plans}")
        if world.generation() != generation + bool(found.published):
            told.append(f"generation: from {generation} to {world.generation()}")
        held = frozenset(t.held.id for job in result.jobs for t in job.targets if t.held is not None)
        print(f"{world.clock.now():%Y-%m-%d}  exit {result.exit_code:d}  {row.told}")
        wrong += [f"{row.told}: {each}" for each in told]
    assert not wrong, "\n".join(wrong)
    assert_whole(world, expected)


def untold(
    before: dict[str, tuple[bytes, int, int]],
    after: dict[str, tuple[bytes, int, int]],
    expected: dict[str, bytes],
    found: Entry,
) -> list[str]:
    """Return what changed in public and should not have: other bytes, or a file written although nothing changed."""
    bodies = {key: body for key, (body, _, _) in after.items() if key != "manifest.json"}
    wrong = [f"public: {key} is not what it should be" for key in expected if bodies.get(key) != expected[key]]
    wrong += [f"public: {key} should not be there" for key in bodies.keys() - expected.keys()]
    may_move = {*found.published, *(["manifest.json"] if found.published else [])}
    return wrong + [
        f"written in vain: {key}" for key in before if key not in may_move and after.get(key) != before[key]
    ]


def assert_whole(world: World, expected: dict[str, bytes]) -> None:
    """Assert that at the end of the year the public tree is the repository's, and the manifest says so."""
    assert expected == world.claimed()
    manifest = json.loads((world.public / "manifest.json").read_bytes())
    assert {key: entry["sha256"] for key, entry in manifest["files"].items()} == {
        key: hashlib.sha256(body).hexdigest() for key, body in expected.items()
    }
    publications = sum(bool(row.published) for row in YEAR)
    assert manifest["generation"] == 1 + publications
