"""Audit a hub: read its items, find out what is public, and let `hubdata.audit` compare the two.

A hub is a directory or a git repository. What is public is said by a manifest (a target's, a file, a URL), or by a
checkout of the data and the job files, which is what would be public.
"""

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from hubdata import app, reaching
from hubdata.asking.validating import base_of
from hubdata.audit.hub import audit
from hubdata.audit.items import Read, read_items
from hubdata.audit.published import Place, Published
from hubdata.clock import SystemClock
from hubdata.config.builtin import PUBLIC_URL
from hubdata.config.jobs import load_jobs
from hubdata.config.settings import Settings
from hubdata.errors import ConfigError, SourceError
from hubdata.grammar.data_entries import is_item_file
from hubdata.grammar.yaml_text import MAX_BYTES
from hubdata.model import manifest
from hubdata.model.audit import AuditResult
from hubdata.model.job import Job
from hubdata.model.manifest import Manifest
from hubdata.model.snapshot import Fetched
from hubdata.planning.claims import claim, rule_for
from hubdata.plugins import Seam, load, parse_options
from hubdata.ports import Source, SourceContext
from hubdata.transfer.deadline import Deadline
from hubdata.transfer.git import url_problem
from hubdata.transfer.resolve import Lookup, families_of, look_up

_MAX_MANIFEST = 64 << 20
_DOWNLOAD_TIME = timedelta(seconds=60)
_RESOLVE_TIME = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Question:
    """What to audit: the `hub` (a directory or a git URL, at `ref`) against what is `published`.

    `published` is a manifest (file or URL) or a directory of data; without it a target's manifest is read. `bases` are
    URLs under which it is public; without them those of the settings. `resolve` asks the DNS about every host.
    """

    hub: str
    ref: str = "HEAD"
    published: str | None = None
    bases: tuple[str, ...] = ()
    resolve: bool = False


def audit_hub(choices: app.Choices, question: Question, *, lookup: Lookup = look_up) -> AuditResult:
    """Return what is wrong between a hub's items and what is public.

    Raises ConfigError for settings, job files or names that cannot be used, SourceError for a hub or data that cannot
    be read, TargetError for a target that cannot.
    """
    started = time.monotonic()
    settings = app.settings_of(choices)
    jobs = load_jobs(settings.jobs)
    with TemporaryDirectory(prefix="hubdata-") as workspace:
        kinds, against = _kinds(choices, settings, jobs, question.published, Path(workspace))
        public = Published(kinds, question.bases or _bases(settings), _repositories(jobs), _cases(kinds, jobs))
        reads = tuple(_reads(_hub(question, Path(workspace))))
    entries = [entry for read in reads for item in read.items for entry in item.entries]
    hosts = {a.host for a in (public.address(entry.source_url) for entry in entries) if a.place is not Place.NOWHERE}
    known = _addresses(hosts, lookup) if question.resolve else {}
    found = audit(reads, public, known)
    hub_dir = Path(question.hub)
    return AuditResult(
        hub=question.hub,
        against=against,
        items=sum(len(read.items) for read in reads),
        entries=len(entries),
        published=len(kinds),
        findings=found.findings,
        actions=found.actions,
        elapsed_s=round(time.monotonic() - started, 3),
        notices=tuple(_notices(question, hosts, known)),
        base=base_of(hub_dir, os.environ) if hub_dir.is_dir() else "",
    )


def _addresses(hosts: set[str], lookup: Lookup) -> Mapping[str, frozenset[str]]:
    """Return the families of each host; none at all when no host has an address: then it is this machine's DNS."""
    known = families_of(hosts, Deadline.after(_RESOLVE_TIME), lookup)
    return known if any(known.values()) else {}


def _notices(question: Question, hosts: set[str], known: Mapping[str, frozenset[str]]) -> Iterator[str]:
    unknown = sorted(hosts - known.keys()) if question.resolve else []
    if unknown:
        yield f"the DNS did not say enough about {', '.join(unknown)}: nothing is known of their addresses"


def _hub(question: Question, workspace: Path) -> Fetched:
    """Fetch the hub, in place or from its repository."""
    context = SourceContext(_new(workspace, "hub"), os.environ, SystemClock())
    if Path(question.hub).is_dir():
        word, options = "directory", {"path": question.hub}
    elif "://" in question.hub or ":" in question.hub:
        if problem := url_problem(question.hub):
            raise ConfigError(f"--hub: {problem}", advice="name a directory, or a repository's URL")
        word, options = "git", {"url": question.hub, "ref": question.ref}
    else:
        raise ConfigError(f"--hub {question.hub}: there is no such directory", advice="name a checkout of the hub")
    source: Source = load(Seam.SOURCE, word)(parse_options(Seam.SOURCE, word, options), context)
    return source.fetch(dict)


