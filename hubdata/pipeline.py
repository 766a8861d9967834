"""One run, in order, through the ports: survey, read, plan, limit, apply, tell the CDN, report.

The pipeline decides nothing itself: it hands values from one pure decision to the next and carries them out through
adapters. Sources fail alone and targets fail alone; whatever can go on goes on, and the result names the rest.
"""

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from hubdata.errors import HubdataError
from hubdata.model.event import Event
from hubdata.model.inventory import Inventory
from hubdata.model.job import Job
from hubdata.model.run import JobResult, RunResult
from hubdata.model.snapshot import Provenance, Snapshot
from hubdata.model.stage import StageResult
from hubdata.planning.inventory import published
from hubdata.planning.outcome import job_result, wrote
from hubdata.ports import Clock, Published, Reporter
from hubdata.publishing.survey import Survey, survey
from hubdata.running.proving import KindOf
from hubdata.running.reading import Feed, Reading, read
from hubdata.running.sharing import Stay, lost
from hubdata.running.visiting import Orders, Place, promote, visit
from hubdata.transfer.afterwards import Later, at_once
from hubdata.values import frozen

if TYPE_CHECKING:
    from hubdata.running.crew import Crew
    from hubdata.running.promoting import Promoter


def run(
    feeds: tuple[Feed, ...],
    places: tuple[Place, ...],
    kind_of: KindOf,
    orders: Orders,
    *,
    run_id: str,
    clock: Clock,
    reporter: Reporter,
    others: tuple[Job, ...] = (),
    later: Later = at_once,
    crew: "Crew | None" = None,
) -> RunResult:
    """Return what became of every selected job of `feeds` at every one of `places`.

    `others` are jobs that take no part; what they may publish is deleted by nobody. Targets are surveyed while sources
    are read; then every target is visited, all at once, but stages after what feeds them. Leases are given back
    `later`. Every failure is in the result.
    """
    started = time.monotonic()
    now = clock.now()
    with _threads(max(1, len(places) + len(feeds))) as pool:
        surveys = {place.target.name: pool.submit(survey, place.target) for place in places}
        fed = [place.target.name for place in places if place.feeder is None]
        public = _published({name: surveys[name] for name in fed})
        what = (public, kind_of)
        reads = [pool.submit(read, each, *what, now=now, reporter=reporter, crew=crew) for each in feeds if fed]
        found_ = (r for each in reads for r in each.result()) if fed else _unread(feeds)
        readings = tuple(sorted(found_, key=lambda r: r.job.name))
        if crew is not None:
            crew.close()
        course = _Course(feeds, kind_of, orders, run_id, clock, reporter, now, others, readings, surveys, later)
        promoters = {place.target.name: promoter for place in places if (promoter := course.promoter(place))}

        def go(place: Place) -> Mapping[str, Stay]:
            return course.visited(place, promoters.get(place.target.name))

        visited = {
            place.target.name: stays
            for wave in _waves(places)
            for place, stays in zip(wave, pool.map(go, wave), strict=True)
        }
    visits = [visited[place.target.name] for place in places]
    jobs = tuple(_result(reading, visits, orders) for reading in readings)
    approved = frozenset[str]().union(*(stay.approved for stays in visits for stay in stays.values()))
    unknown = tuple(sorted(orders.approve - approved))
    elapsed_s = round(time.monotonic() - started, 3)
    stages = tuple(_stage(name, promoter, visited[name]) for name, promoter in promoters.items())
    result = RunResult(run_id, jobs, elapsed_s, orders.dry_run, unknown_plans=unknown, stages=stages)
    return replace(result, records={name: surveys[name].result().records for name in visited if wrote(result, name)})


