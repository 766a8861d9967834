"""Judges a GeoIP database: first that its structure is sound, then that it is the right one, of its time, and whole.

The order is a promise. `mmdb.proof` walks every byte that a reader could reach, and reads nothing out of bounds
whatever they are; only what it passes is opened by the C reader, which dies on corrupt files. Then comes what no
structure tells: type, age, languages, coverage (`mmdb.policy`), and canary look-ups, typed by geoip2, because records
that are in range but wrong pass everything else (`mmdb.canaries`). What is counted goes into the manifest, so that the
job's limits can compare it with what is published.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Annotated, ClassVar

from hubdata.grammar.entries import too_few
from hubdata.grammar.gather import Gather
from hubdata.mmdb.layout import MAX_METADATA_BYTES
from hubdata.mmdb.malformed import Malformed, Problem
from hubdata.model.finding import Severity, refuses
from hubdata.model.snapshot import Artifact, Stats
from hubdata.ports import Body, Demands, Verdict
from hubdata.tables import BaseModel, BeforeValidator, ConfigDict, Field

if TYPE_CHECKING:
    from hubdata.mmdb.extent import Extent
    from hubdata.mmdb.layout import Layout
    from hubdata.mmdb.policy import Breach, Demanded
    from hubdata.mmdb.readers import PrivateCopy

MAX_THREADS = 2
"""A third thread gains nothing: most of a proof waits for memory."""

_ADVICE = "download it anew; if the vendor's digest is right, the vendor's build is broken: what is published stays"
_SAYS_KEYS = "except where otherwise specified, each key listed is required for the database to be considered valid"
_UNREADABLE = frozenset({"record-size", "node-count", "tree-truncated"})
_OF_METADATA = frozenset({"format", "ip-version", "description"})
_FAMILIES = {"tree": "tree", "separator": "tree", "pointer": "pointer", "record": "heavy"}
_OTHER_FORMATS = {
    b"\x1f\x8b": "a gzip archive",
    b"PK\x03\x04": "a zip archive",
    b"<": "a page of HTML or XML",
    b"{": "JSON, perhaps an error message",
}


def _listed(value: object) -> object:
    """Let a command line write a list as `en,de`."""
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def _family(value: object) -> object:
    return int(value) if isinstance(value, str) and value in ("4", "6") else value


class MmdbKind:
    """A GeoIP database. Entries are networks with a record."""

    name: ClassVar[str] = "mmdb"
    content_type = "application/octet-stream"
    max_bytes = 512 << 20

    class Options(BaseModel):
        """What a job may demand of a database; shares are from 0 to 1.

        `edition` is its database_type, else what its name says; an older one than `max_age_days` is refused, than
        `warn_age_days` only doubted; `languages` must all be there; `ip_version = 4` lets a database without IPv6
        pass; `min_ipv6_share` is of the space that the registries were given.
        """

        model_config = ConfigDict(extra="forbid")

        edition: str | None = None
        max_age_days: int | None = Field(default=None, ge=1)
        warn_age_days: int | None = Field(default=None, ge=1)
        languages: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()
        ip_version: Annotated[int | None, BeforeValidator(_family)] = Field(default=None, ge=4, le=6, multiple_of=2)
        min_ipv4_share: float | None = Field(default=None, ge=0, le=1)
        min_ipv6_share: float | None = Field(default=None, ge=0, le=1)
        threads: int | None = Field(default=None, ge=1, le=16)

    def __init__(self, options: Options) -> None:
        self._options = options

    def check(self, artifact: Artifact, body: Body, demands: Demands) -> Verdict:
        """Return every finding about `body`, what it covers, and when it was built."""
        from hubdata.mmdb.readers import PrivateCopy

        with PrivateCopy(body) as copy:
            return self._checked(artifact, body, copy, demands)

    def _checked(self, artifact: Artifact, body: Body, copy: "PrivateCopy", demands: Demands) -> Verdict:
        """Return the verdict; nobody opens the `copy` of `body` but who asks what is proven."""
        from hubdata.mmdb.policy import breaches, built_at, coverage_breaches
        from hubdata.mmdb.proof import prove

        gather = Gather(artifact.key, self.name)
        proof = prove(body, threads=self._options.threads or _cores(), meanwhile=copy.prepare)
        for problem in proof.problems:
            _refuse(problem, body, gather)
        layout = proof.layout
        if layout is None:
            return Verdict(gather.findings())
        stem, demanded = PurePosixPath(artifact.key).stem, self._demanded(artifact)
        _gather(breaches(layout.metadata, demanded, stem, demands.checked_at), gather)
        stats = Stats(build_epoch=None if built_at(layout.metadata) is None else layout.metadata.build_epoch)
        covered = None if proof.problems else proof.extent or _measured(layout, gather)
        if covered is None:  # nobody may open it, so nobody asks it
            return Verdict(gather.findings(), stats)
        for doubt in proof.warnings:
            advice = "engines can use it as it is; some writers leave such things, the vendor's verifier refuses them"
            gather.add(None, "unused", Severity.WARNING, _said(doubt), advice, offset=doubt.offset)
        _gather(coverage_breaches(covered, demanded), gather)
        _ask(demands, layout, copy, (stem, demanded.edition), gather)
        stats = replace(
            stats, entries=covered.networks, ipv4_addresses=covered.ipv4_addresses, ipv6_64s=covered.ipv6_64s
        )
        return Verdict(gather.findings(too_few(artifact.key, covered.networks, demands.limits)), stats)

    def _demanded(self, artifact: Artifact) -> "Demanded":
        """Return what the job demands; the edition that a source says it fetched is one, too."""
        from hubdata.mmdb.policy import Demanded

        options, source = self._options, artifact.source
        fetched = source.get("edition") if source.get("type") == "maxmind" else None
        return Demanded(
            edition=options.edition or fetched,
            max_age=_days(options.max_age_days),
            warn_age=_days(options.warn_age_days),
            languages=options.languages,
            ip_version=options.ip_version,
            min_ipv4_share=options.min_ipv4_share,
            min_ipv6_share=options.min_ipv6_share,
        )


def _days(count: int | None) -> timedelta | None:
    return None if count is None else timedelta(days=count)


def _cores() -> int:
    """Return how many threads a proof is given: as many as may run, and no more than pay."""
    with suppress(AttributeError):  # only Linux tells what a container may use
        return min(MAX_THREADS, len(os.sched_getaffinity(0)))
    return min(MAX_THREADS, os.cpu_count() or 1)


def _refuse(problem: Problem, body: Body, gather: Gather) -> None:
    if problem.problem == "no-metadata":
        said = _said(replace(problem, message=_not_mmdb(body)))
        advice = "download it anew, and look at what the address really serves"
        gather.add(None, "no-metadata", Severity.ERROR, said, advice, offset=problem.offset)
    else:
        gather.add(None, _rule(problem.problem), Severity.ERROR, _said(problem), _ADVICE, offset=problem.offset)


def _rule(problem: str) -> str:
    """Return the rule that a fault of the structure breaks: there are many faults, and few things to know of them."""
    if problem in _UNREADABLE or problem.startswith("metadata"):
        return "unreadable"
    if problem in _OF_METADATA:
        return "metadata"
    return _FAMILIES.get(problem.partition("-")[0], "data")


def _said(problem: Problem) -> str:
    return f"at byte {problem.offset:,}: {problem.message}; the specification says: {problem.says}"


def _not_mmdb(body: Body) -> str:
    start = bytes(body[:64]).lstrip()
    if not start:
        return "the file is empty"
    what = next((what for magic, what in _OTHER_FORMATS.items() if start.startswith(magic)), None)
    begins = f"; it looks like {what}" if what else ""
    return f"there is no MaxMind DB metadata in the last {MAX_METADATA_BYTES >> 10} KiB of {len(body):,} bytes{begins}"


def _measured(layout: "Layout", gather: Gather) -> "Extent | None":
    """Return what a proven database covers; None when its tree is entered from too many places to be walked."""
    from hubdata.mmdb.extent import extent

    try:
        return extent(layout)
    except Malformed as err:
        _refuse(err.as_problem(), layout.body, gather)
        return None


def _ask(
    demands: Demands, layout: "Layout", copy: "PrivateCopy", names: tuple[str | None, ...], gather: Gather
) -> None:
    """Open what is proven as its users do, and gather what it answers wrongly."""
    from hubdata.mmdb.canaries import for_edition, said, wrong_answers
    from hubdata.mmdb.readers import readers_of

    try:
        with readers_of(copy) as readers:
            if readers.refused and not refuses(gather.findings()):  # else that is why
                message = f"the C reader will not open it: {readers.refused}"
                advice = "engines can, but no program in C will; look at the types of the metadata's integers"
                gather.warning(None, "c-reader", message, advice)
            _gather(wrong_answers(for_edition(demands.canaries, *names), readers), gather)
    except Exception as err:  # noqa: BLE001 - whatever a reader raises as it opens a file, nobody else will open it
        message = f"the readers that engines use will not open it: {said(err)}"
        _refuse(Problem(layout.data_end, "format", message, _SAYS_KEYS), layout.body, gather)


def _gather(breaches: "Iterable[Breach]", gather: Gather) -> None:
    for breach in breaches:
        severity = Severity.WARNING if breach.mild else Severity.ERROR
        gather.add(None, breach.problem, severity, breach.message, breach.advice)
