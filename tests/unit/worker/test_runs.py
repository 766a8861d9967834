"""A run that goes wrong says so and ends nothing else; one that is told of says what a person needs."""

import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from queue import SimpleQueue

import pytest

from hubdata.app import Choices, Known
from hubdata.clock import SystemClock
from hubdata.config.settings import Settings
from hubdata.errors import Exit, HubdataError, TargetError
from hubdata.model.event import Event
from hubdata.model.run import RunResult
from hubdata.ports import Reporter
from hubdata.transfer import ending
from hubdata.worker.runs import Ended, Runs
from hubdata.worker.schedule import Cause
from hubdata.worker.telling import json_line, text_line

SETTINGS = Settings(jobs=Path("jobs"), spool=Path("spool"), targets={}, cdns={})


class Deaf:
    """A reporter that takes no note."""

    def emit(self, event: Event) -> None:
        """Do nothing."""


@pytest.fixture(autouse=True)
def not_ending() -> Iterator[None]:
    """Leave the process as it was: not about to end."""
    yield
    ending.take_back()


def ended_with(error: Exception) -> Ended:
    """Return how a run ended that raised `error`."""
    mailbox: SimpleQueue[Ended] = SimpleQueue()

    def sync(choices: Choices, reporter: Reporter, known: Known) -> RunResult:
        assert choices.jobs == ("daily",)
        raise error

    runs = Runs(Choices(), SystemClock(), Deaf(), mailbox.put, sync)
    runs.begin("daily", Cause.SCHEDULE, Known(SETTINGS, ()))
    ended = mailbox.get(timeout=60)
    assert runs.wait(timedelta(seconds=60))
    return ended


def test_an_error_of_our_own_is_the_runs_alone() -> None:
    """It has its exit code and its words, on a line and in an object, and the worker goes on."""
    ended = ended_with(TargetError("target aws: it\nis gone", advice="bring it back"))
    assert (ended.exit_code, ended.outcome) == (Exit.TARGET, "failed")
    assert text_line(ended).count("\n") == 1
    told = json.loads(json_line(ended))
    assert (told["job"], told["cause"], told["exit_code"]) == ("daily", "schedule", 6)
    assert told["error"]["advice"] == "bring it back"


def test_a_bug_ends_a_run_and_is_logged_whole(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody foresaw it, so the traceback is kept for whoever mends it; its run says that it is one."""
    with caplog.at_level(logging.ERROR):
        ended = ended_with(RuntimeError("nobody thought of this"))
    assert ended.exit_code is Exit.BUG
    assert "this is a bug" in ended.error
    assert caplog.records[0].exc_info is not None


def test_no_run_begins_once_the_process_is_to_end() -> None:
    """Not even one that was waiting for room; and whoever would write is stopped, whoever would sleep is not."""
    ending.begin()
    assert "ending" in ended_with(AssertionError("it was run all the same")).error
    with pytest.raises(HubdataError, match="told to end"):
        ending.check("aws")
    before = SystemClock().monotonic()
    SystemClock().sleep(timedelta(seconds=60))
    assert SystemClock().monotonic() - before < 30
