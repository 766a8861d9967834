"""Events as log lines on stderr, for whoever asks: `12:03:04 plan.made job=allowlists puts=3`, or as JSON.

Quiet unless told otherwise: warnings only. `-v` shows hubdata's events, `-vv` also what the libraries say at DEBUG,
their secrets taken out. Times are UTC, like every time hubdata shows.
"""

import logging
from collections.abc import Callable
from enum import IntEnum, StrEnum
from functools import cache, partial
from typing import TYPE_CHECKING, TextIO

from hubdata.model.event import Event

if TYPE_CHECKING:
    from hubdata.report.redaction import Redactor

LOGGER = "hubdata"


class Form(StrEnum):
    """Who reads stderr: a person, or a program."""

    CONSOLE = "console"
    JSON = "json"


class Verbosity(IntEnum):
    """How much is said on stderr."""

    QUIET = -1
    NORMAL = 0
    EVENTS = 1
    LIBRARIES = 2


_LEVELS = {
    # hubdata's own, everybody else's
    Verbosity.QUIET: (logging.ERROR, logging.CRITICAL),
    Verbosity.NORMAL: (logging.WARNING, logging.ERROR),
    Verbosity.EVENTS: (logging.INFO, logging.WARNING),
    Verbosity.LIBRARIES: (logging.DEBUG, logging.DEBUG),
}


_NOTABLE = frozenset(
    {
        "lease.waiting",
        "cdn.busy",
        "cdn.untagged",
        "copy.waiting",
        "notify.failed",
        "serve.manifest_ignored",
        "serve.unreadable",
    }
)
"""Events that everybody wants to know of: without them a run that waits looks like one that hangs."""


class LogReporter:
    """A reporter that logs every event."""

    def __init__(self, logger: logging.Logger | None = None) -> None:
        self._logger = logger or logging.getLogger(LOGGER)

    def emit(self, event: Event) -> None:
        """Log `event` as one line; `logging` itself takes care of threads and of a stream that fails."""
        level = logging.WARNING if event.name in _NOTABLE else logging.INFO
        if self._logger.isEnabledFor(level):
            self._logger.log(level, "%s", _Line(event), extra={"hubdata": event})


def log_event(event: Event, level: int = logging.ERROR, err: BaseException | None = None) -> None:
    """Log an event from where there is no reporter, with the traceback of `err`."""
    logging.getLogger(LOGGER).log(level, "%s", _Line(event), extra={"hubdata": event}, exc_info=err)


class _Line:
    """An event's line, made when somebody shows it."""

    def __init__(self, event: Event) -> None:
        self._event = event

    def __str__(self) -> str:
        return line(self._event)


def line(event: Event) -> str:
    """Return an event as `name key=value ...`; values with spaces, quotes or nothing in them are quoted."""
    return " ".join([event.name, *(f"{key}={_value(value)}" for key, value in event.fields.items())])


def _value(value: str | float) -> str:
    from hubdata.report.terminal import plain

    text = plain(str(value))
    if text and not any(c in ' "=' for c in text):
        return text
    return '"' + text.replace('"', '\\"') + '"'


class _Late(logging.Formatter):
    """The formatter that `make` makes when there is a line to be formatted: most runs log nothing."""

    def __init__(self, make: Callable[[], logging.Formatter]) -> None:
        super().__init__()
        self._make = cache(make)

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as the late formatter has it."""
        return self._make().format(record)


def log_to(
    stream: TextIO, verbosity: int, redact: "Redactor | None" = None, *, form: Form = Form.CONSOLE
) -> logging.Handler:
    """Send all logging of the process to `stream` from now on, in place of what an earlier call set up.

    Returns the handler. `verbosity` beyond the known ones counts as the nearest.
    """
    known = Verbosity(max(Verbosity.QUIET, min(Verbosity.LIBRARIES, verbosity)))
    own, others = _LEVELS[known]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_Late(partial(_formatter, form, known, redact)))
    handler.set_name(LOGGER)
    root = logging.getLogger()
    for earlier in [h for h in root.handlers if h.get_name() == LOGGER]:
        root.removeHandler(earlier)
    root.addHandler(handler)
    root.setLevel(others)
    logging.getLogger(LOGGER).setLevel(own)
    return handler


def _formatter(form: Form, verbosity: Verbosity, redact: "Redactor | None") -> logging.Formatter:
    from hubdata.report.redaction import redactor

    if form is Form.JSON:
        from hubdata.report.log_json import JsonFormatter

        return JsonFormatter(redact or redactor())
    from hubdata.report.log_line import OneLine

    shape = "%(asctime)s %(name)s: %(message)s" if verbosity is Verbosity.LIBRARIES else "%(asctime)s %(message)s"
    return OneLine(redact or redactor(), shape, "%H:%M:%S")
