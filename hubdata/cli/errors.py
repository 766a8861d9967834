"""The last guard: whatever goes wrong ends in one line, a piece of advice, and an exit code from the contract.

A traceback is shown to whoever asks for it with `-v` and to nobody else, and never with a secret in it. A program that
asked for JSON gets a JSON object even then, and one that reads stderr as JSON lines a line.
"""

import io
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import NoReturn, TextIO

import click

from hubdata.errors import Exit, HubdataError

INTERRUPTED = 130
"""128 + SIGINT, as shells have it."""

TERMINATED = 143
"""128 + SIGTERM."""

_ENDING = (signal.SIGINT, signal.SIGTERM)


class Terminated(BaseException):
    """Somebody ended the process by SIGTERM. Like KeyboardInterrupt, no ordinary handler may swallow it."""


def handle_signals() -> None:
    """Have SIGINT and SIGTERM unwind this process, so that spool and terminal are tidied up; a second one ends it."""
    for each in _ENDING:
        if signal.getsignal(each) is not signal.SIG_IGN:  # a shell's background job, or nohup: so it was wanted
            signal.signal(each, _unwind)


def _unwind(number: int, _: object) -> NoReturn:
    for each in _ENDING:
        signal.signal(each, lambda *_: os._exit(128 + number))
    raise KeyboardInterrupt if number == signal.SIGINT else Terminated


def _done_with_signals() -> None:
    """Let a signal end the process at once and without a word: all is done and said, but for Python's own leave."""
    for each in _ENDING:
        if signal.getsignal(each) is _unwind:
            signal.signal(each, signal.SIG_DFL)


@dataclass(slots=True)
class Voice:
    """How this command line wants to be spoken to; `verbosity` is filled in while its flags are read.

    `json` is for stdout, `log_json` for stderr.
    """

    json: bool = False
    verbosity: int = 0
    log_json: bool = False


def guarded(call: Callable[[Voice], object], args: Sequence[str] | None = None) -> NoReturn:
    """Call `call` and exit the process with what it returned, or with the code of what went wrong."""
    for stream in (sys.stdout, sys.stderr):
        _print_anything_to(stream)
    given = sys.argv[1:] if args is None else args
    voice = Voice(json=_asks_for(given, "--format"), log_json=_asks_for_json_log(given))
    try:
        result = call(voice)
        code = int(result) if isinstance(result, int) else int(Exit.FINE)
    except (click.Abort, KeyboardInterrupt):
        code = _broken_off("interrupted", INTERRUPTED, voice)
    except Terminated:
        code = _broken_off("terminated", TERMINATED, voice)
    except Exception as err:  # noqa: BLE001 - the last guard: nothing leaves as a traceback
        code = int(_explained(err, voice))
    _done_with_signals()
    sys.exit(code)


def say(text: str) -> None:
    """Write a result to stdout. When its reader has gone (`| head`), be quiet: what the run did is done.

    Raises HubdataError when it cannot be written for another reason, such as a full disk.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as err:
        _send_nowhere(sys.stdout)
        if not isinstance(err, BrokenPipeError):
            raise HubdataError(
                f"the result could not be written to stdout: {err.strerror or err}",
                advice="what the run did is done and stays; send stdout to where there is room",
            ) from err


def _broken_off(how: str, code: int, voice: Voice) -> int:
    """Tell that the run did not get to its end, leave no child behind, and return `code`."""
    from hubdata.transfer.process import end_all

    end_all()
    what = "what is published stays, and the next run goes on from there"
    if voice.json:
        _answer(f"{how}: {what}", "run it again", code)
    if voice.log_json:
        _log_line("hubdata.ended", code, message=how, advice=what)
    else:
        _complain(f"hubdata: {how}; {what}")
    return code


def _explained(err: Exception, voice: Voice) -> Exit:
    """Tell a person (and a program that wants JSON) what happened; return the exit code."""
    if isinstance(err, click.ClickException):
        if voice.json:
            _answer(err.format_message(), "", Exit.CONFIG)
        if voice.log_json:
            _log_line("hubdata.error", Exit.CONFIG, message=err.format_message())
        else:
            err.show(file=sys.stderr)
        return Exit.CONFIG
    if isinstance(err, HubdataError):
        message, advice, code = str(err), err.advice, err.exit_code
    else:
        where = "".join(f", {note}" for note in getattr(err, "__notes__", ()))
        message = f"this is a bug in {_culprit(err)}: {type(err).__name__}: {err}{where}"
        advice, code = "run it again with -v for the traceback, and report both", Exit.BUG
    if voice.json:
        _answer(message, advice, code)
    trace = "".join(traceback.format_exception(err)).rstrip() if voice.verbosity > 0 else ""
    if voice.log_json:
        _log_line("hubdata.error", code, message=message, advice=advice, **({"traceback": trace} if trace else {}))
        return code
    _complain(_error_lines(message, advice))
    if trace:
        _complain(trace, escape=False)
    return code


def _culprit(err: Exception) -> str:
    """Return whose code raised it: hubdata's, or a package's that brings an adapter."""
    loaded = sys.modules.get("hubdata.extensions")
    package = loaded.at_fault(err) if loaded is not None else None
    return f"the plug-in {package}" if package else "hubdata"


def _log_line(event: str, code: int, **fields: str) -> None:
    """Write one line for a program to stderr."""
    from hubdata.report.log_json import json_line
    from hubdata.report.redaction import redactor

    _complain(json_line("error", event, {**fields, "exit_code": int(code)}, redactor()), escape=False)


def _error_lines(message: str, advice: str) -> str:
    first, *more = message.splitlines() or ["it failed without saying why"]
    lines = [f"hubdata: error: {first}", *(f"  {line}" for line in more)]
    if advice:
        lines.append(f"  advice: {advice}")
    return "\n".join(lines)


def _complain(text: str, *, escape: bool = True) -> None:
    """Write to stderr, without secrets; a stderr that is closed is no reason to fail again."""
    from hubdata.report.redaction import redact
    from hubdata.report.terminal import plain

    lines = redact(text).splitlines()
    try:
        sys.stderr.write("\n".join(map(plain, lines) if escape else lines) + "\n")
        sys.stderr.flush()
    except OSError:
        _send_nowhere(sys.stderr)


def _send_nowhere(stream: TextIO) -> None:
    """Give up on a stream: Python flushes it once more at its end, and would fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _answer(message: str, advice: str, code: int) -> None:
    from hubdata.report.json import error_json

    with suppress(HubdataError):  # the line on stderr tells the same
        say(error_json(message, advice, int(code)))


def _asks_for(args: Sequence[str], flag: str) -> bool:
    """Tell whether `args` want JSON of what `flag` is about, even where they cannot be understood otherwise."""
    return f"{flag}=json" in args or (flag, "json") in pairwise(args)


def _asks_for_json_log(args: Sequence[str]) -> bool:
    if any(word.partition("=")[0] == "--log-format" for word in args):
        return _asks_for(args, "--log-format")
    return os.environ.get("HUBDATA_LOG_FORMAT") == "json"


def _print_anything_to(stream: TextIO) -> None:
    """Escape what the locale cannot print; a C locale must not turn a report into an error."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
