"""The table of commands, and the guard around them.

A command's module is imported when somebody names it (or asks for help), so that no command pays for another.
"""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, NoReturn

import click

from hubdata import __version__
from hubdata.cli.errors import Voice, guarded

COMMANDS: Mapping[str, str] = {
    "sync": "hubdata.cli.sync:sync",
    "plan": "hubdata.cli.plan:plan",
    "validate": "hubdata.cli.validate:validate",
    "pull": "hubdata.cli.pull:pull",
    "diff": "hubdata.cli.diff:diff",
    "audit": "hubdata.cli.audit:audit",
    "rewrite": "hubdata.cli.rewrite:rewrite",
    "verify": "hubdata.cli.verify:verify",
    "serve": "hubdata.cli.serve:serve",
    "status": "hubdata.cli.status:status",
    "history": "hubdata.cli.history:history",
    "rollback": "hubdata.cli.rollback:rollback",
    "geoip": "hubdata.cli.geoip:geoip",
    "gate": "hubdata.cli.gate:gate",
    "doctor": "hubdata.cli.doctor:doctor",
    "config": "hubdata.cli.config:config",
    "demo": "hubdata.cli.demo:demo",
    "completion": "hubdata.cli.completion:completion",
}
"""Each command and where it lives, in the order in which help lists them."""


class Root(click.Group):
    """The `hubdata` command: finds commands late, and turns every way of failing into an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's own signature
        """Return the names in the table's order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return the command, its module imported now; None when there is no such command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that `args` begin with. A near miss is told what it may have meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as err:
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            if not near:
                raise
            raise click.UsageError(f"No such command '{args[0]}'. Did you mean '{near[0]}'?", ctx) from err

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: ARG002 - click's own signature
        **extra: Any,
    ) -> NoReturn:
        """Run and exit, always with one of the contract's codes."""
        call = super().main

        def run(voice: Voice) -> object:
            return call(args, prog_name, complete_var, standalone_mode=False, obj=voice, **extra)

        guarded(run, args)


@click.group(
    cls=Root,
    name="hubdata",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 fine, 1 bug, 2 usage or config, 3 refused by validation, 4 held by limits, "
    "5 upstream failed, 6 target failed, 7 published but the CDN is pending.",
)
@click.version_option(__version__, "-V", "--version", message="hubdata %(version)s")
def root() -> None:
    """Keep a bucket of security data true.

    Fetch lists and GeoIP databases, prove that they are safe for the engines that load them, publish only the bytes
    that changed, and tell the CDN. Begin with `hubdata demo`, or `hubdata plan` in a directory with a hubdata.toml.
    """
