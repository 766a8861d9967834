"""`hubdata config ...`: every setting and its origin, every problem and its place, and the schema of both files."""

from typing import TYPE_CHECKING, Any

import click

from hubdata.cli.common import Common, Format, common_flags
from hubdata.cli.errors import say
from hubdata.errors import Exit

if TYPE_CHECKING:
    from hubdata.config.problems import Problem
    from hubdata.config.show import Row

_SCHEMAS = ("hubdata.toml", "job")


@click.group()
def config() -> None:
    """Look at the settings and the job files."""


@config.command()
@common_flags(jobs=False, targets=False)
def show(common: Common) -> Exit:
    """Print every setting and where it came from; secrets are named, not shown."""
    from hubdata import app

    rows = app.config_rows(common.choices())
    if common.format is Format.JSON:
        from hubdata.report.json import dumps

        say(dumps([{"key": row.key, "value": row.value, "origin": row.origin} for row in rows]))
    else:
        say(_rows_text(common, rows))
    return Exit.FINE


@config.command()
@common_flags(jobs=False, targets=False)
def check(common: Common) -> Exit:
    """Print every problem of the settings and job files, with file, line and key."""
    from hubdata import app
    from hubdata.config.problems import Level

    problems = app.config_problems(common.choices())
    code = Exit.CONFIG if any(p.level is Level.ERROR for p in problems) else Exit.FINE
    if common.format is Format.JSON:
        from hubdata.report.json import dumps

        say(dumps({"exit_code": int(code), "problems": [_as_object(p) for p in problems]}))
    elif common.format is Format.GITHUB:
        from hubdata.report.github import command

        lines = [
            command(p.level.value, _message(p), file=p.file, line=p.line, title=p.key or "configuration")
            for p in problems
        ]
        say("".join(line + "\n" for line in lines))
    else:
        say(_problems_text(common, problems))
    return code


@config.command()
@click.argument("name", required=False, type=click.Choice(_SCHEMAS))
def schema(name: str | None) -> Exit:
    """Print the JSON Schema of hubdata.toml, or of job files; without NAME both, by name."""
    from hubdata import app
    from hubdata.report.json import dumps

    schemas = app.config_schema()
    say(dumps(schemas[name] if name else schemas))
    return Exit.FINE


def _rows_text(common: Common, rows: "tuple[Row, ...]") -> str:
    from hubdata.report.redaction import redact
    from hubdata.report.terminal import Cell, Page, Style, plain

    page = Page(common.screen())
    cells = [
        (
            Cell(plain(row.key), (Style.BOLD,)),
            Cell(plain(redact(row.value)) or '""'),
            Cell(plain(redact(row.origin)), (Style.DIM,)),
        )
        for row in rows
    ]
    if cells and not page.table(("SETTING", "VALUE", "FROM"), cells):
        for key, value, origin in cells:
            page.line(f"{key.text} = {value.text}")
            page.line(f"from {origin.text}", Style.DIM, indent=2)
    return page.text()


def _problems_text(common: Common, problems: "tuple[Problem, ...]") -> str:
    from hubdata.report.redaction import redact
    from hubdata.report.terminal import Page, Style, plain
    from hubdata.report.wording import counted

    page = Page(common.screen())
    for problem in problems:
        where = problem.file if problem.line is None else f"{problem.file}:{problem.line}"
        page.line(plain(": ".join(part for part in (where, problem.key, problem.level.value) if part)), Style.BOLD)
        page.prose(plain(redact(problem.message)), indent=2)
        if problem.advice:
            page.prose(plain(redact(problem.advice)), Style.DIM, indent=2, first="advice: ")
    if problems:
        page.blank()
        page.line(counted(len(problems), "problem"))
    elif not common.quiet:
        page.line("The settings and job files are fine", Style.GREEN)
    return page.text()


def _as_object(problem: "Problem") -> dict[str, Any]:
    from hubdata.report.redaction import redact

    return {
        "file": problem.file,
        "line": problem.line,
        "key": problem.key,
        "level": problem.level.value,
        "message": redact(problem.message),
        "advice": redact(problem.advice),
    }


def _message(problem: "Problem") -> str:
    from hubdata.report.redaction import redact

    return redact(f"{problem.message}. {problem.advice}" if problem.advice else problem.message)