def _reads(hub: Fetched) -> Iterator[Read]:
    files = [file for file in hub.files if is_item_file(file.key)]
    if not files:
        raise SourceError(
            "the hub holds no items (files *.yaml or *.yml)",
            advice="name the hub's root: the directory with scenarios/",
        )
    for file in files:
        try:
            with file.path.open("rb") as body:
                yield read_items(file.key, body.read(MAX_BYTES + 1))
        except OSError as err:
            raise SourceError(f"{file.key}: cannot be read ({err.strerror or err})") from err


def _kinds(
    choices: app.Choices, settings: Settings, jobs: tuple[Job, ...], published: str | None, workspace: Path
) -> tuple[Mapping[str, str], str]:
    """Return the kind of every public key, and what that was read from."""
    if published is None:
        name = (*choices.targets, *settings.targets)[0]
        return _of_manifest(_manifest_of_target(settings, name)), f"target {name}"
    if Path(published).is_dir():
        return _of_checkout(published, jobs, workspace), published
    if published.startswith(("http://", "https://")):
        return _of_manifest(Manifest.from_bytes(_download(published))), published
    try:
        with Path(published).open("rb") as file:
            body = file.read(_MAX_MANIFEST)
    except OSError as err:
        raise ConfigError(
            f"--published {published}: cannot be read ({err.strerror or err})",
            advice="name a manifest.json (file or URL), or a directory with a checkout of the data",
        ) from err
    return _of_manifest(Manifest.from_bytes(body)), published


def _of_manifest(public: Manifest) -> Mapping[str, str]:
    return {key: entry.kind for key, entry in public.files.items()}


def _manifest_of_target(settings: Settings, name: str) -> Manifest:
    blob = reaching.build_target(settings, name).read(manifest.KEY, max_bytes=_MAX_MANIFEST)
    if blob is None:
        raise ConfigError(
            f"target {name} holds no {manifest.KEY}: nothing is published there",
            advice="publish first (hubdata sync --once), or name a manifest or a checkout with --published",
        )
    return Manifest.from_bytes(blob.body)


def _of_checkout(directory: str, jobs: tuple[Job, ...], workspace: Path) -> Mapping[str, str]:
    """Return what the jobs would publish of a checkout, and the databases that do not come from one."""
    context = SourceContext(_new(workspace, "data"), os.environ, SystemClock())
    options = parse_options(Seam.SOURCE, "directory", {"path": directory})
    source: Source = load(Seam.SOURCE, "directory")(options, context)
    of_trees = tuple(job for job in jobs if job.source.type in ("git", "directory"))
    claims = claim(of_trees, source.fetch(dict).files)
    kinds = {each.file.key: each.rule.kind for mine in claims.by_job.values() for each in mine}
    return kinds | {key: "mmdb" for job in jobs for key in _databases(job)}


def _cases(kinds: Mapping[str, str], jobs: tuple[Job, ...]) -> Mapping[str, str]:
    """Return the case that the jobs hold each needle list to."""
    needles = [key for key, kind in kinds.items() if kind == "needle"]
    rules = ((key, rule) for key in needles for job in jobs if (rule := rule_for(job, key)) is not None)
    return {key: str(rule.options.get("case", "any")) for key, rule in rules if rule.kind == "needle"}


def _databases(job: Job) -> Iterator[str]:
    if job.source.options.get("editions"):
        options = parse_options(Seam.SOURCE, job.source.type, job.source.options).model_dump()
        yield from (f"{options.get('prefix', '')}{edition}.mmdb" for edition in options["editions"])


def _download(url: str) -> bytes:
    from hubdata.transfer.http import HttpClient

    with (
        HttpClient(url) as client,
        client.get(url, deadline=Deadline.after(_DOWNLOAD_TIME), max_bytes=_MAX_MANIFEST) as response,
    ):
        return response.read()


def _bases(settings: Settings) -> tuple[str, ...]:
    return (settings.verify.url,) if settings.verify else (PUBLIC_URL,)


def _repositories(jobs: Iterable[Job]) -> frozenset[str]:
    """Return the repositories that jobs publish, as `owner/name` in lower case, where the host is GitHub."""
    urls = (str(job.source.options.get("url", "")) for job in jobs if job.source.type in ("git", "directory"))
    parts = (urlsplit(url) for url in urls)
    return frozenset(
        part.path.strip("/").removesuffix(".git").lower() for part in parts if part.hostname == "github.com"
    )


def _new(workspace: Path, name: str) -> Path:
    path = workspace / name
    path.mkdir()
    return path
