"""`hubdata plan`: what `sync --once` would do, and the ids to approve it by; writes nothing."""

from pathlib import Path

import click

from hubdata.cli.common import Common, common_flags, geoip_flag, show_run
from hubdata.errors import Exit


@click.command()
@click.option("--force", is_flag=True, help="Plan as `sync --once --force` would.")
@click.option("--approve", multiple=True, metavar="PLAN_ID", help="Plan as if this one were approved.  [repeatable]")
@click.option("--allow-rollback", is_flag=True, help="Let data go back in time.")
@geoip_flag
@common_flags()
def plan(
    common: Common, *, force: bool, approve: tuple[str, ...], allow_rollback: bool, geoip: tuple[Path, ...]
) -> Exit:
    """Show what `sync --once` would do, what that means to engines, and its plan ids. Nothing is written."""
    with common.watching() as reporter:
        from hubdata.asking.diffing import plan as explained_plan

        choices = common.choices(dry_run=True, force=force, approve=approve, allow_rollback=allow_rollback)
        result = explained_plan(choices, geoip, reporter)
    return show_run(common, result)
