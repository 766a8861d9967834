"""Tell a program of the operator's what was published: once for each publication, after it, and never instead of it.

A publication is one manifest swapped at one target, in which the bytes of at least one data key changed. The program
is started without a shell and with an environment of its own: a few harmless variables, what was published, and what
the settings name. hubdata's own credentials are not among them unless named. It has a deadline, its output is bounded,
and what it leaves running in its process group is ended with it.

What is public stays public whatever a hook does. But somebody relies on it, so one that fails ends the run with exit
code 7 (published, but not everybody knows), and no later run starts it again: there is nothing new to tell.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hubdata.errors import Exit, worst
from hubdata.model.event import Event
from hubdata.model.hook import Hook
from hubdata.model.run import HookResult, JobResult, Outcome, Problem, RunResult, TargetResult
from hubdata.ports import Reporter
from hubdata.transfer import program

MAX_KEYS_BYTES = 32 * 1024
"""Longer lists of keys are in the file alone: Linux refuses a variable of 128 KiB, and half a list misleads."""

_ADVICE = "what was published is public; mend the hook, then run it by hand: no later run tells it of this publication"


@dataclass(frozen=True, slots=True)
class Publication:
    """What one target's new generation brought: `keys` are the data keys whose bytes changed, sorted."""

    target: str
    generation: int
    jobs: tuple[str, ...]
    keys: tuple[str, ...]
    outcome: Outcome
    exit_code: Exit


def publications(result: RunResult) -> tuple[Publication, ...]:
    """Return what `result` published, by target; nothing for a dry run, or where no data changed."""
    shares: dict[str, list[tuple[JobResult, TargetResult]]] = {}
    for job in result.jobs:
        for target in job.targets:
            if target.applied and target.changed:
                shares.setdefault(target.target, []).append((job, target))
    return tuple(_publication(name, shared) for name, shared in sorted(shares.items()))


def _publication(name: str, shared: list[tuple[JobResult, TargetResult]]) -> Publication:
    code = worst([job.exit_code for job, _ in shared])
    return Publication(
        target=name,
        generation=max(target.generation for _, target in shared),
        jobs=tuple(job.job for job, _ in shared),
        keys=tuple(sorted(key for _, target in shared for key in target.changed)),
        outcome=next(job.outcome for job, _ in shared if job.exit_code is code),
        exit_code=code,
    )


def tell(
    hook: Hook,
    result: RunResult,
    *,
    environment: Mapping[str, str],
    keys_file: Callable[[], Path],
    reporter: Reporter,
) -> tuple[HookResult, ...]:
    """Return what became of `hook`, started for each publication of `result`, one after the other.

    `keys_file` gives a new, private file; it may be removed when this returns.
    """
    told = []
    for publication in publications(result):
        path = keys_file()
        path.write_text("".join(f"{key}\n" for key in publication.keys), encoding="utf-8")
        told.append(_started(hook, publication, environment_of(hook, publication, result.run_id, path, environment)))
        _report(hook, told[-1], reporter)
    return tuple(told)


def environment_of(
    hook: Hook, publication: Publication, run_id: str, keys_file: Path, environment: Mapping[str, str]
) -> dict[str, str]:
    """Return the whole environment of a hook: what it is told wins over whatever else has the same name."""
    keys = "\n".join(publication.keys)
    return program.harmless(environment, hook.pass_environment) | {
        "HUBDATA_RUN_ID": run_id,
        "HUBDATA_JOB": " ".join(publication.jobs),
        "HUBDATA_TARGET": publication.target,
        "HUBDATA_GENERATION": str(publication.generation),
        "HUBDATA_OUTCOME": publication.outcome.value,
        "HUBDATA_EXIT_CODE": str(int(publication.exit_code)),
        "HUBDATA_CHANGED_COUNT": str(len(publication.keys)),
        "HUBDATA_CHANGED_KEYS": keys if len(keys.encode()) <= MAX_KEYS_BYTES else "",
        "HUBDATA_CHANGED_KEYS_FILE": str(keys_file),
    }


def _started(hook: Hook, publication: Publication, environment: Mapping[str, str]) -> HookResult:
    ended = program.start(hook.argv, env=environment, timeout=hook.timeout)
    problem = None if ended.fault is None else _problem(hook, ended.why)
    return HookResult(
        "on_published", publication.target, publication.generation, ended.elapsed_s, ended.output, problem
    )


def _problem(hook: Hook, why: str) -> Problem:
    return Problem(f"{hook.program} {why}", _ADVICE, Exit.CDN_PENDING)


def _report(hook: Hook, told: HookResult, reporter: Reporter) -> None:
    for line in told.output.splitlines():
        reporter.emit(Event("hook.said", {"target": told.target, "line": line}))
    fields: dict[str, str | int | float] = {
        "hook": told.hook,
        "program": hook.program,
        "target": told.target,
        "generation": told.generation,
        "elapsed_s": told.elapsed_s,
    }
    if told.problem is None:
        reporter.emit(Event("hook.done", fields))
    else:
        reporter.emit(Event("hook.failed", {**fields, "error": told.problem.message}))
