"""What a source says of entries that are no plain, safely named files: they are findings, the rest goes on.

A link could point out of the tree, a submodule is another repository, and an unsafe name could leave a directory or
overwrite a file of hubdata's own. Refusing just these keeps one odd entry from stopping every list.
"""

from hubdata.model.finding import Finding, Severity
from hubdata.model.key import key_problem


def unsafe_name(raw: str) -> Finding | None:
    """Return why the path `raw` (undecodable bytes as surrogates) cannot be a key, or None when it can."""
    problem = key_problem(raw)
    if problem is None:
        return None
    return _finding(raw, "source.unsafe-name", f"this name cannot be published: {problem}", "rename the file upstream")


def link(raw: str) -> Finding:
    """Return the finding for a symbolic link at `raw`."""
    return _finding(
        raw, "source.link", "this is a symbolic link, expected a file", "replace it by the file it points to"
    )


def submodule(raw: str) -> Finding:
    """Return the finding for another repository at `raw`."""
    return _finding(
        raw,
        "source.submodule",
        "this is a submodule, which is not fetched",
        "give the other repository a job of its own, or commit its files here",
    )


def special_file(raw: str) -> Finding:
    """Return the finding for a device, socket, pipe or other oddity at `raw`."""
    return _finding(raw, "source.special-file", "this is neither a file nor a directory", "remove it upstream")


def printable(raw: str) -> str:
    """Return `raw` fit for a report: what is not printable text becomes an escape such as `\\xff`."""
    shown = []
    for char in raw:
        code = ord(char)
        if 0xDC80 <= code <= 0xDCFF:
            shown.append(f"\\x{code - 0xDC00:02x}")
        else:
            shown.append(char if char.isprintable() else char.encode("unicode_escape").decode())
    return "".join(shown)


def _finding(raw: str, rule: str, message: str, advice: str) -> Finding:
    return Finding(printable(raw), None, rule, Severity.ERROR, message, advice)
