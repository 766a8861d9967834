"""Cloudflare: which URLs, how many requests, and what is said when it does not accept."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from hubdata.cdns.cloudflare import API, CloudflareCdn
from hubdata.errors import CdnError, Exit
from hubdata.model.event import Event
from tests.support.strict_cloudflare import HOST, TOKEN, ZONE, StrictCloudflare, Trouble


@pytest.fixture
def zone() -> Iterator[StrictCloudflare]:
    """Give a strict Cloudflare."""
    with StrictCloudflare() as running:
        yield running


class Events(list[Event]):
    """A reporter that remembers."""

    def emit(self, event: Event) -> None:
        self.append(event)


def cdn_of(
    url: str,
    *,
    slept: list[float] | None = None,
    events: Events | None = None,
    environment: dict[str, str] | None = None,
    patience: timedelta | None = None,
    **options: object,
) -> CloudflareCdn:
    """Return a CDN on a double; `slept` hears of every pause, and nobody really waits."""
    given = {"zone_id": ZONE, "base_url": HOST, "endpoint_url": url} | options
    return CloudflareCdn(
        "edge",
        CloudflareCdn.Options.model_validate(given),
        reporter=events,
        patience=patience,
        environment={"CLOUDFLARE_API_TOKEN": TOKEN} if environment is None else environment,
        sleep=(list[float]() if slept is None else slept).append,
    )


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("lists/a.txt", "lists/a.txt"),
        ("a b+c&d=e@f:g;h,i(j)'!$~.txt", "a%20b+c&d=e@f:g;h,i(j)'!$~.txt"),
        ('é/日/"<>#%{}|^[]`?.txt', "%C3%A9/%E6%97%A5/%22%3C%3E%23%25%7B%7D%7C%5E%5B%5D%60%3F.txt"),
    ],
)
def test_urls_are_spelled_as_readers_request_them(key: str, path: str) -> None:
    """What cannot stand in a path is encoded, nothing else; the base may end in a slash or not."""
    assert cdn_of(API).paths((key,)) == (HOST + path,)
    assert cdn_of(API, base_url="http://h:81/x").paths((key,)) == (f"http://h:81/x/{path}",)


def test_thirty_urls_go_in_one_request(zone: StrictCloudflare) -> None:
    """61 are three requests, every URL once; asked again, all are purged again and nothing is an error."""
    cdn = cdn_of(zone.url)
    urls = cdn.paths(tuple(f"{n}.txt" for n in range(61)))
    done = cdn.invalidate(urls, "r1")
    assert [len(purge) for purge in zone.purges] == [30, 30, 1]
    assert tuple(zone.purged) == urls
    assert (done.id, done.paths, done.reference, done.pending) == (ZONE, urls, "r1", False)
    assert cdn.invalidate(urls, "r1") == done
    assert tuple(zone.purged) == urls + urls
    cdn.wait(done, timeout=timedelta(0))


def test_retry_after_is_honoured(zone: StrictCloudflare) -> None:
    """It waits as long as it is told, not its own shorter pause, and goes on with the same thirty."""
    zone.troubles.append(Trouble(429, 971, "Rate limited", retry_after="17"))
    slept, events = list[float](), Events()
    cdn = cdn_of(zone.url, slept=slept, events=events)
    cdn.invalidate(cdn.paths(("a", "b")), "r1")
    assert slept == [17]
    assert zone.purged == [f"{HOST}a", f"{HOST}b"]
    assert [(e.name, e.fields.get("patience_s"), e.fields.get("elapsed_s")) for e in events] == [
        ("cdn.busy", 60.0, None),
        ("cdn.waiting", None, 17.0),
    ]


def test_a_wait_beyond_the_patience_is_not_begun(zone: StrictCloudflare) -> None:
    """Told to come back in five minutes, the run ends as pending at once, and says so."""
    zone.troubles.append(Trouble(429, 971, "Rate limited", retry_after="300"))
    slept = list[float]()
    with pytest.raises(CdnError, match="Rate limited; it asks to be left alone for 300 s") as caught:
        cdn_of(zone.url, slept=slept).invalidate((f"{HOST}a",), "r1")
    assert slept == []
    assert caught.value.retryable
    assert caught.value.exit_code is Exit.CDN_PENDING


@pytest.mark.parametrize(
    "trouble", [Trouble(503, raw=b"<html>down</html>"), Trouble(500), Trouble(429), Trouble(0, hang_up=True)]
)
def test_what_may_pass_is_tried_again(zone: StrictCloudflare, trouble: Trouble) -> None:
    """Server errors, a 429 that names no time and a broken connection are waited out, longer each time."""
    zone.troubles.extend([trouble] * 3)
    slept = list[float]()
    cdn_of(zone.url, slept=slept).invalidate((f"{HOST}a",), "r1")
    assert slept == [1, 2, 4]
    assert zone.purged == [f"{HOST}a"]


def test_patience_ends(zone: StrictCloudflare) -> None:
    """A minute in all, or what `--wait` brings; then the receipt stays open."""
    zone.troubles.extend([Trouble(503)] * 100)
    for patience, expected in ((None, 60), (timedelta(minutes=4), 240)):
        slept = list[float]()
        with pytest.raises(CdnError, match=r"refused \(503: 10000: strict\)"):
            cdn_of(zone.url, slept=slept, patience=patience).invalidate((f"{HOST}a",), "r1")
        assert sum(slept) == expected


@pytest.mark.parametrize(
    ("trouble", "said", "advice"),
    [
        (Trouble(401, 10_000, "Authentication error"), "401: 10000: Authentication error", "Cache Purge"),
        (Trouble(403, 9_109, "Unauthorized"), "403: 9109: Unauthorized", "set CLOUDFLARE_API_TOKEN to a token"),
        (Trouble(404, 7_003, "Could not route"), "404: 7003: Could not route", "correct `zone_id`"),
        (Trouble(400, 1_012, "not in zone"), "400: 1012: not in zone", "`base_url`: every URL must lie in the zone"),
        (Trouble(200, 1, "odd"), "200: 1: odd", "the next run"),
        (Trouble(200, raw=b"[]"), "200: no words", "the next run"),
        (Trouble(403, raw=b'{"errors": [7, {"code": {}}]}'), "403: {}: no words", "Cache Purge"),
    ],
)
def test_refusals_that_waiting_does_not_mend_say_what_to_do(
    zone: StrictCloudflare, trouble: Trouble, said: str, advice: str
) -> None:
    """Cloudflare's own words and code, and what to change; nobody waits."""
    zone.troubles.append(trouble)
    slept = list[float]()
    with pytest.raises(CdnError) as caught:
        cdn_of(zone.url, slept=slept).invalidate((f"{HOST}a",), "r1")
    assert str(caught.value) == f"Cloudflare zone {ZONE}: the purge was refused ({said})"
    assert advice in caught.value.advice
    assert not caught.value.retryable
    assert (slept, zone.asked) == ([], 1)


