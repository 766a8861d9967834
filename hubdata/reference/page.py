"""The page of the command line: every command with its flags, their defaults, and the exit codes."""

from hubdata.reference.commands import Command, every
from hubdata.reference.exits import MEANINGS

_HEAD = """\
# The command line

Every command, as `--help` tells of it. The same lies in the package as manual pages: `man hubdata`, `man hubdata-sync`.
`python -m hubdata` is `hubdata` by another name.

## Exit codes

| code | means |
|---|---|
"""


def page(root: Command) -> str:
    """Return the page as Markdown."""
    codes = "".join(f"| {int(code)} | {meaning} |\n" for code, meaning in MEANINGS.items())
    return _HEAD + codes + "".join(_section(command) for command in every(root))


def _section(command: Command) -> str:
    usage = f"{command.name} {command.usage}".strip()
    out = ["", f"## {command.name}", "", f"```text\n{usage}\n```", "", _prose(command.summary)]
    for paragraph in command.body:
        out += ["", _prose(paragraph)]
    if command.below:
        out += [""]
        out += [f"- [`{one.name}`](#{'-'.join(one.path)}): {_prose(one.summary)}" for one in command.below]
    out += [""]
    out += [f"- `{names}`: {_prose(meaning)}" for names, meaning in command.flags]
    return "\n".join(out) + "\n"


def _prose(text: str) -> str:
    """Return text that Markdown shows as it stands, backticks apart."""
    parts = text.split("`")
    for number in range(0, len(parts), 2):
        for character in "*_[]<>|":
            parts[number] = parts[number].replace(character, f"\\{character}")
    return "`".join(parts)
