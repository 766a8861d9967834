"""The HTTP source against the publishers of lists: what is asked, what is made of the answers, and what fails alone."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from hubdata.errors import ConfigError, Exit
from hubdata.model.finding import ITEM_FAILED, Severity
from hubdata.model.snapshot import Fetched
from hubdata.sources.http.options import HttpOptions
from hubdata.sources.http.source import HttpSource
from tests.support.fetching import Fetching, as_published
from tests.support.list_server import AWS4, AWS6, CLOUDFLARE4, PAGE, QUIC, ListServer, aws, path_of

FRONT4 = '[.prefixes[] | select(.service == "CLOUDFRONT") | .ip_prefix] | sort | .[]'
FRONT6 = '[.ipv6_prefixes[] | select(.service == "CLOUDFRONT") | .ipv6_prefix] | sort | .[]'
CLOUDFLARE, QUICK, AWS = path_of("cloudflare4"), path_of("quic"), path_of("aws")


@pytest.fixture(scope="module")
def running() -> Iterator[ListServer]:
    """One server for all tests."""
    with ListServer() as server:
        yield server


@pytest.fixture
def server(running: ListServer) -> Iterator[ListServer]:
    """The publishers, well and unasked."""
    running.mend()
    lists = dict(running.lists)
    yield running
    running.lists = lists
    running.plain.clear()
    running.dates.clear()


@pytest.fixture
def kit(server: ListServer, tmp_path: Path) -> Fetching:
    """The source with two plain lists, and two out of one JSON file."""
    items: list[dict[str, str]] = [
        {"url": server.url("cloudflare4"), "output": "cdn/cloudflare.txt"},
        {"url": server.url("quic"), "output": "cdn/quic.txt"},
        {"url": server.url("aws"), "output": "cdn/aws4.txt", "jq": FRONT4},
        {"url": server.url("aws"), "output": "cdn/aws6.txt", "jq": FRONT6, "header": "# AWS"},
    ]
    return Fetching(HttpSource, tmp_path / "workspace", defaults={"items": items})


def made(fetched: Fetched) -> dict[str, bytes]:
    """Return the files by key."""
    return {file.key: file.path.read_bytes() for file in fetched.files}


def test_plain_lists_come_as_they_are_and_json_through_its_filter(kit: Fetching, server: ListServer) -> None:
    """Not a byte of a plain list is changed; a filter's results are lines; one address is asked once for two files."""
    fetched = kit.fetch()
    assert made(fetched) == {
        "cdn/aws4.txt": "".join(f"{each}\n" for each in sorted(AWS4)).encode(),
        "cdn/aws6.txt": b"# AWS\n" + "".join(f"{each}\n" for each in sorted(AWS6)).encode(),
        "cdn/cloudflare.txt": CLOUDFLARE4,
        "cdn/quic.txt": QUIC,
    }
    assert sorted(server.endpoints) == sorted([CLOUDFLARE, QUICK, AWS])
    assert (fetched.kept, fetched.findings, fetched.rewinds) == ((), (), ())


def test_unchanged_lists_cost_one_conditional_request_an_address(kit: Fetching, server: ListServer) -> None:
    """Three questions, three times 304, nothing in the workspace."""
    published = as_published(kit.fetch())
    server.mend()
    kit.next_run()
    again = kit.fetch(published)
    assert sorted(server.endpoints) == sorted([CLOUDFLARE, QUICK, AWS])
    assert all("If-None-Match" in request.headers for request in server.requests)
    assert (set(again.kept), again.files, kit.left_over()) == (set(published), (), [])


def test_another_filter_is_worth_a_download_whatever_upstream_says(kit: Fetching, server: ListServer) -> None:
    """The answer has not changed; what is made of it has."""
    published = as_published(kit.fetch())
    server.mend()
    item = {"url": server.url("aws"), "output": "cdn/aws4.txt", "jq": ".prefixes[].ip_prefix"}
    again = kit.fetch(published, items=[item])
    assert b"3.4.12.4/32\n" in made(again)["cdn/aws4.txt"]
    assert "If-None-Match" not in server.requests[0].headers


@pytest.mark.parametrize("published", ["cdn/aws4.txt", "cdn/aws6.txt"])
def test_one_of_two_files_of_an_answer_may_be_public_alone(kit: Fetching, server: ListServer, published: str) -> None:
    """The other was refused, or is new: it is made, and never believed to be there because the answer is the same."""
    whole = as_published(kit.fetch())
    again = kit.fetch({published: whole[published]})
    assert {"cdn/aws4.txt", "cdn/aws6.txt"} <= set(made(again))
    assert again.kept == ()


