"""Log lines for a program: one object a line, typed fields, and no secret however it is wrapped up."""

import io
import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubdata.errors import Exit
from hubdata.model.event import Event
from hubdata.model.finding import Finding, Severity
from hubdata.model.plan import Action, Change, Plan, Reason
from hubdata.model.run import JobResult, Outcome, RunResult, TargetResult
from hubdata.report.log import Form, LogReporter, Verbosity, log_event, log_to
from hubdata.report.log_json import MAX_CHARS, json_line
from hubdata.report.redaction import Redactor
from hubdata.report.tagging import MOST_FILES, Tagged, decided

SENTINEL = "s3ntinel-Zx97Q"


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    """Give what is logged at -vv, as JSON; logging is given back as it was."""
    root, own = logging.getLogger(), logging.getLogger("hubdata")
    before = (root.handlers[:], root.level, own.level)
    stream = io.StringIO()
    log_to(stream, Verbosity.LIBRARIES, Redactor({"A_TOKEN": SENTINEL}), form=Form.JSON)
    yield stream
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    own.setLevel(before[2])


def lines(stream: io.StringIO) -> list[Any]:
    """Return every line, each an object."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_keeps_its_name_and_the_types_of_its_fields(said: io.StringIO) -> None:
    """Time to the millisecond, level, event; a field that is called as one of these does not take its place."""
    LogReporter().emit(Event("plan.made", {"job": "a", "puts": 3, "elapsed_s": 0.25, "event": "mine", "key": "é\n"}))
    LogReporter().emit(Event("lease.waiting"))
    made, waiting = lines(said)
    assert made.pop("ts").endswith("Z")
    assert made == {
        "level": "info",
        "event": "plan.made",
        "job": "a",
        "puts": 3,
        "elapsed_s": 0.25,
        "_event": "mine",
        "key": "é\n",
    }
    assert waiting["level"] == "warning"
    assert said.getvalue().isascii()


def test_what_libraries_say_and_tracebacks_are_lines_too(said: io.StringIO) -> None:
    """The event `log`, with the logger's name; a traceback is a field, freed of secrets as everything is."""
    logging.getLogger("urllib3").debug("GET /x?X-Amz-Signature=%s HTTP/1.1", "1f" * 32)
    try:
        raise ValueError(f"it is\n{SENTINEL}")  # noqa: TRY301
    except ValueError as err:
        log_event(Event("run.bug", {"job": "a"}), err=err)
    library, bug = lines(said)
    assert (library["event"], library["logger"]) == ("log", "urllib3")
    assert "1f1f" not in library["message"]
    assert (bug["event"], bug["level"]) == ("run.bug", "error")
    assert bug["traceback"].startswith("Traceback")
    assert SENTINEL not in said.getvalue()


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=40) | st.integers() | st.floats(allow_nan=False)))
def test_any_fields_make_one_line_of_json(fields: dict[str, Any]) -> None:
    """Whatever upstream puts into them, quotes, line breaks and lone surrogates among it."""
    line = json_line("info", "x.y", fields, Redactor())
    assert len(line.splitlines()) == 1
    assert json.loads(line)["event"] == "x.y"


@pytest.mark.parametrize(
    "secret", ['with"quote-and-more', "back\\slash-secret", "new\nline-secret-long", "ünïcödé-secret"]
)
def test_a_secret_that_json_would_escape_is_hidden(secret: str) -> None:
    """It is looked for before there is an escape in it."""
    redact = Redactor()
    redact.add(secret)
    line = json_line("info", "x.y", {"error": f"before {secret} after"}, redact)
    assert json.loads(line)["error"] == "before *** after"


def test_a_line_is_bounded() -> None:
    """A megabyte of error page is cut off."""
    assert len(json_line("info", "x.y", {"error": "x" * 1_000_000}, Redactor())) < MAX_CHARS + 200


class Heard:
    """A reporter that keeps what it hears."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def emit(self, event: Event) -> None:
        """Keep `event`."""
        self.events.append(event)


def test_every_event_says_which_run_it_is_of_from_any_thread() -> None:
    """The tag is the reporter's: two runs at once in one pool of threads are told apart, and a job's own name stays."""
    heard = Heard()
    runs = [Tagged(heard, f"run-{n}", (f"job-{n}",)) for n in range(2)]
    threads = [threading.Thread(target=run.emit, args=(Event("put.done"),)) for run in runs * 20]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tags = [(event.fields["run_id"], event.fields["job"]) for event in heard.events]
    assert sorted(set(tags)) == [("run-0", "job-0"), ("run-1", "job-1")]
    Tagged(heard, "r", ("b", "a")).emit(Event("x.y", {"job": "mine"}))
    Tagged(heard, "r", ("b", "a")).emit(Event("x.y"))
    assert [event.fields["job"] for event in heard.events[-2:]] == ["mine", "a,b"]


def test_every_decision_of_a_run_is_an_event() -> None:
    """Files refused, one each up to a hundred; plans held and left; how each job ended; how the run did."""
    bad = tuple(Finding(f"f{n:03}", 3, "r", Severity.ERROR, "m", "") for n in range(MOST_FILES + 5))
    change = Change(Action.PUT, "b", Reason.NEW, 1, "00", None)
    held = TargetResult("t", Plan("a", "t"), held=Plan("a", "t", (change,)), waiting=Plan("a", "t", (change, change)))
    job = JobResult("a", Outcome.REFUSED, {}, (*bad, bad[0]), (held,), exit_code=Exit.REFUSED)
    told = list(decided(RunResult("r", (job,), 1.5)))
    names = [event.name for event in told]
    assert names.count("file.refused") == MOST_FILES + 1
    assert told[0].fields == {"job": "a", "key": "f000", "rule": "r", "line": 3, "error": "m"}
    assert told[MOST_FILES].fields == {"job": "a", "more": 5}
    assert names[MOST_FILES + 1 :] == ["plan.held", "plan.left", "job.decided", "run.ended"]
    assert told[-1].fields == {"exit_code": 3, "elapsed_s": 1.5}
