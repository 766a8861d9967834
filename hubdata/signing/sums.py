"""`SHA256SUMS`: a manifest's digests as `sha256sum -c` takes them, so that a mirror needs nothing but coreutils.

One line a file, sorted by key. Names with a backslash or a line's end are escaped as coreutils does, which marks the
line with a backslash in front. A file called `-` is written `./-`, for `-` alone means the standard input.
"""

from collections.abc import Mapping

_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r"}


def sums(digests: Mapping[str, str]) -> bytes:
    """Return the file for `digests`: key to SHA-256 in hexadecimal digits."""
    return "".join(_line(key, digests[key]) for key in sorted(digests)).encode()


def _line(key: str, digest: str) -> str:
    name = "./-" if key == "-" else key
    escaped = "".join(_ESCAPES.get(char, char) for char in name)
    return f"{'' if escaped == name else chr(92)}{digest}  {escaped}\n"
