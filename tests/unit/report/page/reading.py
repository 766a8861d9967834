"""Read a page as strictly as can be: well-formed like XML, each id once, every reference and link kept apart."""

from dataclasses import dataclass
from xml.etree import ElementTree as ET

_VOID = ("meta", "link", "input")


@dataclass(frozen=True, slots=True)
class Page:
    """A page's tree, and what it is usually asked for."""

    root: ET.Element

    def all(self, tag: str) -> list[ET.Element]:
        """Return every element of one name."""
        return list(self.root.iter(tag))

    def by_id(self, id_: str) -> ET.Element:
        """Return the one element of this id."""
        (found,) = (each for each in self.root.iter() if each.get("id") == id_)
        return found

    def section(self, id_: str) -> ET.Element:
        """Return the section whose heading has this id."""
        (found,) = (each for each in self.all("section") if each.get("aria-labelledby") == id_)
        return found

    @property
    def ids(self) -> list[str]:
        """Return every id, in order."""
        return [each.attrib["id"] for each in self.root.iter() if "id" in each.attrib]

    @property
    def links(self) -> list[str]:
        """Return where every link leads."""
        return [each.attrib["href"] for each in self.all("a")]


def text(element: ET.Element) -> str:
    """Return all text in an element, blanks made one."""
    return " ".join("".join(element.itertext()).split())


def read(html: str) -> Page:
    """Return a page as a tree. Fails unless every tag is closed in order, and every attribute quoted and named once."""
    assert html.isascii()
    head, _, rest = html.partition("\n")
    assert head == "<!DOCTYPE html>"
    before, style, after = _cut(rest, "style")
    body, script, tail = _cut(after, "script")
    assert "<" not in style
    whole = before + body + tail
    for name in _VOID:
        whole = _closed(whole, name)
    whole = whole.replace(" hidden>", ' hidden="">')
    page = Page(ET.fromstring(whole))
    assert "</" not in script
    assert len(page.ids) == len(set(page.ids))
    return page


def _cut(html: str, tag: str) -> tuple[str, str, str]:
    assert html.count(f"<{tag}>") == html.count(f"</{tag}>") == 1
    before, _, rest = html.partition(f"<{tag}>")
    inner, _, after = rest.partition(f"</{tag}>")
    return before, inner, after


def _closed(html: str, tag: str) -> str:
    """Return the same with each element of a kind that has no end closed as XML wants it."""
    first, *pieces = html.split(f"<{tag} ")
    return first + "".join(f"<{tag} {each.partition('>')[0]}/>{each.partition('>')[2]}" for each in pieces)
