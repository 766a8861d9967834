"""What stderr says of a run while it goes on."""

import io
import logging
import re
from collections.abc import Iterator

import pytest

from hubdata.model.event import Event
from hubdata.report.log import LogReporter, Verbosity, line, log_to
from hubdata.report.redaction import Redactor

SENTINEL = "s3ntinel-Zx97Q"


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """Give logging back as it was."""
    root, own = logging.getLogger(), logging.getLogger("hubdata")
    before = (root.handlers[:], root.level, own.level)
    yield
    root.handlers[:], root.level, own.level = before
    root.setLevel(before[1])
    own.setLevel(before[2])


def _said(verbosity: int) -> io.StringIO:
    stream = io.StringIO()
    log_to(stream, verbosity, Redactor({"A_TOKEN": SENTINEL}))
    return stream


def test_an_event_is_a_line_with_time_name_and_fields() -> None:
    """At `-v` a person reads when what happened, field by field."""
    stream = _said(Verbosity.EVENTS)
    LogReporter().emit(Event("plan.made", {"job": "allowlists", "puts": 3}))
    assert re.fullmatch(r"\d\d:\d\d:\d\d plan\.made job=allowlists puts=3\n", stream.getvalue())


@pytest.mark.parametrize(
    ("value", "shown"),
    [("plain", "plain"), ("two words", '"two words"'), ("", '""'), ('a"b', '"a\\"b"'), ("a\nb", "a\\nb"), (7, "7")],
)
def test_values_cannot_be_mistaken_for_fields(value: str | int, shown: str) -> None:
    """Spaces and quotes are quoted, line breaks escaped: one event stays one line with the fields it has."""
    assert line(Event("x.y", {"k": value})) == f"x.y k={shown}"


def test_quiet_is_the_default() -> None:
    """Without `-v` an event says nothing; a warning of hubdata's own is heard, one of a library is not."""
    stream = _said(Verbosity.NORMAL)
    LogReporter().emit(Event("plan.made"))
    logging.getLogger("urllib3").warning("pool full")
    logging.getLogger("hubdata.sources").warning("clock is off")
    assert stream.getvalue().endswith("clock is off\n")
    assert stream.getvalue().count("\n") == 1


def test_very_verbose_brings_library_debug_without_secrets() -> None:
    """At `-vv` botocore's and urllib3's DEBUG lines are shown; headers, signatures and values in them are masked."""
    stream = _said(Verbosity.LIBRARIES)
    logging.getLogger("botocore.auth").debug("Signature:\n%s", "0a" * 32)
    logging.getLogger("botocore.endpoint").debug(
        "Making request with %s", {"headers": {"Authorization": f"AWS4-HMAC-SHA256 Credential=A, Signature={SENTINEL}"}}
    )
    logging.getLogger("urllib3.connectionpool").debug("GET /x?X-Amz-Signature=%s HTTP/1.1", "1f" * 32)
    try:
        raise ValueError(SENTINEL)  # noqa: TRY301
    except ValueError:
        logging.getLogger("urllib3").debug("failed", exc_info=True)
    said = stream.getvalue()
    for name in ("botocore.auth", "botocore.endpoint", "urllib3.connectionpool", "Traceback"):
        assert name in said
    for secret in (SENTINEL, "0a0a", "1f1f"):
        assert secret not in said


def test_a_message_cannot_pass_for_two() -> None:
    """A line break in a library's message is escaped, so that no log line can be forged."""
    stream = _said(Verbosity.EVENTS)
    logging.getLogger("urllib3").warning("retry\n12:00:00 plan.applied job=fake")
    assert stream.getvalue().count("\n") == 1


def test_setting_up_twice_does_not_say_everything_twice() -> None:
    """The last stream wins: a worker that reconfigures, or two tests in one process, log once."""
    first = _said(Verbosity.EVENTS)
    second = _said(9)
    LogReporter().emit(Event("run.done"))
    assert first.getvalue() == ""
    assert second.getvalue().count("run.done") == 1
