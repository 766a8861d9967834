"""Put a run together: the only place that builds adapters.

The command line says what it wants as `Choices`; settings and job files say the rest. What comes back is a value that
any report can print.
"""

import json
import os
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubdata.clock import SystemClock
from hubdata.config.editions import refresh
from hubdata.config.jobs import load_jobs
from hubdata.config.settings import Settings, load_settings
from hubdata.errors import ConfigError
from hubdata.model.job import FileRule, Job, SourceSpec
from hubdata.model.run import HookResult, RunResult
from hubdata.pipeline import run
from hubdata.planning.approval import plan_id
from hubdata.planning.fleet import priced
from hubdata.plugins import Seam, load, parse_options, suggest
from hubdata.ports import Cdn, Kind, Reporter, Source, SourceContext, Target, Variable
from hubdata.publishing.sealing import Sealer
from hubdata.running.gating import Gatekeeper
from hubdata.running.measuring import Measurer
from hubdata.running.promoting import Feeder
from hubdata.running.proving import KindOf
from hubdata.running.reading import Feed
from hubdata.running.visiting import Orders, Place
from hubdata.transfer.keepsakes import KEPT, Keepsakes
from hubdata.transfer.spool import Spool

if TYPE_CHECKING:
    from hubdata.config.problems import Problem
    from hubdata.config.show import Row
    from hubdata.running.rolling_back import Past

_PATIENCE = timedelta(minutes=4)
"""How long a run that was told to `--wait` waits for a CDN that is busy: less than others wait for its lease."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What the command line said. Empty `jobs` and `targets` mean all; `checkouts` are `DIR` or `URL=DIR`."""

    config: Path | None = None
    jobs_dir: Path | None = None
    jobs: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    checkouts: tuple[str, ...] = ()
    dry_run: bool = False
    force: bool = False
    approve: tuple[str, ...] = ()
    allow_rollback: bool = False
    wait: bool = False
    editions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """Settings and job files as they were read before, for whoever runs again and again."""

    settings: Settings
    jobs: tuple[Job, ...]


def sync(choices: Choices, reporter: Reporter, known: Known | None = None) -> RunResult:
    """Return what one run of the chosen jobs did; with `dry_run`, what it would do. What is `known` is not read again.

    Raises ConfigError before anything was attempted; every later failure is in the result.
    """
    settings = settings_of(choices) if known is None else known.settings
    jobs = load_jobs(settings.jobs) if known is None else known.jobs
    selected = _selected(choices.jobs, jobs)
    return _run(choices, settings, jobs, selected, reporter)


def geoip_refresh(choices: Choices, reporter: Reporter) -> RunResult:
    """Return what a run of the GeoIP jobs alone did. With `force` they download and publish unconditionally.

    Raises ConfigError when there is no GeoIP job, or none of them publishes a chosen edition.
    """
    settings = settings_of(choices)
    wanted = refresh(load_jobs(settings.jobs), choices.jobs, choices.editions)
    named = replace(choices, jobs=tuple(sorted(wanted.selected)))  # who asks for them is told what they lack
    editions = (word for edition in choices.editions for word in ("--edition", edition))
    command = ("geoip", "refresh", *editions)
    return _run(named, settings, wanted.jobs, wanted.selected, reporter, only=wanted.keys, command=command)


def rollback(choices: Choices, past: "Past", reporter: Reporter) -> RunResult:
    """Return what going back to an older generation of one target did; with `dry_run`, what it would do.

    Raises ConfigError where several targets could be meant, or nothing is to be gone back to; TargetError when the
    generation is not known any more.
    """
    settings = settings_of(choices)
    jobs = load_jobs(settings.jobs)
    names = tuple(_chosen_targets(choices.targets, settings))
    if len(names) != 1:
        advice = f"say which one is meant with --target NAME: {', '.join(names)}"
        raise ConfigError(f"there are {len(names)} targets, and each has generations of its own", advice=advice)
    command = ("rollback", "--to", str(past.generation), *(("--prune",) * past.prune))
    return _run(choices, settings, jobs, _selected(choices.jobs, jobs), reporter, past=past, command=command)


def settings_of(choices: Choices) -> Settings:
    """Return the settings of all layers, `choices` on top. Raises ConfigError with every problem in them."""
    return load_settings(**_layers(choices))


def config_rows(choices: Choices) -> "tuple[Row, ...]":
    """Return every setting in force and its origin, redacted. Raises ConfigError with every problem."""
    from hubdata.config.show import show

    return show(**_layers(choices))


def config_problems(choices: Choices) -> "tuple[Problem, ...]":
    """Return every problem of the settings and of the jobs they name."""
    from hubdata.config.check import check

    return check(**_layers(choices))


def config_schema() -> dict[str, Any]:
    """Return the JSON Schemas of `hubdata.toml` and of a job file, by these names (`hubdata.toml`, `job`)."""
    from hubdata.config.schema import json_schema

    return json_schema()


