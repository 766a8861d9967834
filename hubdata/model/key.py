"""Keys: the names of files at a target and in a source, and which names are safe to write."""

import re
from pathlib import PurePath

MANIFEST_SIGNATURE = "manifest.json.minisig"
SUMS = "SHA256SUMS"
SUMS_SIGNATURE = "SHA256SUMS.minisig"
PAGE = "index.html"
STATUS = "status.json"

RESERVED = ("manifest.json", MANIFEST_SIGNATURE, SUMS, SUMS_SIGNATURE, PAGE, STATUS)
"""Public names that hubdata writes itself."""

PRIVATE = ".hubdata/"
"""Everything below this prefix is hubdata's own and is never served."""

_MAX_BYTES = 1024  # S3's limit on a key, in UTF-8 bytes
_NO_SEGMENT = frozenset(("", ".", ".."))
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\\]")


def key_of(path: PurePath, root: PurePath | None = None) -> str:
    """Return the key of a file: its path below `root` with slashes, whatever the system; the path itself without one.

    Raises ValueError when it does not lie there.
    """
    return (path if root is None else path.relative_to(root)).as_posix()


def key_problem(key: str) -> str | None:
    """Return why `key` must not be written to a target, or None when it is safe.

    Safe on S3, as a path below a directory, and inside a URL: relative, no empty or dot segments,
    no control characters or backslashes, and none of hubdata's own names.
    """
    if not key:
        return "it is empty"
    try:
        encoded = key.encode()
    except UnicodeEncodeError:
        return "it is not UTF-8"
    if len(encoded) > _MAX_BYTES:
        return f"it has {len(encoded)} bytes, more than the {_MAX_BYTES} that S3 allows"
    if _UNSAFE.search(key):
        return "it holds a control character or a backslash"
    if not _NO_SEGMENT.isdisjoint(key.split("/")):
        return "it has an empty, `.` or `..` segment"
    if key in RESERVED or key.startswith(PRIVATE):
        return "hubdata writes that name itself"
    return None
