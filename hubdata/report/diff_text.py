"""A comparison for a person: file by file what it means, the largest new networks first.

Long lists are cut until asked for (`-v`): a reviewer reads ten networks, and then asks why there are a thousand.
"""

from hubdata.model.comparison import Comparison, State
from hubdata.model.meaning import Difference
from hubdata.report import difference as words
from hubdata.report.redaction import redact
from hubdata.report.terminal import Page, Screen, Style, plain

MOST = 10
"""Items of one group that are shown."""

_STYLE = {"+": Style.GREEN, "-": Style.RED, "~": Style.YELLOW}
_STATE_STYLE = {State.ADDED: Style.GREEN, State.REMOVED: Style.RED, State.CHANGED: Style.YELLOW, State.EQUAL: Style.DIM}


def comparison_text(result: Comparison, screen: Screen, *, verbose: bool = False, quiet: bool = False) -> str:
    """Return a comparison as text. `quiet` says nothing when nothing differs."""
    page = Page(screen)
    if not quiet:
        for notice in result.notices:
            page.prose(plain(redact(notice)), Style.CYAN, first="note: ")
        page.blank()
    for file in result.files:
        page.line(
            f"{screen.paint(plain(file.key), Style.BOLD)} ({plain(file.kind) or 'no kind'},"
            f" {screen.paint(file.state.value, _STATE_STYLE[file.state])})"
        )
        add_difference(page, file.difference, indent=2, most=None if verbose else MOST)
        page.blank()
    if result.files or not quiet:
        sentence = f"{words.comparison_sentence(result)}, in {result.elapsed_s:.1f} s"
        page.prose(f"{sentence[:1].upper()}{sentence[1:]}", Style.BOLD)
    return page.text()


def add_difference(page: Page, difference: Difference, *, indent: int, most: int | None) -> None:
    """Add one difference to a page: its sentences, and at most `most` items of each group (None: all)."""
    for sentence in words.sentences(difference):
        page.prose(plain(sentence), Style.DIM, indent=indent)
    if difference.equal:
        return
    for group in words.groups(difference):
        shown = group.items[:most]
        width = max((len(plain(item.text)) for item in shown if item.note), default=0)
        for item in shown:
            sign = page.screen.paint(item.sign, _STYLE[item.sign])
            text = plain(item.text)
            line = f"{text:<{min(width, 44)}}  {page.screen.paint(plain(item.note), Style.DIM)}" if item.note else text
            page.line(f"{sign} {line}", indent=indent + 2)
        if len(shown) < group.count:
            page.line(f"  and {group.count - len(shown):,} more of {group.title}", Style.DIM, indent=indent + 2)