def test_a_wrong_token_and_a_wrong_zone_are_refused(zone: StrictCloudflare) -> None:
    """The double checks both, so the requests above really carried them."""
    with pytest.raises(CdnError, match="401: 10000"):
        cdn_of(zone.url, environment={"CLOUDFLARE_API_TOKEN": "wrong"}).invalidate((f"{HOST}a",), "r1")
    with pytest.raises(CdnError, match="404: 7003"):
        cdn_of(zone.url, zone_id="f" * 32).invalidate((f"{HOST}a",), "r1")
    with pytest.raises(CdnError, match="400: 1012"):
        cdn_of(zone.url, base_url="https://other.example").invalidate(("https://other.example/a",), "r1")


def test_no_redirect_is_followed_with_the_token(zone: StrictCloudflare) -> None:
    """Whoever answers 302 gets nothing more."""
    zone.troubles.append(Trouble(302, location=zone.url))
    with pytest.raises(CdnError, match="302"):
        cdn_of(zone.url).invalidate((f"{HOST}a",), "r1")
    assert (zone.asked, zone.elsewhere) == (1, 0)


def test_an_answer_without_end_is_cut_off(zone: StrictCloudflare) -> None:
    """More than a quarter of a megabyte is no answer to a purge."""
    zone.troubles.append(Trouble(200, raw=b"[" * 300_000))
    with pytest.raises(CdnError, match="longer than"):
        cdn_of(zone.url).invalidate((f"{HOST}a",), "r1")


