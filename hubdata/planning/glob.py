"""Match keys against the globs of job files.

`*` and `?` stay within one path segment, `**` crosses segments, `[...]` is a set. Everything else is literal, and a
glob always matches a whole key. (The same reading as gitignore's and CODEOWNERS', so nobody has to learn a new one.)
"""

import re
from functools import lru_cache


@lru_cache(maxsize=4096)
def compiled(glob: str) -> re.Pattern[str]:
    """Return the regular expression that matches exactly the keys that `glob` names."""
    out: list[str] = []
    i = 0
    while i < len(glob):
        if glob.startswith("**/", i):
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
        elif glob[i] == "[" and (end := glob.find("]", i + 2)) > 0:
            out.append(_character_set(glob[i + 1 : end]))
            i = end + 1
        else:
            out.append(re.escape(glob[i]))
            i += 1
    return re.compile("".join(out) + r"\Z", re.DOTALL)


def matches(glob: str, key: str) -> bool:
    """Tell whether `glob` names `key`."""
    return compiled(glob).match(key) is not None


def _character_set(inside: str) -> str:
    negated = inside[0] in "!^"
    members = inside[1:] if negated else inside
    safe = re.sub(r"([\[\]\\^&|~])", r"\\\1", members)
    return f"(?!/)[{'^' if negated else ''}{safe}]"