def _layers(choices: Choices) -> dict[str, Any]:
    """Return where settings come from, flags last, as the readers of `hubdata.config` take it."""
    flags: dict[str, Any] = {}
    if choices.jobs_dir is not None:
        flags["jobs"] = str(choices.jobs_dir)
    if choices.checkouts:
        flags["checkout"] = choices.checkouts
    return {"config": choices.config, "environment": os.environ, "flags": flags, "cwd": _here()}


def _here() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError as err:
        raise ConfigError("the working directory is gone", advice="change to one that exists, then run again") from err


def kind_builder() -> KindOf:
    """Return what turns a rule into its kind; equal rules share one."""
    built: dict[str, Kind] = {}

    def kind_of(rule: FileRule) -> Kind:
        identity = f"{rule.kind} {_canonical(rule.options)}"
        if identity not in built:
            options = parse_options(Seam.KIND, rule.kind, rule.options)
            built[identity] = load(Seam.KIND, rule.kind)(options)
        return built[identity]

    return kind_of


def _run(
    choices: Choices,
    settings: Settings,
    jobs: tuple[Job, ...],
    selected: frozenset[str],
    reporter: Reporter,
    *,
    only: frozenset[str] | None = None,
    past: "Past | None" = None,
    command: tuple[str, ...] = ("sync", "--once"),
) -> RunResult:
    clock = SystemClock()
    notices = list(settings.notices)
    flags = _flags(choices, selected if len(selected) < len(jobs) else ())
    if settings.embedded:
        notices.append(_embedded_notice(settings))
        for job in jobs:
            asked = job.name in selected and job.name not in choices.jobs and past is None
            missing = _lacks(job) if asked else None
            if missing:
                selected = selected - {job.name}
                notices.append(f"job {job.name} is left out: {missing}")
    orders = Orders(
        dry_run=choices.dry_run,
        force=choices.force,
        approve=frozenset(map(plan_id, choices.approve)),
        allow_rollback=choices.allow_rollback,
        wait=choices.wait,
        lease=settings.lease,
    )
    near, far = Measurer(), Measurer(Keepsakes(settings.spool / KEPT))
    sealer = _sealer(settings)
    places = tuple(
        replace(
            _place(settings, name, reporter, wait=choices.wait),
            sealer=sealer,
            measurer=near if settings.targets[name].type == "directory" else far,
        )
        for name in _chosen_targets(choices.targets, settings)
    )
    with Spool.create(settings.spool) as spool:
        places = tuple(replace(place, gate=_gatekeeper(settings, place.target.name, spool)) for place in places)
        places = tuple(replace(place, feeder=_feeder(settings, place, places, spool)) for place in places)

        def context(name: str) -> SourceContext:
            return SourceContext(spool.directory(name), os.environ, clock, choices.force, spool.memory(name))

        if past is None:
            feeds = _feeds(settings, jobs, selected, context, only)
        else:
            from hubdata.running.rolling_back import way_to

            way = way_to(past, places[0].target, jobs, selected, lambda: spool.directory("past"))
            feeds, orders, selected = (way.feed,), replace(orders, upon=way.upon), way.feed.selected
            places = tuple(replace(place, feeder=None) for place in places)  # what it held, not what feeds it
        run_id = f"{clock.now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        others = tuple(job for job in jobs if job.name not in selected)
        result = run(
            feeds, places, kind_builder(), orders, run_id=run_id, clock=clock, reporter=reporter, others=others
        )
        if settings.fleet is not None:
            result = priced(result, settings.fleet)
        notices += _done_without(places) + _unasked(settings, result)
        if result.stages:
            from hubdata.report.wording import coming

            notices += coming(result.stages)
        told: tuple[HookResult, ...] = ()
        if settings.hook is not None and any(target.changed for job in result.jobs for target in job.targets):
            from hubdata.running.hooks import tell

            told = tell(
                settings.hook,
                result,
                environment=os.environ,
                keys_file=lambda: spool.file("changed-keys"),
                reporter=reporter,
            )
    result = replace(result, notices=tuple(notices), flags=flags, hooks=told, command=command)
    if settings.verify is not None and any(target.applied for job in result.jobs for target in job.targets):
        from hubdata.asking.viewing import verified

        result = verified(result, settings, [place.target for place in places], reporter)
    _keep_record(result, places, reporter)
    return result


def _keep_record(result: RunResult, places: tuple[Place, ...], reporter: Reporter) -> None:
    """Leave a record of the run at every target that it wrote to; a run that wrote nothing leaves none."""
    wanted = [place.target for place in places if place.target.name in result.records]
    if wanted:
        from hubdata.publishing import records
        from hubdata.report.record_json import record_json

        for target in wanted:
            body = record_json(result, target.name).encode()
            records.keep(target, result.run_id, body, result.records[target.name], reporter)


def _gatekeeper(settings: Settings, target: str, spool: Spool) -> Gatekeeper | None:
    gate = settings.targets[target].gate
    return None if gate is None else Gatekeeper(gate, os.environ, lambda: spool.directory("tree"))


