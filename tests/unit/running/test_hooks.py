"""Hooks: what counts as a publication, and what a program is told of it. tests/e2e/test_hooks.py starts real ones."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from hubdata.errors import Exit, TargetError
from hubdata.model.hook import Hook
from hubdata.model.run import HookResult, JobResult, Outcome, Problem, RunResult, TargetResult
from hubdata.running.hooks import MAX_KEYS_BYTES, Publication, environment_of, publications, tell
from tests.simulator.wire import Killed
from tests.simulator.world import Events, World, text_job
from tests.unit.report.samples import EVERYTHING, PUBLISHED, REFUSED

SECRETS = {"AWS_SECRET_ACCESS_KEY": "sentinel-aws", "MAXMIND_LICENSE_KEY": "sentinel-mm", "HUBDATA_SPOOL": "/spool"}


def changed(job: JobResult, **keys: tuple[str, ...]) -> JobResult:
    """Return `job` with these keys changed at these targets."""
    targets = (replace(t, applied=True, changed=keys.get(t.target, ())) for t in job.targets)
    return replace(job, targets=tuple(targets))


def run_of(*jobs: JobResult) -> RunResult:
    """Return a run of `jobs`."""
    return RunResult("run-1", jobs, 0.1)


def told(argv: tuple[str, ...], tmp_path: Path, *, timeout_s: float = 10) -> HookResult:
    """Return what became of one real hook."""
    hook = Hook(argv, timedelta(seconds=timeout_s))
    result = run_of(changed(PUBLISHED, aws=("a", "b")))
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
    (one,) = tell(hook, result, environment=environment, keys_file=lambda: tmp_path / "keys", reporter=Events())
    return one


def test_each_target_with_changed_data_is_a_publication() -> None:
    """All jobs of a target share one generation, so they are told together."""
    run = run_of(changed(PUBLISHED, aws=("b",), mirror=("b",)), changed(REFUSED, aws=("a",)))
    assert publications(run) == (
        Publication("aws", 12, ("allowlists", "lists"), ("a", "b"), Outcome.REFUSED, Exit.REFUSED),
        Publication("mirror", 7, ("allowlists",), ("b",), Outcome.PUBLISHED, Exit.FINE),
    )


def test_a_manifest_that_was_swapped_without_new_data_is_none() -> None:
    """Adopting what is right already changes nothing that engines load."""
    assert publications(EVERYTHING) == ()
    unapplied = replace(PUBLISHED, targets=(replace(PUBLISHED.targets[0], applied=False, changed=("a",)),))
    assert publications(run_of(unapplied)) == ()


def env(keys: tuple[str, ...], environment: Mapping[str, str], *, passed: tuple[str, ...] = ()) -> dict[str, str]:
    """Return the environment of a hook that is told of `keys`."""
    publication = Publication("aws", 12, ("geoip", "lists"), keys, Outcome.PUBLISHED, Exit.FINE)
    return environment_of(Hook(("x",), pass_environment=passed), publication, "run-1", Path("/f"), environment)


def test_a_hook_is_told_what_was_published() -> None:
    """By name, in variables; keys hold no line feed, so one a line is exact."""
    assert env(("a b", "c"), {"PATH": "/bin", "TERM": "x"}) == {
        "PATH": "/bin",
        "HUBDATA_RUN_ID": "run-1",
        "HUBDATA_JOB": "geoip lists",
        "HUBDATA_TARGET": "aws",
        "HUBDATA_GENERATION": "12",
        "HUBDATA_OUTCOME": "published",
        "HUBDATA_EXIT_CODE": "0",
        "HUBDATA_CHANGED_COUNT": "2",
        "HUBDATA_CHANGED_KEYS": "a b\nc",
        "HUBDATA_CHANGED_KEYS_FILE": "/f",
    }


def test_no_credential_is_passed_on_unless_it_is_named() -> None:
    """A hook may be anybody's script: what hubdata needs for itself is none of its business."""
    assert not set(SECRETS) & set(env((), SECRETS))
    assert env((), SECRETS, passed=("MAXMIND_LICENSE_KEY", "ABSENT"))["MAXMIND_LICENSE_KEY"] == "sentinel-mm"
    forged = {"HUBDATA_RUN_ID": "forged"}
    assert env((), forged, passed=("HUBDATA_RUN_ID",))["HUBDATA_RUN_ID"] == "run-1"


def test_too_many_keys_are_in_the_file_alone() -> None:
    """Half a list would be taken for the whole, and a variable of 128 KiB keeps a program from starting."""
    fits = ("k" * MAX_KEYS_BYTES,)
    assert env(fits, {})["HUBDATA_CHANGED_KEYS"] == fits[0]
    over = (*fits, "x")
    assert env(over, {})["HUBDATA_CHANGED_KEYS"] == ""
    assert env(over, {})["HUBDATA_CHANGED_COUNT"] == "2"


