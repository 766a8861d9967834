"""Kills its own process at the N-th call that changes a file system, just before the call or just after it.

Every state that a crash can leave a directory in lies between two such calls: making a file or a directory, writing,
syncing, renaming, removing. `lay(3, "after")` lets three of them happen and nothing more. Calls are counted where they
name a place relative to an open directory, as the directory target does, or sync.
"""

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

_CALLS = ("open", "mkdir", "rename", "unlink", "rmdir", "fsync")


def lay(number: int, side: str) -> None:
    """Have this process killed at the call of that number (from 1)."""
    state = {"calls": 0}
    lock = threading.Lock()

    def wrapped(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **named: Any) -> Any:
            if not _changes(name, args, named):
                return call(*args, **named)
            with lock:  # one at a time: else another thread's call would fall between
                state["calls"] += 1
                here = state["calls"] == number
                if here and side == "before":
                    os.kill(os.getpid(), signal.SIGKILL)
                try:
                    return call(*args, **named)
                finally:
                    if here:
                        os.kill(os.getpid(), signal.SIGKILL)

        return counted

    for name in _CALLS:
        setattr(os, name, wrapped(name, getattr(os, name)))


def _changes(name: str, args: tuple[Any, ...], named: dict[str, Any]) -> bool:
    if name == "open":
        return "dir_fd" in named and bool(args[1] & os.O_CREAT)
    return name == "fsync" or named.get("dir_fd") is not None or named.get("src_dir_fd") is not None
