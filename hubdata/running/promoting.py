"""Feed a target from another one: exactly one generation that has soaked there, its bytes proven anew.

What goes on is what that generation's manifest names, by SHA-256, and nothing newer. It is judged once more, as if it
had come from its source: by the rules that hold today, so that nothing is published that this run did not validate.
Each job's share is planned, limited and approved for itself, as everywhere. Only files that differ are fetched.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from hubdata.model.event import Event
from hubdata.model.inventory import Inventory
from hubdata.model.job import Job
from hubdata.model.manifest import Entry, Manifest
from hubdata.model.snapshot import Fetched, SourceFile
from hubdata.model.stage import Promoted
from hubdata.planning.claims import rule_for
from hubdata.planning.staging import Standing, standing
from hubdata.ports import Published, Reporter, Target
from hubdata.publishing.recall import MOST, generations, recall
from hubdata.publishing.survey import Survey
from hubdata.running.proving import KindOf
from hubdata.running.reading import Feed, Reading, read


@dataclass(frozen=True, slots=True)
class Feeder:
    """What feeds a target: another one, after `soak`. `directory` gives a new, private directory for its bytes."""

    source: Target
    soak: timedelta
    directory: Callable[[], Path]


@dataclass(frozen=True, slots=True)
class Roll:
    """Which jobs there are and which take part; where there are `keys`, the run is for these alone."""

    jobs: tuple[Job, ...]
    selected: frozenset[str]
    keys: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Promotion:
    """What is due at a target: a reading for each job that takes part, and what the manifest is to say of it."""

    standing: Standing = Standing()
    readings: tuple[Reading, ...] = ()
    record: Promoted | None = None

    @property
    def sound(self) -> tuple[Reading, ...]:
        """Return the readings that can be planned."""
        return tuple(reading for reading in self.readings if reading.problem is None)


@dataclass(slots=True)
class Promoter:
    """Promotes to one target in one run. `last` is what was due when it was looked at last, `here` what was before."""

    target: str
    feeder: Feeder
    roll: Roll
    kind_of: KindOf
    now: datetime
    reporter: Reporter
    force: bool = False
    last: Promotion = field(default_factory=Promotion)
    here: Promoted | None = None

    def at(self, found: Survey) -> Promotion:
        """Return what is due at the target that holds what was `found`.

        Raises TargetError when the other target cannot be read; what concerns one job alone is a problem of its
        reading.
        """
        here, after = found.inventory.manifest, self.feeder.source.name
        self.here = here.promoted
        newest = generations(self.feeder.source, most=1)
        self.last = Promotion()
        if not newest:
            return self.last
        stands = standing(
            _history(self.feeder.source, newest[0], here),
            self.feeder.soak,
            self.feeder.source.now(),
            after=after,
            here=here,
            target=self.target,
        )
        self.last = Promotion(stands)
        if stands.coming is not None:
            seconds = math.ceil(stands.coming.remaining.total_seconds())
            self._tell("stage.soaking", generation=stands.coming.generation, due_in_s=seconds)
        if stands.due is not None:
            due = stands.due
            self._tell("stage.due", generation=due.generation, again=int(stands.again))
            taking_part = [job for job in self.roll.jobs if any(entry.job == job.name for entry in due.files.values())]
            selected = [job for job in taking_part if job.name in self.roll.selected]
            readings = tuple(self._read(job, due, found.inventory, again=stands.again) for job in selected)
            partial = len(selected) < len(taking_part) or self.roll.keys is not None
            record = None if stands.again else Promoted(after, due.generation, partial=partial)
            self.last = Promotion(stands, readings, record)
        return self.last

    def _tell(self, name: str, **fields: int) -> None:
        self.reporter.emit(Event(name, {"target": self.target, "after": self.feeder.source.name, **fields}))

    @property
    def bystanders(self) -> tuple[Job, ...]:
        """Return the jobs of which nothing is known, as of the last time."""
        known = {reading.job.name for reading in self.last.sound}
        return tuple(job for job in self.roll.jobs if job.name not in known)

    def _read(self, job: Job, due: Manifest, inventory: Inventory, *, again: bool) -> Reading:
        source = _Generation(self.feeder, due, job, inventory, again=again, force=self.force)
        feed = Feed(source, (job,), frozenset({job.name}), self.roll.keys)
        (reading,) = read(feed, dict, self.kind_of, now=self.now, reporter=self.reporter)
        return reading


@dataclass(frozen=True, slots=True)
class _Generation:
    """One job's share of a generation, as a source."""

    feeder: Feeder
    manifest: Manifest
    job: Job
    inventory: Inventory
    again: bool
    force: bool

    @classmethod
    def lacks(cls, _options: object, _environment: Mapping[str, str]) -> str | None:
        """Return None: a target that is read is configured already."""
        return None

    def fetch(self, _: Published) -> Fetched:
        """Return what differs at the target, its bytes staged; the rest is kept."""
        files = {
            key: entry
            for key, entry in self.manifest.files.items()
            if entry.job == self.job.name and rule_for(self.job, key) is not None
        }
        wanted = {key for key, entry in files.items() if self._differs(key, entry)}
        kept = files.keys() - wanted
        if self.again:  # it went on whole: what is otherwise by now somebody has changed here since, and meant to
            kept |= {key for key, entry in self.inventory.manifest.files.items() if entry.job == self.job.name} - wanted
        elif (wanted and self.job.groups) or self.force:
            wanted, kept = set(files), set()  # files that are judged together are all looked at
        staged = recall(self.feeder.source, self.manifest, wanted, self.feeder.directory()) if wanted else {}
        return Fetched(
            f"{self.feeder.source.name}@{self.manifest.generation}",
            tuple(SourceFile(key, file.path, file.size, file.source) for key, file in sorted(staged.items())),
            tuple(sorted(kept)),
        )

    def _differs(self, key: str, entry: Entry) -> bool:
        held, listed = self.inventory.objects.get(key), self.inventory.manifest.files.get(key)
        mine = listed is not None and (listed.sha256, listed.job, listed.kind) == (entry.sha256, entry.job, entry.kind)
        in_place = held is not None and held.sha256 == entry.sha256
        if self.again:
            return mine and (self.force or not in_place)
        return not (mine and in_place)


def _history(source: Target, newest: Manifest, here: Manifest) -> Iterator[Manifest]:
    """Yield the generations of `source`, the newest first, as far back as anything could be due."""
    yield newest
    last = here.promoted
    floor = last.generation if last is not None and last.source == source.name else 1
    most = min(MOST, newest.generation - floor + 1)
    older = generations(source, most=most) if most > 1 else ()
    by_number = sorted(older, key=lambda manifest: -manifest.generation)  # whatever the store's clock did meanwhile
    yield from (manifest for manifest in by_number if manifest.generation < newest.generation)
