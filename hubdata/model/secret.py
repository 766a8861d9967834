"""Which names mean a secret, and how a text is shown without one.

Secrets come from the environment or from files named there, never from TOML; so a secret's name in a settings file
is refused, and whatever is shown to a person passes through `redact` first.
"""

import re

HIDDEN = "***"

_NAME = re.compile(
    r"(^|[_.-])(secret|password|passwd|passphrase|token|credentials?|authorization"
    r"|(license|licence|api|private|access|secret|account|signing)[_-]?key)([_.-]|$)",
    re.IGNORECASE,
)
_IN_URL = re.compile(r"(?<=://)[^/\s@]*:[^/\s@]*(?=@)|(?<=://)[^/\s@:]{20,}(?=@)")


def names_secret(name: str) -> bool:
    """Tell whether a setting called `name` would hold a secret itself.

    `token_file` holds a path and `token_env` a variable's name, so they do not.
    """
    return not name.lower().endswith(("_file", "_env")) and _NAME.search(name) is not None


def holds_secret(text: str) -> bool:
    """Tell whether `text` has a URL with a password (or a long token in its place) before the host."""
    return _IN_URL.search(text) is not None


def redact(name: str, text: str) -> str:
    """Return `text`, the value of `name`, fit to be shown."""
    return HIDDEN if names_secret(name) else _IN_URL.sub(HIDDEN, text)
