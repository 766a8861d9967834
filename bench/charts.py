"""Charts as SVG, made of rectangles and text: legible on light and dark pages, every value beside its bar."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, LABEL, VALUE, ROW, BAR = 760, 190, 130, 20, 13
_STYLE = """\
text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328; }
.title { font-weight: 600; font-size: 14px; }
.group { font-weight: 600; }
.note { fill: #59636e; font-size: 11px; }
.ours { fill: #0969da; }
.theirs { fill: #8c959f; }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc; }
.note { fill: #9198a1; }
.ours { fill: #4493f8; }
.theirs { fill: #656c76; }
}"""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its label, how long it is, and what is written beside it."""

    label: str
    value: float
    text: str
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Bars that are compared with each other: the longest fills the width."""

    name: str
    bars: tuple[Bar, ...]


def chart(title: str, note: str, groups: Sequence[Group]) -> str:
    """Return an SVG document."""
    lines = [_text(10, 22, title, "title"), _text(10, 40, note, "note")]
    y = 56
    for group in groups:
        y += 16
        lines.append(_text(10, y, group.name, "group"))
        y += 8
        longest = max((bar.value for bar in group.bars), default=0) or 1.0
        for bar in group.bars:
            lines += _bar(y, bar, longest)
            y += ROW
        y += 6
    said = "; ".join(f"{g.name}: " + ", ".join(f"{bar.label} {bar.text}" for bar in g.bars) for g in groups)
    size = f'width="{WIDTH}" height="{y}" viewBox="0 0 {WIDTH} {y}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
            f"<title>{escape(title)}</title>",
            f"<desc>{escape(said)}</desc>",
            f"<style>{_STYLE}</style>",
            *lines,
            "</svg>\n",
        ]
    )


def _bar(y: int, bar: Bar, longest: float) -> list[str]:
    room = WIDTH - LABEL - VALUE - 10
    length = max(1.0, room * bar.value / longest)
    side = "ours" if bar.ours else "theirs"
    return [
        _text(LABEL - 8, y + 11, bar.label, "", "end"),
        f'<rect class="{side}" x="{LABEL}" y="{y}" width="{length:.1f}" height="{BAR}" rx="2"/>',
        _text(round(LABEL + length + 6), y + 11, bar.text, ""),
    ]


def _text(x: int, y: int, text: str, kind: str, anchor: str = "start") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}"{named}>{escape(text)}</text>'
