"""What can be asked of hubdata: a run, a GeoIP refresh, a way back; and what its settings come to.

The command line says what it wants as `Choices`; settings and job files say the rest. What comes back is a value that
any report can print. As soon as the settings tell where targets are, connections to them are begun: what a run needs
besides is loaded meanwhile.
"""

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubdata.choices import Choices
from hubdata.config.settings import Settings, load_settings
from hubdata.errors import ConfigError
from hubdata.plugins import suggest
from hubdata.reaching import chosen_targets, reached
from hubdata.values import frozen

if TYPE_CHECKING:
    from hubdata.config.problems import Problem
    from hubdata.config.show import Row
    from hubdata.model.job import Job
    from hubdata.model.run import RunResult
    from hubdata.ports import Reporter
    from hubdata.running.rolling_back import Past

__all__ = (
    "Choices",
    "Known",
    "config_problems",
    "config_rows",
    "config_schema",
    "geoip_refresh",
    "layers_of",
    "rollback",
    "selected_jobs",
    "settings_of",
    "sync",
)


@frozen
class Known:
    """Settings and job files as they were read before, for whoever runs again and again."""

    settings: Settings
    jobs: "tuple[Job, ...]"


def sync(choices: Choices, reporter: "Reporter", known: Known | None = None) -> "RunResult":
    """Return what one run of the chosen jobs did; with `dry_run`, what it would do. What is `known` is not read again.

    Raises ConfigError before anything was asked of anybody; every later failure is in the result.
    """
    settings = settings_of(choices) if known is None else known.settings
    targets = reached(settings, choices.targets)
    from hubdata.gathering import expects_much, gathered

    with gathered(settings, soon=expects_much(settings, force=choices.force)) as crew:
        from hubdata.conducting import conducted

        jobs = _jobs(settings) if known is None else known.jobs
        what = (targets, jobs, _selected(choices.jobs, jobs))
        return conducted(choices, settings, *what, reporter=reporter, crew=crew)


def geoip_refresh(choices: Choices, reporter: "Reporter") -> "RunResult":
    """Return what a run of the GeoIP jobs alone did. With `force` they download and publish unconditionally.

    Raises ConfigError when there is no GeoIP job, or none of them publishes a chosen edition.
    """
    settings = settings_of(choices)
    targets = reached(settings, choices.targets)
    from hubdata.conducting import conducted
    from hubdata.config.editions import refresh

    wanted = refresh(_jobs(settings), choices.jobs, choices.editions)
    named = replace(choices, jobs=tuple(sorted(wanted.selected)))  # who asks for them is told what they lack
    editions = (word for edition in choices.editions for word in ("--edition", edition))
    command = ("geoip", "refresh", *editions)
    what = (wanted.jobs, wanted.selected)
    return conducted(named, settings, targets, *what, reporter=reporter, only=wanted.keys, command=command)


def rollback(choices: Choices, past: "Past", reporter: "Reporter") -> "RunResult":
    """Return what going back to an older generation of one target did; with `dry_run`, what it would do.

    Raises ConfigError where several targets could be meant, or nothing is to be gone back to; TargetError when the
    generation is not known any more.
    """
    settings = settings_of(choices)
    jobs = _jobs(settings)
    names = tuple(chosen_targets(choices.targets, settings))
    if len(names) != 1:
        advice = f"say which one is meant with --target NAME: {', '.join(names)}"
        raise ConfigError(f"there are {len(names)} targets, and each has generations of its own", advice=advice)
    command = ("rollback", "--to", str(past.generation), *(("--prune",) * past.prune))
    from hubdata.conducting import conducted

    what = (reached(settings, names), jobs, _selected(choices.jobs, jobs))
    return conducted(choices, settings, *what, reporter=reporter, past=past, command=command)


def settings_of(choices: Choices) -> Settings:
    """Return the settings of all layers, `choices` on top. Raises ConfigError with every problem in them."""
    return load_settings(**layers_of(choices))


def config_rows(choices: Choices) -> "tuple[Row, ...]":
    """Return every setting in force and its origin, redacted. Raises ConfigError with every problem."""
    from hubdata.config.show import show

    return show(**layers_of(choices))


def config_problems(choices: Choices) -> "tuple[Problem, ...]":
    """Return every problem of the settings and of the jobs they name."""
    from hubdata.config.check import check

    return check(**layers_of(choices))


def config_schema() -> dict[str, Any]:
    """Return the JSON Schemas of `hubdata.toml` and of a job file, by these names (`hubdata.toml`, `job`)."""
    from hubdata.config.schema import json_schema

    return json_schema()


def layers_of(choices: Choices) -> dict[str, Any]:
    """Return where settings come from, flags last, as the readers of `hubdata.config` take it."""
    flags: dict[str, Any] = {}
    if choices.jobs_dir is not None:
        flags["jobs"] = str(choices.jobs_dir)
    if choices.checkouts:
        flags["checkout"] = choices.checkouts
    return {"config": choices.config, "environment": os.environ, "flags": flags, "cwd": _here()}


def selected_jobs(choices: Choices, settings: Settings) -> "tuple[Job, ...]":
    """Return the chosen jobs, all where none is named. Raises ConfigError for files and names that cannot be used."""
    jobs = _jobs(settings)
    names = _selected(choices.jobs, jobs)
    return tuple(job for job in jobs if job.name in names)


def _jobs(settings: Settings) -> "tuple[Job, ...]":
    from hubdata.config.jobs import load_jobs

    return load_jobs(settings.jobs)


def _selected(names: tuple[str, ...], jobs: "tuple[Job, ...]") -> frozenset[str]:
    known = [job.name for job in jobs]
    for name in names:
        if name not in known:
            raise ConfigError(f"--job {name}: there is no such job", advice=suggest(name, known))
    return frozenset(names or known)


def _here() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError as err:
        raise ConfigError("the working directory is gone", advice="change to one that exists, then run again") from err
