"""What git, curl and ssh mean when they give up: their English messages, as hubdata's sentences with advice.

The exit code is 128 for nearly everything, so their words are all there is to go by; git runs in the C locale for that
reason. An unknown message is no harm: it is shown as it is.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Meaning:
    """A failure in plain words. The `pattern` is compiled when git has failed."""

    pattern: str
    message: str
    advice: str
    retryable: bool = False


def explain(said: str) -> Meaning | None:
    """Return what `said` (one line, without the URL) means, or None when no known message is in it."""
    return next((meaning for meaning in _MEANINGS if re.search(meaning.pattern, said)), None)


# First match wins: `unable to access` comes with nearly every HTTP failure, so it is last.
_MEANINGS = (
    Meaning(
        r"Authentication failed|could not read (Username|Password)|returned error: 40[13]|Permission denied"
        r"|Invalid credentials",
        "the host did not accept the credentials, or wants some",
        "check the URL; for a private repository name an environment variable with a token in `token_env`",
    ),
    Meaning(
        r"[Rr]epository .*not found|does not appear to be a git repository|returned error: 404"
        r"|repository not exported|Could not find remote repository",
        "there is no such repository",
        "check the URL; a private repository looks absent without a token (`token_env`)",
    ),
    Meaning(
        r"returned error: 3\d\d|unable to update url base from redirection",
        "the host answers with a redirect, which is not followed",
        "use the repository's new address, once you trust it",
    ),
    Meaning(
        r"dubious ownership",
        "the repository belongs to another user",
        "run hubdata as its owner, or serve the repository over https or ssh",
    ),
    Meaning(r"Host key verification failed", "the host's key is unknown", "add it to known_hosts (ssh-keyscan)"),
    Meaning(
        r"mismatched algorithms",
        "the repository names its objects by SHA-256, which is not supported",
        "use a repository in git's default object format",
    ),
    Meaning(r"dumb http", "the host serves files, not git", "serve it with git http-backend, or from a forge"),
    Meaning(
        r"No space left on device|Disk quota exceeded",
        "the spool is full",
        "free some space, or set `spool` to a directory on a larger disk",
    ),
    Meaning(
        r"fsck error|error in object|did not send all necessary objects|inflate|invalid index-pack output"
        r"|remote did not send|unresolved deltas",
        "what the host sent is not a sound repository",
        "run `git fsck` upstream; if it finds nothing, try again",
        retryable=True,
    ),
    Meaning(
        r"bad object",
        "the branch was rewritten while it was read",
        "run again",
        retryable=True,
    ),
    Meaning(
        r"not our ref|unadvertised object|not a valid object",
        "the host does not have that commit, or does not give it out",
        "check the commit id, or name a branch or tag that holds it",
    ),
    Meaning(
        r"certificate|SSL|TLS",
        "no trusted TLS connection could be made",
        "check the host's certificate; a private authority goes into GIT_SSL_CAINFO",
    ),
    Meaning(
        r"Could not resolve host|Name or service not known|Temporary failure in name resolution"
        r"|onnection refused"
        r"|ailed to connect|ouldn't connect|imed out|onnection reset|onnection closed|Network is unreachable"
        r"|No route to host|Empty reply|early EOF|hung up|RPC failed|returned error: (429|5\d\d)"
        r"|unexpected disconnect|unable to (connect|access)",
        "the host cannot be reached, or broke off",
        "see whether it is up and reachable from here",
        retryable=True,
    ),
)