def test_an_answer_that_came_to_the_same_is_remembered(kit: Fetching, server: ListServer) -> None:
    """AWS changes every other day, its CloudFront networks do not: then the new answer is what is asked by."""
    kit.remember()
    published = as_published(kit.fetch())
    server.set("aws", aws(token="1763900000"))
    assert {"cdn/aws4.txt", "cdn/aws6.txt"} == set(made(kit.fetch(published)))
    server.mend()
    assert set(kit.fetch(published).kept) == set(published)
    assert server.count(AWS) == 1


def test_what_was_never_published_is_not_believed_to_be(kit: Fetching, server: ListServer) -> None:
    """A list that validation refused is fetched anew each time: the answer behind the published file is another one."""
    kit.remember()
    published = as_published(kit.fetch())
    server.set("cloudflare4", b"0.0.0.0/0\n")
    for _ in range(2):
        assert made(kit.fetch(published))["cdn/cloudflare.txt"] == b"0.0.0.0/0\n"


def test_a_damaged_memory_is_as_good_as_none(kit: Fetching, server: ListServer) -> None:
    """Whatever lies there, the manifest still tells."""
    kit.remember()
    published = as_published(kit.fetch())
    assert kit.memory is not None
    for nonsense in (
        "[",
        "[1]",
        '{"x": 1}',
        json.dumps({source["recipe"]: {"sha256": 7} for source in published.values()}),
    ):
        (kit.memory / "answers.json").write_text(nonsense)
        assert set(kit.fetch(published).kept) == set(published)


def test_a_list_that_its_server_dates_days_back_has_gone_back(kit: Fetching, server: ListServer) -> None:
    """Told by key and day, for that list alone; a node that is hours behind, or tells no date, is no news."""
    server.dates = dict.fromkeys((CLOUDFLARE, QUICK), "Fri, 20 Nov 2026 17:00:00 GMT")
    published = as_published(kit.fetch())
    server.set("cloudflare4", CLOUDFLARE4 + b"\n198.41.0.0/24")
    for date, rewinds in (
        ("Fri, 20 Nov 2026 01:00:00 GMT", ()),
        ("Sat, 21 Nov 2026 01:00:00 GMT", ()),
        ("Thu, 19 Nov 2026 23:00:00 GMT", ("cdn/cloudflare.txt 2026-11-20",)),
    ):
        server.dates[CLOUDFLARE] = date
        again = kit.fetch(published)
        assert (set(made(again)), again.rewinds) == ({"cdn/cloudflare.txt"}, rewinds)
    server.dates.clear()
    assert kit.fetch(published).rewinds == ()


