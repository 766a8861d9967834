"""How two GeoIP databases differ: the same figures for a person, a program and a browser, and no foreign orders."""

import base64
import hashlib
import json
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

from hubdata.model.comparison import Comparison, FileDifference, State
from hubdata.model.geo import GeoComparison, Measure
from hubdata.model.meaning import Difference
from hubdata.report import geo_words as words
from hubdata.report.diff_json import comparison_json
from hubdata.report.diff_text import comparison_text
from hubdata.report.geo_html import geo_comparison_html
from hubdata.report.geo_json import geo_comparison_json
from hubdata.report.geo_markdown import geo_comparison_markdown
from hubdata.report.geo_text import geo_comparison_text
from hubdata.report.markdown import comparison_markdown
from hubdata.report.terminal import Screen
from tests.unit.report import geo_samples as samples

WIDE = Screen(width=120)
CHANGED = Comparison(
    "a", "b", (FileDifference("City.mmdb", "mmdb", State.CHANGED, Difference(False, 1, 2, geo=samples.DIFFERENCE)),)
)


def test_a_person_reads_shares_moves_and_one_sentence_a_measure() -> None:
    """What became of the space, the largest moves with their number, and how much was displaced."""
    text = geo_comparison_text(samples.COMPARED, WIDE)
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[0] == "note: said beside it"
    assert "old old.mmdb GeoIP2-Enterprise, built 2019-12-24 17:41 UTC" in lines
    assert "Country of IPv4: 10,000 addresses known to either" in lines
    for line in ("same 9,000 90.00 %", "changed 600 6.00 %", "gained 300 3.00 %", "lost 100 1.00 %"):
        assert line in lines
    assert "US -> GB 500 5.00 %" in lines
    assert "no country -> DE 300 3.00 %" in lines
    assert "and 3 smaller ones" in lines
    assert "AS64496 -> AS13335 50 50.00 %" in lines
    assert "System of IPv6" not in text, "of which nothing is known"
    assert "7.22 % of IPv4 (700 addresses)" in text
    assert "under 0.001 % of IPv6 (1 /64s)" in text


def test_quiet_is_the_sentences_alone() -> None:
    """No tables: what a mail or a chat wants."""
    lines = geo_comparison_text(samples.COMPARED, WIDE, quiet=True).splitlines()
    assert lines[0].startswith("Another country, or none now: 7.22 % of IPv4")
    assert not any("LARGEST" in line for line in lines)


def test_a_program_reads_amounts_and_shares() -> None:
    """Every amount, the share of each, and null where there was nothing."""
    told = json.loads(geo_comparison_json(samples.COMPARED))
    assert (told["exit_code"], told["old"], told["notices"]) == (0, "old.mmdb", ["said beside it"])
    country, system = told["difference"]["measures"]
    assert told["difference"]["displaced"] == 0.5
    assert country["displaced"] == round(700 / 9_700, 9)
    assert {name: country["ipv4"][name] for name in ("before", "after", "known", "same", "move_count")} == {
        "before": 9_700,
        "after": 9_900,
        "known": 10_000,
        "same": 9_000,
        "move_count": 7,
    }
    assert country["ipv4"]["shares"]["changed"] == 0.06
    assert country["ipv4"]["moves"][1] == {"old": None, "new": "DE", "amount": 300}
    assert system["ipv4"]["moves"] == [{"old": "AS64496", "new": "AS13335", "amount": 50}]
    assert system["ipv6"]["displaced"] == 0


