"""The status page in a real browser: nobody is hindered, the search finds, and without scripts everything is there."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from hubdata.report.page import page_html
from tests.support.real import needs_real
from tests.unit.report.page import samples
from tests.unit.report.page.browser import DARK, LIGHT, asked, axe
from tests.unit.report.page.reading import read

pytestmark = pytest.mark.browser

_AXE = """(()=>{%s;return axe.run(document,{resultTypes:['violations','incomplete']}).then(r=>({
passes:r.passes.length,background:getComputedStyle(document.body).backgroundColor,width:innerWidth,
wide:document.documentElement.scrollWidth,
violations:r.violations.map(v=>[v.id,v.nodes.slice(0,3).map(n=>n.html)])}))})()"""

_SEEN = """(()=>{const seen=s=>[...document.querySelectorAll(s)].filter(e=>e.checkVisibility());
return{search:seen('#search').length>0,links:seen('a').map(e=>e.getAttribute('href')),
headings:seen('h2').map(e=>e.textContent),badges:seen('article .badge').map(e=>e.textContent)}})()"""

_LATE = """({late:document.getElementById('late').checkVisibility(),
good:document.querySelector('.said .good').checkVisibility(),
badges:[...document.querySelectorAll('article .badge')].map(b=>b.textContent)})"""

_SEARCH = """(()=>{const q=document.getElementById('q'),find=w=>{q.value=w;q.dispatchEvent(new Event('input'));
return[[...document.querySelectorAll('#files tbody tr a')].filter(a=>a.checkVisibility())
.map(a=>a.getAttribute('href')),
document.getElementById('found').textContent,
[...document.querySelectorAll('#files tbody')].filter(b=>b.checkVisibility()).length]};
return{shown:q.checkVisibility(),found:%s.map(find)}})()"""


@needs_real
@pytest.mark.parametrize(
    ("scheme", "size", "background"),
    [(LIGHT, "500,900", "rgb(255, 255, 255)"), (DARK, "1280,900", "rgb(13, 17, 23)")],
    ids=["light-narrow", "dark-wide"],
)
def test_axe_finds_nothing_that_hinders_anybody(tmp_path: Path, scheme: str, size: str, background: str) -> None:
    """All of its rules, contrast included, in both schemes; and nobody has to scroll the whole page sideways."""
    script = _AXE % axe()
    found = asked(tmp_path, page_html(samples.real()), script, scheme, f"--window-size={size}")
    assert found["violations"] == []
    assert found["passes"] > 25
    assert found["background"] == background
    assert found["wide"] <= found["width"] <= int(size.partition(",")[0])


def test_hostile_words_do_nothing_in_a_browser(tmp_path: Path) -> None:
    """No script of theirs runs, no style, no dialog; the policy has nothing to forbid, for nothing tries."""
    count = "({scripts:document.scripts.length,styles:document.querySelectorAll('style').length,said:"
    page = page_html(samples.hostile())
    found = asked(tmp_path, page, f"{count}document.querySelector('h3').textContent}})")
    assert (found["scripts"], found["styles"]) == (2, 1), "ours, and this test's"
    assert found["said"].startswith("<script>alert(1)</script>")


@needs_real
def test_the_search_finds_by_path_kind_job_and_digest(tmp_path: Path) -> None:
    """All words must occur, in any order and case; the count is told; nothing typed means everything."""
    given = samples.real(3)
    digest = given.manifest.files[samples.CITY].sha256
    words = ["CLOUDFLARE  cdn_providers/", "mmdb geoip city", digest[:20], "no-such-file", ""]
    told = asked(tmp_path, page_html(given), _SEARCH % json.dumps(words))
    assert told["shown"]
    by_path, by_kind, by_digest, nothing, everything = told["found"]
    assert [Path(link).name for link in by_path[0]] == ["cloudflare_ip6s.txt", "cloudflare_ips.txt"]
    assert by_path[1:] == ["2 of 172 files", 1]
    assert by_kind[0] == by_digest[0] == [f"./{samples.CITY}"]
    assert nothing == [[], "0 of 172 files", 0]
    assert (len(everything[0]), everything[1]) == (172, "")


def test_time_takes_the_word_fresh_back(tmp_path: Path) -> None:
    """A page that is read later than it can vouch for says so; one that is read in time does not."""
    old = samples.small(now=samples.NOW.replace(year=2020), runs=())
    old = replace(old, jobs=tuple(replace(job, last_success=old.now) for job in old.jobs))
    late = asked(tmp_path, page_html(old), _LATE)
    assert (late["late"], late["good"]) == (True, False)
    assert [badge[:17] for badge in late["badges"]] == ["! was fresh until"] * 2
    young = replace(old, now=samples.NOW.replace(year=2999))
    young = replace(young, jobs=tuple(replace(job, last_success=young.now) for job in young.jobs))
    then = asked(tmp_path, page_html(young), _LATE)
    assert then == {"late": False, "good": True, "badges": ["\N{CHECK MARK} fresh"] * 2}


def test_without_scripts_everything_is_there_but_the_search(tmp_path: Path) -> None:
    """No field that would do nothing; every heading, every file and every job's state can be seen."""
    html = page_html(samples.small())
    before, _, rest = html.partition("<script>")
    page = before + rest.partition("</script>")[2]
    told = asked(tmp_path, page, _SEEN)
    assert told["search"] is False
    assert told["links"] == read(html).links
    assert told["headings"] == [
        *("Jobs", "GeoIP databases", "What was refused or held, and why"),
        "Files",
        "Runs",
        "Growth",
    ]
    assert told["badges"] == ["\N{CHECK MARK} fresh"] * 2
