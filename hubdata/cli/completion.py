"""`hubdata completion SHELL`: the script that makes a shell complete commands, flags and job names."""

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

from hubdata.cli.errors import say

_SHELLS: dict[str, type[ShellComplete]] = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}


@click.command()
@click.argument("shell", type=click.Choice(list(_SHELLS)))
def completion(shell: str) -> None:
    """Print the completion script for a shell.

    For bash: `eval "$(hubdata completion bash)"` in ~/.bashrc. For zsh the same in ~/.zshrc. For fish:
    `hubdata completion fish > ~/.config/fish/completions/hubdata.fish`.
    """
    root = click.get_current_context().find_root().command
    script = _SHELLS[shell](root, {}, "hubdata", "_HUBDATA_COMPLETE")
    # Not script.source(): for bash that starts a bash to ask for its version, and prints to stdout about it.
    say(script.source_template % script.source_vars())
