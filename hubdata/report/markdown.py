"""A comparison as Markdown, fit for the comment on a pull request; and the tables that other Markdown is made of.

A comment may have 65,536 characters, and one that is longer is not posted at all. So long lists are folded and cut,
then files are reduced to their sentence, and the last of them are only counted: never a table cut in two. Names of
files and all that they hold are foreign: they reach the page as text, without markup, mentions or links of their own.
"""

from collections.abc import Iterable, Sequence

from hubdata.model.comparison import Comparison, FileDifference, State
from hubdata.model.meaning import Difference
from hubdata.report import difference as words
from hubdata.report.redaction import redact
from hubdata.report.terminal import plain
from hubdata.report.wording import counted

MAX_CHARS = 65_536
"""What GitHub takes as one comment."""

MAX_CELL = 500

_OPEN = 10
"""Items of one group that are shown unfolded."""

_STEPS = (500, 100, 25, 5)
"""Items of one group that are shown at all, fewer and fewer until a file fits."""

_RESERVED = 400
"""Room kept for the last line."""

_MARK = {
    State.ADDED: ":heavy_plus_sign:",
    State.REMOVED: ":heavy_minus_sign:",
    State.CHANGED: ":pencil2:",
    State.EQUAL: ":white_check_mark:",
}
_MARKUP = str.maketrans({c: f"&#{ord(c)};" for c in "|<>&`*_[]@#\\~!$"})


def comparison_markdown(result: Comparison, *, max_chars: int = MAX_CHARS) -> str:
    """Return a comparison as Markdown of at most `max_chars` characters."""
    head = [
        "### hubdata diff\n",
        f"{cell(redact(result.old))} &rarr; {cell(redact(result.new))}: {cell(words.comparison_sentence(result))}\n",
        *(f"> {cell(redact(notice))}\n" for notice in result.notices[:10]),
    ]
    text = "\n".join(head)
    differing = [file for file in result.files if file.state is not State.EQUAL]
    moved = [file for file in result.files if file.state is State.EQUAL]
    folded = _folded(
        f"{counted(len(moved), 'file')} with moved lines only, equal to every engine",
        "".join(f"- {cell(file.key)}\n" for file in moved[: _STEPS[0]]) + _and_more(len(moved), _STEPS[0]),
    )
    tail = f"\n{folded}" if moved and len(folded) < max_chars // 4 else ""
    return text + file_blocks(differing, max_chars - len(text) - len(tail)) + tail


def file_blocks(files: Sequence[FileDifference], max_chars: int) -> str:
    """Return a block for each of `files` in at most `max_chars` characters; those for which there is no room counted.

    Returns nothing at all when there is not even room for that.
    """
    out: list[str] = []
    left = max_chars - _RESERVED
    for number, file in enumerate(files):
        block = next((b for most in (*_STEPS, 0) if len(b := _block(file, most)) <= left), None)
        if block is None:
            out.append(f"\nand {counted(len(files) - number, 'more file')}, for which there is no room here\n")
            break
        out.append(block)
        left -= len(block)
    text = "".join(out)
    return text if len(text) <= max_chars else ""


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a table; nothing when it has no rows. Foreign text must have been through `cell`."""
    if not rows:
        return ""
    lines = (head, ("---",) * len(head), *rows)
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


def cell(text: str) -> str:
    """Return foreign text for a Markdown table: one line, bounded, without any markup, link or mention of its own."""
    text = plain(text)
    short = text if len(text) <= MAX_CELL else text[:MAX_CELL] + "..."
    return short.translate(_MARKUP).replace("://", "&#58;//").replace("www.", "www&#46;")


def _block(file: FileDifference, most: int) -> str:
    """Return one file with at most `most` items of each group."""
    kind = f" ({cell(file.kind)})" if file.kind else ""
    sentences = "".join(f"{cell(sentence)}  \n" for sentence in words.sentences(file.difference))
    state = "" if file.state is State.EQUAL else f"{file.state.value}: "
    title = f"\n#### {_MARK[file.state]} {cell(file.key)}{kind}\n\n{state}{sentences}"
    return title + "".join(_groups(file.difference, most))


def _groups(difference: Difference, most: int) -> Iterable[str]:
    if difference.equal or not most:
        return
    for group in words.groups(difference):
        shown = group.items[:most]
        notes = any(item.note for item in shown)
        rows = [(item.sign, cell(item.text), *((cell(item.note),) if notes else ())) for item in shown]
        text = table(("", group.title, *(("",) if notes else ())), rows) + _and_more(group.count, len(shown))
        yield _folded(group.title, text) if len(rows) > _OPEN else f"\n{text}"


def _folded(title: str, text: str) -> str:
    return f"\n<details><summary>{title}</summary>\n\n{text}\n</details>\n"


def _and_more(number: int, shown: int) -> str:
    return f"\nand {number - shown:,} more\n" if number > shown else ""
