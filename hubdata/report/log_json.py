"""Log lines for a program: a JSON object a line, whoever logs it.

`ts` (UTC, with milliseconds), `level` and `event` are in each; the fields of an event follow as they are, numbers as
numbers. What a library says is the event `log`, with its `logger` and `message`. Each text is freed of secrets before
it becomes JSON, for an escaped quote or line break would hide a secret's shape.
"""

import json
import logging
import time
from typing import Any

from hubdata.model.event import Event
from hubdata.report.redaction import Redactor

MAX_CHARS = 8000
"""Of one text; longer ones are cut off: a line has to get through whatever collects it."""

_OWN = ("ts", "level", "event")


def stamp(seconds: float) -> str:
    """Return seconds since 1970 as `2026-11-23T02:17:04.123Z`."""
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{int(seconds % 1 * 1000):03d}Z"


def json_line(level: str, event: str, fields: dict[str, Any], redact: Redactor, at: float | None = None) -> str:
    """Return one line, without its end. A field that has the name of one of the first three gets a `_` before it."""
    first = {"ts": stamp(time.time() if at is None else at), "level": level, "event": event}
    told = {f"_{name}" if name in _OWN else name: _value(value, redact) for name, value in fields.items()}
    return json.dumps({**first, **told})


def _value(value: Any, redact: Redactor) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    text = redact(str(value))
    return text if len(text) <= MAX_CHARS else text[:MAX_CHARS] + "..."


class JsonFormatter(logging.Formatter):
    """Formats every record as one JSON object."""

    def __init__(self, redact: Redactor) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        told = getattr(record, "hubdata", None)
        if isinstance(told, Event):
            name, fields = told.name, dict(told.fields)
        else:
            name, fields = "log", {"logger": record.name, "message": record.getMessage()}
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return json_line(record.levelname.lower(), name, fields, self._redact, record.created)
