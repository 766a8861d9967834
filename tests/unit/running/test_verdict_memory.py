"""Remembered verdicts: the same as fresh ones, and found only by what they depend on."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from hubdata.assembly import kind_builder
from hubdata.config.builtin import builtin_jobs_dir
from hubdata.config.jobs import load_jobs
from hubdata.model.finding import Finding, Severity
from hubdata.model.job import Canary, FileRule, Job, Limits, SourceSpec, Waiver
from hubdata.model.references import References
from hubdata.model.snapshot import Artifact, SourceFile, Stats
from hubdata.planning.claims import Claim, claim
from hubdata.plugins import KINDS, Seam, load
from hubdata.ports import Body, Demands, Kind, Verdict
from hubdata.running import verdict_memory
from hubdata.running.proving import Proof, judge, prove
from hubdata.running.verdict_memory import VerdictMemory
from hubdata.transfer.code_digest import own_code
from hubdata.transfer.verdict_file import MAX_AGES
from tests.support.poison import corpus
from tests.support.real import SEC_LISTS, needs_real

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
LATER = datetime(2031, 6, 1, 12, tzinfo=UTC)
LIST = b"8.8.8.0/24\n1.1.1.1/24\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Give where verdicts are kept."""
    return tmp_path / "memory-verdicts"


def memory(place: Path, **how: bool) -> VerdictMemory:
    """Return what a new run remembers."""
    code = own_code()
    assert code is not None
    return VerdictMemory(place, code, **how)


class Watching:
    """A kind that tells what it was shown, and finds one thing."""

    name = "watching"
    lasting = True
    content_type = "text/plain"
    max_bytes = 1 << 20

    class Options(BaseModel):
        """Nothing that is checked."""

    def __init__(self) -> None:
        self.shown: list[tuple[Artifact, Demands]] = []

    def check(self, artifact: Artifact, body: Body, demands: Demands) -> Verdict:
        """Return a verdict that tells how often it was asked."""
        self.shown.append((artifact, demands))
        return Verdict((Finding(artifact.key, 1, "w.w", Severity.ERROR, f"{len(self.shown)}", "a"),), Stats(len(body)))


class Quiet(Watching):
    """A kind that inherits everything, and has not said itself that its verdicts last."""


class Bench:
    """One file and one job, judged as often as one likes."""

    def __init__(self, root: Path, kind: Kind | None = None) -> None:
        self.path = root / "file"
        self.path.write_bytes(LIST)
        self.kind = kind or Watching()

    def verdict(
        self,
        memory: VerdictMemory,
        *,
        key: str = "some/list",
        rule: FileRule | None = None,
        canaries: tuple[Canary, ...] = (),
        now: datetime = NOW,
        source: str = "r1",
    ) -> Verdict:
        """Return the verdict on the file, with what was remembered."""
        rule = rule or FileRule("**", "watching")
        job = Job("job", SourceSpec("test", {}), (rule,), canaries=canaries)
        file = SourceFile(key, self.path, self.path.stat().st_size, {"revision": source})
        return judge(Claim(rule, file), memory.remembering(self.kind, rule), job, now)[1]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Give a file and a kind that watches."""
    return Bench(tmp_path)


@pytest.fixture(autouse=True)
def _named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Name the code: these tests are too large for a plug-in's package, and somebody may be at work on hubdata."""
    monkeypatch.setattr(verdict_memory, "package_code", lambda _: "code")
    monkeypatch.setattr(verdict_memory, "code_now", own_code)


def real_claims() -> Iterator[tuple[Job, Claim]]:
    """Yield every file of the real tree that the built-in jobs publish."""
    jobs = tuple(job for job in load_jobs(builtin_jobs_dir()) if job.source.type == "git")
    paths = sorted(p for p in SEC_LISTS.rglob("*") if p.is_file())
    files = [SourceFile(p.relative_to(SEC_LISTS).as_posix(), p, p.stat().st_size, {"revision": "r"}) for p in paths]
    claims = claim(jobs, tuple(files))
    yield from ((job, each) for job in jobs for each in claims.by_job[job.name])


