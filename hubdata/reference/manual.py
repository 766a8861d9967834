"""Manual pages: one a command, in the old man(7) language that every `man` reads.

Text is escaped so that none of it is taken for a request: a line that begins with a dot or an apostrophe, a backslash,
a hyphen that somebody will copy into a shell (man(7), "Special characters").
"""

import itertools
import re
import textwrap
from collections.abc import Iterable

from hubdata import __version__
from hubdata.reference.commands import Command, every
from hubdata.reference.exits import MEANINGS

_FILES = (
    ("hubdata.toml", "Settings, in the working directory unless -c names another file."),
    ("jobs/*.toml", "Job files; those that come with hubdata are used where no directory is named."),
)
_VARIABLES = (
    ("HUBDATA_*", "Any setting: HUBDATA_SPOOL, HUBDATA_TARGETS__AWS__BUCKET; stronger than hubdata.toml."),
    ("NO_COLOR", "No colours, whatever its value."),
)


def pages(root: Command) -> dict[str, str]:
    """Return every page by its file's name, such as `hubdata-geoip-diff.1`."""
    return {f"{_title(command)}.1": _page(command, root) for command in every(root)}


def escaped(text: str) -> str:
    r"""Return one line of text that roff prints as it stands.

    >>> escaped(".TH is no -x \\ here")
    '\\&.TH is no \\-x \\e here'
    """
    safe = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{safe}" if safe[:1] in {".", "'"} else safe


def _title(command: Command) -> str:
    return "-".join(command.path)


def _page(command: Command, root: Command) -> str:
    out = [
        '.\\" Written by `python -m hubdata.reference`.',
        f'.TH {_quoted(_title(command).upper())} 1 "" {_quoted(f"hubdata {__version__}")} {_quoted("hubdata")}',
        ".SH NAME",
        _words(f"{_title(command)} - {command.summary.rstrip('.')}"),
        ".SH SYNOPSIS",
        f".B {_quoted(command.name)}",
        _words(command.usage),
    ]
    if command.body:
        out += [".SH DESCRIPTION", "\n.PP\n".join(map(_words, command.body))]
    if command.below:
        out += [".SH COMMANDS", *_list((_title(one) + "(1)", one.summary) for one in command.below)]
    out += [".SH OPTIONS", *_list(command.flags)]
    out += [".SH EXIT STATUS", *_list((str(code), meaning) for code, meaning in MEANINGS.items())]
    if command == root:
        out += [".SH ENVIRONMENT", *_list(_VARIABLES), ".SH FILES", *_list(_FILES)]
    out += [".SH SEE ALSO", ",\n".join(f".BR {_title(one)} (1)" for one in _near(command, root)).replace(",\n", " ,\n")]
    return "\n".join(out) + "\n"


def _near(command: Command, root: Command) -> list[Command]:
    """Return where somebody may want to go from here: up, and down."""
    up = [one for one in every(root) if one.path == command.path[:-1]]
    return [*up, *command.below]


def _list(rows: Iterable[tuple[str, str]]) -> list[str]:
    out: list[str] = []
    for term, meaning in rows:
        out += [".TP", f".B {_quoted(term)}", _words(meaning)]
    return out


def _quoted(text: str) -> str:
    """Return one argument of a request."""
    return '"' + escaped(text).replace('"', "\\(dq") + '"'


def _words(text: str) -> str:
    """Return prose in lines of a sane length; what stands between backticks is bold."""
    lines = textwrap.wrap(text, 72, break_long_words=False, break_on_hyphens=False)
    marks = itertools.cycle(("\\fB", "\\fR"))
    return "\n".join(re.sub("`", lambda _: next(marks), escaped(line)) for line in lines)
