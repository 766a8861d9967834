r"""Tell a path of Windows where it cannot be one: in settings that are read by a machine whose paths have slashes.

`C:\hub\data` is a good name for a file here, so a run would make a directory of that name beside the settings, and
publish into it. Whoever writes settings on one machine for another is told instead.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import PureWindowsPath
from typing import Any

from hubdata.config.document import ESCAPES, leaves
from hubdata.config.toml_lines import Place
from hubdata.plugins import Fault

_PATHS = frozenset({"jobs", "spool", "path", "key_file", "textfile", "config_file", "items_file"})
_TABLE = "checkouts"
_ADVICE = "write it with slashes, as this machine has it (under WSL: /mnt/c/...), or relative: data/lists"


def windows_path_faults(data: Mapping[str, Any], *, windows: bool = os.name == "nt") -> Iterator[Fault]:
    """Return a fault for each path in the values of a file that is one of Windows and of no other system."""
    for place, value in () if windows else leaves(data):
        if not isinstance(value, str) or not _is_path(place):
            continue
        if not value.isprintable():  # `data\new` in double quotes has a line break in it
            yield Fault(place, f"there is a control character in this path: {value[:200]!r}", ESCAPES)
        elif is_windows_path(value):
            yield Fault(
                place, f"this is a path of Windows, and this machine's paths have slashes: {value[:200]}", _ADVICE
            )


def is_windows_path(text: str) -> bool:
    r"""Tell whether `text` names a drive (`C:\`), a share (`\\host\share`), or has a backslash between two names."""
    path = PureWindowsPath(text)
    if path.is_absolute():
        return "\\" in text or len(path.drive) == 2  # `C:/data` as well, but not //host/share
    return "\\" in text and len(path.parts) > 1


def _is_path(place: Place) -> bool:
    return place[-1] in _PATHS or place[0] == _TABLE
