"""Pages that name tests and files are held to them, and the site is built strictly and loads nothing from elsewhere."""

import ast
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
THREATS = (DOCS / "threat-model.md").read_text(encoding="utf-8")
GUIDES = sorted((DOCS / "contributing").glob("*.md"))
_FILE = re.compile(r"`((?:hubdata|tests|docs|jobs|requirements|deploy|\.ci)/[\w./-]*\w)/?`")


def _names(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_threat_is_met_by_tests_that_exist() -> None:
    """Each row of the tables of threats names what shows it."""
    rows = re.findall(r"^\| (.+) \| (.+) \| (`tests/.+`) \|$", THREATS, re.MULTILINE)
    assert len(rows) >= 30
    gone = []
    for row in rows:
        for path, name in re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", row[2]):
            file = ROOT / path
            if not file.is_file() or (name and name not in _names(file)):
                gone.append(f"{path}::{name}")
    assert gone == []
    told = [line for line in THREATS.splitlines() if line.startswith("| ") and "| threat |" not in line]
    assets = THREATS[THREATS.index("| asset") : THREATS.index("## Who there is")].count("\n| ") + 1
    assert len(rows) == len(told) - assets, "a threat is met by no test"


@pytest.mark.parametrize("page", [DOCS / "contributing.md", *GUIDES], ids=lambda page: page.name)
def test_every_file_that_a_guide_names_is_there(page: Path) -> None:
    """Whoever copies the shape of a file finds it, and the contract that takes the copy up."""
    text = page.read_text(encoding="utf-8")
    named = _FILE.findall(text)
    assert [name for name in named if not (ROOT / name).exists()] == []
    if page.parent.name == "contributing":
        assert re.search(r"^1\. \*\*Copy the shape of\*\* `hubdata/", text, re.MULTILINE)
        assert re.search(r"^2\. \*\*Register it\*\*", text, re.MULTILINE)
        assert "tests/contracts/" in text or page.name == "output.md"


def test_every_seam_has_its_guide() -> None:
    """A kind, a source, a target, a CDN and an output."""
    assert {page.stem for page in GUIDES} == {"kind", "source", "target", "cdn", "output"}


class _Loaded(HTMLParser):
    """Addresses that a browser asks for by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of what a tag loads; a link that somebody may follow is none."""
        told = dict(attrs)
        loads = [told.get("src"), told.get("srcset"), told.get("data"), told.get("poster")]
        if tag == "link" and told.get("rel") not in {"canonical", "prev", "next"}:
            loads.append(told.get("href"))
        self.found += [one for one in loads if one]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the site, built strictly: a dead link, a dead anchor or a page outside the navigation ends it."""
    into = tmp_path_factory.mktemp("site")
    ended = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", into],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, "\n".join(
        line for line in ended.stderr.splitlines() if "WARNING" in line or "  - " in line
    )
    return into


def test_the_site_loads_nothing_from_elsewhere(site: Path) -> None:
    """Nobody who reads it is told to a third party, and it works in a closed network."""
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 60
    for page in pages:
        loaded = _Loaded()
        loaded.feed(page.read_text(encoding="utf-8"))
        assert loaded.found
        assert [one for one in loaded.found if re.match(r"(?:[a-z]+:)?//", one)] == [], page
    for style in site.rglob("*.css"):
        assert (
            re.findall(r"url\(['\"]?(?:https?:)?//[^)]+\)|@import[^;]+//[^;]+", style.read_text(encoding="utf-8")) == []
        )


def test_the_site_shows_tables_lists_and_commands_as_such(site: Path) -> None:
    """What GitHub shows as a table or a list is one here: pages are written once."""
    command_line = (site / "reference/cli/index.html").read_text(encoding="utf-8")
    assert command_line.count("<table>") >= 1
    assert "hubdata geoip diff" in command_line
    runbook = (site / "runbook/index.html").read_text(encoding="utf-8")
    assert "```" not in re.sub(r"<code>.*?</code>", "", runbook, flags=re.DOTALL)
    for page in sorted(site.rglob("*.html")):
        prose = re.findall(r"<p>(.*?)</p>", page.read_text(encoding="utf-8"), re.DOTALL)
        assert [words for words in prose if re.search(r"\n(?:\d{1,2}\.|-) |\n\|.*\|$", words)] == [], page
    decisions = sorted(path.name for path in (site / "adr").iterdir() if path.is_dir())
    assert len(decisions) == len(list((DOCS / "adr").glob("0*.md")))