def _feeder(settings: Settings, place: Place, places: tuple[Place, ...], spool: Spool) -> Feeder | None:
    """Return what feeds a stage: the target before it, which need not be one of this run's."""
    stage = settings.targets[place.target.name].stage
    if stage is None:
        return None
    chosen = {each.target.name: each.target for each in places}
    source = chosen[stage.after] if stage.after in chosen else build_target(settings, stage.after)
    return Feeder(source, stage.soak, lambda: spool.directory("promoted"))


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


def _selected(names: tuple[str, ...], jobs: tuple[Job, ...]) -> frozenset[str]:
    known = [job.name for job in jobs]
    for name in names:
        if name not in known:
            raise ConfigError(f"--job {name}: there is no such job", advice=suggest(name, known))
    return frozenset(names or known)


def _chosen_targets(names: tuple[str, ...], settings: Settings) -> Iterable[str]:
    for name in names:
        if name not in settings.targets:
            raise ConfigError(f"--target {name}: there is no such target", advice=suggest(name, settings.targets))
    return names or settings.targets


def build_target(settings: Settings, name: str) -> Target:
    """Return the adapter for the target called `name`. Raises ConfigError when there is none such."""
    (name,) = _chosen_targets((name,), settings)
    spec = settings.targets[name]
    target: Target = load(Seam.TARGET, spec.type)(name, parse_options(Seam.TARGET, spec.type, spec.options))
    return target


def _place(settings: Settings, name: str, reporter: Reporter, *, wait: bool) -> Place:
    spec = settings.targets[name]
    options = parse_options(Seam.TARGET, spec.type, spec.options)
    target: Target = load(Seam.TARGET, spec.type)(name, options)
    cdn_type = settings.cdns[spec.cdn].type if spec.cdn else "none"
    cdn_options = parse_options(Seam.CDN, cdn_type, settings.cdns[spec.cdn].options if spec.cdn else {})
    cdn: Cdn = load(Seam.CDN, cdn_type)(
        spec.cdn or "none",
        cdn_options,
        key_prefix=target.key_prefix,
        reporter=reporter,
        patience=_PATIENCE if wait else None,
    )
    return Place(target, cdn)


def _sealer(settings: Settings) -> Sealer | None:
    """Return what all publications are sealed with, one for all targets: the key is opened once."""
    if settings.sign is None:
        return Sealer() if settings.sha256sums else None
    from hubdata.signing.keys import Signer

    return Sealer(Signer(settings.sign, os.environ))


def _feeds(
    settings: Settings,
    jobs: tuple[Job, ...],
    selected: frozenset[str],
    context: Callable[[str], SourceContext],
    only: frozenset[str] | None,
) -> tuple[Feed, ...]:
    """Group jobs by source, so that each upstream is fetched once; leave out sources nobody selected reads."""
    groups: dict[str, list[Job]] = {}
    for job in jobs:
        groups.setdefault(f"{job.source.type} {_canonical(job.source.options)}", []).append(job)
    feeds = []
    for group in groups.values():
        names = frozenset(job.name for job in group) & selected
        if names:
            spec = group[0].source

            def again(spec: SourceSpec = spec) -> Source:
                # Another run has just published: what it fetched need not be downloaded a second time, forced or not.
                return build_source(settings, spec, replace(context(spec.type), force=False))

            source = build_source(settings, spec, context(spec.type))
            feeds.append(Feed(source, tuple(group), names, only, again=again))
    return tuple(feeds)


def selected_jobs(choices: Choices, settings: Settings) -> tuple[Job, ...]:
    """Return the chosen jobs, all where none is named. Raises ConfigError for files and names that cannot be used."""
    jobs = load_jobs(settings.jobs)
    names = _selected(choices.jobs, jobs)
    return tuple(job for job in jobs if job.name in names)


def build_source(settings: Settings, spec: SourceSpec, context: SourceContext) -> Source:
    """Return the adapter for `spec`; a checkout that stands in for a repository is read instead of it."""
    if spec.type == "git" and (checkout := settings.checkout(spec.options["url"])) is not None:
        spec = SourceSpec("directory", {"path": str(checkout), "url": spec.options["url"]})
    options = parse_options(Seam.SOURCE, spec.type, spec.options)
    source: Source = load(Seam.SOURCE, spec.type)(options, context)
    return source


def lacking(settings: Settings, jobs: Iterable[Job]) -> Mapping[str, str]:
    """Return by name which jobs a run of all leaves out, and why: the embedded default asks nobody for credentials."""
    missing = {job.name: _lacks(job) for job in jobs} if settings.embedded else {}
    return {name: why for name, why in missing.items() if why}


def _lacks(job: Job) -> str | None:
    """Return what the environment does not provide for this job's source, None when nothing is missing."""
    options = parse_options(Seam.SOURCE, job.source.type, job.source.options)
    missing: str | None = load(Seam.SOURCE, job.source.type).lacks(options, os.environ)
    return missing


def _embedded_notice(settings: Settings) -> str:
    where = ", ".join(str(spec.options.get("path", name)) for name, spec in settings.targets.items())
    return f"no target is configured: publishing into the directory {where} (write hubdata.toml to change that)"


def _canonical(options: Mapping[str, Any]) -> str:
    return json.dumps(options, sort_keys=True, default=str)
