"""The command line: what a person or a script asks for, and what comes back. A file per command.

Importing this costs nothing: click is loaded when a command line has to be understood, a command's module when that
command is meant, and everything heavy below `hubdata.app` when it runs.
"""

import gc
import os
import sys
from contextlib import suppress

from hubdata import __version__

__all__ = ["main"]


def main() -> None:
    """Run the command line and end the process with its exit code."""
    _open_missing_streams()
    if sys.argv[1:] in (["--version"], ["-V"]):
        # Asked by health checks and scripts, again and again: answered in the time that Python itself takes.
        with suppress(OSError):  # nobody reads it, or it has no room: not worth a word
            sys.stdout.write(f"hubdata {__version__}\n")
        return
    # Start-up makes objects by the hundred thousand and no garbage: `started` lets the collector work again.
    gc.disable()
    # Otherwise pydantic reads the entry points of every installed package, for plugins that have no part in this.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    import signal

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # Until there is somebody to say what an interrupt means, it ends the process without a word or a traceback.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from hubdata.cli.errors import INTERRUPTED, TERMINATED, handle_signals
    from hubdata.cli.root import root

    handle_signals()
    try:
        root(prog_name="hubdata")
    except SystemExit as end:
        if end.code in (INTERRUPTED, TERMINATED):
            # Threads may be amid an upload or wait for a host: Python would wait for them, a person does not want to.
            os._exit(end.code)
        raise
    finally:
        gc.freeze()  # Python would look through all objects once more for cycles, and then let go of them all


def _open_missing_streams() -> None:
    """Give a process that was started without stdout or stderr (`>&-`) one that goes nowhere.

    Otherwise the first file to be opened would take its number, and be written to by whatever prints.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - open till the end
