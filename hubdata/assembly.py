"""Build what a run goes through, from settings and job files: the only place, with `reaching.py`, that builds adapters.

Sources with equal tables become one feed, so that each upstream is fetched once; around each target stand its CDN, its
gate, what feeds it and what seals it.
"""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from hubdata.config.settings import Settings
from hubdata.model.job import FileRule, Job, SourceSpec
from hubdata.plugins import Seam, load, parse_options
from hubdata.ports import Cdn, Kind, Reporter, Source, SourceContext, Target
from hubdata.reaching import build_target
from hubdata.report.pager import StatusPager
from hubdata.running.measuring import Measurer
from hubdata.running.proving import KindOf
from hubdata.running.reading import Feed
from hubdata.running.verdict_memory import VerdictMemory
from hubdata.running.visiting import Place
from hubdata.transfer.code_digest import own_code
from hubdata.transfer.keepsakes import KEPT, Keepsakes
from hubdata.transfer.spool import Spool

if TYPE_CHECKING:
    from hubdata.publishing.sealing import Sealer
    from hubdata.running.crew import Crew
    from hubdata.running.gating import Gatekeeper
    from hubdata.running.promoting import Feeder

_PATIENCE = timedelta(minutes=4)
"""How long a run that was told to `--wait` waits for a CDN that is busy: less than others wait for its lease."""


def kind_builder(memory: VerdictMemory | None = None) -> KindOf:
    """Return what turns a rule into its kind; equal rules share one. With a `memory` it asks that first."""
    built: dict[str, Kind] = {}

    def kind_of(rule: FileRule) -> Kind:
        identity = f"{rule.kind} {_canonical(rule.options)}"
        if identity not in built:
            options = parse_options(Seam.KIND, rule.kind, rule.options)
            kind: Kind = load(Seam.KIND, rule.kind)(options)
            built[identity] = kind if memory is None else memory.remembering(kind, rule)
        return built[identity]

    return kind_of


def judges(memory: VerdictMemory | None, crew: "Crew | None") -> "tuple[KindOf, Crew | None]":
    """Return what turns a rule into its kind, and who of the `crew` helps with it: nobody where much is remembered.

    Without a `memory` what the crew tells is heard all the same, and kept by nobody.
    """
    if memory is None and crew is not None and (code := own_code()) is not None:
        memory = VerdictMemory(None, code)
    helped = memory is not None and crew is not None and memory.listen(crew.told)
    return kind_builder(memory), crew if helped else None


def verdict_memory(settings: Settings, spool: Spool, *, blind: bool) -> VerdictMemory | None:
    """Return what was judged before; None where nothing is to be remembered, or nobody can tell what code judges."""
    code = own_code() if settings.remember else None
    return None if code is None else VerdictMemory(spool.memory("verdicts"), code, blind=blind)


def places_of(
    settings: Settings, targets: Mapping[str, Target], spool: Spool, reporter: Reporter, *, wait: bool
) -> tuple[Place, ...]:
    """Return where a run goes: each of `targets` with all that stands around it."""
    near, far = Measurer(), Measurer(Keepsakes(settings.spool / KEPT))
    sealer = _sealer(settings)
    bare = tuple(
        replace(
            _place(settings, target, reporter, wait=wait),
            sealer=sealer,
            measurer=near if settings.targets[name].type == "directory" else far,
            gate=_gatekeeper(settings, name, spool),
            pager=StatusPager() if settings.page else None,
        )
        for name, target in targets.items()
    )
    return tuple(replace(place, feeder=_feeder(settings, place, bare, spool)) for place in bare)


def _place(settings: Settings, target: Target, reporter: Reporter, *, wait: bool) -> Place:
    spec = settings.targets[target.name]
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


def _sealer(settings: Settings) -> "Sealer | None":
    """Return what all publications are sealed with, one for all targets: the key is opened once."""
    if settings.sign is None and not settings.sha256sums:
        return None
    from hubdata.publishing.sealing import Sealer

    if settings.sign is None:
        return Sealer()
    from hubdata.signing.keys import Signer

    return Sealer(Signer(settings.sign, os.environ))


def _gatekeeper(settings: Settings, target: str, spool: Spool) -> "Gatekeeper | None":
    gate = settings.targets[target].gate
    if gate is None:
        return None
    from hubdata.running.gating import Gatekeeper

    return Gatekeeper(gate, os.environ, lambda: spool.directory("tree"))


def _feeder(settings: Settings, place: Place, places: tuple[Place, ...], spool: Spool) -> "Feeder | None":
    """Return what feeds a stage: the target before it, which need not be one of this run's."""
    stage = settings.targets[place.target.name].stage
    if stage is None:
        return None
    from hubdata.running.promoting import Feeder

    chosen = {each.target.name: each.target for each in places}
    source = chosen[stage.after] if stage.after in chosen else build_target(settings, stage.after)
    return Feeder(source, stage.soak, lambda: spool.directory("promoted"))


def feeds_of(
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


def build_source(settings: Settings, spec: SourceSpec, context: SourceContext) -> Source:
    """Return the adapter for `spec`; a checkout that stands in for a repository is read instead of it."""
    if spec.type == "git" and (checkout := settings.checkout(spec.options["url"])) is not None:
        spec = SourceSpec("directory", {"path": str(checkout), "url": spec.options["url"]})
    options = parse_options(Seam.SOURCE, spec.type, spec.options)
    source: Source = load(Seam.SOURCE, spec.type)(options, context)
    return source


def lacking(settings: Settings, jobs: Iterable[Job]) -> Mapping[str, str]:
    """Return by name which jobs a run of all leaves out, and why: the embedded default asks nobody for credentials."""
    missing = {job.name: lacks(job) for job in jobs} if settings.embedded else {}
    return {name: why for name, why in missing.items() if why}


def lacks(job: Job) -> str | None:
    """Return what the environment does not provide for this job's source, None when nothing is missing."""
    options = parse_options(Seam.SOURCE, job.source.type, job.source.options)
    missing: str | None = load(Seam.SOURCE, job.source.type).lacks(options, os.environ)
    return missing


def _canonical(options: Mapping[str, Any]) -> str:
    return json.dumps(options, sort_keys=True, default=str)
