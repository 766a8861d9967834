"""The catalogue as a page of Markdown. The same catalogue always gives the same page: CI compares it with the docs."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from hubdata.model.rule import Rule

_HEAD = """\
# Rules

What each finding means: what an engine would do with the file, the least example that breaks the rule, how to mend it.
`hubdata validate --explain RULE` prints one of them. An **error** refuses the file, and its last good version stays
public; a **warning** is for a person; **info** is only told. `limits.*` hold a file until somebody approves it.

This page is printed from the code: `python -m hubdata.rules > docs/rules.md`.
"""

_FAMILIES = {
    "text": "Every text kind",
    "group": "Groups",
    "limits": "Limits",
    "job": "Jobs, files, waivers, sources",
    "gate": "Gates",
    "audit": "Audit of a hub",
    "verify": "The public copy",
    "signature": "Signatures",
    "mirror": "Copies on disk",
}
_ONE_CHAPTER = {"file": "job", "waiver": "job", "source": "job"}


def page(rules: Iterable[Rule]) -> str:
    """Return `rules` as a page: a chapter for each family, a table of contents before them."""
    chapters = [(name, tuple(members)) for name, members in groupby(rules, _chapter)]
    parts = [_HEAD, "".join(map(_contents, chapters))]
    for chapter in chapters:
        parts += [f"## {_title(chapter[0])}\n", *map(_section, chapter[1])]
    return "\n".join(parts)


def _chapter(rule: Rule) -> str:
    return _ONE_CHAPTER.get(rule.family, rule.family)


def _title(chapter: str) -> str:
    return _FAMILIES.get(chapter, f"Kind {chapter}")


def _contents(chapter: tuple[str, tuple[Rule, ...]]) -> str:
    name, rules = chapter
    links = ", ".join(f"[{rule.id.partition('.')[2]}](#{anchor(rule)})" for rule in rules)
    return f"- {_title(name)}: {links}\n"


def anchor(rule: Rule) -> str:
    """Return the fragment under which a rule stands on the page: GitHub drops the dot from a heading."""
    return rule.id.replace(".", "")


def _section(rule: Rule) -> str:
    return "\n".join(
        (f"### {rule.id}\n", f"**{' or '.join(rule.severities).capitalize()}.** {rule.engine}\n", *_example(rule))
    )


def _example(rule: Rule) -> Iterator[str]:
    example = rule.example
    settings = "".join(f", {name} = `{value}`" for name, value in example.options.items())
    judged = f" ({example.kind}{settings})" if example.kind else ""
    note = f" {example.note}" if example.note else ""
    if example.shown:
        yield f"Example{judged}:{note}\n"
        yield "\n".join(("```text", *example.shown, "```\n"))
    else:
        yield f"Example{judged}:{note}.\n"
    yield f"Mend: {rule.mend}\n"
