"""A pull for the reviewer of a pull request: its title, a blank line, and the body as Markdown.

That is the shape of a commit message, so `git commit -F` takes it too. What it quotes is foreign and reaches the page
as text; it is bounded as a comment on GitHub is.
"""

from hubdata.model.pull import PullResult
from hubdata.report import pull_words as words
from hubdata.report.markdown import MAX_CHARS, cell, file_blocks, table

_MOST_LEFT_CHARS = MAX_CHARS // 3


def pull_markdown(result: PullResult) -> str:
    """Return title and body."""
    return f"{words.title(result)}\n\n{pull_body(result)}"


def pull_body(result: PullResult) -> str:
    """Return what changed by file, and what was left as it was, in at most `MAX_CHARS` characters."""
    text = f"{cell(words.sentence(result))}.\n"
    tail = _left(result)
    if result.held is not None:
        tail += f"\nHeld, to be looked at: run it again with `{words.approval(result)}` if it is meant.\n"
        tail += file_blocks(result.held_files, MAX_CHARS // 4)
    return text + file_blocks(result.files, MAX_CHARS - len(text) - len(tail)) + tail


def _left(result: PullResult) -> str:
    """Return the table of what was left as it was and why, as many rows as there is room for."""
    reasons, rows, size = words.left(result), [], 0
    for each in reasons:
        row = (cell(each.key) or "all", cell(each.why), cell(each.advice))
        size += sum(map(len, row)) + 20
        if size > _MOST_LEFT_CHARS:
            break
        rows.append(row)
    if not rows:
        return ""
    text = f"\n### Left as it was\n\n{table(('File', 'Why', 'What to do'), rows)}"
    return text if len(rows) == len(reasons) else f"{text}\nand {len(reasons) - len(rows):,} more\n"
