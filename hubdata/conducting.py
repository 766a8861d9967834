"""Conduct one run: put together what it goes through, have it run, and tell of it wherever somebody wants to know."""

import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from hubdata.assembly import feeds_of, judges, lacking, places_of, verdict_memory
from hubdata.choices import Choices
from hubdata.clock import SystemClock
from hubdata.config.settings import Settings
from hubdata.model.event import Event
from hubdata.model.job import Job
from hubdata.model.run import HookResult, RunResult
from hubdata.pipeline import run
from hubdata.planning.approval import plan_id
from hubdata.ports import Clock, Reporter, SourceContext, Target, Variable
from hubdata.report.tagging import Tagged, decided
from hubdata.running.beside import Beside
from hubdata.running.visiting import Orders, Place
from hubdata.transfer.spool import Spool

if TYPE_CHECKING:
    from hubdata.running.crew import Crew
    from hubdata.running.rolling_back import Past


def conducted(
    choices: Choices,
    settings: Settings,
    targets: Mapping[str, Target],
    jobs: tuple[Job, ...],
    selected: frozenset[str],
    *,
    reporter: Reporter,
    only: frozenset[str] | None = None,
    past: "Past | None" = None,
    command: tuple[str, ...] = ("sync", "--once"),
    crew: "Crew | None" = None,
) -> RunResult:
    """Return what one run of the `selected` jobs did at `targets`; with `dry_run`, what it would do.

    `only` these keys where it is not for all; of a rollback, `past` says how far. The `crew` helps to judge.
    """
    clock, beside = SystemClock(), Beside()
    run_id = choices.run_id or new_run_id(clock)
    flags = _flags(choices, selected if len(selected) < len(jobs) else ())
    notices, left_out = _embedded(choices, settings, jobs, selected, past)
    reporter = Tagged(reporter, run_id, selected - left_out)
    reporter.emit(Event("run.began", {"targets": ",".join(choices.targets or settings.targets)}))
    selected, orders = selected - left_out, replace(_orders(choices, settings), command=command)
    with Spool.create(settings.spool) as spool:
        places = places_of(settings, targets, spool, reporter, wait=choices.wait)

        def context(name: str) -> SourceContext:
            return SourceContext(spool.directory(name), os.environ, clock, choices.force, spool.memory(name))

        if past is None:
            feeds = feeds_of(settings, jobs, selected, context, only)
        else:
            from hubdata.running.rolling_back import way_to

            way = way_to(past, places[0].target, jobs, selected, lambda: spool.directory("past"))
            feeds, orders, selected = (way.feed,), replace(orders, upon=way.upon), way.feed.selected
            places = tuple(replace(place, feeder=None) for place in places)  # what it held, not what feeds it
        others = tuple(job for job in jobs if job.name not in selected)
        memory = verdict_memory(settings, spool, blind=choices.force)
        kinds, crew = judges(memory, crew)
        to = (feeds, places, kinds, orders)
        result = run(*to, run_id=run_id, clock=clock, reporter=reporter, others=others, later=beside, crew=crew)
        result = _priced(result, settings)
        remembered = () if memory is None else memory.notices
        notices = (*settings.notices, *notices, *remembered, *_remarks(result, settings, places))
        hooks = _hooked(result, settings, spool, reporter)
    result = replace(result, notices=notices, flags=flags, hooks=hooks, command=command)
    result = _looked_at(result, settings, places, reporter)
    _keep_record(result, places, reporter, beside)
    if memory is not None:
        memory.close(reporter)  # while the record is on its way
    if past is None:  # a rollback says nothing of how jobs stand
        result = _measured(result, settings, jobs, clock.now(), reporter)
        _notified(result, settings, jobs, places, reporter, ended_at=clock.now(), partial=only is not None)
    beside.settle()
    for event in decided(result):
        reporter.emit(event)
    return result


def _looked_at(result: RunResult, settings: Settings, places: tuple[Place, ...], reporter: Reporter) -> RunResult:
    """Return the result with what readers get of it, where the settings say how they reach it."""
    if settings.verify is None or not any(target.applied for job in result.jobs for target in job.targets):
        return result
    from hubdata.asking.viewing import verified

    return verified(result, settings, [place.target for place in places], reporter)


def _priced(result: RunResult, settings: Settings) -> RunResult:
    """Return the result with what it costs the fleet, where the settings say how large that is."""
    if settings.fleet is None:
        return result
    from hubdata.planning.fleet import priced

    return priced(result, settings.fleet)


def _measured(
    result: RunResult, settings: Settings, jobs: tuple[Job, ...], ended_at: datetime, reporter: Reporter
) -> RunResult:
    """Leave the run's metrics where they are collected, if anywhere; return the run with what went wrong thereby."""
    if settings.metrics is None:
        return result
    from hubdata.report.metrics.trail import leave

    fed = frozenset(name for name, target in settings.targets.items() if target.stage is not None)
    told = leave(settings.metrics, result, jobs, tuple(settings.targets), ended_at=ended_at, fed=fed)
    for remark in told:
        reporter.emit(Event("metrics.trouble", {"because": remark}))
    return replace(result, notices=(*result.notices, *told))