@frozen
class _Course:
    """A run that has read its sources, and goes to its targets."""

    feeds: tuple[Feed, ...]
    kind_of: KindOf
    orders: Orders
    run_id: str
    clock: Clock
    reporter: Reporter
    now: datetime
    others: tuple[Job, ...]
    readings: tuple[Reading, ...]
    surveys: Mapping[str, Future[Survey]]
    later: Later

    @property
    def known(self) -> tuple[Job, ...]:
        """Return all jobs that there are."""
        return (*self.others, *(job for feed in self.feeds for job in feed.jobs))

    def promoter(self, place: Place) -> "Promoter | None":
        """Return what promotes to `place`; None where the sources feed it."""
        if place.feeder is None:
            return None
        from hubdata.running.promoting import Promoter, Roll

        roll = Roll(self.known, frozenset(reading.job.name for reading in self.readings), _keys(self.feeds))
        to = (place.target.name, place.feeder, roll)
        return Promoter(*to, self.kind_of, self.now, self.reporter, force=self.orders.force)

    def visited(self, place: Place, promoter: "Promoter | None") -> Mapping[str, Stay]:
        """Return what came of every job at `place`, whatever went wrong there."""
        name = place.target.name
        sound = tuple(reading for reading in self.readings if reading.problem is None)
        try:
            found = self.surveys[name].result()
            if promoter is not None:
                to = (place, found, self.readings, promoter, self.orders)
                return promote(*to, run_id=self.run_id, clock=self.clock, reporter=self.reporter, later=self.later)
            taking_part = {reading.job.name for reading in sound}
            return visit(
                place,
                found,
                sound,
                self.orders,
                run_id=self.run_id,
                clock=self.clock,
                reporter=self.reporter,
                bystanders=tuple(job for job in self.known if job.name not in taking_part),
                unread=tuple(reading for reading in self.readings if reading.problem is not None),
                reread=self.reread,
                later=self.later,
            )
        except HubdataError as err:
            self.reporter.emit(Event("target.failed", {"target": name, "error": str(err)}))
            return lost(place.target, self.readings if promoter is not None else sound, err)

    def reread(self, names: frozenset[str], found: Survey) -> tuple[Reading, ...]:
        """Return what the sources of these jobs hold by now, for a target that another run has published to meanwhile.

        Whoever waited for that run has read its sources before, and perhaps an older state of them than is public now.
        """
        told = {"jobs": ",".join(sorted(names)), "target": found.inventory.target}
        self.reporter.emit(Event("source.again", told))

        def public() -> Mapping[str, Provenance]:
            return published([found.inventory], complete=True)

        readings: list[Reading] = []
        for feed in self.feeds:
            if feed.again is not None and feed.selected & names:
                newest = replace(feed, source=feed.again(), selected=feed.selected & names)
                readings += read(newest, public, self.kind_of, now=self.now, reporter=self.reporter)
        return tuple(readings)


@contextmanager
def _threads(count: int) -> Iterator[ThreadPoolExecutor]:
    """Give a pool that is waited for at the end; but a run that is broken off waits for no upload or host."""
    pool = ThreadPoolExecutor(count, thread_name_prefix="run")
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


def _waves(places: tuple[Place, ...]) -> list[list[Place]]:
    """Return the places in the order in which they are visited: each wave at once, a stage after what feeds it."""
    feeders = {place.target.name: place.feeder.source.name for place in places if place.feeder is not None}
    waves: list[list[Place]] = []
    for place in places:
        depth, name = 0, place.target.name
        while name in feeders and depth < len(places):
            depth, name = depth + 1, feeders[name]
        waves += [[] for _ in range(depth + 1 - len(waves))]
        waves[depth].append(place)
    return waves


def _unread(feeds: tuple[Feed, ...]) -> tuple[Reading, ...]:
    """Return readings of the selected jobs when no target is fed by their sources: nobody asked what they hold."""
    selected = (job for feed in feeds for job in feed.jobs if job.name in feed.selected)
    return tuple(Reading(job, {"type": job.source.type}, Snapshot(job.name)) for job in selected)


def _keys(feeds: tuple[Feed, ...]) -> frozenset[str] | None:
    """Return the keys that the run is for; None where it is for all."""
    named = [feed.keys for feed in feeds]
    return frozenset[str]().union(*(keys for keys in named if keys is not None)) if any(named) else None


def _stage(target: str, promoter: "Promoter", stays: Mapping[str, Stay]) -> StageResult:
    stands, feeder = promoter.last.standing, promoter.feeder
    promoted = next((stay.result.promoted for stay in stays.values() if stay.result.applied), None)
    due = None if stands.due is None else stands.due.generation
    return StageResult(target, feeder.source.name, feeder.soak, promoted or promoter.here, due, stands.coming)


def _result(reading: Reading, visits: list[Mapping[str, Stay]], orders: Orders) -> JobResult:
    stays = [visited[reading.job.name] for visited in visits if reading.job.name in visited]
    reading = next((stay.anew for stay in stays if stay.anew is not None), reading)
    return job_result(
        reading.job.name,
        reading.source,
        reading.problem,
        reading.findings,
        tuple(stay.result for stay in stays),
        held_by=tuple(finding for stay in stays for finding in stay.findings),
        dry_run=orders.dry_run,
    )


def _published(surveys: Mapping[str, Future[Survey]]) -> Published:
    """Return a question that waits for all surveys and answers what is in place, the same, at every target.

    A target that could not be read holds nothing as far as anyone knows: then everything is fetched.
    """

    def ask() -> Mapping[str, Provenance]:
        known: list[Inventory] = []
        for future in surveys.values():
            with suppress(HubdataError):
                known.append(future.result().inventory)
        return published(known, complete=len(known) == len(surveys))

    return ask
