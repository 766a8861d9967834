"""The command line: what a person or a script asks for, and what comes back. A file per command.

Importing this costs nothing: click is loaded when a command line has to be understood, a command's module when that
command is meant, and everything heavy below `hubdata.app` when it runs.
"""

import sys

from hubdata import __version__

__all__ = ["main"]


def main() -> None:
    """Run the command line and end the process with its exit code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        # Asked by health checks and scripts, again and again: answered in the time that Python itself takes.
        sys.stdout.write(f"hubdata {__version__}\n")
        return
    from hubdata.cli.root import root

    root(prog_name="hubdata")
