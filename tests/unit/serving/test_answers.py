"""What is answered to a request for a file: conditions, ranges and headers as RFC 9110 has them."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubdata.serving.answers import Answer, Asked, Facts, answer

NOW = 1_800_000_000
MODIFIED = NOW - 3600
DATE = "Fri, 15 Jan 2027 07:00:00 GMT"
EARLIER = "Fri, 15 Jan 2027 06:59:59 GMT"
LATER = "Fri, 15 Jan 2027 07:00:01 GMT"
TAG = '"abc"'
FACTS = Facts(1000, MODIFIED, TAG, "text/plain", "max-age=7")
VALIDATORS = {"ETag": TAG, "Last-Modified": DATE, "Cache-Control": "max-age=7"}


def get(**headers: str) -> Answer:
    """Return the answer to a GET with these headers."""
    return answer(Asked("GET", **headers), FACTS, NOW)


def test_a_plain_request_gets_the_whole_file_with_all_that_is_known() -> None:
    """Type and cache rules are the file's own, and both validators are told."""
    whole = {"Content-Type": "text/plain", "Accept-Ranges": "bytes", "Content-Length": "1000"}
    assert get() == Answer(200, VALIDATORS | whole, 0, 1000)
    assert answer(Asked("HEAD"), FACTS, NOW) == get()


@pytest.mark.parametrize(
    ("asked", "start", "length"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-", 0, 1000),
        ("bytes=10-19", 10, 10),
        ("bytes=990-5000", 990, 10),
        ("bytes=-1", 999, 1),
        ("bytes=-5000", 0, 1000),
        ("Bytes = 999-", 999, 1),
        ("bytes=999-99999999999999999999999999999999999999", 999, 1),
    ],
)
def test_a_range_gets_that_part(asked: str, start: int, length: int) -> None:
    """The part is named in Content-Range, and no longer than the file."""
    said = get(range=asked)
    assert (said.status, said.start, said.length) == (206, start, length)
    assert said.headers["Content-Range"] == f"bytes {start}-{start + length - 1}/1000"
    assert said.headers["Content-Length"] == str(length)
    assert VALIDATORS.items() <= said.headers.items()


@pytest.mark.parametrize("asked", ["bytes=1000-", "bytes=5000-6000", "bytes=-0", "bytes=99999999999999999999-"])
def test_a_range_beyond_the_end_is_refused_with_the_size(asked: str) -> None:
    """A client that resumes learns how long the file is now."""
    said = get(range=asked)
    assert (said.status, said.headers["Content-Range"], said.length) == (416, "bytes */1000", 0)


@pytest.mark.parametrize(
    "asked",
    [
        *("", "bytes=", "bytes=-", "bytes=5-4", "bytes=a-b", "bytes=1_0-", "bytes=+1-", "lines=1-2", "bytes 1-2"),
        *("bytes=0-1,5-6", "bytes=0-1, bytes=2-3", "bytes=" + ",".join("0-0" for _ in range(500))),
        *("bytes=" + "9" * 5000 + "-", "bytes=\u0661-"),
    ],
)
def test_a_range_that_is_none_is_ignored(asked: str) -> None:
    """Unknown units and what cannot be read are ignored, as the RFC wants; so are lists of ranges, as on S3."""
    assert get(range=asked) == get()


def test_a_head_request_knows_no_ranges() -> None:
    """Ranges are defined for GET only."""
    assert answer(Asked("HEAD", range="bytes=0-1"), FACTS, NOW) == get()


def test_an_empty_file_has_no_ranges() -> None:
    """Nothing can be a part of nothing."""
    empty = Facts(0, MODIFIED, TAG, "text/plain", "max-age=7")
    assert answer(Asked("GET"), empty, NOW).status == 200
    for asked in ("bytes=0-", "bytes=-1", "bytes=0-0"):
        assert answer(Asked("GET", range=asked), empty, NOW).status == 416


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        (TAG, 206),
        (DATE, 206),
        ('"other"', 200),
        (f"W/{TAG}", 200),
        (EARLIER, 200),
        (LATER, 200),
        ("yesterday", 200),
    ],
)
def test_a_part_is_given_only_of_the_very_file_the_client_has(condition: str, status: int) -> None:
    """If-Range compares strongly: what might be another file is sent whole."""
    assert get(range="bytes=1-2", if_range=condition).status == status


