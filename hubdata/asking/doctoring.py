"""Put `hubdata doctor` together: which things are looked at follows from the settings and job files alone.

Whatever is wrong with these, the rest is looked at all the same: a person who has just begun has several things to
mend, and wants to read of all of them.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubdata import app, assembly, reaching
from hubdata.app import Choices
from hubdata.config.check import check
from hubdata.config.jobs import JobReading, read_jobs
from hubdata.config.problems import Level
from hubdata.config.settings import Settings, read_settings
from hubdata.doctor import caches, keys, logins, machine, readers, stores, upstreams
from hubdata.doctor.catalogue import About
from hubdata.doctor.examining import Probe, examine
from hubdata.errors import ConfigError
from hubdata.model.checkup import Check, Checkup
from hubdata.model.job import Job
from hubdata.model.verification import Family, Pin
from hubdata.plugins import Seam, parse_options, suggest
from hubdata.transfer.url import origin

if TYPE_CHECKING:
    from hubdata.sources.http.options import Item

_LARGEST = 512 << 20
"""What the largest download may have where no source says so: as much as git's sources allow."""

_OFFLINE = "not asked (--no-network)"
_KEY_OPENS_IN_S = 30.0
"""A password of minisign's is stretched on purpose, which takes seconds on a small machine."""


def doctor(choices: Choices, *, network: bool = True, write: bool = False) -> Checkup:
    """Return how everything stands that a run of `choices` relies on. With `write`, rights to write are tried.

    Raises ConfigError for a target or job that there is not; all else is in the result.
    """
    started = time.monotonic()
    layers = app.layers_of(choices)
    _, settings, _ = read_settings(**layers)
    if settings is not None:
        tuple(reaching.chosen_targets(choices.targets, settings))
        _there_are(choices.jobs, settings.jobs)
    checks = examine((*_always(layers), *(_of(settings, choices, network, write) if settings else ())))
    return Checkup(checks, round(time.monotonic() - started, 3))


def _there_are(jobs: Iterable[str], directory: Path) -> None:
    """Return when each of `jobs` has a file, be it one that cannot be read. Raises ConfigError."""
    known = [path.stem for path in directory.glob("*.toml")]
    for name in jobs:
        if name not in known:
            raise ConfigError(f"--job {name}: there is no such job", advice=suggest(name, known))


def _always(layers: Mapping[str, Any]) -> Iterator[Probe]:
    yield Probe(About("python"), machine.python)
    yield Probe(About("settings"), partial(_settings, layers))


def _settings(layers: Mapping[str, Any]) -> Iterator[Check]:
    """Return every problem that `config check` finds."""
    problems = check(**layers)
    for problem in problems:
        place = problem.file if problem.line is None else f"{problem.file}:{problem.line}"
        about = About("settings", place)
        said = f"{problem.key}: {problem.message}" if problem.key else problem.message
        yield (about.fail if problem.level is Level.ERROR else about.warn)(said, problem.advice)
    if not any(problem.level is Level.ERROR for problem in problems):
        yield About("settings").ok("the settings and job files load")


def _of(settings: Settings, choices: Choices, network: bool, write: bool) -> Iterator[Probe]:
    """Return what the settings give cause to look at."""
    reading: JobReading = read_jobs(settings.jobs)
    jobs = tuple(job for job in reading.jobs if not choices.jobs or job.name in choices.jobs)
    targets = tuple(reaching.chosen_targets(choices.targets, settings))
    sources = _sources(jobs)
    gits = [job for job in sources.values() if job.source.type == "git" and not _checkout(settings, job)]
    yield Probe(About("git"), partial(machine.git, os.environ, needed=bool(gits)))
    yield Probe(About("plugin"), partial(machine.plugins, _used(settings, reading.jobs)))
    yield Probe(About("extra"), partial(machine.extras, _wanted(settings, jobs)))
    yield Probe(About("spool"), partial(machine.spool, settings.spool, _largest(jobs)))
    for job in sources.values():
        yield from _upstream(settings, job, network)
    yield from _logins(settings, targets, network)
    for name in targets:
        yield from _target(settings, name, network, write)
    for cdn in dict.fromkeys(settings.targets[target].cdn for target in targets):
        if cdn is not None:
            yield _cdn(settings, cdn, network, write)
    yield from _readers(settings, targets, network)
    if settings.sign is not None:
        about = About("signing", settings.sign.public_key.name)
        yield Probe(about, partial(keys.signing, settings.sign, os.environ, network=network), _KEY_OPENS_IN_S)
    if settings.notify is not None:
        yield Probe(
            About("notify", settings.notify.url_variable or ""), partial(keys.notify, settings.notify, os.environ)
        )
    if settings.http is not None:
        yield Probe(About("http"), partial(keys.http, settings.http, os.environ))


