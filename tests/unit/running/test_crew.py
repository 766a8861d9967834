"""Helpers, as real processes: what they tell is what the run would find, and whatever befalls them, it finds it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from hubdata.assembly import kind_builder
from hubdata.model.job import Canary, FileRule, Job, Limits, SourceSpec
from hubdata.model.snapshot import SourceFile
from hubdata.planning.claims import claim
from hubdata.running import crew as crews
from hubdata.running import dividing
from hubdata.running.crew import Crew
from hubdata.running.dividing import Work
from hubdata.running.proving import KindOf, Proof, prove
from hubdata.running.verdict_memory import NOWHERE, VerdictMemory
from hubdata.transfer.code_digest import own_code
from tests.simulator.clock import START
from tests.support.poison import corpus

FILES = 12
BAD = b"8.8.8.0/24\n0.0.0.0/0\n"


@pytest.fixture(autouse=True)
def _every_byte_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have helpers start for a few small files."""
    monkeypatch.setattr(dividing, "PAYS_FROM_BYTES", 1 << 10)


@dataclass
class Bench:
    """A job with some lists, one of them poisoned; how many verdicts the run was told, and its memory."""

    root: Path
    crew: Crew
    told: int = 0

    @classmethod
    def create(cls, root: Path, most: int = 1) -> "Bench":
        """Return it with its files written."""
        for number in range(FILES):
            (root / f"{number:02}").write_bytes(BAD if number == 9 else b"8.8.%d.0/24\n" % number)
        return cls(root, Crew(most))

    @property
    def work(self) -> Work:
        """Return what is to be judged."""
        rule = FileRule("*", "cidr")
        job = Job("lists", SourceSpec("test", {}), (rule,))
        paths = sorted(path for path in self.root.iterdir() if path.is_file())
        files = tuple(SourceFile(path.name, path, path.stat().st_size, {}) for path in paths)
        return [(job, claim((job,), files).by_job["lists"])]

    def kinds(self) -> tuple[KindOf, VerdictMemory]:
        """Return kinds that ask the crew first, and their memory."""
        code = own_code()
        assert code is not None
        memory = VerdictMemory(NOWHERE, code)
        memory.listen(self._heard)
        return kind_builder(memory), memory

    def proof(self, kind_of: KindOf) -> Proof:
        """Return what the run finds."""
        ((job, claims),) = self.work
        return prove(job, claims, kind_of, now=START)

    def alone(self) -> Proof:
        """Return what it finds without anybody's help."""
        return self.proof(kind_builder())

    @contextmanager
    def helped(self) -> Iterator[KindOf]:
        """Give kinds while helpers are at the work."""
        kind_of, _ = self.kinds()
        with self.crew.helping(self.work, kind_of):
            yield kind_of

    def wait(self, verdicts: int) -> None:
        """Return when so many verdicts have been told, and not been asked for."""
        until(lambda: self.crew.told("nobody's") is None and len(self.crew._told) >= verdicts)

    def _heard(self, name: str) -> bytes | None:
        text = self.crew.told(name)
        self.told += text is not None
        return text


def until(reached: Callable[[], bool]) -> None:
    """Return once `reached()`."""
    deadline = time.monotonic() + 120
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Give a job with files, and a crew of one."""
    return Bench.create(tmp_path)


def processes(crew: Crew) -> list[subprocess.Popen[bytes]]:
    """Return the helpers' processes."""
    return [member._process for member in crew._members]


