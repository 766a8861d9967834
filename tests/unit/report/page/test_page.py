"""The status page: what it says, that it stays one bounded document that asks for nothing, and that strangers' words
in it stay words.
"""

import base64
import hashlib
import re
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from urllib.parse import unquote

import pytest

from hubdata.model.finding import Finding
from hubdata.model.manifest import Manifest
from hubdata.model.run import Outcome
from hubdata.report.page import MAX_BYTES, Given, JobNote, page_html
from hubdata.report.page.style import CSS
from tests.support.real import SEC_LISTS, needs_real
from tests.unit.report.page import samples
from tests.unit.report.page.reading import Page, read, text
from tests.unit.report.samples import ERROR

EMPTY = Manifest(12, "2026-11-22T07:30:00Z", "run-12", {})


def told(given: Given, section: str) -> str:
    """Return the text of one section of a page."""
    return text(read(page_html(given)).section(section))


def verdict(given: Given) -> list[str]:
    """Return the sentences at the page's top."""
    (header,) = read(page_html(given)).all("header")
    return [text(each) for each in next(header.iter("ul")).iter("li") if each.get("hidden") is None]


def test_five_seconds_tell_that_everything_is_fresh() -> None:
    """The first words answer the heading's question."""
    assert verdict(samples.small()) == ["\N{CHECK MARK} Good: All 2 jobs are fresh."]


def test_a_stale_job_is_told_first_and_with_its_figures() -> None:
    """Its age against what it may be, and when it was due."""
    given = samples.small(jobs=samples.notes(hours=4)[:1], runs=())
    assert verdict(given)[0] == "\N{MULTIPLICATION SIGN} Bad: Job allowlists is stale."
    jobs = told(given, "jobs")
    assert "\N{MULTIPLICATION SIGN} stale" in jobs
    assert "Last success4 h ago (2026-11-22 08:30 UTC)At most3 hWas due2026-11-22 11:30 UTC" in jobs


@pytest.mark.parametrize(("late", "word"), [(0, "fresh"), (1, "stale")])
def test_a_job_is_fresh_up_to_the_last_second(late: int, word: str) -> None:
    """Its `max_age` itself is not too old; a second more is."""
    note = JobNote("geoip", max_age=timedelta(hours=2), last_success=samples.at(2) - timedelta(seconds=late))
    (card,) = read(page_html(samples.small(jobs=(note,), runs=(), manifest=EMPTY))).all("article")
    assert text(next(card.iter("span"))).endswith(f" {word}")


def test_what_nobody_knows_is_not_called_fresh() -> None:
    """A job without a known success, and one of which nobody has said how old it may be."""
    notes = (JobNote("geoip"), JobNote("allowlists", last_success=samples.at(1)))
    assert verdict(samples.small(jobs=notes, runs=())) == [
        "! Look: No success is known of geoip.",
        "! Look: Nobody has said how old allowlists may be.",
    ]


def test_a_success_is_also_known_by_the_record_of_a_run() -> None:
    """Published or unchanged, at the time in the run's id; a dry run, a refused or a failed one is none."""
    limit = timedelta(hours=3)
    for outcome, fresh in {Outcome.PUBLISHED: True, Outcome.UNCHANGED: True, Outcome.REFUSED: False}.items():
        run = samples.run(1, samples.ended("allowlists", outcome))
        given = samples.small(jobs=(JobNote("allowlists", max_age=limit),), runs=(run,))
        assert ("fresh" in " ".join(verdict(given))) is fresh
    dry = samples.run(1, samples.ended("allowlists", Outcome.UNCHANGED), dry_run=True)
    given = samples.small(jobs=(JobNote("allowlists", max_age=limit),), runs=(dry,))
    assert not any("fresh" in sentence for sentence in verdict(given))


def test_a_job_that_was_fresh_says_until_when() -> None:
    """So that a page read later does not claim what it cannot know: the script takes the word back then."""
    page = read(page_html(samples.small()))
    badges = [each for each in page.all("span") if "data-until" in each.attrib]
    assert [each.get("data-until") for each in badges] == ["2026-11-22T15:18:00Z", "2026-11-23T18:18:00Z"]
    assert "Fresh until2026-11-22 15:18 UTC" in text(page.section("jobs"))
    assert page.by_id("late").get("hidden") == ""


def test_what_was_refused_and_held_is_told_with_advice_and_what_is_public() -> None:
    """By file, line and rule, with why, what to do, which version stays, and how to let a held plan out."""
    given = samples.small(runs=(samples.TROUBLED,), jobs=samples.notes())
    said = told(given, "trouble")
    assert "whitelists/a.txt, line 3" in said
    for words in ("10.0.0.1/8 has host bits set", "write 10.0.0.0/8", "cidr.host-bits", "! held", "look at the source"):
        assert words in said
    assert "the version of 2026-11-20 12:30Z" in said
    assert "web/xss.txt" in said
    assert "Publicno version" in said
    assert re.search(r"hubdata sync --once --approve [0-9a-f]{64}", said)
    sentences = " ".join(verdict(given))
    assert "Job geoip has failed" in sentences
    assert "1 file refused: its last good version stays public" in sentences
    assert "2 files held until somebody approves the change" in sentences


