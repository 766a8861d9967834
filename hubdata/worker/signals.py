"""Turn signals into messages for the worker's one loop, so that nothing happens amid something else.

SIGTERM and SIGINT end the worker, and a second one at once; SIGHUP has it read its files again; SIGUSR1 runs every job
now. Handlers are set for each of them because the first process of a container has no others: what it does not handle,
the kernel never delivers to it.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from types import FrameType
from typing import Any

from hubdata.transfer.process import end_all

ENDING = (signal.SIGTERM, signal.SIGINT)
OTHERS = (signal.SIGHUP, signal.SIGUSR1)


@contextmanager
def caught(mailbox: "SimpleQueue[Any]") -> Iterator[None]:
    """Have every signal put into `mailbox` (its `put` may be called from a handler), as `signal.Signals`."""
    told = False

    def heard(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the system's signature
        nonlocal told
        if number in ENDING:
            if told:
                end_all()
                os._exit(128 + number)
            told = True
        mailbox.put(signal.Signals(number))

    before = {number: signal.getsignal(number) for number in (*ENDING, *OTHERS)}
    for number, handler in before.items():
        # An ending that a shell's background job or nohup has ignored was not wanted; SIGHUP means something else here.
        if handler is not signal.SIG_IGN or number in OTHERS:
            signal.signal(number, heard)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