FAULTS: dict[str, tuple[dict[str, object], str]] = {
    "an error": ({"status": 404}, "404 Not Found"),
    "a page with status 200": ({"body": PAGE, "headers": {"Content-Type": "text/html"}}, "found an HTML page"),
    "a page that calls itself text": ({"body": b"\n <!-- x --><html>" + PAGE}, "found an HTML page"),
    "nothing": ({"body": b""}, "the answer is empty"),
    "blanks": ({"body": b"\n \n"}, "the answer is empty"),
    "too much": ({"body": b"1.1.1.1/32\n" * 300_000}, "longer than"),
    "a body cut short": ({"cut": 20}, "the connection broke off"),
    "a redirect into a private network": (
        {"status": 302, "headers": {"Location": "http://10.0.0.1/x"}},
        "redirect is refused",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_one_that_fails_is_a_finding_by_name_and_the_others_go_on(
    kit: Fetching, server: ListServer, fault: str
) -> None:
    """Its key has no file, is not kept, and an error says what was found there and that its last version stays."""
    what, words = FAULTS[fault]
    server.fail(CLOUDFLARE, **what)
    fetched = kit.fetch(max_bytes=1 << 20)
    assert set(made(fetched)) == {"cdn/aws4.txt", "cdn/aws6.txt", "cdn/quic.txt"}
    (finding,) = fetched.findings
    assert (finding.key, finding.rule, finding.severity) == ("cdn/cloudflare.txt", ITEM_FAILED, Severity.ERROR)
    assert words in finding.message
    assert finding.advice


def test_a_filter_that_finds_nothing_fails_alone(kit: Fetching, server: ListServer) -> None:
    """One of two files out of one answer; the address is asked once all the same."""
    server.set("aws", aws(v4=()))
    fetched = kit.fetch()
    assert "cdn/aws6.txt" in made(fetched)
    (finding,) = fetched.findings
    assert finding.key == "cdn/aws4.txt"
    assert "finds nothing in the answer" in finding.message
    assert server.count(AWS) == 1


def test_all_that_fail_are_one_error_that_names_each(kit: Fetching, server: ListServer) -> None:
    """Then the upstream is gone, or the network is."""
    for path in (CLOUDFLARE, QUICK, AWS):
        server.fail(path, status=404)
    error = kit.refused()
    assert error.exit_code is Exit.SOURCE
    for key in ("cdn/cloudflare.txt", "cdn/quic.txt", "cdn/aws4.txt", "cdn/aws6.txt"):
        assert f"{key}: " in str(error)


def test_what_may_pass_is_asked_again_as_the_server_says(kit: Fetching, server: ListServer) -> None:
    """A busy server is waited for; a page of a proxy's is not."""
    server.fail(CLOUDFLARE, status=503, headers={"Retry-After": "7"}, times=2)
    fetched = kit.fetch()
    assert made(fetched)["cdn/cloudflare.txt"] == CLOUDFLARE4
    assert kit.clock.slept == [7.0, 7.0]


def test_a_server_that_drips_costs_its_own_list_only(kit: Fetching, server: ListServer) -> None:
    """The time is for one address: others have theirs."""
    server.fail(CLOUDFLARE, drip_s=0.3)
    fetched = kit.fetch(timeout_s=5)
    assert [finding.key for finding in fetched.findings] == ["cdn/cloudflare.txt"]
    assert len(fetched.files) == 3


def test_so_many_addresses_are_asked_at_once_and_no_more(kit: Fetching, server: ListServer) -> None:
    """Two meet at a time, three times over; never a third."""
    meeting, lock, present, most = threading.Barrier(2, timeout=60), threading.Lock(), [0], [0]

    def stream() -> Iterator[bytes]:
        with lock:
            present[0] += 1
            most[0] = max(most[0], present[0])
        meeting.wait()
        with lock:
            present[0] -= 1
        yield b"1.1.1.0/24\n"

    items = []
    for number in range(6):
        path = f"/list-{number}"
        server.lists[path] = b""
        server.fail(path, stream=stream)
        items.append({"url": server.origin + path, "output": f"cdn/{number}.txt"})
    fetched = kit.fetch(items=items, concurrency=2)
    assert (len(fetched.files), fetched.findings, most) == (6, (), [2])


def test_a_redirect_within_reach_is_followed(kit: Fetching, server: ListServer) -> None:
    """Publishers move their files."""
    to = {"Location": server.store_origin + CLOUDFLARE}
    server.fail(CLOUDFLARE, status=302, headers=to, times=1)
    assert made(kit.fetch())["cdn/cloudflare.txt"] == CLOUDFLARE4


def test_items_of_a_file_and_of_the_job_are_fetched_together(kit: Fetching, server: ListServer, tmp_path: Path) -> None:
    """And one key of both is a mistake in either."""
    path = tmp_path / "sources.json"
    path.write_text(json.dumps([{"name": "v6", "url": server.url("cloudflare6"), "output": "cdn/cloudflare6.txt"}]))
    assert len(made(kit.fetch(items_file=str(path)))) == 5
    path.write_text(json.dumps([{"name": "v6", "url": server.url("cloudflare6"), "output": "cdn/quic.txt"}]))
    with pytest.raises(ConfigError, match=r"cdn/quic\.txt is made by the job file's items too"):
        kit.fetch(items_file=str(path))


def test_without_the_library_a_filter_is_a_mistake_in_the_settings(
    kit: Fetching, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says what to install; plain lists need nothing."""
    monkeypatch.setattr("hubdata.sources.http.filtering.find_spec", lambda _: None)
    with pytest.raises(ConfigError) as caught:
        kit.fetch()
    assert caught.value.advice == "pip install 'hubdata[jq]'"
    assert kit.fetch(items=kit.defaults["items"][:2]).findings == ()  # type: ignore[index]


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({"url": "http://lists.example.net/a", "output": "a"}, "lets anybody between change what comes"),
        ({"url": "https://u:p@lists.example.net/a", "output": "a"}, "must not hold a user"),
        ({"url": "https://lists.example.net/a?token=sentinel", "output": "a"}, "holds a credential"),
        ({"url": "https://lists.example.net/a", "output": "../a"}, "cannot be a key"),
        ({"url": "https://lists.example.net/a", "output": "a", "header": "# a\x1b[2J"}, "printable"),
        ({"url": "https://lists.example.net/a", "output": "a", "jq": ".a\x00"}, "no NUL"),
        ({"url": "https://lists.example.net/a", "output": "a", "jqs": "."}, "jqs"),
        ({"url": "https://lists.example.net/a", "output": "a", "name": "a\n::error::"}, "printable text on one line"),
    ],
)
def test_an_item_that_cannot_be_meant_is_refused_before_anything(item: dict[str, str], words: str) -> None:
    """By key, and without quoting what may be a secret."""
    with pytest.raises(ValidationError) as caught:
        HttpOptions.model_validate({"items": [item]})
    assert words in str(caught.value)
    assert "sentinel" not in str(caught.value)


def test_no_items_and_one_key_twice_are_refused() -> None:
    """Each file has one origin, and a job has at least one."""
    with pytest.raises(ValidationError, match="name what to fetch"):
        HttpOptions.model_validate({})
    item = {"url": "https://lists.example.net/a", "output": "a"}
    with pytest.raises(ValidationError, match="two items make a"):
        HttpOptions.model_validate({"items": [item, item]})
