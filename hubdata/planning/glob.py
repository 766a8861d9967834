"""Match keys against the globs of job files.

`*` and `?` stay within one path segment, `**` crosses segments, `[...]` is a set. Everything else is literal, and a
glob always matches a whole key. `**/` at the start or after a slash stands for any number of segments, also none.
"""

import re
from collections.abc import Callable
from functools import lru_cache

from hubdata.errors import ConfigError


@lru_cache(maxsize=4096)
def matcher(glob: str) -> Callable[[str], object]:
    """Return what is true of exactly the keys that `glob` names: most globs are one key, and cost one comparison.

    Raises ConfigError when a set in it cannot be one.
    """
    return _compiled(glob).match if any(sign in glob for sign in "*?[") else glob.__eq__


def matches(glob: str, key: str) -> bool:
    """Tell whether `glob` names `key`."""
    return bool(matcher(glob)(key))


def _compiled(glob: str) -> re.Pattern[str]:
    out: list[str] = []
    i = 0
    while i < len(glob):
        if glob.startswith("**/", i) and (i == 0 or glob[i - 1] == "/"):
            out.append("(?:[^/]+/)*")
            i += 3
        elif glob.startswith("**", i):
            out.append(".*")
            i += 2
        elif glob[i] == "*":
            out.append("[^/]*")
            i += 1
        elif glob[i] == "?":
            out.append("[^/]")
            i += 1
        elif glob[i] == "[" and (end := _set_end(glob, i)) > 0:
            out.append(_character_set(glob[i + 1 : end]))
            i = end + 1
        else:
            out.append(re.escape(glob[i]))
            i += 1
    try:
        return re.compile("".join(out) + r"\Z", re.DOTALL)
    except re.error as err:
        raise ConfigError(f"the glob {glob!r} is not one: {err.msg}", advice="a range in [...] goes upwards") from err


def _set_end(glob: str, start: int) -> int:
    """Return where the set that begins at `start` ends, -1 if it does not; a `]` that comes first is a member."""
    first = start + 2 if glob[start + 1 : start + 2] in ("!", "^") else start + 1
    return glob.find("]", first + 1)


def _character_set(inside: str) -> str:
    negated = inside[0] in "!^"
    members = inside[1:] if negated else inside
    safe = re.sub(r"([\[\]\\^&|~])", r"\\\1", members)
    return f"(?!/)[{'^' if negated else ''}{safe}]"
