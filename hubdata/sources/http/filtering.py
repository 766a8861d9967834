"""Put an answer through a jq filter, in a process of its own: bounded in time, memory and output, whatever it does.

The library cannot be interrupted, and a filter may loop, recurse or grow without end. So it runs in a child that can
be killed, without environment (`$ENV` shows nothing) or shell. jq itself is an extra: without filters nobody needs it.
"""

import re
import sys
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

from hubdata.errors import ConfigError, SourceError
from hubdata.sources.http.jq_child import FAILED, NULL
from hubdata.transfer import process
from hubdata.transfer.entries import printable
from hubdata.transfer.process import Ending

_MAX_SAID = 300
_CHILD = Path(__file__).with_name("jq_child.py")
_NOISE = re.compile(r"jq: (?:error: )?|\d+ compile errors?")


def jq_place() -> str:
    """Return the directory that the jq library is imported from. Raises ConfigError when it is not installed."""
    found = find_spec("jq")
    if found is None or found.origin is None:
        raise ConfigError(
            "items with a `jq` filter need a library that is not installed", advice="pip install 'hubdata[jq]'"
        )
    return str(Path(found.origin).parent)


def filtered(body: bytes, program: str, *, place: str, timeout: timedelta, max_bytes: int) -> bytes:
    """Return the results of jq's `program` over the JSON in `body`, a line each; strings bare, as `jq -r` has them.

    `place` is what `jq_place` gave. Raises SourceError when the filter fails, finds nothing, or exceeds a bound.
    """
    ended = process.run(
        [sys.executable, "-I", str(_CHILD), place, program],
        env={},
        timeout=timeout,
        stdin=body,
        max_stdout=max_bytes,
    )
    shown = f"the filter {shortened(program)}"
    if ended.ending is Ending.TIMED_OUT:
        raise SourceError(
            f"{shown} had not ended after {timeout.total_seconds():g} s",
            advice="see whether it loops; if it is only slow, raise `jq_timeout_s`",
        )
    if ended.ending is Ending.OVERFLOWED:
        raise SourceError(
            f"{shown} gives more than {max_bytes:,} bytes", advice="see whether it loops; if not, raise `max_bytes`"
        )
    if ended.ok:
        if not ended.stdout.strip():
            raise SourceError(f"{shown} finds nothing in the answer", advice=_SHAPE)
        return ended.stdout
    if ended.code == NULL:
        raise SourceError(f"{shown} gives null: a name that it asks for is not in the answer", advice=_SHAPE)
    if ended.code == FAILED:
        raise SourceError(f"{shown}: jq says: {_said(ended.stderr)}", advice=_SHAPE)
    raise SourceError(
        f"{shown} ended with {ended.code}: {_said(ended.stderr)}",
        advice="it may have used too much memory; try it with jq on the command line",
    )


_SHAPE = "the last good version stays. See whether the upstream has changed its shape; then mend the filter"


def _said(stderr: str) -> str:
    return shortened(_NOISE.sub("", stderr))


def shortened(text: str) -> str:
    """Return text of others in one printable line of bounded length."""
    line = printable(" ".join(text.split()))
    return line if len(line) <= _MAX_SAID else f"{line[:_MAX_SAID]}..."