def test_what_is_mended_is_told_no_more() -> None:
    """Only the newest run of each job counts."""
    mended = samples.run(0.1, samples.ended("allowlists", Outcome.PUBLISHED))
    said = told(samples.small(runs=(samples.TROUBLED, mended), jobs=samples.notes()), "trouble")
    assert "whitelists/a.txt" not in said
    assert "web/xss.txt" in said


def test_a_public_page_tells_of_a_failure_no_more_than_its_kind() -> None:
    """Messages name hosts, buckets and paths; whoever serves the page to maintainers alone may tell them."""
    given = samples.small(runs=(samples.TROUBLED,))
    assert "internal.example" not in page_html(given)
    assert "an upstream could not be read" in told(given, "trouble")
    assert "https://internal.example/lists.git: no answer in 30 s" in told(replace(given, private=True), "trouble")


def test_secrets_are_masked_wherever_they_turn_up() -> None:
    """In messages and commands, by their shape."""
    finding = replace(ERROR, message="https://bob:hunter22@example.org/ is odd", advice="?token=sesame-open")
    run = samples.run(1, samples.ended("geoip", Outcome.REFUSED, finding), command=("get", "?token=sesame-open"))
    run = replace(run, record={**run.record, "problem": {"message": "?sig=hunter22"}})
    html = page_html(samples.small(runs=(run,), private=True))
    assert "hunter22" not in html
    assert "sesame-open" not in html
    assert "example.org/ is odd" in html


def test_databases_are_told_with_their_build_and_age() -> None:
    """When the vendor built it counts, not when it was published."""
    assert "mmdb_update/GeoLite2-City.mmdb 2026-11-19 04:30 UTC 3 d 8 h 65.9 MB" in " ".join(
        text(cell) for cell in read(page_html(samples.small())).section("geoip").iter() if cell.tag in ("th", "td")
    )


def test_each_file_is_told_with_all_that_a_mirror_wants_and_a_link() -> None:
    """Size, entries, address space, when it changed, and the whole digest to copy."""
    given = samples.small()
    page = read(page_html(given))
    row = next(row for row in page.by_id("files").iter("tr") if "b c.txt" in text(row))
    assert [text(cell) for cell in row] == [
        *("b c.txt", "cidr", "allowlists", "812 B", "40", "1,024", "", "2026-11-22 07:30Z"),
        given.manifest.files["whitelists/b c.txt"].sha256,
    ]
    assert next(row.iter("a")).get("href") == "./whitelists/b%20c.txt"
    elsewhere = read(page_html(replace(given, links="https://data.example/hub/")))
    assert "https://data.example/hub/whitelists/b%20c.txt" in elsewhere.links


@pytest.mark.parametrize("links", ["javascript:alert(1)//", "//example.org/", "https://example.org"])
def test_links_lead_nowhere_but_below_an_address(links: str) -> None:
    """What is no http address, or does not end in a slash, is a mistake of whoever gives it."""
    with pytest.raises(ValueError, match="address"):
        samples.small(links=links)


@pytest.mark.parametrize("links", ["", "https://data.example/"])
def test_what_strangers_name_stays_text(links: str) -> None:
    """Markup, control characters, turned text and odd values: the page has our elements and attributes, no others."""
    html = page_html(replace(samples.hostile(), links=links))
    page = read(html)
    ours = read(page_html(samples.real(3) if SEC_LISTS.is_dir() else samples.small()))
    assert {each.tag for each in page.root.iter()} <= {each.tag for each in ours.root.iter()} | {"p"}
    assert "<script>alert" not in html
    assert "\\x1b\\u202e" in html
    assert all(link.startswith(("#", links or "./")) for link in page.links)
    assert not any(name.startswith("on") or name == "style" for each in page.root.iter() for name in each.attrib)
    assert "<script>alert(1)</script>" in text(page.root)


def test_a_page_asks_for_nothing_and_its_policy_allows_just_its_own_style_and_script() -> None:
    """By digest: what slipped in would neither run nor load."""
    html = page_html(samples.small())
    (policy,) = (m.get("content") or "" for m in read(html).all("meta") if "Security" in m.get("http-equiv", ""))
    allowed = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert allowed["default-src"] == allowed["base-uri"] == allowed["form-action"] == "'none'"
    for rule, tag in (("style-src", "style"), ("script-src", "script")):
        inline = html.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]
        digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
        assert allowed[rule] == f"'sha256-{digest}'"
    assert not re.search(r"\bsrc=|url\(|@import|style=", html)


def test_the_same_values_give_the_same_page() -> None:
    """Whatever the order in which they are given."""
    given = samples.small(past=samples.history(dict(samples.small().manifest.files), 5), runs=(samples.TROUBLED,))
    given = replace(given, runs=(*given.runs, samples.run(9, samples.ended("geoip", Outcome.PUBLISHED))))
    files = dict(reversed(list(given.manifest.files.items())))
    turned = replace(given, manifest=replace(given.manifest, files=files), past=given.past[::-1], runs=given.runs[::-1])
    assert page_html(given) == page_html(turned)