def _used(settings: Settings, jobs: Iterable[Job]) -> frozenset[tuple[Seam, str]]:
    """Return the adapters that settings and job files name."""
    return frozenset(
        {(Seam.TARGET, spec.type) for spec in settings.targets.values()}
        | {(Seam.CDN, spec.type) for spec in settings.cdns.values()}
        | {(Seam.SOURCE, job.source.type) for job in jobs}
        | {(Seam.KIND, rule.kind) for job in jobs for rule in job.files}
    )


def _sources(jobs: Iterable[Job]) -> dict[str, Job]:
    """Return one job of each upstream: several may read one."""
    found: dict[str, Job] = {}
    for job in jobs:
        found.setdefault(f"{job.source.type} {sorted(job.source.options.items(), key=str)}", job)
    return found


def _checkout(settings: Settings, job: Job) -> Path | None:
    return settings.checkout(str(job.source.options["url"]))


def _wanted(settings: Settings, jobs: Iterable[Job]) -> dict[str, str]:
    """Return by extra which settings need it."""
    wanted: dict[str, str] = {}
    if settings.http is not None:
        wanted["worker"] = "[http]"
    if settings.sign is not None:
        wanted["sign"] = "[sign]"
    for job in jobs:
        with suppress(ConfigError):  # the items' own check tells of it
            if any(item.jq for item in _items(job)):
                wanted["jq"] = f"job {job.name}"
        if job.source.type == "hub" and job.source.options.get("public_keys"):
            wanted.setdefault("sign", f"job {job.name}")
    return wanted


def _items(job: Job) -> "tuple[Item, ...]":
    """Return the items of a job of type http, those of its `items_file` too. Raises ConfigError."""
    if job.source.type != "http":
        return ()
    from hubdata.sources.http.items_file import items_in
    from hubdata.sources.http.options import HttpOptions

    options = parse_options(Seam.SOURCE, "http", job.source.options)
    assert isinstance(options, HttpOptions)  # noqa: S101 - so says the table of adapters
    listed = items_in(options.items_file) if options.items_file is not None else ()
    return (*options.items, *listed)


def _largest(jobs: Iterable[Job]) -> int:
    sizes = []
    for job in jobs:
        most = getattr(parse_options(Seam.SOURCE, job.source.type, job.source.options), "max_bytes", None)
        sizes.append(most if isinstance(most, int) else _LARGEST)
    return max(sizes, default=_LARGEST)


def _upstream(settings: Settings, job: Job, network: bool) -> Iterator[Probe]:
    """Return what is to be asked of one upstream; a vendor's account is looked at even offline."""
    about, source = About("source", job.name), job.source
    options = parse_options(Seam.SOURCE, source.type, source.options)
    if source.type == "git":
        path = _checkout(settings, job)
        ask: Callable[[], Iterable[Check]] = (
            partial(upstreams.git, about, source.options, os.environ)
            if path is None
            else partial(upstreams.directory, about, path)
        )
        yield Probe(about, ask if network or path else _skipped(about))
        return
    path = getattr(options, "path", None)
    if isinstance(path, Path):
        yield Probe(about, partial(upstreams.directory, about, path))
        return
    yield Probe(About("credentials", job.name), partial(_lacks, job, embedded=settings.embedded))
    try:
        urls = upstreams.urls_of(options, _items(job))
    except ConfigError as err:
        yield Probe(about, partial(_told, About("settings", job.name), str(err), err.advice))
        return
    if source.type == "maxmind":
        from hubdata.sources.maxmind.options import MaxmindOptions

        assert isinstance(options, MaxmindOptions)  # noqa: S101 - so says the table of adapters
        urls = urls or (options.protocol.default_url,)
        if assembly.lacks(job) is None:
            memory = settings.spool / f"memory-{source.type}"
            geoip = About("geoip", job.name)
            now = datetime.now(UTC)
            yield Probe(geoip, partial(upstreams.maxmind, geoip, options, os.environ, memory, now))
    for url in urls:
        one = about if len(urls) == 1 else About("source", f"{job.name} {origin(url)[1]}")
        yield Probe(one, partial(upstreams.host, one, url, os.environ) if network else _skipped(one))