def test_the_token_comes_from_a_file_too(zone: StrictCloudflare, tmp_path: Path) -> None:
    """As a mounted secret, with the line feed that editors add."""
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    cdn_of(zone.url, environment={"CLOUDFLARE_API_TOKEN_FILE": str(file)}).invalidate((f"{HOST}a",), "r1")
    assert zone.purged == [f"{HOST}a"]


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "there is no API token"),
        ({"CLOUDFLARE_API_TOKEN": " "}, "there is no API token"),
        ({"CLOUDFLARE_API_TOKEN": "a\nb"}, "not one line of ASCII"),
        ({"CLOUDFLARE_API_TOKEN": "a", "CLOUDFLARE_API_TOKEN_FILE": "/x"}, "both set"),
        ({"CLOUDFLARE_API_TOKEN_FILE": "/does/not/exist"}, "cannot be read"),
    ],
)
def test_a_token_that_cannot_be_used_leaves_the_purge_pending(
    zone: StrictCloudflare, environment: dict[str, str], said: str
) -> None:
    """The data is public already: the next run with a token tells Cloudflare."""
    with pytest.raises(CdnError, match=said) as caught:
        cdn_of(zone.url, environment=environment).invalidate((f"{HOST}a",), "r1")
    assert caught.value.advice
    assert zone.asked == 0


@pytest.mark.parametrize("trouble", [Trouble(401, echo=True), Trouble(503, echo=True), Trouble(0, hang_up=True)])
def test_the_token_is_in_no_error_and_no_log(
    zone: StrictCloudflare, trouble: Trouble, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even where the server repeats it, and not at DEBUG."""
    zone.troubles.extend([trouble] * 100)
    events = Events()
    with caplog.at_level(logging.DEBUG), pytest.raises(CdnError) as caught:
        cdn_of(zone.url, events=events).invalidate((f"{HOST}a",), "r1")
    chain: list[BaseException] = [caught.value]
    while further := chain[-1].__cause__ or chain[-1].__context__:
        chain.append(further)
    everything = caplog.text + repr(events) + "".join(f"{e!s} {e!r} {vars(e)}" for e in chain)
    assert "sentinel" not in everything
    assert ZONE in everything


def test_nothing_is_imported_or_asked_before_something_is_told(zone: StrictCloudflare) -> None:
    """A run that changes nothing needs no token and pays for no library."""
    cdn = cdn_of(zone.url, environment={})
    assert cdn.paths(("a",)) == (f"{HOST}a",)
    assert cdn.invalidate((), "r1").id is None
    assert zone.asked == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"zone_id": "Z" * 32},
        {"base_url": "hub-data.example.net"},
        {"base_url": "https://h/?x"},
        {"base_url": "https://u:p@h/"},
        {"base_url": "https://münchen.example/"},
        {"endpoint_url": "http://api.example.net/client/v4"},
        {"endpoint_url": "https://u:p@api.example.net/"},
        {"token": "x"},
    ],
)
def test_wrong_options_are_refused(wrong: dict[str, object]) -> None:
    """Unknown names, odd ids, URLs that nobody requests, and an API that would be sent the token in the clear."""
    with pytest.raises(ValidationError):
        CloudflareCdn.Options.model_validate({"zone_id": ZONE, "base_url": HOST} | wrong)
    assert CloudflareCdn.Options(zone_id=ZONE, base_url=HOST, endpoint_url="").endpoint_url == API