def poisoned_claims(root: Path) -> Iterator[tuple[Job, Claim]]:
    """Yield every file of the poison corpus, with all that it is held to."""
    for number, poison in enumerate(corpus()):
        path = root / str(number)
        path.write_bytes(poison.body)
        bounds: dict[str, Any] = poison.settings.get("limits", {})
        plain: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in bounds.items()}
        limits = Limits(**plain)
        rule = FileRule("**", poison.kind, poison.settings.get("options", {}), limits)
        canaries = tuple(Canary(**canary) for canary in poison.settings.get("canaries", ()))
        job = Job("poison", SourceSpec("test", {}), (rule,), canaries=canaries)
        key = poison.settings.get("key", poison.file)
        yield job, Claim(rule, SourceFile(key, path, path.stat().st_size, {"revision": "r"}))


@needs_real
def test_every_remembered_verdict_is_the_fresh_one_on_the_real_tree_and_on_all_poison(
    tmp_path: Path, place: Path
) -> None:
    """Findings, counts and references come back exactly, for every kind, whenever they are asked for."""
    claims = [*real_claims(), *poisoned_claims(tmp_path)]
    plain, first = kind_builder(), memory(place)
    keeping = kind_builder(first)
    fresh = [judge(each, plain(each.rule), job, NOW) for job, each in claims]
    assert [judge(each, keeping(each.rule), job, NOW) for job, each in claims] == fresh
    assert first.save() == ""
    second = memory(place)
    recalling = kind_builder(second)
    assert [judge(each, recalling(each.rule), job, NOW) for job, each in claims] == fresh
    large = 3  # verdicts of the corpus with so many findings that they are not kept
    lasting = [each for _, each in claims if each.rule.kind != "mmdb"]
    assert second.judged <= large
    assert {each.rule.kind for each in lasting} == KINDS.keys() - {"mmdb"}
    refused_unread = sum(not artifact.sha256 for (artifact, _), (_, each) in zip(fresh, claims, strict=True))
    assert second.remembered + second.judged >= len(lasting) - refused_unread


def test_kinds_say_of_themselves_whether_they_are_remembered(place: Path) -> None:
    """All but GeoIP databases, of which the day decides; what inherits from a kind must say so anew."""
    said = {word for word in KINDS if vars(load(Seam.KIND, word)).get("lasting") is True}
    assert said == KINDS.keys() - {"mmdb"}
    quiet = Quiet()
    assert memory(place).remembering(quiet, FileRule("**", "watching")) is quiet


