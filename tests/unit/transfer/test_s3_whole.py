"""Answers whose headers broke off are known by what they lack."""

import pytest

from hubdata.transfer.s3_whole import send_again, whole, whole_etag


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"5d41402abc4b2a76b9719d911017c592"', True),
        ("5d41402abc4b2a76b9719d911017c592", True),
        ('"5d41402abc4b2a76b9719d911017c592', False),
        ('5d41"', False),
        ('"', False),
        ('""', False),
        ("", False),
        (None, False),
    ],
)
def test_etag_is_whole_with_both_quotes_or_none(text: str | None, expected: bool) -> None:
    """Half a quoted ETag is what is left of one that was cut."""
    assert whole_etag(text) is expected


@pytest.mark.parametrize(
    ("operation", "status", "headers", "expected"),
    [
        ("PutObject", 200, {"ETag": '"a"'}, True),
        ("PutObject", 200, {"Date": "Sun, 22 Nov"}, False),
        ("PutObject", 200, {"ETag": '"a'}, False),
        ("HeadObject", 200, {"ETag": '"a"', "Content-Length": "1"}, True),
        ("HeadObject", 200, {"ETag": '"a"'}, False),
        ("GetObject", 200, {"ETag": '"a"', "Transfer-Encoding": "chunked"}, True),
        ("PutObject", 412, {}, True),
        ("DeleteObject", 204, {}, True),
        ("ListObjectsV2", 200, {}, True),
    ],
)
def test_answer_that_lacks_what_it_must_say_is_not_whole(
    operation: str, status: int, headers: dict[str, str], expected: bool
) -> None:
    """Only answers of success are looked at: the others say nothing that is kept."""
    assert whole(operation, status, headers) is expected


def test_broken_answer_is_asked_for_again_a_few_times() -> None:
    """A store that never says its ETag ends as an error, not as a loop."""

    class Operation:
        name = "PutObject"

    class Answer:
        status_code = 200
        headers: dict[str, str] = {}  # noqa: RUF012

    again = send_again(3)
    assert [again(response=(Answer, {}), operation=Operation, attempts=n) is None for n in (1, 2, 3)] == [
        False,
        False,
        True,
    ]
    assert again(response=None, operation=Operation, attempts=1) is None
