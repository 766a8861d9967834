"""Draw the page that is published beside the data, from what a run tells and what the page before has remembered."""

import json
from collections.abc import Mapping
from datetime import datetime

from hubdata.model.key import PAGE, STATUS
from hubdata.publishing.paging import MEMORY, Told
from hubdata.report.page.document import MARK, page_html
from hubdata.report.page.given import Given, JobNote
from hubdata.report.page.memory import Memory
from hubdata.report.page.status_json import status_json


def drawn(told: Told) -> Mapping[str, bytes]:
    """Return the page, `status.json`, and what is to be remembered. The same for the same values."""
    memory = Memory.from_bytes(told.memory).after(told.manifest, told.before)
    memory = memory.told(told.run, told.target, told.now)
    memory = memory.reminded(_kept(told, memory))
    notes = tuple(
        JobNote(job.name, job.description, job.schedule, job.max_age, memory.successes.get(job.name))
        for job in told.jobs
    )
    given = Given(told.manifest, told.now, runs=memory.runs, jobs=notes, growth=memory.growth(told.manifest))
    return {PAGE: page_html(given).encode(), STATUS: status_json(given).encode(), MEMORY: memory.to_bytes()}


def _kept(told: Told, memory: Memory) -> Mapping[str, datetime]:
    """Return later successes, as the worker keeps them, of jobs that took no part and would be called stale."""
    taking_part = {job.job for job in told.run.jobs}
    found: dict[str, datetime] = {}
    for job in told.jobs:
        known = memory.successes.get(job.name)
        fresh = known is not None and (job.max_age is None or known + job.max_age >= told.now)
        if job.name not in taking_part and not fresh and (kept := told.kept(job.name)) is not None:
            found[job.name] = kept
    return found


def drew(key: str, body: bytes) -> bool:
    """Tell whether `body` is a page, or a `status.json`, that hubdata has drawn."""
    if key == PAGE:
        return MARK.encode() in body
    try:
        data = json.loads(body)
        return isinstance(data, dict) and {"schema", "written_at", "verdict", "generation", "counts"} <= data.keys()
    except (ValueError, RecursionError):
        return False
