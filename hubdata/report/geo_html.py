"""How two GeoIP databases differ, as one HTML file: figures, tables, and bars that a glance takes in.

The page needs nothing but itself, no script, no font, no request, and says so in its own policy; it follows the
reader's choice of light or dark. Every chart repeats a table that stands beside it, so that nobody has to see colours
or shapes to know what it says. All names come from files of strangers: they reach the page as text alone.
"""

from collections.abc import Sequence

from hubdata.model.geo import GeoComparison, GeoDifference
from hubdata.report import geo_words as words
from hubdata.report.html import PALETTE, document
from hubdata.report.html import table as _table
from hubdata.report.html import text as _text
from hubdata.report.redaction import redact

_BAR, _GAP, _LEFT, _WIDTH, _RIGHT = 18, 8, 190, 420, 150

_CSS = (
    PALETTE
    + """\
body{margin:0 auto;padding:1.5rem;max-width:60rem;background:var(--page);color:var(--ink);
font:1rem/1.5 system-ui,sans-serif}
h1{font-size:1.5rem}h2{font-size:1.2rem;margin-top:2rem;border-top:1px solid var(--line);padding-top:1rem}
table{border-collapse:collapse;margin:.5rem 0;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--soft)}th,td{padding:.2rem .9rem .2rem 0;text-align:left;vertical-align:top}
td.n,th.n{text-align:right}tbody tr{border-top:1px solid var(--line)}
svg{max-width:100%;height:auto;display:block}svg text{fill:var(--ink);font-size:13px}
.bar{fill:var(--bar)}.changed{fill:var(--changed)}.gained{fill:var(--gained)}.lost{fill:var(--lost)}
.soft{color:var(--soft)}.refused{color:var(--lost)}code{overflow-wrap:anywhere}
"""
)


def geo_comparison_html(result: GeoComparison) -> str:
    """Return a comparison as a whole HTML document, in ASCII."""
    title = f"{redact(result.old)} and {redact(result.new)}"
    body = _refused(result) if result.difference is None else _compared(result, result.difference)
    notices = "".join(f'<p class="soft">Note: {_text(redact(notice))}</p>\n' for notice in result.notices)
    head = f"<main>\n<h1>How two GeoIP databases differ</h1>\n{notices}"
    return document(f"GeoIP: {title}", f"{head}{body}</main>\n", style=_CSS)


def _refused(result: GeoComparison) -> str:
    rows = "".join(
        f"<li><code>{_text(each.key)}</code>: {_text(each.message)}"
        f' <span class="soft">({_text(each.rule)})</span></li>\n'
        for each in result.findings
    )
    return f'<p class="refused">{_text(words.NOTHING)}.</p>\n<ul>\n{rows}</ul>\n'


def _compared(result: GeoComparison, difference: GeoDifference) -> str:
    sides = (("old", result.old, difference.old), ("new", result.new, difference.new))
    rows = [(word, f"<code>{_name(name)}</code>", _text(words.database(found))) for word, name, found in sides]
    told = "".join(
        f"<p><strong>{_text(each[:1].upper() + each[1:])}.</strong></p>\n" for each in words.sentences(difference)
    )
    parts = "".join(_part(number, part) for number, part in enumerate(words.parts(difference)))
    time = f'<p class="soft">Compared in {result.elapsed_s:.1f} s.</p>\n'
    return f"{_table('The two databases', ('', 'File', 'What it says of itself'), rows, numbers=0)}{told}{parts}{time}"


def _part(number: int, part: words.Part) -> str:
    """Return one measure in one IP version: what became of the space, then the largest moves."""
    shift = part.shift
    figures = words.figures(shift)
    known = f"{shift.known:,} {part.unit} known to either database"
    rows = [(each.name, f"{each.amount:,}", words.percent(each.share)) for each in figures]
    moved = [(each.name, each.amount, words.percent(each.share), each.name) for each in figures if each.name != "same"]
    chart = _bars(f"shares-{number}", f"{part.title}: what moved", moved) if shift.moved else ""
    head = f"<section>\n<h2>{_text(part.title)}</h2>\n"
    head += _table(f"Of {known}", ("", part.unit, "share"), rows, numbers=2) + chart
    if not shift.moves:
        return f"{head}<p>Nothing moved.</p>\n</section>\n"
    named = [(text.replace("->", "\N{RIGHTWARDS ARROW}"), amount) for text, amount in words.moves(part)]
    bars = [(name, amount, f"{amount:,}", "bar") for name, amount in named]
    table = [(_text(name), f"{amount:,}", words.percent(shift.part(amount))) for name, amount in named]
    count = f"The {len(named)} largest of {shift.move_count:,} moves"
    return (
        f"{head}{_bars(f'moves-{number}', f'{part.title}: {count.lower()}', bars)}"
        f"{_table(count, ('from, to', part.unit, 'share'), table, numbers=2)}</section>\n"
    )


def _bars(name: str, title: str, rows: Sequence[tuple[str, int, str, str]]) -> str:
    """Return a bar chart; each row is its label, its amount, what is written behind the bar, and its class."""
    most = max(amount for _, amount, _, _ in rows) or 1
    height = len(rows) * (_BAR + _GAP) + _GAP
    drawn = []
    for index, (label, amount, text, kind) in enumerate(rows):
        top = _GAP + index * (_BAR + _GAP)
        middle = top + _BAR - 4
        width = max(amount / most * _WIDTH, 1 if amount else 0)
        drawn.append(
            f'<text x="{_LEFT - 8}" y="{middle}" text-anchor="end">{_text(_short(label))}</text>'
            f'<rect class="{kind}" x="{_LEFT}" y="{top}" width="{width:.1f}" height="{_BAR}" rx="2"/>'
            f'<text x="{_LEFT + width + 6:.1f}" y="{middle}">{_text(text)}</text>\n'
        )
    said = "; ".join(f"{label}: {text}" for label, _, text, _ in rows)
    return (
        f'<svg role="img" aria-labelledby="{name}-t {name}-d" viewBox="0 0 {_LEFT + _WIDTH + _RIGHT} {height}"'
        f' width="{_LEFT + _WIDTH + _RIGHT}" height="{height}">\n'
        f'<title id="{name}-t">{_text(title)}</title><desc id="{name}-d">{_text(said)}</desc>\n{"".join(drawn)}</svg>\n'
    )


def _short(label: str) -> str:
    return label if len(label) <= 24 else f"{label[:23]}\N{HORIZONTAL ELLIPSIS}"


def _name(side: str) -> str:
    return _text(redact(side))
