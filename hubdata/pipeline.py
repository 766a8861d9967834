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

from hubdata.errors import HubdataError
from hubdata.model.event import Event
from hubdata.model.inventory import Inventory
from hubdata.model.job import Job
from hubdata.model.run import JobResult, RunResult
from hubdata.model.snapshot import Provenance
from hubdata.planning.inventory import published
from hubdata.planning.outcome import job_result
from hubdata.ports import Clock, Published, Reporter
from hubdata.proving import KindOf
from hubdata.publishing.survey import Survey, survey
from hubdata.reading import Feed, Reading, read
from hubdata.sharing import Stay, lost
from hubdata.visiting import Orders, Place, visit


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
) -> RunResult:
    """Return what became of every selected job of `feeds` at every one of `places`.

    `others` are jobs that take no part; what they may publish is deleted by nobody. Targets are surveyed while sources
    are read; then every target is visited, all at once. Every failure is in the result.
    """
    started = time.monotonic()
    now = clock.now()
    with _threads(max(1, len(places) + len(feeds))) as pool:
        surveys = {place.target.name: pool.submit(survey, place.target) for place in places}
        public = _published(surveys)
        reads = [pool.submit(read, feed, public, kind_of, now=now, reporter=reporter) for feed in feeds]
        readings = tuple(sorted((r for each in reads for r in each.result()), key=lambda r: r.job.name))
        sound = tuple(reading for reading in readings if reading.problem is None)
        taking_part = {reading.job.name for reading in sound}
        known = (*others, *(job for feed in feeds for job in feed.jobs))
        bystanders = tuple(job for job in known if job.name not in taking_part)

        def reread(names: frozenset[str], found: Survey) -> tuple[Reading, ...]:
            reporter.emit(Event("source.again", {"jobs": ",".join(sorted(names)), "target": found.inventory.target}))
            return _read_again(feeds, names, found, kind_of, now=now, reporter=reporter)

        def go(place: Place) -> Mapping[str, Stay]:
            try:
                found = surveys[place.target.name].result()
                return visit(
                    place,
                    found,
                    sound,
                    orders,
                    run_id=run_id,
                    clock=clock,
                    reporter=reporter,
                    bystanders=bystanders,
                    reread=reread,
                )
            except HubdataError as err:
                reporter.emit(Event("target.failed", {"target": place.target.name, "error": str(err)}))
                return lost(place.target, sound, err)

        visits = list(pool.map(go, places))
    jobs = tuple(_result(reading, visits, orders) for reading in readings)
    approved = frozenset[str]().union(*(stay.approved for visited in visits for stay in visited.values()))
    unknown = tuple(sorted(orders.approve - approved))
    elapsed_s = round(time.monotonic() - started, 3)
    return RunResult(run_id, jobs, elapsed_s, orders.dry_run, unknown_plans=unknown)


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


def _read_again(
    feeds: tuple[Feed, ...], names: frozenset[str], found: Survey, kind_of: KindOf, *, now: datetime, reporter: Reporter
) -> tuple[Reading, ...]:
    """Return what the sources of these jobs hold by now, for a target that another run has published to meanwhile.

    Whoever waited for that run has read its sources before, and perhaps an older state of them than is public now.
    """

    def public() -> Mapping[str, Provenance]:
        return published([found.inventory], complete=True)

    readings: list[Reading] = []
    for feed in feeds:
        if feed.again is not None and feed.selected & names:
            newest = replace(feed, source=feed.again(), selected=feed.selected & names)
            readings += read(newest, public, kind_of, now=now, reporter=reporter)
    return tuple(readings)


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
