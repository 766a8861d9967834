"""A pull for the reviewer of a pull request: its title, a blank line, and the body as Markdown.

That is the shape of a commit message, so `git commit -F` takes it too. What it quotes is foreign and reaches the page
as text; it is bounded as a comment on GitHub is.
"""

from hubdata.model.pull import PullResult
from hubdata.report import pull_words as words
from hubdata.report.markdown import MAX_CHARS, cell, file_blocks, table

_MOST_LEFT = 50


def pull_markdown(result: PullResult) -> str:
    """Return title and body."""
    return f"{words.title(result)}\n\n{pull_body(result)}"


def pull_body(result: PullResult) -> str:
    """Return what changed by file, and what was left as it was, in at most `MAX_CHARS` characters."""
    text = f"{cell(words.sentence(result))}.\n"
    reasons = words.left(result)
    rows = [(cell(each.key) or "all", cell(each.why), cell(each.advice)) for each in reasons[:_MOST_LEFT]]
    tail = f"\n### Left as it was\n\n{table(('File', 'Why', 'What to do'), rows)}" if rows else ""
    if len(reasons) > _MOST_LEFT:
        tail += f"\nand {len(reasons) - _MOST_LEFT:,} more\n"
    if result.held is not None:
        tail += f"\nHeld, to be looked at: run it again with `{words.approval(result)}` if it is meant.\n"
        tail += file_blocks(result.held_files, MAX_CHARS // 4)
    return text + file_blocks(result.files, MAX_CHARS - len(text) - len(tail)) + tail
