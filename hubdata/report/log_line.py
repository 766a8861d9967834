"""Each record of the log on a line of its own, for people. Imported when there is one."""

import logging
import time

from hubdata.report.redaction import RedactingFormatter
from hubdata.report.terminal import plain


class OneLine(RedactingFormatter):
    """Keeps a message on its line, so that no message can pass for another; a traceback follows as it is."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        """Return when it happened, in UTC."""
        return time.strftime(datefmt or "%H:%M:%S", time.gmtime(record.created))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """Return the line before any traceback. Secrets go first: an escaped line break would hide their shape."""
        record.message = plain(self.redact(record.message))
        return super().formatMessage(record)
