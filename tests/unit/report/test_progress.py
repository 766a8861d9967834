"""The bar on a terminal: late, truthful and gone afterwards."""

import io
import re
import threading
import time
from collections.abc import Callable

import pytest

from hubdata.model.event import Event
from hubdata.report.progress import ProgressReporter


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Claim to be one."""
        return True


def _until(condition: Callable[[], bool]) -> None:
    """Wait for `condition`, at most a minute."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)


def test_a_short_run_shows_nothing() -> None:
    """A run that is over before the bar's patience writes not one byte and leaves no timer behind."""
    stream = Terminal()
    before = threading.active_count()
    with ProgressReporter(stream, patience_s=60) as reporter:
        reporter.emit(Event("plan.made", {"job": "a", "puts": 3}))
    assert stream.getvalue() == ""
    _until(lambda: threading.active_count() <= before)


def test_a_long_run_counts_uploads() -> None:
    """The bar shows uploads done of uploads planned, over all plans, and the key at hand."""
    stream = Terminal()
    with ProgressReporter(stream, patience_s=0.01) as reporter:
        reporter.emit(Event("plan.made", {"job": "a", "puts": 3}))
        reporter.emit(Event("plan.made", {"job": "b", "puts": 2}))
        reporter.emit(Event("put.done", {"key": "lists/one.txt", "bytes": 5}))
        reporter.emit(Event("put.failed", {"key": "lists/\x1b[2Jtwo.txt"}))
        _until(lambda: bool(re.search(r"2/\s*5", stream.getvalue())))
    assert "two.txt" in stream.getvalue()
    assert "\x1b[2J" not in stream.getvalue()


def test_the_bar_says_for_which_readers_a_run_waits() -> None:
    """Whoever sits before it knows whether it is IPv6 that lags."""
    stream = Terminal()
    with ProgressReporter(stream, patience_s=0.01) as reporter:
        reporter.emit(Event("copy.waiting", {"family": "ipv6", "for": "manifest.json: generation 2"}))
        _until(lambda: "over ipv6" in stream.getvalue())
    assert "waiting for what readers get over" in stream.getvalue()


def test_events_may_come_from_many_threads() -> None:
    """Nothing is lost and nothing raises when uploads report at once."""
    stream = Terminal()
    with ProgressReporter(stream, patience_s=0.01) as reporter:
        reporter.emit(Event("plan.made", {"puts": 200}))

        def upload() -> None:
            for _ in range(25):
                reporter.emit(Event("put.done", {"key": "k"}))

        threads = [threading.Thread(target=upload) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        _until(lambda: "200/200" in stream.getvalue())


def test_the_bar_stops_when_the_run_fails() -> None:
    """Leaving by an error clears the bar and shows the cursor again."""
    stream = Terminal()

    def run() -> None:
        with ProgressReporter(stream, patience_s=0.01) as reporter:
            reporter.emit(Event("plan.made", {"puts": 1}))
            _until(lambda: "\x1b[?25l" in stream.getvalue())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run()
    assert stream.getvalue().rfind("\x1b[?25h") > stream.getvalue().rfind("\x1b[?25l")