def test_kind_whose_code_nobody_can_read_is_not_remembered(
    place: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody could say when it is another."""
    monkeypatch.setattr(verdict_memory, "package_code", lambda _: None)
    assert memory(place).remembering(bench.kind, FileRule("**", "watching")) is bench.kind


def test_remembered_kind_is_shown_nothing_that_is_not_in_the_name(place: Path, bench: Bench) -> None:
    """Neither the time, nor where the file came from, nor where it lies: so none of it can have played a part."""
    bench.verdict(memory(place))
    assert isinstance(bench.kind, Watching)
    ((shown, demands),) = bench.kind.shown
    assert (shown.key, shown.size, shown.kind, shown.sha256, shown.source) == ("some/list", 22, "watching", "", {})
    assert not shown.path.exists()
    assert demands.checked_at.year == 1970


def test_unchanged_file_is_judged_once_whenever_and_from_wherever_it_comes(place: Path, bench: Bench) -> None:
    """Another day, another commit, another run: one verdict."""
    first = memory(place)
    verdict = bench.verdict(first)
    assert first.save() == ""
    second = memory(place)
    assert bench.verdict(second, now=LATER, source="r2") == verdict
    assert (second.remembered, second.judged) == (1, 0)
    assert isinstance(bench.kind, Watching)
    assert len(bench.kind.shown) == 1


CHANGES: dict[str, dict[str, Any]] = {
    "key": {"key": "other/list"},
    "kind": {"rule": FileRule("**", "other")},
    "options": {"rule": FileRule("**", "watching", {"family": "ipv4"})},
    "limits": {"rule": FileRule("**", "watching", limits=Limits(min_entries=3))},
    "canaries": {"canaries": (Canary("8.8.8.8", {"a": "b"}),)},
}


@pytest.mark.parametrize("changed", CHANGES)
def test_whatever_a_verdict_depends_on_is_in_its_name(place: Path, bench: Bench, changed: str) -> None:
    """With another of it the file is judged anew, also within one run."""
    known = memory(place)
    bench.verdict(known)
    bench.verdict(known, **CHANGES[changed])
    assert (known.remembered, known.judged) == (0, 2)
    assert known.save() == ""
    again = memory(place)
    bench.verdict(again)
    bench.verdict(again, **CHANGES[changed])
    assert (again.remembered, again.judged) == (2, 0)


def test_other_bytes_of_one_size_and_time_are_judged_anew(place: Path, bench: Bench) -> None:
    """What a file looks like from outside is never believed: the bytes are digested every time."""
    import os

    known, before = memory(place), bench.path.stat()
    bench.verdict(known)
    assert known.save() == ""
    bench.path.write_bytes(LIST.replace(b"8.8.8.0", b"0.0.0.0"))
    os.utime(bench.path, ns=(before.st_atime_ns, before.st_mtime_ns))
    again = memory(place)
    bench.verdict(again)
    assert (again.remembered, again.judged) == (0, 1)


def test_two_classes_under_one_word_do_not_share_verdicts(tmp_path: Path, place: Path) -> None:
    """A plug-in that takes a kind's name over takes no verdict over."""

    class Other(Watching):
        """Another one."""

        lasting = True

    known = memory(place)
    Bench(tmp_path, Watching()).verdict(known)
    assert known.save() == ""
    again = memory(place)
    Bench(tmp_path, Other()).verdict(again)
    assert again.judged == 1


def test_other_code_judges_everything_anew(place: Path, bench: Bench) -> None:
    """A rule that changed is asked of every file."""
    known = memory(place)
    bench.verdict(known)
    assert known.save() == ""
    other = VerdictMemory(place, "other code")
    bench.verdict(other)
    assert (other.remembered, other.judged) == (0, 1)


def test_code_installed_meanwhile_is_told_nothing(place: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that judged by what it had loaded writes nothing once something else is installed."""
    known = memory(place)
    bench.verdict(known)
    monkeypatch.setattr(verdict_memory, "code_now", lambda: "newer")
    assert known.save() == ""
    assert not place.exists()


def test_blind_memory_judges_everything_and_keeps_it(place: Path, bench: Bench) -> None:
    """A run by force looks at every file; the next one need not."""
    for _ in range(2):
        forced = memory(place, blind=True)
        bench.verdict(forced)
        assert (forced.remembered, forced.judged) == (0, 1)
        assert forced.save() == ""
    again = memory(place)
    bench.verdict(again)
    assert again.remembered == 1


def test_run_that_judges_nothing_writes_nothing(place: Path, bench: Bench) -> None:
    """The file of an unchanged tree stays as it is."""
    known = memory(place)
    bench.verdict(known)
    assert known.save() == ""
    before = (place / "verdicts").stat()
    again = memory(place)
    bench.verdict(again)
    assert again.save() == ""
    after = (place / "verdicts").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_verdict_that_nobody_needs_goes_after_a_while(place: Path, bench: Bench) -> None:
    """It stays for MAX_AGES runs that write; what is used stays for good."""
    known = memory(place)
    bench.verdict(known, key="used")
    bench.verdict(known, key="unused")
    assert known.save() == ""
    for number in range(MAX_AGES):
        run = memory(place)
        bench.verdict(run, key="used")
        assert run.remembered == 1
        bench.verdict(run, key=f"new {number}")
        assert run.save() == ""
    last = memory(place)
    bench.verdict(last, key="unused")
    assert last.judged == 1


def test_waiver_that_ends_refuses_a_remembered_file(tmp_path: Path, place: Path) -> None:
    """Waivers are applied to what was remembered as to what is new: by this run's job file, on this run's day."""
    (tmp_path / "file").write_bytes(LIST)
    rule = FileRule("**", "cidr")
    waiver = Waiver("list", "cidr.host-bits", "pending", date(2026, 7, 1))
    job = Job("job", SourceSpec("test", {}), (rule,), waivers=(waiver,))
    claims = (Claim(rule, SourceFile("list", tmp_path / "file", len(LIST), {})),)

    def proof(job: Job, now: datetime) -> tuple[Proof, VerdictMemory]:
        known = memory(place)
        found = prove(job, claims, kind_builder(known), now=now)
        assert known.save() == ""
        return found, known

    assert proof(job, NOW)[0].snapshot.artifacts.keys() == {"list"}
    late, known = proof(job, LATER)
    assert (sorted(late.snapshot.refused), known.judged) == (["list"], 0)
    bare, known = proof(replace(job, waivers=()), NOW)
    assert (sorted(bare.snapshot.refused), known.judged) == (["list"], 0)


STRANGE = (
    Verdict((Finding("another/key", None, "r", Severity.INFO, "m\udc80", "a", 3, "w", 9),), Stats(1, 2**40, 0, None)),
    Verdict((), Stats(), References(((1, 2), (2**70, 3)), (("a", 1),))),
    Verdict((), Stats(), References()),
)


@pytest.mark.parametrize("verdict", STRANGE)
def test_strange_verdicts_come_back_exactly(place: Path, verdict: Verdict) -> None:
    """Every field, another file's key, half a character, large numbers."""
    known = memory(place)
    known.keep("name", "key", verdict)
    assert known.save() == ""
    assert memory(place).recall("name", "key") == verdict


class Words(str):
    """A text that is not quite one."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        """Be equal to nothing."""
        return False

    __hash__ = str.__hash__


UNFIT = (
    Verdict((Finding("key", None, "r", Severity.INFO, Words("m"), "a"),)),
    Verdict((Finding("key", 1.5, "r", Severity.INFO, "m", "a"),)),  # type: ignore[arg-type]
    Verdict((Finding("key", 1, "r", Severity.INFO, "m" * 70_000, "a"),)),
    Verdict((), Stats(True)),
)


@pytest.mark.parametrize("verdict", UNFIT)
def test_verdict_that_would_not_come_back_the_same_is_not_kept(place: Path, verdict: Verdict) -> None:
    """Nor one that takes too much room: such files are judged every time."""
    known = memory(place)
    known.keep("name", "key", verdict)
    assert known.save() == ""
    assert memory(place).recall("name", "key") is None


@pytest.mark.parametrize(
    "text",
    [
        None,
        [],
        [[], [], None],
        [[], [1, 2, 3], None],
        [[], [1, 2, 3, "4"], None],
        [[[None, 1, "r", "fatal", "m", "a", None, "", None]], [None] * 4, None],
        [[[None, "1", "r", "error", "m", "a", None, "", None]], [None] * 4, None],
        [[[7, 1, "r", "error", "m", "a", None, "", None]], [None] * 4, None],
        [[[None, 1]], [None] * 4, None],
        [[], [None] * 4, [[["1", 2]], []]],
        [[], [None] * 4, [[[1, 2, 3]], []]],
        [[], [None] * 4, {}],
        {"a": 1},
        "abc",
    ],
)
def test_what_is_no_verdict_is_none(text: Any) -> None:
    """Whatever stands in its place, the file is judged."""
    assert verdict_memory.decoded(text, "key") is None
