"""What vendors' sources share: one deadline for everything, retries, and words for what went wrong."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from hubdata.errors import ConfigError, SourceError
from hubdata.transfer.bearer import BearerAuth
from hubdata.transfer.hashed import Hashed
from hubdata.transfer.retry import RequestFailed
from hubdata.transfer.secrets import Secret
from hubdata.transfer.upstream import (
    ASKING,
    DOWNLOADING,
    EditionOptions,
    Upstream,
    UpstreamOptions,
    all_failures,
    explained,
    place_in,
)
from tests.support.fetching import TurningClock


def upstream(clock: TurningClock, **options: object) -> Upstream:
    """Return an upstream whose time is the clock's."""
    given = UpstreamOptions.model_validate(options)
    return Upstream(given, {}, now=clock.now, sleep=clock.sleep, monotonic=clock.monotonic, random=lambda: 0.5)


def failing(times: list[str]) -> None:
    """Note an attempt, and fail so that another may do."""
    times.append("tried")
    raise SourceError("not now", retryable=True)


def test_questions_are_put_more_often_than_downloads() -> None:
    """Downloads are counted by vendors; the waits are the same."""
    for policy, attempts in ((ASKING, 6), (DOWNLOADING, 2)):
        clock, tried = TurningClock(), list[str]()
        with pytest.raises(SourceError, match=f"gave up after {attempts} attempts"):
            upstream(clock).retrying(lambda tried=tried: failing(tried), policy)  # type: ignore[misc]
        assert len(tried) == attempts
        assert clock.slept[0] == pytest.approx(0.5)


def test_all_requests_of_a_fetch_share_one_deadline() -> None:
    """What the first has used up, the second lacks."""
    clock = TurningClock()
    asked = upstream(clock, timeout_s=60)
    clock.sleep(timedelta(seconds=59.9))
    with pytest.raises(SourceError, match="beyond the 60 s allowed in all"):
        asked.retrying(lambda: failing([]), ASKING)


def test_an_error_gets_the_vendors_advice_for_its_status_and_keeps_the_rest() -> None:
    """Status and Retry-After decide what comes next."""
    wait = timedelta(seconds=5)
    plain = RequestFailed("no", advice="its own", retryable=True, status=429, retry_after=wait)
    told = explained(plain, {429: "the vendor's"})
    assert (str(told), told.advice, told.retryable, told.status, told.retry_after) == (
        "no",
        "the vendor's",
        True,
        429,
        wait,
    )
    assert explained(plain, {404: "x"}).advice == "its own"
    assert explained(RequestFailed("cut", advice="its own"), {404: "x"}).advice == "its own"


def test_several_failures_are_one_error_that_names_each() -> None:
    """Equal advice is given once, and one final failure makes the whole final."""
    failures = {"a": SourceError("x", advice="do", retryable=True), "b": SourceError("y", advice="do", retryable=True)}
    assert str(all_failures(failures)) == "a: x; b: y"
    assert (all_failures(failures).advice, all_failures(failures).retryable) == ("do", True)
    assert not all_failures({**failures, "c": SourceError("z")}).retryable


def test_the_workspace_is_private_and_made_when_first_needed(tmp_path: Path) -> None:
    """Where it cannot be made, the spool is to blame."""
    path = place_in(tmp_path / "new" / "one", "file")
    assert path == tmp_path / "new" / "one" / "file"
    assert path.parent.stat().st_mode & 0o777 == 0o700
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="spool"):
        place_in(tmp_path / "file" / "below", "x")


def test_editions_make_keys() -> None:
    """Each one by its name, safe ones only, and no two the same."""
    given = {"editions": ["one", "two"], "url": "https://example.net/x/"}
    options = EditionOptions.model_validate(given)
    assert [options.key(edition) for edition in options.editions] == ["mmdb_update/one.mmdb", "mmdb_update/two.mmdb"]
    for wrong in ({"editions": ["one", "one"]}, {"prefix": "/"}, {"url": "ftp://x"}):
        with pytest.raises(ValidationError):
            EditionOptions.model_validate({**given, **wrong})


def test_a_stream_is_known_by_size_and_digests_once_it_is_through() -> None:
    """In one pass, for each algorithm asked for."""
    body = b"abc" * 1000
    stream = Hashed((body[at : at + 7] for at in range(0, len(body), 7)), "sha256", "md5", "sha1", "sha512")
    assert b"".join(stream) == body
    assert stream.size == len(body)
    for name in ("sha256", "md5", "sha1", "sha512"):
        assert stream.hexdigest(name) == hashlib.new(name, body).hexdigest()


def test_a_bearer_token_is_sent_and_never_shown() -> None:
    """The header alone holds it."""
    auth = BearerAuth(Secret("sentinel-token"))
    assert auth.header() == "Bearer sentinel-token"
    assert "sentinel-token" not in f"{auth!r} {auth}"


def test_a_clock_that_is_set_does_not_move_the_deadline() -> None:
    """The time of day is for Retry-After dates; patience is counted otherwise."""
    clock = TurningClock(datetime(2030, 1, 1, tzinfo=UTC))
    asked = upstream(clock)
    clock.start = datetime(1999, 1, 1, tzinfo=UTC)
    assert 899 < asked.deadline.remaining_s <= 900