def _told(about: About, found: str, advice: str) -> Iterator[Check]:
    yield about.fail(found, advice)


def _lacks(job: Job, *, embedded: bool) -> Iterator[Check]:
    """Return whether the environment gives the credentials that the job's source wants, if it wants any."""
    about, missing = About("credentials", job.name), assembly.lacks(job)
    if missing is None:
        yield about.ok("nothing is missing")
    elif embedded:
        yield about.warn(f"the job is left out: {missing}")
    else:
        yield about.fail(missing)


def _logins(settings: Settings, targets: tuple[str, ...], network: bool) -> Iterator[Probe]:
    specs = [settings.targets[name] for name in targets]
    cdns = {settings.cdns[spec.cdn].type for spec in specs if spec.cdn}
    kms = settings.sign is not None and settings.sign.kms is not None
    if any(spec.type == "s3" for spec in specs) or "cloudfront" in cdns or kms:
        yield Probe(About("credentials", "AWS"), partial(logins.aws, network=network))


def _target(settings: Settings, name: str, network: bool, write: bool) -> Iterator[Probe]:
    about, spec = About("store", name), settings.targets[name]
    if spec.type == "directory":
        target = reaching.build_target(settings, name)
        path = Path(spec.options["path"])
        yield Probe(about, partial(stores.directory, name, path, target, write=write))
    elif not network:
        yield Probe(about, _skipped(about))
    elif spec.type == "s3":
        from hubdata.targets.s3.options import S3Options

        options = parse_options(Seam.TARGET, "s3", spec.options)
        assert isinstance(options, S3Options)  # noqa: S101 - so says the table of adapters
        store = stores.S3Store(name, options)
        yield Probe(about, partial(store.look, write=write), 30.0 if write else 20.0)
    else:
        yield Probe(about, lambda: stores.by_port(name, reaching.build_target(settings, name), write=write))


def _cdn(settings: Settings, name: str, network: bool, write: bool) -> Probe:
    about, spec = About("cdn", name), settings.cdns[name]
    options: Any = parse_options(Seam.CDN, spec.type, spec.options)
    if not network:
        return Probe(about, _skipped(about))
    if spec.type == "cloudfront":
        return Probe(about, partial(caches.cloudfront, name, options, write=write))
    if spec.type == "cloudflare":
        return Probe(about, partial(caches.cloudflare, name, options, os.environ))
    return Probe(about, lambda: (about.skipped(f"hubdata knows no way to look at a CDN of type {spec.type}"),))


def _readers(settings: Settings, targets: tuple[str, ...], network: bool) -> Iterator[Probe]:
    """Return what readers are to be asked for: each family at each public URL."""
    verify = settings.verify
    pins: tuple[Pin, ...] = verify.pins if verify else ()
    families = verify.families if verify else tuple(Family)
    cdns = (settings.targets[name].cdn for name in targets)
    bases = [
        str(settings.cdns[cdn].options["base_url"]) for cdn in cdns if cdn and settings.cdns[cdn].type == "cloudflare"
    ]
    urls = dict.fromkeys([*([verify.url] if verify else []), *(base.rstrip("/") for base in bases)])
    for url in urls:
        for family in families:
            about = About("public", f"{family.label} {origin(url)[1]}")
            yield Probe(about, partial(readers.public, url, family, pins) if network else _skipped(about))
    if not urls and not settings.embedded:
        about = About("public")
        advice = "write [verify] with url into hubdata.toml"
        yield Probe(about, lambda: (about.skipped("it is not known under which URL the data is public", advice),))


def _skipped(about: About) -> Callable[[], tuple[Check, ...]]:
    return lambda: (about.skipped(_OFFLINE),)
