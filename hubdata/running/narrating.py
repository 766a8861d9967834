"""Tell the status page of the run that writes it, as far as that has come: what comes after cannot be in it.

The page is written before the CDN is told and before hooks and looks at the public copy, so it knows how each job ended
at this one target, and nothing of the others.
"""

import time
from dataclasses import dataclass

from hubdata.model.job import Job
from hubdata.model.manifest import Manifest
from hubdata.model.receipt import Applied
from hubdata.model.run import RunResult
from hubdata.planning.outcome import job_result
from hubdata.ports import Target
from hubdata.publishing.paging import Told
from hubdata.running.outlook import Outlook
from hubdata.running.reading import Reading
from hubdata.running.sharing import shares


@dataclass(frozen=True, slots=True)
class Narrator:
    """Tells of one run at one target. `unread` are the jobs that could not be read; `started` is monotonic, seconds."""

    target: Target
    outlook: Outlook
    unread: tuple[Reading, ...]
    run_id: str
    command: tuple[str, ...]
    started: float

    def told(self, manifest: Manifest, before: Manifest | None, applied: Applied | None, memory: bytes | None) -> Told:
        """Return what the page of `manifest` is drawn from."""
        jobs = {job.name: job for job in self._jobs()}
        return Told(
            target=self.target.name,
            manifest=manifest,
            before=before,
            run=self._so_far(applied),
            jobs=tuple(jobs[name] for name in sorted(jobs)),
            now=self.target.now(),
            memory=memory,
        )

    def _jobs(self) -> tuple[Job, ...]:
        readings = (*self.outlook.readings, *self.unread)
        return (*self.outlook.bystanders, *(reading.job for reading in readings))

    def _so_far(self, applied: Applied | None) -> RunResult:
        outlook = self.outlook
        stays = shares(outlook.planned, self.target, outlook.found, applied, None, meanings={})
        read = tuple(
            job_result(
                reading.job.name,
                reading.source,
                None,
                reading.findings,
                (stays[reading.job.name].result,),
                held_by=stays[reading.job.name].findings,
            )
            for reading in outlook.readings
            if reading.job.name in stays
        )
        unread = tuple(job_result(each.job.name, each.source, each.problem, each.findings, ()) for each in self.unread)
        elapsed_s = round(time.monotonic() - self.started, 3)
        return RunResult(self.run_id, (*read, *unread), elapsed_s, command=self.command)