class _Page(HTMLParser):
    """Gathers tags, and holds that they are nested as they should be."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "link", "rect"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def _page(result: GeoComparison) -> tuple[_Page, str]:
    html = geo_comparison_html(result)
    page = _Page()
    page.feed(html)
    page.close()
    assert page.open == []
    return page, html


def test_a_browser_gets_one_file_that_asks_for_nothing() -> None:
    """No script, no link, no image, no font: everything is in the page, and its policy forbids the rest."""
    page, html = _page(samples.COMPARED)
    assert html.isascii()
    assert not {"script", "img", "iframe", "object", "base", "form"} & set(page.tags)
    assert not any(name in ("src", "action") or name.startswith("on") for name, _ in page.attributes)
    assert [value for name, value in page.attributes if name == "href"] == ["data:,"], "an icon that asks for nothing"
    (policy,) = (value or "" for _, value in page.attributes if "default-src" in (value or ""))
    style = html.partition("<style>")[2].partition("</style>")[0].encode()
    digest = base64.b64encode(hashlib.sha256(style).digest()).decode()
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'; ")
    assert "url(" not in html
    assert "prefers-color-scheme:dark" in html
    assert ("lang", "en") in page.attributes


def test_every_chart_says_in_words_what_it_shows() -> None:
    """Each SVG is an image with a title and a description, and its figures stand in a table too."""
    page, html = _page(samples.COMPARED)
    charts = [ET.fromstring(piece.partition("</svg>")[0].join(("<svg", "</svg>"))) for piece in html.split("<svg")[1:]]
    assert len(charts) == 6, "two for each measure and IP version of which something is known"
    for chart in charts:
        assert chart.get("role") == "img"
        ids = {child.get("id"): child.text for child in chart if child.tag in ("title", "desc")}
        assert all(ids[name] for name in (chart.get("aria-labelledby") or "").split())
    described = [child.text or "" for chart in charts for child in chart if child.tag == "desc"]
    assert any("US \N{RIGHTWARDS ARROW} GB: 500" in text for text in described)
    assert page.tags.count("caption") == page.tags.count("table") == 7
    assert page.tags.count("h1") == 1


def test_bars_are_as_long_as_what_they_stand_for() -> None:
    """The largest move has the longest bar, half of it half the length."""
    _, html = _page(samples.COMPARED)
    chart = next(piece for piece in html.split("<svg") if "moves-0-t" in piece)
    widths = [float(rect.partition('width="')[2].partition('"')[0]) for rect in chart.split("<rect")[1:]]
    assert widths == [420.0, 252.0, 84.0, 84.0]


@pytest.mark.parametrize("result", [samples.FOREIGN, samples.REFUSED], ids=["compared", "refused"])
def test_foreign_names_reach_a_page_as_text_alone(result: GeoComparison) -> None:
    """Markup, control characters and turned text in a database or a file's name stay what they look like."""
    page, html = _page(result)
    assert not {"script", "x"} & set(page.tags)
    assert "<script>" not in html
    assert "<script>alert(1)</script>" in page.text
    assert "\x1b" not in html
    text = geo_comparison_text(result, WIDE)
    assert "\x1b" not in text
    assert "\u202e" not in text
    json.loads(geo_comparison_json(result))


def test_a_pull_request_gets_tables_without_foreign_markup() -> None:
    """The same figures and moves, each database named; names of strangers are text."""
    markdown = geo_comparison_markdown(samples.COMPARED)
    assert "| changed | 600 | 6.00 % |" in markdown
    assert "| US -&#62; GB | 500 | 5.00 % |" in markdown
    assert "The 4 largest of 7 moves" in markdown
    assert "**Another country, or none now: 7.22 % of IPv4 (700 addresses)" in markdown
    for result in (samples.FOREIGN, samples.REFUSED):
        foreign = geo_comparison_markdown(result)
        assert "<script" not in foreign
        assert "\x1b" not in foreign
        assert len(foreign) < 65_536


def test_a_refused_database_is_told_with_its_reason() -> None:
    """Which of the two, where, by which rule; and no figures."""
    told = json.loads(geo_comparison_json(samples.REFUSED))
    assert (told["exit_code"], told["difference"]) == (3, None)
    assert told["findings"][0]["rule"] == "mmdb.tree"
    text = geo_comparison_text(samples.REFUSED, WIDE)
    assert "error [mmdb.tree]" in text
    assert "Nothing was compared" in text
    assert "Nothing was compared" in _page(samples.REFUSED)[0].text


@pytest.mark.parametrize("result", [samples.NOTHING, samples.EQUAL], ids=["nothing-to-compare", "equal"])
def test_databases_without_a_difference_are_told_so(result: GeoComparison) -> None:
    """No country at all, or none that moved: no chart, no table of moves."""
    assert geo_comparison_text(result, WIDE)
    assert "<svg" not in _page(result)[1]
    assert json.loads(geo_comparison_json(result))["difference"]["displaced"] == 0


def test_a_plan_and_a_comparison_of_files_tell_the_same_moves() -> None:
    """Text, Markdown and JSON of `hubdata diff` and `hubdata plan` share one telling of a difference."""
    text = comparison_text(CHANGED, WIDE)
    assert "City.mmdb (mmdb, changed)" in text
    assert "another country, or none now: 7.22 % of IPv4" in text
    assert "~ US -> GB          500 addresses" in text
    markdown = comparison_markdown(CHANGED)
    assert "US -&#62; GB" in markdown
    assert "500 addresses" in markdown
    geo = json.loads(comparison_json(CHANGED))["files"][0]["meaning"]["geo"]
    assert geo["measures"][0]["ipv4"]["changed"] == 600


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0 %"), (1e-9, "under 0.001 %"), (0.00013, "0.013 %"), (0.0727, "7.27 %"), (1, "100.00 %")],
)
def test_a_share_is_never_rounded_to_nothing(share: float, text: str) -> None:
    """Small is not none: a reviewer must see that something moved."""
    assert words.percent(share) == text


def test_numbers_of_systems_are_written_as_people_write_them() -> None:
    """`AS13335`, whether the vendor writes a number or a text."""
    assert [words.label(Measure.SYSTEM, value) for value in ("13335", "AS13335", "")] == [
        "AS13335",
        "AS13335",
        "no system",
    ]
