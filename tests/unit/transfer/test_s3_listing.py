"""A page of a listing says the same to both readings, and what is no whole page is declined."""

from xml.sax.saxutils import escape

import pytest

from hubdata.transfer import s3_listing
from hubdata.transfer.s3_listing import Page, read_page

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
END = "<IsTruncated>false</IsTruncated></ListBucketResult>"
ETAG = "&quot;0cc175b9c0f1b6a831c399e269772661&quot;"


def item(key: str, size: str = "1", etag: str = ETAG, more: str = "<StorageClass>STANDARD</StorageClass>") -> str:
    """Return one element as S3 writes it, `key` already escaped."""
    time = "<LastModified>2026-11-23T05:00:00.000Z</LastModified>"
    return f"<Contents><Key>{key}</Key>{time}<ETag>{etag}</ETag><Size>{size}</Size>{more}</Contents>"


def page(items: str, end: str = END) -> bytes:
    """Return a page."""
    return f"{HEAD}<Name>b</Name>{items}{end}".encode()


def keys(body: bytes) -> list[str] | None:
    """Return the keys of a page."""
    found = read_page(body)
    return None if found is None else [key for key, _, _ in found.rows]


ODD_KEYS = (
    "plain.txt",
    "with space+plus%41.txt",
    'quote\'s "and" <angle> & amp;.txt',
    "é-日本-\U0001f600.txt",
    "]]>",
    "a\tb",
    "&lt;",
    "Contents></Contents>",
)


@pytest.mark.parametrize("key", ODD_KEYS)
def test_a_key_is_read_as_the_parser_reads_it(key: str) -> None:
    """Whatever it is made of, among plain ones; also where each character is a reference by number."""
    escaped = escape(key, {'"': "&quot;", "'": "&apos;"})
    numbered = "".join(f"&#{ord(one)};" for one in key)
    for text in (escaped, numbered):
        body = page(item("a") + item(text) + item("z"))
        assert keys(body) == ["a", key, "z"]
        assert read_page(body) == s3_listing._parsed(body)


@pytest.mark.parametrize(
    "shaped",
    [
        item("k", etag='"0cc175b9c0f1b6a831c399e269772661"'),
        item("k", more="<Owner><ID>1</ID></Owner>"),
        item("k", more="<ChecksumAlgorithm>SHA256</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType>"),
        item("k").replace("><", ">\n  <"),
        item("k") + "\n",
        item("k").replace("<Key>", "<Key >"),
        f"<Contents><Size>1</Size><ETag>{ETAG}</ETag><Key>k</Key></Contents>",
        "<!-- <Contents> -->" + item("k"),
        f"<!-- {item('not')} -->" + item("k"),
        item("<![CDATA[k]]>"),
    ],
)
def test_an_element_of_another_shape_is_read_by_the_parser(shaped: str) -> None:
    """Stores write more fields, white space, another order, comments: all of it means the same."""
    assert read_page(page(shaped)) == Page((("k", 1, "0cc175b9c0f1b6a831c399e269772661"),), "")


def test_what_a_comment_hides_is_not_listed() -> None:
    """Also where nothing else stands in it."""
    assert read_page(page(f"<!--{item('not')}-->")) == Page((), "")


def test_the_usual_shape_needs_no_parser_for_its_elements(monkeypatch: pytest.MonkeyPatch) -> None:
    """That is where the time goes: the parser sees the page without them."""
    seen: list[int] = []
    parsed = s3_listing._parsed

    def counted(body: bytes) -> Page | None:
        seen.append(len(body))
        return parsed(body)

    monkeypatch.setattr(s3_listing, "_parsed", counted)
    body = page("".join(item(f"key {number}") for number in range(1000)))
    assert len(keys(body) or ()) == 1000
    assert len(seen) == 1
    assert seen[0] <= len(page(""))


def test_a_page_that_goes_on_says_how() -> None:
    """The token is the store's own, to be given back as it is."""
    goes_on = "<IsTruncated>true</IsTruncated><NextContinuationToken>a/b+c==&amp;</NextContinuationToken>"
    assert read_page(page(item("a"), f"{goes_on}</ListBucketResult>")) == Page(
        (("a", 1, "0cc175b9c0f1b6a831c399e269772661"),), "a/b+c==&"
    )
    assert read_page(page("", f"{goes_on}</ListBucketResult>")) == Page((), "a/b+c==&")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html/>",
        b"<ListBucketResult/>",
        b"<ListBucketResult><IsTruncated>false",
        b"<Error><Code>SlowDown</Code></Error>",
        b"\xff\xfe",
        page(item("a"))[:-5],
        page(item("a"))[:-60],
        page(item("a") + item("b"))[: len(page(item("a"))) + 20],
        page(item("a"), "<IsTruncated>true</IsTruncated></ListBucketResult>"),
        page(item("a"), "<IsTruncated>maybe</IsTruncated></ListBucketResult>"),
        page(item("a"), "</ListBucketResult>"),
        page(item("a"), f"<EncodingType>url</EncodingType>{END}"),
        page(item("a"), f"{END}<Contents>"),
        page(item("a", size="-1")),
        page(item("a", size="")),
        page(item("a", size="1" * 19)),
        page(item("a", etag="")),
        page(item("a", etag="&quot;half")),
        page(item("")),
        page(item("&#1;")),
        page(item("a\x01b")),
        page("<Contents><Key>a</Key></Contents>"),
        page(item("&unknown;")),
        b'<!DOCTYPE x [<!ENTITY a "b">]>' + page(item("&a;")).split(b"\n", 1)[1],
    ],
)
def test_what_is_no_whole_page_is_declined(body: bytes) -> None:
    """An incomplete or foreign document never passes for an empty bucket, nor half a page for a whole one."""
    assert read_page(body) is None
