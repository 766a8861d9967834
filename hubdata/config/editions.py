"""Tell which GeoIP databases the job files publish, and narrow jobs down to some of them.

A job is a GeoIP job because of what its files are (kind `mmdb`), wherever they come from. An edition is the name of a
database's key without directory and `.mmdb`. Sources that name their editions are asked for the chosen ones alone; of
the others, databases whose whole key stands in the job file can be chosen.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from hubdata.errors import ConfigError
from hubdata.model.job import Job, SourceSpec
from hubdata.planning.claims import rule_for
from hubdata.plugins import Seam, options_model, parse_options, suggest

KIND = "mmdb"
_GLOB = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Refresh:
    """What a refresh takes on: all jobs, some of them narrowed, and the names of those that take part.

    `keys` are the only ones that matter; None: all of these jobs.
    """

    jobs: tuple[Job, ...]
    selected: frozenset[str]
    keys: frozenset[str] | None = None


def is_geoip(job: Job) -> bool:
    """Tell whether `job` publishes GeoIP databases."""
    return any(rule.kind == KIND for rule in job.files)


def databases_of(job: Job) -> Mapping[str, str]:
    """Return the editions that `job` surely publishes, each with its key."""
    options = parse_options(Seam.SOURCE, job.source.type, job.source.options)
    editions, key = getattr(options, "editions", None), getattr(options, "key", None)
    if editions is not None and callable(key):
        keys = [str(key(edition)) for edition in editions]
    elif isinstance(key, str):  # a source of one file
        keys = [key]
    else:
        keys = [rule.match for rule in job.files if not _GLOB & set(rule.match)]
    rules = ((key, rule_for(job, key)) for key in keys)
    return {PurePosixPath(key).stem: key for key, rule in rules if rule is not None and rule.kind == KIND}


def refresh(jobs: tuple[Job, ...], names: tuple[str, ...], editions: tuple[str, ...]) -> Refresh:
    """Return the GeoIP jobs among those called `names` (none: all), narrowed to `editions` (none: all).

    Raises ConfigError when there is no GeoIP job, a named job is none, or nobody publishes a chosen edition.
    """
    geoip = {job.name: job for job in jobs if is_geoip(job)}
    if not geoip:
        advice = 'add a job with a GeoIP source, such as type = "maxmind", whose [[files]] have kind = "mmdb"'
        raise ConfigError("no job publishes GeoIP databases", advice=advice)
    for name in names:
        if name not in geoip:
            why = "publishes no GeoIP database" if any(job.name == name for job in jobs) else "does not exist"
            raise ConfigError(f"--job {name}: this job {why}", advice=f"GeoIP jobs are: {', '.join(sorted(geoip))}")
    chosen = {name: job for name, job in geoip.items() if not names or name in names}
    if not editions:
        return Refresh(jobs, frozenset(chosen))
    known = {name: databases_of(job) for name, job in chosen.items()}
    everyone = sorted({edition for databases in known.values() for edition in databases})
    for edition in editions:
        if edition not in everyone:
            raise ConfigError(
                f"--edition {edition}: expected {' or '.join(everyone) or 'none: no job file names its editions'}",
                advice=f"{suggest(edition, everyone)} An edition is a database's key without directory and .mmdb.",
            )
    selected = frozenset(name for name, databases in known.items() if not databases.keys().isdisjoint(editions))
    keys = frozenset(key for name in selected for edition, key in known[name].items() if edition in editions)
    return Refresh(tuple(_narrowed(job, editions, keys) for job in jobs), selected, keys)


def _narrowed(job: Job, editions: tuple[str, ...], keys: frozenset[str]) -> Job:
    """Return `job` as one that only cares for `keys`: what it does not fetch now is neither missed nor pruned.

    Jobs that name their editions and share a source share it still: all of them name the same editions less.
    """
    if not is_geoip(job):
        return job
    options = dict(job.source.options)
    if "editions" in options:
        options["editions"] = [edition for edition in options["editions"] if edition in editions]
    elif "editions" in options_model(Seam.SOURCE, job.source.type).model_fields:  # else the environment names them
        options["editions"] = sorted(edition for edition, key in databases_of(job).items() if key in keys)
    waivers = tuple(waiver for waiver in job.waivers if waiver.key in keys)
    return replace(job, source=SourceSpec(job.source.type, options), waivers=waivers, prune=False)
