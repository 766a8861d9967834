"""Read one page of a bucket's listing: what it lists, and how the next page is asked for; or decline.

Most of a page is elements of one plain shape, a thousand times. They are read by their shape, five times as fast as by
a parser; what stands around them goes to the parser, and so does the whole page where an element is shaped otherwise
(another order, white space, attributes, references in a key, characters that XML changes). Both readings of a page are
equal. (Amazon S3 API reference, "ListObjectsV2".)
"""

import re
from xml.etree import ElementTree as ET

from hubdata.transfer.s3_whole import whole_etag
from hubdata.values import frozen


def _others(number: int) -> str:
    """Return the pattern of fields that say nothing to us, each name being the group of that `number`."""
    return rf"(?:<(?!Key>|Size>|ETag>)([A-Za-z]+)>[^<&]*</\{number}>)*"


_SHAPE = re.compile(
    rf"<Contents><Key>([^<>&\x00-\x1f\ufffe\uffff]+)</Key>{_others(2)}"
    rf'<ETag>(&quot;|")([^<>&"\x00-\x1f]+)\3</ETag>{_others(5)}<Size>([0-9]{{1,18}})</Size>{_others(7)}</Contents>'
)
_PROLOGUE = re.compile(r'<\?xml version="1\.0" encoding="(?:UTF|utf)-8"\?>\s*')

Row = tuple[str, int, str]
"""Key, size, and ETag without its quotes."""


@frozen
class Page:
    """A page. `token` asks for the next one; empty: this was the last."""

    rows: tuple[Row, ...]
    token: str


def read_page(body: bytes) -> Page | None:
    """Return what a page lists; None when it is no whole page, or has its keys encoded, which nobody asked for."""
    return _by_shape(body) or _parsed(body)


def _by_shape(body: bytes) -> Page | None:
    """Return the page if all that it lists has the usual shape, one after the other."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    prologue = _PROLOGUE.match(text)
    begin = end = text.find("<Contents>")
    rows = []
    for item in _SHAPE.finditer(text, max(begin, 0)):
        if item.start() != end:
            return None
        key, _, _, etag, _, size, _ = item.groups()
        rows.append((key, int(size), etag))
        end = item.end()
    if not rows:
        return None
    around = text[prologue.end() if prologue else 0 : begin] + text[end:]
    page = None if "<!" in around else _parsed(around.encode())  # neither comments nor sections are cut in two
    return None if page is None or page.rows else Page(tuple(rows), page.token)


def _parsed(body: bytes) -> Page | None:
    """Return the page as an XML parser reads it."""
    if b"<!DOCTYPE" in body:  # it could change what follows; no store sends any
        return None
    try:
        root = ET.fromstring(body)  # noqa: S314 - from the store itself, bounded; expat refuses what expands without end
    except ET.ParseError:
        return None
    space = root.tag.removesuffix("ListBucketResult")
    if space == root.tag or root.find(f"{space}EncodingType") is not None:
        return None
    goes_on, token = root.findtext(f"{space}IsTruncated"), root.findtext(f"{space}NextContinuationToken") or ""
    if goes_on not in ("true", "false") or (goes_on == "true") is not bool(token):
        return None
    rows = []
    for item in root.iter(f"{space}Contents"):
        key, size, etag = (item.findtext(space + name) for name in ("Key", "Size", "ETag"))
        if not key or not etag or not whole_etag(etag) or not size or re.fullmatch(r"[0-9]{1,18}", size) is None:
            return None
        rows.append((key, int(size), etag.strip('"')))
    return Page(tuple(rows), token)