def _notified(
    result: RunResult,
    settings: Settings,
    jobs: tuple[Job, ...],
    places: tuple[Place, ...],
    reporter: Reporter,
    *,
    ended_at: datetime,
    partial: bool,
) -> None:
    """Tell people of how jobs stand now, where the settings say whom; a dry run changes nothing of that."""
    if settings.notify is None or result.dry_run:
        return
    from hubdata.notifying.telling import Teller

    teller = Teller(settings.notify, settings.spool, reporter)
    teller.tell_run(result, jobs, [place.target for place in places], ended_at, partial=partial)


def new_run_id(clock: Clock) -> str:
    """Return an id that no other run has; those of later runs sort behind it."""
    return f"{clock.now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def _orders(choices: Choices, settings: Settings) -> Orders:
    return Orders(
        dry_run=choices.dry_run,
        force=choices.force,
        approve=frozenset(map(plan_id, choices.approve)),
        allow_rollback=choices.allow_rollback,
        wait=choices.wait,
        lease=settings.lease,
    )


def _embedded(
    choices: Choices, settings: Settings, jobs: tuple[Job, ...], selected: frozenset[str], past: "Past | None"
) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return what to say where nobody has configured anything, and the jobs that are left out for want of a login."""
    if not settings.embedded:
        return (), frozenset()
    asked = [job for job in jobs if job.name in selected and job.name not in choices.jobs and past is None]
    missing = lacking(settings, asked)
    said = (f"job {name} is left out: {why}" for name, why in missing.items())
    return (_embedded_notice(settings), *said), frozenset(missing)


def _remarks(result: RunResult, settings: Settings, places: tuple[Place, ...]) -> tuple[str, ...]:
    """Return what a person should know of this run that is no fault of the data."""
    remarks = _done_without(places) + _unasked(settings, result)
    remarks += [target.remark for job in result.jobs for target in job.targets if target.remark]
    if result.stages:
        from hubdata.report.wording import coming

        remarks += coming(result.stages)
    return tuple(remarks)


def _hooked(result: RunResult, settings: Settings, spool: Spool, reporter: Reporter) -> tuple[HookResult, ...]:
    """Tell the operator's program of what other bytes are public now, if there is one."""
    if settings.hook is None or not any(target.changed for job in result.jobs for target in job.targets):
        return ()
    from hubdata.running.hooks import tell

    return tell(
        settings.hook,
        result,
        environment=os.environ,
        keys_file=lambda: spool.file("changed-keys"),
        reporter=reporter,
    )


def _keep_record(result: RunResult, places: tuple[Place, ...], reporter: Reporter, beside: Beside) -> None:
    """Leave a record of the run at every target that it wrote to; a run that wrote nothing leaves none."""
    wanted = [place.target for place in places if place.target.name in result.records]
    if wanted:
        from hubdata.publishing import records
        from hubdata.report.record_json import record_json

        def keep(target: Target) -> None:
            body = record_json(result, target.name).encode()
            records.keep(target, result.run_id, body, result.records[target.name], reporter)

        for target in wanted:
            beside(partial(keep, target))


def _unasked(settings: Settings, result: RunResult) -> list[str]:
    """Return of a dry run which gates would be asked: a program of the operator's may do anything, so not by it."""
    changed = {t.target for job in result.jobs for t in job.targets if not t.plan.empty and result.dry_run}
    gates = ((name, settings.targets[name].gate) for name in sorted(changed))
    return [
        f"target {name}: its gate {gate.program} is asked before anything is written, and not by a dry run"
        for name, gate in gates
        if gate is not None
    ]


def _done_without(places: tuple[Place, ...]) -> list[str]:
    """Return what this run did without at each target that was written to."""
    variable = [place.target for place in places if isinstance(place.target, Variable)]
    return [f"target {target.name}: {line}" for target in variable for line in target.without()]


def _flags(choices: Choices, jobs: Iterable[str]) -> tuple[str, ...]:
    """Return the flags under which a later run makes the same plans as one of `choices`."""
    given: list[str] = []
    for flag, values in (
        ("--config", (choices.config,) if choices.config else ()),
        ("--jobs", (choices.jobs_dir,) if choices.jobs_dir else ()),
        ("--checkout", choices.checkouts),
        ("--job", sorted(jobs)),
        ("--target", choices.targets),
    ):
        for value in values:
            given += (flag, str(value))
    given += ["--force"] * choices.force + ["--allow-rollback"] * choices.allow_rollback
    return tuple(given)


def _embedded_notice(settings: Settings) -> str:
    where = ", ".join(str(spec.options.get("path", name)) for name, spec in settings.targets.items())
    return f"no target is configured: publishing into the directory {where} (write hubdata.toml to change that)"
