"""Judge files beside a run, as one of its helpers: lines of files in, lines of verdicts out (`dividing.py`).

It reads and digests a file itself, and names its verdict by what it has read: whether that is what the run has read,
the run sees by the name. What cannot be read, or told in a few words, is left to the run.
"""

import fcntl
import os
import signal
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from hubdata.errors import HubdataError
from hubdata.model.job import FileRule
from hubdata.planning.claims import Claim
from hubdata.plugins import KINDS, Seam, load, parse_options
from hubdata.ports import Kind
from hubdata.running.dividing import file_in, posts_in, verdict_line
from hubdata.running.proving import judge
from hubdata.running.verdict_memory import NOWHERE, VerdictMemory
from hubdata.transfer.code_digest import own_code

_SELDOM = {"mmdb", "opaque", "json"}
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)


def main(life: int) -> None:
    """Judge what stdin tells of, until it ends, or the run does, which has the other end of the pipe `life`."""
    _end_with(life)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")  # should memory run out, this goes, and not the run
    serve(sys.stdin.buffer, sys.stdout.fileno())


def serve(asked: BinaryIO, told: int) -> None:
    """Tell verdicts on all files that are `asked` for, each as soon as there is one."""
    for word in KINDS:
        if word not in _SELDOM:
            load(Seam.KIND, word)
    posts = posts_in(asked.readline())
    kinds = [_kind(post.rule) for post in posts]
    code = own_code()  # after all that judges was loaded: so it is the code that judges
    if code is None:
        return
    memory = VerdictMemory(NOWHERE, code)
    keeping = [memory.remembering(kind, post.rule) for post, kind in zip(posts, kinds, strict=True)]
    for line in asked:
        number, file = file_in(line)
        post = posts[number]
        with suppress(HubdataError):
            judge(Claim(post.rule, file), keeping[number], post.job, _NO_TIME)
        lines = (verdict_line(name, text) for name, text in memory.taken().items())
        os.write(told, b"".join(lines) or b"\n")  # a line in any case: so it is told of more files


def _kind(rule: FileRule) -> Kind:
    kind: Kind = load(Seam.KIND, rule.kind)(parse_options(Seam.KIND, rule.kind, rule.options))
    return kind


def _end_with(life: int) -> None:
    """Have the kernel end this process when the other end of the pipe is closed, whatever is under way here.

    Where the kernel can, by a signal that ends a process also while it is stopped, or has that of pipes blocked.
    """
    for each in (signal.SIGINT, signal.SIGIO):
        signal.signal(each, signal.SIG_DFL)
    fcntl.fcntl(life, fcntl.F_SETOWN, os.getpid())
    if hasattr(fcntl, "F_SETSIG"):
        with suppress(OSError):
            fcntl.fcntl(life, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(life, fcntl.F_SETFL, os.O_RDONLY | os.O_NONBLOCK | os.O_ASYNC)
    try:
        os.read(life, 1)
    except BlockingIOError:
        return
    os._exit(0)  # it was closed before
