"""Which URLs a job file may name for a public file: no credentials, and nothing that others between could exchange."""

from urllib.parse import parse_qsl

from hubdata.model.secret import names_secret
from hubdata.transfer.url import base_url_problem

_SIGNING = frozenset(("key", "sig", "signature", "x-amz-signature", "x-amz-credential", "x-amz-security-token"))


def file_url_problem(url: str) -> str | None:
    """Return why `url` cannot be the address of a public file, or None when it can. It may have a query."""
    bare, _, query = url.partition("?")
    problem = base_url_problem(bare)
    if problem:
        return problem.replace("would send the credentials in the clear", "lets anybody between change what comes")
    if "#" in query:
        return "it must not have a fragment"
    if any(names_secret(name) or name.lower() in _SIGNING for name, _ in parse_qsl(query, keep_blank_values=True)):
        return "its query holds a credential, and job files hold none"
    return None
