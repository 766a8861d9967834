"""What the site of docs/ wants beyond its pages: they are written for a clone, and must stay right there.

Links to files of the repository that the site does not hold become their paths. Lists
are indented as everybody does, by the width of their mark, which Python's Markdown wants to be four.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

_LINK = re.compile(r"\[((?:[^\[\]]|\[[^\]]*\])*)\]\(((?:\.\./|examples/)[^)#\s]*)(#[^)\s]*)?\)")
_ITEM = re.compile(r"(?:[-*]|\d{1,2}\.) +\S")
_DECISIONS = "Decisions"


def on_config(config: Any) -> Any:
    """Put every decision into the navigation, in the order of their numbers."""
    found = sorted(Path(config.docs_dir, "adr").glob("0*.md"))
    for section in config.nav:
        if _DECISIONS in section:
            section[_DECISIONS] = ["adr/README.md", *(f"adr/{page.name}" for page in found)]
    return config


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Return a page as Python's Markdown has to see it."""
    here = posixpath.dirname(page.file.src_uri)
    return _indented(_LINK.sub(lambda link: _inside(link, here), markdown))


def _inside(link: re.Match[str], here: str) -> str:
    path = posixpath.normpath(posixpath.join("docs", here, link[2]))
    if path.startswith("docs/") and not path.startswith("docs/examples/"):
        return link[0]
    text = link[1].strip("`")
    return f"`{path}`" if path.startswith(text.rstrip("/")) else f"{link[1]} (`{path}`)"


def _indented(markdown: str) -> str:
    out: list[str] = []
    fenced = inside = parted = False
    for line in markdown.splitlines():
        item = not fenced and _ITEM.match(line) is not None
        if item and (parted or not inside) and out and out[-1].strip():
            out.append("")
        if item:
            inside, parted = True, False
        elif inside and not line.strip():
            parted = True
        elif not fenced and line.strip() and not line.startswith(" "):
            inside = False
        if line.lstrip().startswith("```"):
            fenced = not fenced
        deeper = inside and not item and line.startswith("  ")
        out.append("    " + re.sub(r"^ {2,3}", "", line) if deeper else line)
    return "\n".join(out) + "\n"
