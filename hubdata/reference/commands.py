"""Every command as a page could tell of it: taken from what answers `--help`, so that neither can differ."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass

import click

from hubdata.cli.root import root


@dataclass(frozen=True, slots=True)
class Command:
    """One command. `path` begins with `hubdata`; `body` are its paragraphs; `flags` are pairs of names and meaning."""

    path: tuple[str, ...]
    usage: str
    summary: str
    body: tuple[str, ...]
    flags: tuple[tuple[str, str], ...]
    below: tuple["Command", ...]

    @property
    def name(self) -> str:
        """Return it as it is typed."""
        return " ".join(self.path)


def tree() -> Command:
    """Return the root, with every other command below it in the order in which help lists them."""
    return _command(root, "hubdata", None)


def every(command: Command) -> Iterator[Command]:
    """Give `command`, then all that are below it, depth first."""
    yield command
    for one in command.below:
        yield from every(one)


def _command(command: click.Command, name: str, parent: click.Context | None) -> Command:
    context = click.Context(command, info_name=name, parent=parent, **command.context_settings)
    summary, *body = _paragraphs(command.help or "")
    below: tuple[Command, ...] = ()
    if isinstance(command, click.Group):
        found = ((child, command.get_command(context, child)) for child in command.list_commands(context))
        below = tuple(_command(child, name, context) for name, child in found if child and not child.hidden)
    return Command(
        path=tuple(context.command_path.split()),
        usage=" ".join(command.collect_usage_pieces(context)),
        summary=summary,
        body=tuple(body),
        flags=tuple(_flag(record) for param in command.get_params(context) if (record := _record(param, context))),
        below=below,
    )


def _paragraphs(text: str) -> list[str]:
    return [" ".join(part.replace("\b", "").split()) for part in re.split(r"\n\s*\n", inspect.cleandoc(text))]


def _record(param: click.Parameter, context: click.Context) -> tuple[str, str] | None:
    record = param.get_help_record(context)
    if record is None:
        return None
    env = param.envvar if isinstance(param.envvar, str) else ""
    return record[0], f"{record[1]}  [variable: {env}]" if env else record[1]


def _flag(record: tuple[str, str]) -> tuple[str, str]:
    names, meaning = record
    return names, " ".join(meaning.split())
