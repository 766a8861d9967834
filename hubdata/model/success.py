"""The last success of one job at one target: `.hubdata/last/JOB.json`, so that any worker anywhere can take over."""

import json
from datetime import UTC, datetime

from hubdata.model.key import PRIVATE
from hubdata.values import frozen

SCHEMA = 1
PREFIX = f"{PRIVATE}last/"
_FORM = "%Y-%m-%dT%H:%M:%SZ"


def key_of(job: str) -> str:
    """Return where the last success of `job` is kept."""
    return f"{PREFIX}{job}.json"


@frozen
class Success:
    """A run that left nothing to be wished for. Both times are the worker's own, to the second; it began first."""

    job: str
    run_id: str
    started_at: datetime
    ended_at: datetime

    def to_bytes(self) -> bytes:
        """Return the canonical JSON."""
        body = {
            "schema": SCHEMA,
            "job": self.job,
            "run_id": self.run_id,
            "started_at": self.started_at.astimezone(UTC).strftime(_FORM),
            "ended_at": self.ended_at.astimezone(UTC).strftime(_FORM),
        }
        return (json.dumps(body, indent=2) + "\n").encode()

    @staticmethod
    def from_bytes(body: bytes) -> "Success | None":
        """Return the success that `body` tells of; None when it is something else: then nothing is known."""
        try:
            data = json.loads(body)
            return Success(str(data["job"]), str(data["run_id"]), _time(data["started_at"]), _time(data["ended_at"]))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            return None


def _time(text: str) -> datetime:
    return datetime.strptime(text, _FORM).replace(tzinfo=UTC)
