"""What is a list and what is a page, whatever the server calls it."""

import time

import pytest

from hubdata.errors import SourceError
from hubdata.transfer.list_page import refuse_what_is_no_list

URL = "https://lists.example.net/a"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"1.1.1.0/24\n", "text/plain"),
        (b"102.221.36.98\n", "text/html; charset=UTF-8"),  # as one CDN sends its list
        (b"# see <https://x.example/>\n1.1.1.0/24\n", "text/plain"),
        (b'{"a": "<b>bold</b>"}', "application/json"),
        (b"<root><ip>1.1.1.1</ip></root>", "application/xml"),
        (b"a<b\n", "text/html"),
        (b"1.1.1.0/24\n", ""),
    ],
)
def test_what_may_be_a_list_passes(body: bytes, content_type: str) -> None:
    """Its kind will say whether it is one."""
    if b"<b\n" in body:
        with pytest.raises(SourceError):  # said to be a page, and looks like one: not worth guessing
            refuse_what_is_no_list(body, content_type, URL)
        return
    refuse_what_is_no_list(body, content_type, URL)


@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE html><html>",
        b"\xef\xbb\xbf\r\n <!doctype HTML public>",
        b"<HTML lang=en>",
        b"<!-- cached --><!-- by --> <html>",
        b'<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "x">',
        b"<head><title>502</title>",
        b"<body>",
    ],
)
@pytest.mark.parametrize("content_type", ["text/plain", "application/json", ""])
def test_a_page_is_refused_whatever_it_calls_itself(body: bytes, content_type: str) -> None:
    """With its address and what to do, nothing of it quoted."""
    with pytest.raises(SourceError, match="/a: expected a list, found an HTML page") as caught:
        refuse_what_is_no_list(body, content_type, URL)
    assert caught.value.advice


@pytest.mark.parametrize("body", [b"", b"\n", b" \r\n\t"])
def test_nothing_is_no_list(body: bytes) -> None:
    """A missing input never empties a list."""
    with pytest.raises(SourceError, match="the answer is empty"):
        refuse_what_is_no_list(body, "text/plain", URL)


def test_a_hostile_prolog_costs_no_time() -> None:
    """Half a million comments, then no page: looked at once, and only at the beginning."""
    began = time.process_time()
    refuse_what_is_no_list(b"<!---->" * 500_000 + b"x", "text/plain", URL)
    assert time.process_time() - began < 5