def test_a_date_of_just_now_does_not_prove_a_file_the_same() -> None:
    """It may have been replaced twice in that second."""
    fresh = Facts(1000, NOW - 1, TAG, "text/plain", "max-age=7")
    date = answer(Asked("GET"), fresh, NOW).headers["Last-Modified"]
    assert answer(Asked("GET", range="bytes=1-2", if_range=date), fresh, NOW).status == 200
    assert answer(Asked("GET", range="bytes=1-2", if_range=date), fresh, NOW + 60).status == 206


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"if_none_match": TAG}, 304),
        ({"if_none_match": f'"x", W/{TAG} ,"y"'}, 304),
        ({"if_none_match": "*"}, 304),
        ({"if_none_match": '"x"'}, 200),
        ({"if_none_match": "abc"}, 200),
        ({"if_none_match": '"x"', "if_modified_since": LATER}, 200),
        ({"if_none_match": TAG, "if_modified_since": EARLIER}, 304),
        ({"if_none_match": TAG, "range": "bytes=0-1"}, 304),
        ({"if_modified_since": DATE}, 304),
        ({"if_modified_since": LATER}, 304),
        ({"if_modified_since": EARLIER}, 200),
        ({"if_modified_since": "whenever"}, 200),
        ({"if_match": TAG}, 200),
        ({"if_match": "*"}, 200),
        ({"if_match": f'"x", {TAG}'}, 200),
        ({"if_match": '"x"'}, 412),
        ({"if_match": f"W/{TAG}"}, 412),
        ({"if_match": '"x"', "if_none_match": TAG}, 412),
        ({"if_match": TAG, "if_unmodified_since": EARLIER}, 200),
        ({"if_unmodified_since": EARLIER}, 412),
        ({"if_unmodified_since": DATE}, 200),
        ({"if_unmodified_since": "whenever"}, 200),
    ],
)
def test_conditions_are_weighed_in_their_order(headers: dict[str, str], status: int) -> None:
    """Tags go before dates, and what makes a request fail goes before what makes it cheap."""
    assert get(**headers).status == status


def test_what_has_not_changed_is_told_with_its_validators_and_no_body() -> None:
    """A cache refreshes what it keeps from them."""
    assert get(if_none_match=TAG) == Answer(304, VALIDATORS)


def test_a_file_from_the_future_is_of_now() -> None:
    """A clock that was wrong when the file was written must not make clients wait for that day."""
    said = answer(Asked("GET"), Facts(1, NOW + 999, TAG, "text/plain", "max-age=7"), NOW)
    assert said.headers["Last-Modified"] == "Fri, 15 Jan 2027 08:00:00 GMT"


def test_a_file_from_before_all_clocks_is_of_1970() -> None:
    """A file system may hold times that no header can."""
    for modified_at in (-1, -(10**15)):
        said = answer(Asked("GET"), Facts(1, modified_at, TAG, "text/plain", "max-age=7"), NOW)
        assert said.headers["Last-Modified"] == "Thu, 01 Jan 1970 00:00:00 GMT"


HEADER = st.none() | st.text('\t 0123456789-=,bytesW/*"abcGMTFriJan:', max_size=40) | st.text(max_size=30)


@given(st.sampled_from(["GET", "HEAD"]), *[HEADER] * 6, st.integers(0, 20))
def test_whatever_is_asked_the_answer_is_one(
    method: str,
    match: str | None,
    none_match: str | None,
    since: str | None,
    unmodified: str | None,
    part: str | None,
    if_range: str | None,
    size: int,
) -> None:
    """No header raises; a body lies within the file, and is as long as is said."""
    facts = Facts(size, MODIFIED, TAG, "text/plain", "max-age=7")
    said = answer(Asked(method, match, none_match, since, unmodified, part, if_range), facts, NOW)
    assert said.status in (200, 206, 304, 412, 416)
    assert 0 <= said.start <= said.start + said.length <= size
    if said.status in (200, 206):
        assert said.headers["Content-Length"] == str(said.length)
    else:
        assert said.length == 0


def test_every_range_is_what_slicing_gives() -> None:
    """All ranges of a small file, held to Python's own slices."""
    facts = Facts(6, MODIFIED, TAG, "text/plain", "max-age=7")
    body = b"abcdef"
    for first, last in itertools.product(["", *map(str, range(8))], repeat=2):
        said = answer(Asked("GET", range=f"bytes={first}-{last}"), facts, NOW)
        part = body[said.start : said.start + said.length]
        if first and (not last or int(last) >= int(first)):
            wanted = body[int(first) : int(last) + 1 if last else None]
        elif last and not first:
            wanted = body[-int(last) :] if int(last) else b""
        else:
            assert said.status == 200
            continue
        assert (said.status, part) == ((206, wanted) if wanted else (416, b""))
