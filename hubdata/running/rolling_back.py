"""Go back to an older generation: a target's own past is the source, everything else is as in any run.

What the target held then is recalled, checked against that generation's manifest, judged once more by the rules of
today, and planned. So only files that differ are put, and what a rule of today would refuse is refused: a rollback is
no way around validation. The newest generation is never touched; going back makes another one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from hubdata.errors import ConfigError
from hubdata.model.finding import Finding, Severity
from hubdata.model.inventory import Inventory
from hubdata.model.job import Job, Options, SourceSpec
from hubdata.model.manifest import Manifest
from hubdata.model.snapshot import Fetched, SourceFile
from hubdata.planning.claims import ignored, rule_for
from hubdata.ports import Published, Target
from hubdata.publishing.recall import generation, recall
from hubdata.publishing.survey import survey
from hubdata.running.reading import Feed

TYPE = "generation"
"""What reports name as the source of a rollback; the generation's number is its revision."""


@dataclass(frozen=True, slots=True)
class Past:
    """What to go back to. With `prune`, files that were not there then are deleted, whatever their job says."""

    generation: int
    prune: bool = False


@dataclass(frozen=True, slots=True)
class Way:
    """The way back: the feed, and the ETag of the manifest that it leads back from (None: there is none)."""

    feed: Feed
    upon: str | None


def way_to(
    past: Past, target: Target, jobs: tuple[Job, ...], selected: frozenset[str], directory: Callable[[], Path]
) -> Way:
    """Return the way to an older generation of `target` for the `selected` ones of all `jobs`.

    `directory` gives a new private directory, where files are staged once the feed is read. Raises ConfigError when
    that generation holds nothing of them, TargetError when it is not known any more.
    """
    found = survey(target).inventory
    then = generation(target, past.generation)
    taking_part = frozenset(job.name for job in jobs if job.name in selected and _publishes(job, then))
    if not taking_part:
        raise ConfigError(
            f"generation {past.generation} of target {target.name} holds no file of {', '.join(sorted(selected))}",
            advice="name another generation or other jobs: `hubdata history -v` tells what each one changed",
        )
    prune = past.prune
    back = tuple(replace(job, source=SourceSpec(TYPE, {}), prune=prune or job.prune) for job in jobs)
    everyone = len(selected) == len(jobs)
    source = _PastGeneration(target, then, found, jobs, taking_part, directory, everyone=everyone)
    # With keys, what the generation does not have is not taken for something that nobody can put right any more.
    feed = Feed(source, back, taking_part, keys=frozenset(then.files))
    return Way(feed, found.manifest_etag)


def _publishes(job: Job, then: Manifest) -> bool:
    return any(rule_for(job, key) is not None for key in then.files)


@dataclass(frozen=True, slots=True)
class _PastGeneration:
    """A source: what a target held in an older generation, of the jobs that take part. Nothing else is fetched.

    Files that are in place are kept, and not fetched, except those that are judged together with others.
    """

    target: Target
    then: Manifest
    now: Inventory
    jobs: tuple[Job, ...]
    taking_part: frozenset[str]
    directory: Callable[[], Path]
    everyone: bool

    @classmethod
    def lacks(cls, options: Options, environment: Mapping[str, str]) -> str | None:  # noqa: ARG003 - the port's own
        """Return None: who may write to the target may read its past."""
        return None

    def fetch(self, published: Published) -> Fetched:  # noqa: ARG002 - what is in place here counts, and nothing else
        """Return the files of then that are not in place now. Raises TargetError when they cannot be had any more."""
        kept: list[str] = []
        wanted: list[str] = []
        findings: list[Finding] = []
        for key in sorted(self.then.files):
            owner = next((job for job in self.jobs if rule_for(job, key)), None)
            if owner is None:
                if self.everyone and not self._in_place(key) and not ignored(self.jobs, key):
                    findings.append(_ownerless(key, self.then.generation))
            elif owner.name in self.taking_part:
                (kept if self._in_place(key) and not owner.groups else wanted).append(key)
        recalled = recall(self.target, self.then, wanted, self.directory()) if wanted else {}
        files = tuple(SourceFile(key, file.path, file.size, file.source) for key, file in recalled.items())
        return Fetched(str(self.then.generation), files, kept=tuple(kept), findings=tuple(findings))

    def _in_place(self, key: str) -> bool:
        held = self.now.objects.get(key)
        return held is not None and held.sha256 == self.then.files[key].sha256


def _ownerless(key: str, number: int) -> Finding:
    return Finding(
        key,
        None,
        "job.unclaimed",
        Severity.ERROR,
        f"generation {number} holds this file, and no job says any more what kind of file it is: it stays as it is now",
        "add a [[files]] entry for it to a job file, then roll back; or leave it as it is with an [[ignore]] entry",
    )
