"""Tell a list from what servers send in its place with status 200: a page for people, or nothing at all.

What the server calls it does not decide. Some publish plain lists as `text/html`, and others call their error pages
plain text; so the body is looked at, more closely where it is said to be a page.
"""

import re

from hubdata.errors import SourceError

_LOOKED_AT = 64 << 10
_PAGES = ("text/html", "application/xhtml+xml")
_ROOT = re.compile(rb"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_TAG = re.compile(rb"<[a-z!/]", re.IGNORECASE)


def refuse_what_is_no_list(body: bytes, content_type: str, url: str) -> None:
    """Raise SourceError when the answer to `url` is an HTML page or blank. `content_type` is as the server says."""
    if not body.strip():
        raise SourceError(
            f"{url}: the answer is empty",
            advice="the last good version stays; if the list is really empty, take the item out",
        )
    head = body[:_LOOKED_AT]
    said = content_type.partition(";")[0].strip().lower()
    if _ROOT.match(_without_prolog(head)) or (said in _PAGES and _TAG.search(head)):
        raise SourceError(
            f"{url}: expected a list, found an HTML page",
            advice="open the address in a browser: it may have moved, want a login or be down",
        )


def _without_prolog(head: bytes) -> bytes:
    """Return `head` from where the first element or text begins: behind byte order mark, comments and `<?xml ...?>`."""
    rest = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    for begin, end in ((b"<?xml", b"?>"), (b"<!--", b"-->")):
        while rest.startswith(begin):
            rest = rest.partition(end)[2].lstrip()
    return rest
