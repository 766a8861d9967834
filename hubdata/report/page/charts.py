"""Draw what a status page shows as SVG: a file through generations, and how runs ended.

Each drawing is an image with a text that says the same; outcomes differ in shape as well as in colour. What is drawn
has a bounded size, whatever is given: more generations than columns share one, which then shows their whole range.
"""

from collections.abc import Callable, Mapping, Sequence

from hubdata.model.run import Outcome
from hubdata.report import wording
from hubdata.report.html import text
from hubdata.report.page.records import RunTold
from hubdata.report.page.series import Past, Series
from hubdata.report.page.verdict import clipped

COLUMNS = 48
MOST_RUNS = 40
MOST_JOBS = 12
_WIDTH, _HEIGHT = 240, 44
_CELL, _LEFT = 14, 130

SHAPES: Mapping[Outcome, tuple[str, str, str]] = {
    Outcome.PUBLISHED: ("gained", "disc", "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z"),
    Outcome.UNCHANGED: ("still", "bar", "m-4-1h8v2h-8z"),
    Outcome.HELD: ("changed", "triangle", "m0-5l5 9h-10z"),
    Outcome.REFUSED: ("lost", "diamond", "m0-5l5 5l-5 5l-5-5z"),
    Outcome.FAILED: ("lost", "cross", "m-5-4l1-1l4 4l4-4l1 1l-4 4l4 4l-1 1l-4-4l-4 4l-1-1l4-4z"),
}
"""By outcome: the class that colours it, what its shape is called, and its path, drawn about a point."""


def multiples(past: Past) -> str:
    """Return a figure for each file that changed: its entries, where they are counted, and its size."""
    return "".join(_figure(number, series, past) for number, series in enumerate(past.series))


def _figure(number: int, series: Series, past: Past) -> str:
    lines = [("size", series.size, wording.size)]
    if any(count is not None for count in series.entries):
        lines.insert(0, ("entries", series.entries, "{:,}".format))
    drawn = "".join(_line(f"c{number}{name[0]}", name, values, say, past) for name, values, say in lines)
    return f"<figure><figcaption>{text(clipped(series.key, 120))}</figcaption>\n{drawn}</figure>\n"


def _line(id_: str, name: str, values: Sequence[int | None], say: Callable[[int], str], past: Past) -> str:
    known = [value for value in values if value is not None]
    low, high = min(known), max(known)
    first = next(past.generations[index] for index, value in enumerate(values) if value is not None)
    last = max(past.generations[index] for index, value in enumerate(values) if value is not None)
    said = f"{name} {say(known[0])} to {say(known[-1])}"
    spread = f"generations {first:,} to {last:,}, between {say(low)} and {say(high)}"
    return (
        f'<svg role="img" aria-labelledby="{id_}" viewBox="0 -4 {_WIDTH} {_HEIGHT + 8}">'
        f'<title id="{id_}">{text(f"{clipped(said, 100)}: {clipped(spread, 120)}")}</title>'
        f'<path class="line" d="{step_path(values)}"/></svg>\n<p>{text(said)}</p>\n'
    )


def step_path(values: Sequence[int | None]) -> str:
    """Return values as steps from left to right, the least at the bottom; gaps where there is none."""
    known = [value for value in values if value is not None]
    low, span = min(known), max(known) - min(known)
    columns = min(COLUMNS, len(values))
    path, pen, at = "", False, -1
    for column in range(columns):
        group = values[column * len(values) // columns : (column + 1) * len(values) // columns]
        levels = [_level(value, low, span) for value in group if value is not None]
        if not levels:
            pen = False
            continue
        left, right = column * _WIDTH // columns, (column + 1) * _WIDTH // columns
        if not pen:
            path += f"M{left} {levels[0]}"
            pen, at = True, levels[0]
        stops = [level for level in (min(levels), max(levels), levels[-1]) if len(set(levels)) > 1] or [levels[-1]]
        for level in stops:
            path += f"V{level}" if level != at else ""
            at = level
        path += f"H{right}"
    return path


def _level(value: int, low: int, span: int) -> int:
    return _HEIGHT // 2 if not span else _HEIGHT - (value - low) * _HEIGHT // span


def outcomes(runs: Sequence[RunTold], names: Sequence[str]) -> str:
    """Return how the newest runs ended, a row for each job, the newest run on the right; nothing without runs."""
    row = tuple(reversed(runs[:MOST_RUNS]))
    shown = [name for name in names if any(run.job(name) is not None for run in row)]
    if not shown:
        return ""
    marks: dict[Outcome, str] = {}
    counts: dict[str, dict[Outcome, int]] = {name: {} for name in shown}
    for across, run in enumerate(row):
        for down, name in enumerate(shown):
            row_of = run.job(name)
            ended = None if row_of is None else row_of.outcome
            if ended is None or ended not in SHAPES:
                continue
            counts[name][ended] = counts[name].get(ended, 0) + 1
            if down < MOST_JOBS:
                x, y = _LEFT + across * _CELL + _CELL // 2, down * 20 + 10
                marks[ended] = f"{marks.get(ended, '')}M{x} {y}{SHAPES[ended][2]}"
    width, height = _LEFT + len(row) * _CELL, min(len(shown), MOST_JOBS) * 20
    labels = "".join(
        f'<text x="0" y="{down * 20 + 14}">{text(clipped(name, 17))}</text>'
        for down, name in enumerate(shown[:MOST_JOBS])
    )
    paths = "".join(f'<path class="{SHAPES[each][0]}" d="{marks[each]}"/>' for each in SHAPES if each in marks)
    said = "; ".join(f"{clipped(name)}: {_counted(counts[name])}" for name in shown[:MOST_JOBS])
    more = f"; {len(shown) - MOST_JOBS:,} more jobs are not drawn" if len(shown) > MOST_JOBS else ""
    title = f"How the newest {len(row):,} runs ended, the newest on the right"
    return (
        f'<svg class="runs" role="img" aria-labelledby="runs-t runs-d" viewBox="0 0 {width} {height}" width="{width}"'
        f' height="{height}"><title id="runs-t">{text(title)}</title><desc id="runs-d">{text(said + more)}</desc>\n'
        f"{labels}{paths}</svg>\n{_legend([each for each in SHAPES if each in marks])}"
    )


def _counted(counts: Mapping[Outcome, int]) -> str:
    return ", ".join(f"{counts[each]:,} {each.value}" for each in SHAPES if each in counts) or "none known"


def _legend(used: Sequence[Outcome]) -> str:
    items = "".join(
        f'<li><svg viewBox="-7 -7 14 14" width="14" height="14" aria-hidden="true">'
        f'<path class="{SHAPES[each][0]}" d="M0 0{SHAPES[each][2]}"/></svg>{SHAPES[each][1]}: {each.value}</li>'
        for each in used
    )
    return f'<ul class="legend">{items}</ul>\n'