def test_all_keys_are_in_the_file(tmp_path: Path) -> None:
    """One a line, also the last."""
    one = told(("sh", "-c", 'cat "$HUBDATA_CHANGED_KEYS_FILE"; echo "$0 $#" >&2', "*;$(id)", "a b"), tmp_path)
    assert one.problem is None
    assert one.output == "a\nb\n*;$(id) 1"  # no shell but the one we asked for has read the arguments
    assert (tmp_path / "keys").read_text() == "a\nb\n"


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        pytest.param(("sh", "-c", "echo gone wrong >&2; exit 3"), "ended with exit code 3", id="exit code"),
        pytest.param(("sh", "-c", "kill -9 $$"), "was ended by signal 9", id="signal"),
        pytest.param(("no-such-program-here",), "could not be started", id="missing"),
        pytest.param(("/etc/passwd",), "could not be started", id="not executable"),
        pytest.param(("/",), "could not be started", id="directory"),
    ],
)
def test_a_hook_that_fails_says_how(tmp_path: Path, argv: tuple[str, ...], words: str) -> None:
    """The message names the program and never its arguments; the advice says that nobody runs it again."""
    one = told(argv, tmp_path)
    assert one.problem is not None
    assert one.problem.message.startswith(f"{argv[0]} {words}")
    assert "no later run" in one.problem.advice
    assert one.problem.exit_code is Exit.CDN_PENDING
    assert (one.output == "gone wrong") is ("exit 3" in argv[-1])


def test_a_script_that_names_no_interpreter_is_told_like_any_other_failure(tmp_path: Path) -> None:
    """The kernel refuses it; that is no bug of ours."""
    script = tmp_path / "hook"
    script.write_text("echo hello\n")
    script.chmod(0o755)
    one = told((str(script),), tmp_path)
    assert one.problem is not None
    assert "Exec format error" in one.problem.message


def test_a_hook_without_end_is_ended_with_all_it_started(tmp_path: Path) -> None:
    """Its whole process group goes: a child that would have written a file later never does."""
    sign = tmp_path / "sign"
    one = told(("sh", "-c", f'(sleep 2; touch "{sign}") & echo begun; sleep 60'), tmp_path, timeout_s=0.5)
    assert one.problem is not None
    assert "had not ended after 0.5 s" in one.problem.message
    assert one.output == "begun"
    assert one.elapsed_s < 30
    told(("sleep", "2.5"), tmp_path)
    assert not sign.exists()


def test_of_much_output_the_end_is_kept(tmp_path: Path) -> None:
    """A hook that says a megabyte neither fails nor fills anything."""
    one = told(("sh", "-c", "head -c 1000000 /dev/zero | tr '\\0' x; echo; echo last"), tmp_path)
    assert one.problem is None
    assert one.output.endswith("\nlast")
    assert len(one.output) <= 4096


def test_a_failed_hook_ends_the_run_with_7_unless_something_is_worse() -> None:
    """Published, but not everybody knows: the same as a CDN that was not told."""
    failed = HookResult("on_published", "aws", 12, 0.1, problem=Problem("x failed", "mend it", Exit.CDN_PENDING))
    fine = TargetResult("aws", PUBLISHED.targets[0].plan)
    run = RunResult("r", (JobResult("a", Outcome.PUBLISHED, {}, targets=(fine,)),), 0.1, hooks=(failed,))
    assert run.exit_code is Exit.CDN_PENDING
    assert replace(run, hooks=(replace(failed, problem=None),)).exit_code is Exit.FINE
    assert replace(run, jobs=(REFUSED,)).exit_code is Exit.REFUSED


@pytest.mark.parametrize("boundary", ["manifest.json", "b.txt"])
def test_a_first_run_that_is_killed_leaves_the_telling_to_the_next(tmp_path: Path, boundary: str) -> None:
    """What the dead run had put is only adopted by the one after it, and yet is that run's to tell of."""
    world = World(tmp_path)
    store = world.add_target()
    world.add_job(text_job("texts"), {"a.txt": b"a", "b.txt": b"b"})
    world.wire.on("PUT", boundary, do=world.wire.kill)
    with pytest.raises(Killed):
        world.run()
    world.wire.revive()
    assert publications(world.run())[0].keys == ("a.txt", "b.txt")
    assert publications(world.run()) == ()
    store.seed("manifest.json", b"")
    store.lose("manifest.json")
    assert publications(world.run()) == ()  # a bucket that was filled before hubdata came


def test_what_could_not_be_put_is_not_told(tmp_path: Path) -> None:
    """Of a publication in part only the part that is public."""
    world = World(tmp_path)
    world.add_target()
    world.add_job(text_job("texts"), {"a.txt": b"a", "b.txt": b"b"})
    world.wire.on("PUT", "a.txt", do=refused)
    (publication,) = publications(world.run())
    assert (publication.keys, publication.exit_code) == (("b.txt",), Exit.TARGET)


def refused() -> None:
    """Refuse a call as a store that is busy would."""
    raise TargetError("busy", advice="wait")
