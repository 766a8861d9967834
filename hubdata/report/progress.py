"""A progress bar on stderr for a person at a terminal; it comes late and leaves nothing behind.

A run that ends within half a second, the usual one that finds nothing to do, never shows a bar and never pays for
rich. The pipeline knows nothing of this: the bar is made of the same events that the log prints.
"""

import threading
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from hubdata.model.event import Event
from hubdata.report.redaction import redact
from hubdata.report.terminal import colors_are_wanted, plain

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

PATIENCE_S = 0.5
"""How long a run may last before it owes anybody a sign of life."""

_MAX_WORD = 40


class ProgressReporter:
    """A reporter that shows how far a run is. Use it as a context manager: leaving it clears the bar."""

    def __init__(
        self, stream: TextIO, *, color: bool = True, patience_s: float = PATIENCE_S, begins: str = "reading sources"
    ) -> None:
        self._stream = stream
        self._color = color and colors_are_wanted()
        self._lock = threading.Lock()
        self._status = begins
        self._done = 0
        self._total = 0
        self._over = False
        self._bar: tuple[Progress, TaskID] | None = None
        self._timer = threading.Timer(patience_s, self._appear)
        self._timer.daemon = True

    def __enter__(self) -> "ProgressReporter":
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            self._over = True
            bar, self._bar = self._bar, None
        if bar is not None:
            bar[0].stop()

    def emit(self, event: Event) -> None:
        """Count uploads, and tell what is going on."""
        with self._lock:
            puts = event.fields.get("puts", 0)
            if event.name == "plan.made" and isinstance(puts, int):
                self._total += puts
            elif event.name in ("put.done", "put.failed"):
                self._done += 1
            self._status = _status(event)
            self._show()

    def _appear(self) -> None:
        # Late on purpose: 40 ms that most runs do not spend.
        from rich import progress as rich
        from rich.console import Console

        progress = rich.Progress(
            rich.SpinnerColumn("line"),
            rich.TextColumn("{task.description}", markup=False),
            rich.BarColumn(bar_width=20),
            rich.MofNCompleteColumn(),
            rich.TimeElapsedColumn(),
            console=Console(file=self._stream, no_color=not self._color, highlight=False),
            transient=True,
            refresh_per_second=8,
        )
        with self._lock:
            if self._over:
                return
            self._bar = progress, progress.add_task(self._status, total=None)
            self._show()
            progress.start()

    def _show(self) -> None:
        if self._bar is None:
            return
        progress, task = self._bar
        progress.update(task, description=self._status, completed=self._done, total=self._total or None)


def _status(event: Event) -> str:
    if event.name == "cdn.waiting":
        percent, elapsed = event.fields.get("percent"), event.fields.get("elapsed_s", 0)
        done = "" if percent is None else f"{percent} % done, "
        return f"waiting for the CDN: {done}{float(elapsed):.0f} s"
    if event.name == "copy.waiting":
        what = plain(redact(str(event.fields.get("for", ""))))[: 2 * _MAX_WORD]
        return f"waiting for what readers get over {event.fields.get('family', '')}: {what}"
    told = (event.fields.get(name) for name in ("holder", "key", "job", "target"))
    subject = str(next(filter(None, told), ""))
    subject = plain(redact(subject))
    if len(subject) > _MAX_WORD:
        subject = "..." + subject[-_MAX_WORD:]
    return f"{event.name.replace('.', ' ')} {subject}".rstrip()