def test_ten_thousand_files_give_no_larger_page_and_a_sentence() -> None:
    """Those that changed last are listed, and where the others stand is told."""
    html = page_html(samples.many(10_000))
    page = read(html)
    rows = [row for row in page.by_id("files").iter("tr") if row.find("th/a") is not None]
    assert MAX_BYTES - 1_000 < len(html) <= MAX_BYTES
    assert 200 < len(rows) < 400
    sentence = f"Of 10,000 files, the {len(rows):,} that changed last are listed: manifest.json names them all."
    assert sentence in text(page.section("all"))
    numbers = {int(re.findall(r"(\d+)\.txt", text(row))[0]) for row in rows}
    assert numbers == set(range(len(rows))), "the larger its number, the longer ago it changed"


@pytest.mark.parametrize("word", [samples.HOSTILE, "\N{CUNEIFORM SIGN A}"])
def test_the_worst_that_can_be_given_gives_no_larger_page(word: str) -> None:
    """Every list as long as it may be, every word as long and as hostile: parts give way, files are listed."""
    long = (word * 1_000)[:1_200]
    jobs = tuple(JobNote(f"{number}{long}", long, long, timedelta(hours=1), samples.at(2)) for number in range(150))
    ran = [
        samples.run(hours, *(samples.ended(job.name, Outcome.REFUSED, *_findings(long)) for job in jobs[:60]))
        for hours in range(3)
    ]
    keys = [f"{number:04}/{long[:900]}" for number in range(300)]
    files = {key: samples.entry(key, hours=1, kind="mmdb", job=f"{n % 150}{long}") for n, key in enumerate(keys)}
    past = samples.history(files, 60)
    given = Given(Manifest(60, long, long, files), samples.NOW, past, tuple(ran), jobs, private=True)
    html = page_html(given)
    assert len(html) <= MAX_BYTES
    page = read(html)
    assert re.search(r"And 14\d jobs more", text(page.section("jobs")))
    assert "that changed last are listed" in text(page.section("all"))


def _findings(long: str) -> list[Finding]:
    return [replace(ERROR, key=f"{n}{long}", message=long, advice=long, rule=long) for n in range(3)]


def test_nothing_at_all_gives_a_page_too() -> None:
    """A target before its first publication, without jobs, runs or a past."""
    page = read(page_html(Given(Manifest(), samples.NOW)))
    assert text(page.section("all")) == "Files No file is public."
    assert text(page.section("history")) == "Runs No run has left a record."


def _accessible(page: Page) -> None:
    assert [len(page.all(tag)) for tag in ("main", "header", "footer", "nav", "h1")] == [1] * 5
    assert page.root.get("lang") == "en"
    for table in page.all("table"):
        assert table.find("caption") is not None
        assert all(th.get("scope") in ("col", "row", "rowgroup") for th in table.iter("th"))
    for svg in page.all("svg"):
        named = (svg.get("aria-labelledby") or "").split()
        assert svg.get("aria-hidden") == "true" or (svg.get("role") == "img" and named)
        assert all(text(page.by_id(name)) for name in named)
    levels = [int(each.tag[1]) for each in page.root.iter() if re.fullmatch(r"h\d", each.tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)


@needs_real
@pytest.mark.parametrize("generations", [30, 500])
def test_the_real_tree_has_its_page(generations: int) -> None:
    """Every file with a link to it, under 100,000 bytes, well-formed, with landmarks, captions and text for charts."""
    given = samples.real(generations)
    html = page_html(given)
    assert len(html) < 100_000
    page = read(html)
    _accessible(page)
    listed = [
        unquote(next(row.iter("a")).attrib["href"])
        for row in page.by_id("files").iter("tr")
        if row.find("th/a") is not None
    ]
    assert sorted(listed) == sorted(f"./{key}" for key in given.manifest.files)
    assert len(listed) == 172
    assert len(page.all("figure")) == 9
    assert "that changed last are listed" not in html


def _luminance(color: str) -> float:
    digits = color[1:] if len(color) == 7 else "".join(2 * each for each in color[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_colour_of_words_can_be_read(scheme: str) -> None:
    """A contrast of 4.5 and more with the page and with its cards, in both schemes (WCAG 2.2, 1.4.3)."""
    dark = "".join(re.findall(r"prefers-color-scheme:dark\)\{:root\{([^}]*)\}", CSS))
    light = "".join(re.findall(r"^:root\{([^}]*)\}", CSS, re.MULTILINE))
    colors = dict(re.findall(r"--(\w+):(#\w+)", light if scheme == "light" else dark))
    assert {"ink", "soft", "page", "card", "bar", "changed", "gained", "lost"} <= set(colors)
    for name in ("ink", "soft", "bar", "changed", "gained", "lost"):
        for behind in ("page", "card"):
            one, two = sorted((_luminance(colors[name]), _luminance(colors[behind])))
            assert (two + 0.05) / (one + 0.05) >= 4.5, (scheme, name, behind)
