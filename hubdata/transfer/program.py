"""Start a program that the operator named, within bounds, and tell in words how it ended.

No shell reads its arguments. Its environment is its own: a few harmless variables and what the caller adds, so none of
hubdata's credentials. It has a deadline; of its output the end is kept, because there a program says why it gave up;
and what it leaves running in its process group is ended with it.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from hubdata.transfer import process
from hubdata.transfer.process import Ending

_OUTPUT_KEPT = 4096  # bytes of each stream, the last ones
_HARMLESS = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")


class Fault(StrEnum):
    """In what way a program was not content."""

    NOT_STARTED = "not started"
    TIMED_OUT = "timed out"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended. `why` completes a sentence that begins with its name; empty where there is no `fault`."""

    elapsed_s: float
    output: str = ""
    fault: Fault | None = None
    why: str = ""


def harmless(environment: Mapping[str, str], named: Iterable[str] = ()) -> dict[str, str]:
    """Return what of `environment` any program may see, and the variables `named` besides."""
    return {name: environment[name] for name in (*_HARMLESS, *named) if name in environment}


def start(
    argv: Sequence[str], *, env: Mapping[str, str], timeout: timedelta, cwd: Path | None = None, stdin: bytes = b""
) -> Ended:
    """Return how `argv` ended; `env` is its whole environment. Raises nothing for what a program can do wrong."""
    out = bytearray()

    def keep_the_end(piece: bytes) -> None:
        out.extend(piece)
        del out[:-_OUTPUT_KEPT]

    began = time.monotonic()
    fault, why, said = None, "", ""
    try:
        ended = process.run(argv, env=env, timeout=timeout, cwd=cwd, stdin=stdin, consume=keep_the_end)
    except OSError as err:  # not a program after all: a script without its first line, a directory
        fault, why = Fault.NOT_STARTED, f"could not be started: {err.strerror or err}"
    else:
        said = "" if ended.ending is Ending.MISSING else ended.stderr
        fault, why = _fault(ended, timeout)
    output = "\n".join(filter(None, (out.decode("utf-8", "replace").strip("\n"), said.strip("\n"))))
    return Ended(round(time.monotonic() - began, 3), output, fault, why)


def _fault(ended: process.Result, timeout: timedelta) -> tuple[Fault | None, str]:
    if ended.ok:
        return None, ""
    if ended.ending is Ending.MISSING:
        return Fault.NOT_STARTED, f"could not be started: {ended.stderr}"
    if ended.ending is Ending.TIMED_OUT:
        limit = f"{timeout.total_seconds():g} s"
        return Fault.TIMED_OUT, f"had not ended after {limit}, so it was ended, with all that it had started"
    if ended.code < 0:
        return Fault.FAILED, f"was ended by signal {-ended.code}"
    return Fault.FAILED, f"ended with exit code {ended.code}"
