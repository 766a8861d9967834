"""How two GeoIP databases differ, as one HTML file: figures, tables, and bars that a glance takes in.

The page needs nothing but itself, no script, no font, no request, and says so in its own policy; it follows the
reader's choice of light or dark. Every chart repeats a table that stands beside it, so that nobody has to see colours
or shapes to know what it says. All names come from files of strangers: they reach the page as text alone.
"""

from collections.abc import Sequence
from html import escape

from hubdata.model.geo import GeoComparison, GeoDifference
from hubdata.report import geo_words as words
from hubdata.report.redaction import redact
from hubdata.report.terminal import plain

_BAR, _GAP, _LEFT, _WIDTH, _RIGHT = 18, 8, 190, 420, 150

_CSS = """
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--page:#fff;--line:#d0d7de;--bar:#0a5dc2;
--changed:#8f5f00;--gained:#116329;--lost:#b3261e}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9aa5b1;--page:#0d1117;--line:#3d444d;--bar:#6cb0ff;
--changed:#e0aa2b;--gained:#56d364;--lost:#ff8a80}}
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


def geo_comparison_html(result: GeoComparison) -> str:
    """Return a comparison as a whole HTML document, in ASCII."""
    title = f"{_name(result.old)} and {_name(result.new)}"
    body = _refused(result) if result.difference is None else _compared(result, result.difference)
    notices = "".join(f'<p class="soft">Note: {_text(redact(notice))}</p>\n' for notice in result.notices)
    page = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>GeoIP: {title}</title>\n<style>{_CSS}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>How two GeoIP databases differ</h1>\n{notices}{body}</main>\n</body>\n</html>\n"
    )
    return page.encode("ascii", "xmlcharrefreplace").decode("ascii")


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


def _table(caption: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]], *, numbers: int) -> str:
    """Return a table whose cells are HTML already; the last `numbers` columns are numbers."""
    first = len(head) - numbers
    kinds = ["" if index < first else ' class="n"' for index in range(len(head))]
    titles = "".join(f'<th scope="col"{kind}>{_text(each)}</th>' for each, kind in zip(head, kinds, strict=True))
    body = "".join(
        f'<tr><th scope="row">{row[0]}</th>'
        + "".join(f"<td{kind}>{each}</td>" for each, kind in zip(row[1:], kinds[1:], strict=True))
        + "</tr>\n"
        for row in rows
    )
    head_row = f"<caption>{_text(caption)}</caption>\n<thead><tr>{titles}</tr></thead>"
    return f"<table>\n{head_row}\n<tbody>\n{body}</tbody>\n</table>\n"


def _short(label: str) -> str:
    return label if len(label) <= 24 else f"{label[:23]}\N{HORIZONTAL ELLIPSIS}"


def _name(side: str) -> str:
    return _text(redact(side))


def _text(text: str) -> str:
    """Return foreign text as text: nothing unprintable, nothing that HTML would obey."""
    return escape(plain(text))
