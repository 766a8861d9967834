"""Names this process so that another one on the same machine can tell whether it still lives.

A lease whose holder was killed would else have to be waited for. Only where there can be no doubt is anybody taken for
dead: the same start of the same machine, the same process namespace, and no process of that number and start time.
"""

import os
from pathlib import Path

_PROC = Path("/proc")


def this_process() -> str:
    """Return the name of this process: boot, process namespace, number, start time. Empty where no system tells."""
    try:
        return f"{_here()}:{os.getpid()}:{_started(os.getpid())}"
    except OSError:
        return ""


def is_gone(process: str) -> bool:
    """Tell whether `process`, as named by `this_process`, is surely no more. False wherever that cannot be known."""
    try:
        here, number, started = process.rsplit(":", 2)
        if not here or here != _here():
            return False
        os.kill(int(number), 0)
        return _started(int(number)) != started
    except ProcessLookupError:
        return True
    except (OSError, ValueError, OverflowError):
        return False


def _here() -> str:
    """Return what all processes share that see each other: this start of the machine, and the namespace."""
    boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    namespace = os.readlink(_PROC / "self/ns/pid")  # noqa: PTH115 - no path: `pid:[4026531836]`
    return f"{boot}/{namespace.strip('pid:[]')}"


def _started(number: int) -> str:
    """Return when a process started, in ticks since boot (proc(5): field 22, the 20th after the name)."""
    state = (_PROC / str(number) / "stat").read_text(encoding="utf-8", errors="replace")
    return state.rpartition(")")[2].split()[19]
