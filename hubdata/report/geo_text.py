"""How two GeoIP databases differ, for a person: what moved, how much that is, and the largest moves."""

from hubdata.model.geo import GeoComparison, GeoDifference
from hubdata.report import geo_words as words
from hubdata.report.redaction import redact
from hubdata.report.terminal import Cell, Page, Screen, Style, plain
from hubdata.report.text import findings

_STYLE = {"changed": Style.YELLOW, "gained": Style.GREEN, "lost": Style.RED, "same": Style.DIM}
_MOST = 10


def geo_comparison_text(result: GeoComparison, screen: Screen, *, verbose: bool = False, quiet: bool = False) -> str:
    """Return a comparison as text: ten moves of each, with `verbose` twenty; `quiet` tells sentences alone."""
    page = Page(screen)
    for notice in () if quiet else result.notices:
        page.prose(plain(redact(notice)), Style.CYAN, first="note: ")
    page.blank()
    findings(page, result.findings, verbose=verbose, quiet=quiet)
    if result.difference is None:
        page.blank()
        page.prose(f"{words.NOTHING} (exit {int(result.exit_code)})", Style.BOLD, Style.RED)
        return page.text()
    if not quiet:
        _sides(page, result, result.difference)
        for part in words.parts(result.difference):
            _part(page, part, None if verbose else _MOST)
    page.blank()
    for sentence in words.sentences(result.difference):
        page.prose(f"{sentence[:1].upper()}{sentence[1:]}", Style.BOLD)
    if not quiet:
        page.prose(f"Compared in {result.elapsed_s:.1f} s", Style.DIM)
    return page.text()


def _sides(page: Page, result: GeoComparison, difference: GeoDifference) -> None:
    width = max(len(plain(redact(name))) for name in (result.old, result.new))
    for word, name, found in (("old", result.old, difference.old), ("new", result.new, difference.new)):
        shown = page.screen.paint(f"{plain(redact(name)):<{width}}", Style.BOLD)
        page.line(f"{word}  {shown}  {plain(words.database(found))}")
    page.blank()


def _part(page: Page, part: words.Part, most: int | None) -> None:
    shift = part.shift
    page.blank()
    page.line(f"{part.title}: {shift.known:,} {part.unit} known to either", Style.BOLD)
    rows = [
        (Cell(f"  {figure.name}", (_STYLE[figure.name],)), *_amounts(figure.amount, figure.share))
        for figure in words.figures(shift)
    ]
    page.table(("", part.unit.upper(), "SHARE"), rows)
    shown = words.moves(part)[:most]
    if not shown:
        return
    page.blank()
    moves = [(Cell(f"  {plain(text)}"), *_amounts(amount, shift.part(amount))) for text, amount in shown]
    page.table(("  LARGEST MOVES", part.unit.upper(), "SHARE"), moves)
    if shift.move_count > len(shown):
        page.line(f"  and {shift.move_count - len(shown):,} smaller ones", Style.DIM)


def _amounts(amount: int, share: float) -> tuple[Cell, Cell]:
    return Cell(f"{amount:,}", number=True), Cell(words.percent(share), number=True)
