"""Find everything wrong with a configuration at once, for a person or a CI job: `hubdata config check`."""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from hubdata.config.adapters import absolute
from hubdata.config.document import read_document
from hubdata.config.jobs import read_jobs, shown
from hubdata.config.layers import EVERY_REPOSITORY, Layers
from hubdata.config.problems import Level, Problem, in_order
from hubdata.config.settings import Settings, read_settings
from hubdata.errors import ConfigError
from hubdata.model.job import Job
from hubdata.model.notify import URL_VARIABLE
from hubdata.planning.cron import Cron
from hubdata.plugins import Fault, Place, Seam, brought, near, suggest
from hubdata.rules import BY_ID
from hubdata.transfer.secrets import secret_variable


def check(
    *,
    config: Path | None,
    environment: Mapping[str, str],
    flags: Mapping[str, Any],
    cwd: Path,
    today: date | None = None,
) -> tuple[Problem, ...]:
    """Return every problem of the settings and of the jobs they name; none when all is well.

    Slower than loading: schedules are read as the worker will read them. Raises nothing for bad content.
    """
    layers, settings, problems = read_settings(config=config, environment=environment, flags=flags, cwd=cwd)
    found = list(problems)
    if settings is not None:
        found += _programs(settings, layers, environment)
        found += _unheard(settings, layers, environment)
    found += _brought()
    jobs = layers.data.get("jobs")
    if isinstance(jobs, str) and jobs:
        directory = absolute(jobs, layers.base(("jobs",)))
        reading = read_jobs(directory, today)
        found += reading.problems
        found += _schedules(directory, reading.jobs)
        found += _waived(directory, reading.jobs)
        if settings is not None:
            found += _checkouts(settings, reading.jobs)
            found += _pushed(settings, layers, directory)
    return in_order(found)


def _programs(settings: Settings, layers: Layers, environment: Mapping[str, str]) -> Iterator[Problem]:
    """Return a problem for each program of a hook, a gate or [notify] that cannot be started here."""
    named: list[tuple[Place, str, str]] = []
    if settings.hook is not None:
        named.append((("hooks", "on_published"), settings.hook.program, "every publication ends with exit code 7"))
    if settings.notify is not None and settings.notify.argv:
        named.append((("notify", "command"), settings.notify.argv[0], "nobody is notified by it"))
    for name, target in settings.targets.items():
        if target.gate is not None:
            named.append((("targets", name, "gate"), target.gate.program, "nothing is published there"))
    for place, program, otherwise in named:
        if shutil.which(program, path=environment.get("PATH", "")) is None:
            where = "it is no executable file" if "/" in program else "it is nowhere on PATH"
            advice = f"install it, make it executable, or name another; without it {otherwise}"
            yield layers.problem(Fault(place, f"{program} cannot be started: {where}", advice))


def _unheard(settings: Settings, layers: Layers, environment: Mapping[str, str]) -> Iterator[Problem]:
    """Return a warning where [notify] tells nobody: it names no way, or a variable that is not set."""
    variable = None if settings.notify is None else settings.notify.url_variable
    if variable is not None and secret_variable(environment, variable) is None:
        advice = f"set {variable} or {variable}_FILE where hubdata runs; without it the webhook is told nothing"
        problem = layers.problem(Fault(("notify", "url_env"), f"{variable} is not set here", advice))
        yield replace(problem, level=Level.WARNING)
    if settings.notify is None and "notify" in layers.data:
        advice = f"set {URL_VARIABLE}, or write `url_env` or `command`"
        problem = layers.problem(Fault(("notify",), "nobody is notified: it names neither webhook nor program", advice))
        yield replace(problem, level=Level.WARNING)


def _brought() -> Iterator[Problem]:
    """Return a warning for each adapter of a package that cannot be used; where settings name it, it is an error."""
    for seam in Seam:
        for one in brought(seam):
            if one.trouble:
                advice = f"remove the package ({one.package}), or have its maker mend it"
                yield Problem(f"package {one.package}", None, f"{seam} {one.word}", one.trouble, advice, Level.WARNING)


def _schedules(directory: Path, jobs: tuple[Job, ...]) -> Iterator[Problem]:
    for job in jobs:
        if (problem := schedule_problem(directory, job)) is not None:
            yield problem


def _waived(directory: Path, jobs: tuple[Job, ...]) -> Iterator[Problem]:
    """Return a warning for each waiver of a rule that there is not: it lets nothing out, and its file stays behind.

    Rules of a family that hubdata does not have are an adapter's from elsewhere, and nobody here knows them.
    """
    families = {rule.partition(".")[0] for rule in BY_ID}
    for job in jobs:
        path = directory / f"{job.name}.toml"
        for index, waiver in enumerate(job.waivers):
            if waiver.rule in BY_ID or waiver.rule.partition(".")[0] not in families:
                continue
            document, _ = read_document(path, shown(path))
            advice = near(waiver.rule, BY_ID) or "copy it from the finding that it is for"
            fault = Fault(("waivers", index, "rule"), f"there is no rule `{waiver.rule}`", advice)
            yield replace(document.problem(fault), level=Level.WARNING)


def _pushed(settings: Settings, layers: Layers, directory: Path) -> Iterator[Problem]:
    """Return a problem for each job that a push is to run and that has no file."""
    github = settings.http.github if settings.http is not None else None
    names = {path.stem for path in directory.glob("*.toml")} if github is not None else set()
    for name in github.jobs if github is not None else ():
        if name not in names:
            yield layers.problem(Fault(("http", "github", "jobs"), f"there is no job {name}", suggest(name, names)))


def schedule_problem(directory: Path, job: Job) -> Problem | None:
    """Return why the worker cannot use a job's schedule, None when it can."""
    if job.schedule is None:
        return None
    try:
        Cron(job.schedule)
    except ConfigError as err:
        path = directory / f"{job.name}.toml"
        document, _ = read_document(path, shown(path))
        said = str(err).partition(f"{job.schedule}: ")[2]
        return Problem(document.name, document.line(("schedule",)), "schedule", said, err.advice)
    return None


def _checkouts(settings: Settings, jobs: tuple[Job, ...]) -> Iterator[Problem]:
    """Return a warning for each checkout that stands in for no job's repository: most likely its URL is mistyped."""
    urls = {str(url) for job in jobs if (url := job.source.options.get("url"))}
    used = {path for url in urls if (path := settings.checkout(url))}
    for url, path in settings.checkouts.items():
        if path not in used and url != EVERY_REPOSITORY:
            advice = suggest(url, urls)
            yield Problem("settings", None, f"checkouts.{url}", "no job reads this repository", advice, Level.WARNING)
