"""Draw the page that is published beside the data, from what a run tells and what the page before has remembered."""

import json
from collections.abc import Mapping

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
    notes = tuple(
        JobNote(job.name, job.description, job.schedule, job.max_age, memory.successes.get(job.name))
        for job in told.jobs
    )
    given = Given(told.manifest, told.now, runs=memory.runs, jobs=notes, growth=memory.growth(told.manifest))
    return {PAGE: page_html(given).encode(), STATUS: status_json(given).encode(), MEMORY: memory.to_bytes()}


def drew(key: str, body: bytes) -> bool:
    """Tell whether `body` is a page, or a `status.json`, that hubdata has drawn."""
    if key == PAGE:
        return MARK.encode() in body
    try:
        data = json.loads(body)
        return isinstance(data, dict) and {"schema", "written_at", "verdict", "generation", "counts"} <= data.keys()
    except (ValueError, RecursionError):
        return False
