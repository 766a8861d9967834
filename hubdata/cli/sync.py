"""`hubdata sync --once`: run every job once, then exit."""

import click

from hubdata.cli.common import Common, common_flags, show_run
from hubdata.errors import Exit


@click.command()
@click.option("--once", is_flag=True, help="Run every job once, then exit.")
@click.option("--dry-run", is_flag=True, help="Show what would be done; write nothing.")
@click.option("--force", is_flag=True, help="Download and publish even what has not changed.")
@click.option(
    "--approve", multiple=True, metavar="PLAN_ID", help="Let out this held plan, exactly as reviewed.  [repeatable]"
)
@click.option("--allow-rollback", is_flag=True, help="Let data go back in time.")
@click.option("--wait", is_flag=True, help="Wait until the CDN has finished.")
@common_flags()
def sync(
    common: Common,
    *,
    once: bool,
    dry_run: bool,
    force: bool,
    approve: tuple[str, ...],
    allow_rollback: bool,
    wait: bool,
) -> Exit:
    """Fetch, validate, plan, publish what changed, and tell the CDN."""
    if not once:
        raise click.UsageError(
            "the scheduled worker comes with a later release. Run `hubdata sync --once` from cron or CI."
        )
    with common.watching() as reporter:
        from hubdata import app

        choices = common.choices(
            dry_run=dry_run, force=force, approve=approve, allow_rollback=allow_rollback, wait=wait
        )
        result = app.sync(choices, reporter)
    return show_run(common, result)
