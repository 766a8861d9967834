"""Whether this process is to end: asked before every write, and by whoever would wait.

The worker ends within seconds of being asked to, in good order: the call under way ends, nothing new is begun, leases
are given back. A process is to end or it is not, so this is one fact for all of its threads, as `process` keeps one
set of children.
"""

import threading
import time

from hubdata.errors import TargetError

_begun = threading.Event()
_SLOWLY_S = 0.5


def begin() -> None:
    """Let nothing new be begun from now on."""
    _begun.set()


def begun() -> bool:
    """Tell whether the process is to end."""
    return _begun.is_set()


def wait(seconds: float) -> None:
    """Return after `seconds`, or as soon as the process is to end; who then asks again and again is slowed down."""
    if _begun.is_set():
        time.sleep(min(seconds, _SLOWLY_S))
    else:
        _begun.wait(seconds)


def check(target: str) -> None:
    """Raise TargetError when the process is to end: then nothing more is begun at `target`."""
    if _begun.is_set():
        raise TargetError(
            f"target {target}: this process was told to end, so nothing more is begun",
            advice="nothing needs to be done: the next run goes on from there",
            retryable=True,
        )


def take_back() -> None:
    """Forget that the process was to end: for tests, which share one."""
    _begun.clear()