def instead(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """Have something else run in the helper's place."""
    monkeypatch.setattr(crews, "_START", program)


def handles() -> int:
    """Return how many files this process has open."""
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208


@pytest.mark.parametrize("most", [1, 3])
def test_what_helpers_tell_is_what_the_run_finds(tmp_path: Path, most: int) -> None:
    """All verdicts come from helpers, and the proof is the same in every field; nothing stays open or undead."""
    bench, before = Bench.create(tmp_path, most), handles()
    with bench.helped() as kind_of:
        helpers = processes(bench.crew)
        assert len(helpers) == most
        bench.wait(FILES)
        found = bench.proof(kind_of)
    assert found == bench.alone()
    assert {finding.key for finding in found.findings} == {"09"}
    assert bench.told == FILES
    assert [helper.returncode is not None for helper in helpers] == [True] * most
    assert handles() == before


@pytest.mark.parametrize("most", [1, 4])
def test_no_poison_gets_past_helpers_that_the_run_would_refuse(tmp_path: Path, most: int) -> None:
    """Of the whole corpus, under its options, limits and canaries, every finding comes back as the run has it."""
    bench, work = Bench(tmp_path, Crew(most)), poisoned(tmp_path)
    kind_of, memory = bench.kinds()
    told = {name for _, claims in work for name in (claim.file.key for claim in claims) if "mmdb" not in name}
    with bench.crew.helping(work, kind_of):
        bench.wait(len(told) * 9 // 10)  # a verdict in very many words is not told
        found = [prove(job, claims, kind_of, now=START) for job, claims in work]
    assert found == [prove(job, claims, kind_builder(), now=START) for job, claims in work]
    assert memory.helped >= len(told) * 9 // 10


def poisoned(root: Path) -> Work:
    """Return a job for each poisoned file, as one has different canaries from the other; one has a hostile name."""
    work = []
    for number, poison in enumerate(corpus()):
        key = poison.settings.get("key", poison.file)
        key = f"new\nline\udc80 {key}" if poison.plain and poison.kind == "cidr" else key
        path = root / f"{number}" / key
        path.parent.mkdir(parents=True)
        path.write_bytes(poison.body)
        rule = FileRule(
            "**", poison.kind, poison.settings.get("options", {}), Limits(**poison.settings.get("limits", {}))
        )
        canaries = tuple(Canary(**canary) for canary in poison.settings.get("canaries", ()))
        job = Job(f"job{number}", SourceSpec("test", {}), (rule,), canaries=canaries)
        files = (SourceFile(key, path, path.stat().st_size, {}),)
        work.append((job, claim((job,), files).by_job[job.name]))
    return work


def test_verdicts_of_helpers_are_remembered_like_the_run_s_own(bench: Bench, tmp_path: Path) -> None:
    """The memory that such a run leaves is, byte for byte, that of a run that judged alone."""
    code = own_code()
    assert code is not None
    told = []
    for number, helped in enumerate((True, False)):
        memory = VerdictMemory(tmp_path / f"m{number}" / "memory", code)
        kind_of = kind_builder(memory)
        if helped:
            memory.listen(bench.crew.told)
            with bench.crew.helping(bench.work, kind_of):
                bench.wait(FILES)
                bench.proof(kind_of)
        else:
            bench.proof(kind_of)
        assert memory.judged == FILES
        assert memory.save() == ""
        told.append((tmp_path / f"m{number}/memory/verdicts").read_bytes())
    assert told[0] == told[1]


def test_file_that_changes_after_a_helper_has_read_it_is_judged_by_the_run(bench: Bench) -> None:
    """A verdict on other bytes is not taken: neither lets it a file out that turned bad, nor holds it one mended."""
    with bench.helped() as kind_of:
        bench.wait(FILES)
        (bench.root / "03").write_bytes(BAD)
        (bench.root / "09").write_bytes(b"8.8.9.0/24\n")
        found = bench.proof(kind_of)
        assert found == bench.alone()
    assert found.snapshot.refused == {"03"}
    assert bench.told == FILES - 2


def test_file_that_is_gone_when_the_helper_comes_is_left_to_the_run(bench: Bench) -> None:
    """The helper says nothing of it, and goes on with the others."""
    kind_of, _ = bench.kinds()
    work = bench.work
    kept = (bench.root / "05").read_bytes()
    (bench.root / "05").unlink()
    with bench.crew.helping(work, kind_of):
        bench.wait(FILES - 1)
        (bench.root / "05").write_bytes(kept)
        assert bench.proof(kind_of) == bench.alone()
    assert bench.told == FILES - 1


def test_helper_that_can_tell_of_nothing_is_told_of_all_files(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more files than its pipe has room for it can say nothing, and is told of those before them all the same."""
    monkeypatch.setattr(crews, "_LINES", 1)
    (bench.root / "b").write_bytes(b"8.8.8.0/24\n")
    kind_of, _ = bench.kinds()
    for number in range(1_500):
        (bench.root / f"a{number:04}").write_bytes(b"8.8.8.0/24\n")
    work = bench.work
    for number in range(1_500):
        (bench.root / f"a{number:04}").unlink()
    with bench.crew.helping(work, kind_of):
        bench.wait(FILES + 1)


@pytest.mark.parametrize(
    "program",
    [
        pytest.param("raise SystemExit(3)", id="ends at once"),
        pytest.param("import os; os.kill(os.getpid(), 9)", id="is killed"),
        pytest.param("import sys; sys.stdin.buffer.readline(); sys.exit()", id="ends when it is asked"),
        pytest.param("import time; time.sleep(600)", id="hangs"),
        pytest.param("import os; os.close(0); os.close(1); import time; time.sleep(600)", id="is deaf and dumb"),
        pytest.param("this is no program", id="is no program"),
        pytest.param("import sys; sys.stdout.write('nonsense\\n' * 9999); sys.stdin.read()", id="talks nonsense"),
        pytest.param("import os\nwhile True: os.write(1, b'x' * 65536)", id="talks without end or line"),
        pytest.param("import os\nwhile True: os.write(1, b'n' * 44 + b'[[],[],[]]\\n')", id="talks without end"),
    ],
)
def test_helper_that_is_of_no_use_changes_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """The run judges everything itself, and has done with the helper in the end."""
    instead(monkeypatch, program)
    before = handles()
    with bench.helped() as kind_of:
        (helper,) = processes(bench.crew)
        assert bench.proof(kind_of) == bench.alone()
    assert bench.told == 0
    assert helper.returncode is not None
    assert handles() == before


def test_helpers_that_could_not_be_asked_are_ended_like_all(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever presses Ctrl-C just then leaves none behind that waits for a question."""
    asked = []

    def interrupted(member: object, *_: object) -> None:
        asked.append(member)
        raise KeyboardInterrupt

    monkeypatch.setattr(crews._Member, "ask", interrupted)
    before = handles()
    with pytest.raises(KeyboardInterrupt), bench.helped():
        pass
    (member,) = asked
    assert isinstance(member, crews._Member)
    assert member._process.returncode is not None
    assert handles() == before


@pytest.mark.parametrize("writes", [False, True])
def test_helper_writes_compiled_files_only_where_the_run_does(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory, writes: bool
) -> None:
    """PYTHONDONTWRITEBYTECODE and PYTHONPYCACHEPREFIX hold for it too, though it sees no variable."""
    out, prefix = bench.root.parent / f"{bench.root.name}.json", str(tmp_path_factory.mktemp("compiled"))
    monkeypatch.setattr(sys, "dont_write_bytecode", not writes)
    monkeypatch.setattr(sys, "pycache_prefix", prefix)
    told = f"json.dump([sys.dont_write_bytecode, sys.pycache_prefix], open({str(out)!r}, 'w'))"
    instead(monkeypatch, f"import json, sys; {told}")
    with bench.helped():
        (helper,) = processes(bench.crew)
        helper.wait()
    assert json.loads(out.read_text()) == [not writes, prefix]


def test_helper_that_dies_has_helped_as_far_as_it_came(bench: Bench) -> None:
    """What it has told before stays told."""
    with bench.helped() as kind_of:
        bench.wait(1)
        (helper,) = processes(bench.crew)
        helper.kill()
        helper.wait()
        assert bench.proof(kind_of) == bench.alone()
    assert bench.told >= 1


@pytest.mark.parametrize("text", [b"[]", b"[[],[],[]]", b"[[[]],[1,1,1,1],null]", b"[" * 70_000, b"[", b"[1,2,3]"])
def test_verdict_that_is_none_is_not_taken(bench: Bench, text: bytes) -> None:
    """Under the right name, too, only a verdict is one."""
    kind_of, memory = bench.kinds()
    asked = []

    def told(name: str) -> bytes:
        asked.append(name)
        return text

    memory.listen(told)
    assert bench.proof(kind_of) == bench.alone()
    assert len(asked) == FILES


def test_verdict_by_other_code_is_not_asked_for(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A helper that was installed anew meanwhile names its verdicts by what it judges with."""
    program = crews._START.replace(
        "from hubdata.running.helping import main",
        "from hubdata.running import helping; helping.own_code = lambda: 'x'",
    ).replace("main(int", "helping.main(int")
    instead(monkeypatch, program)
    with bench.helped() as kind_of:
        bench.wait(FILES)
        assert bench.proof(kind_of) == bench.alone()
    assert bench.told == 0


def test_plug_in_s_files_and_a_second_work_are_the_run_s_own(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody can help with any file, or all helpers are at work, none is started."""
    with bench.crew.helping(bench.work, kind_builder()):  # kinds that nobody remembers verdicts of
        assert processes(bench.crew) == []
    with bench.helped() as kind_of:
        (first,) = processes(bench.crew)
        with bench.helped():
            assert processes(bench.crew) == [first]
        bench.wait(FILES)
        assert bench.proof(kind_of) == bench.alone()


@pytest.mark.parametrize("executable", ["/nonexistent/python", "", None])
def test_no_process_to_be_had_is_no_failure(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, executable: str | None
) -> None:
    """Without an interpreter, or without room for another process, the run judges alone."""
    before = handles()
    monkeypatch.setattr(sys, "executable", executable)
    with bench.helped() as kind_of:
        assert processes(bench.crew) == []
        assert bench.proof(kind_of) == bench.alone()
    assert handles() == before


def test_helper_sees_no_secrets_and_no_terminal(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its environment is what a program needs to be found; it gives way; its complaints are heard by nobody."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sentinel")
    out = bench.root.parent / "seen.json"
    program = (
        "\n".join(crews._START.splitlines()[:2])
        + f"\nimport json; json.dump([dict(os.environ), sys.flags.isolated, os.nice(0)], open({str(out)!r}, 'w'));"
        "print('hello', file=sys.stderr); 1 / 0"
    )
    instead(monkeypatch, program)
    with bench.helped():
        (helper,) = processes(bench.crew)
        helper.wait()
    environment, isolated, niceness = json.loads(out.read_text())
    assert niceness == max(10, os.nice(0))
    assert environment.keys() <= {"PATH", "LD_LIBRARY_PATH", "LC_CTYPE"}
    assert isolated
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("stopped", [False, True], ids=["busy", "stopped"])
def test_helper_ends_with_the_run_whatever_it_is_at(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, stopped: bool
) -> None:
    """Once nobody holds the other end of its pipe, the kernel ends it, though it listens to nobody, or was stopped."""
    busy = crews._START.replace("main(int", "from hubdata.running import helping\nhelping._end_with(int")
    instead(monkeypatch, f"{busy}\nsys.stdout.buffer.write(b'n' * 44 + b'[]\\n'); sys.stdout.flush()\nwhile True: pass")
    with bench.helped():
        bench.wait(1)
        (member,) = bench.crew._members
        if stopped:
            member._process.send_signal(signal.SIGSTOP)
        os.close(member._life)
        assert member._process.wait(120) == -signal.SIGKILL
        member._life = os.open(os.devnull, os.O_RDONLY)


def test_rule_that_two_jobs_share_is_one_post(bench: Bench) -> None:
    """What helpers are told of a rule is the same for all jobs that have it."""
    ((job, claims),) = bench.work
    kind_of, _ = bench.kinds()
    with bench.crew.helping([(job, claims[:4]), (job, claims[4:7]), (job, claims[7:])], kind_of):
        bench.wait(FILES)
        assert bench.proof(kind_of) == bench.alone()
    assert bench.told == FILES


def test_work_that_does_not_pay_starts_nobody(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a few small files no process is started, as they are judged sooner."""
    monkeypatch.setattr(dividing, "PAYS_FROM_BYTES", 1 << 20)
    with bench.helped() as kind_of:
        assert processes(bench.crew) == []
        assert bench.proof(kind_of) == bench.alone()
