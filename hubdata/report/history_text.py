"""The past of targets for a person: a line for each generation, the run that made it beside it."""

from collections.abc import Mapping

from hubdata.model.history import Generation, TargetHistory
from hubdata.report.redaction import redact
from hubdata.report.terminal import Cell, Page, Screen, Style, plain

_HEAD = ("GEN", "PUBLISHED", "FILES", "CHANGED", "NEW", "GONE", "JOBS", "RUN")

MOST_KEYS = 50
"""Keys shown of each list of one generation with `-v`."""


def history_text(targets: tuple[TargetHistory, ...], screen: Screen, *, verbose: bool = False) -> str:
    """Return the past of every target; with `verbose`, the keys that each generation changed."""
    page = Page(screen)
    for number, target in enumerate(targets):
        if number:
            page.blank()
        page.line(plain(target.target), Style.BOLD)
        if target.problem is not None:
            page.prose(plain(redact(target.problem.message)), Style.RED, indent=2, first="error: ")
            if target.problem.advice:
                page.prose(plain(redact(target.problem.advice)), indent=4, first="advice: ")
        elif not target.generations:
            page.line("nothing has been published there", indent=2)
        else:
            _generations(page, target, verbose=verbose)
        if not target.archived:
            page.prose("its store keeps no older versions: there is nothing to go back to", Style.YELLOW, indent=2)
    return page.text()


def _generations(page: Page, target: TargetHistory, *, verbose: bool) -> None:
    runs = {run.run_id: run.record for run in target.runs}
    rows = [_row(each, runs) for each in target.generations]
    if not page.table(_HEAD, rows):
        for row in rows:  # too wide: one paragraph a generation
            told = (f"{name.lower()} {cell.text}" for name, cell in zip(_HEAD[1:], row[1:], strict=True))
            page.prose(", ".join(told), indent=2, first=f"{row[0].text}: ")
    if verbose:
        for each in target.generations:
            _keys(page, each)
    tail = target.generations[-1]
    if len(target.generations) == 1 and tail.number > 1 and target.archived:
        page.prose(
            "no older generation is kept: there is nothing to go back to. Let the store keep its past: a bucket by its"
            " versioning, a directory by `keep_generations`",
            Style.YELLOW,
            indent=2,
        )
    elif not tail.known:
        page.prose(f"what generation {tail.number} changed is not kept any more", Style.DIM, indent=2)


def _row(each: Generation, runs: Mapping[str, Mapping[str, object]]) -> list[Cell]:
    counts = [str(len(keys)) if each.known else "?" for keys in (each.changed, each.added, each.removed)]
    command = runs.get(each.run_id, {}).get("command")
    made_by = " ".join(map(str, command)) if isinstance(command, list) else ""
    run = f"{each.run_id} ({made_by})" if made_by else each.run_id
    return [
        Cell(str(each.number), number=True),
        Cell(plain(each.published_at)),
        Cell(str(each.files), number=True),
        *(Cell(count, number=True) for count in counts),
        Cell(plain(", ".join(each.jobs)) or ("-" if each.known else "?")),
        Cell(plain(run)),
    ]


def _keys(page: Page, each: Generation) -> None:
    lists = (("~", each.changed, Style.YELLOW), ("+", each.added, Style.GREEN), ("-", each.removed, Style.RED))
    if not any(keys for _, keys, _ in lists):
        return
    page.blank()
    page.line(f"generation {each.number}", Style.BOLD, indent=2)
    for sign, keys, style in lists:
        for key in keys[:MOST_KEYS]:
            page.line(f"{page.screen.paint(sign, style)} {plain(key)}", indent=4)
        if len(keys) > MOST_KEYS:
            page.line(f"  and {len(keys) - MOST_KEYS:,} more", Style.DIM, indent=4)
