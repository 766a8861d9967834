"""`hubdata rollback --to GENERATION`: publish anew what a target held before, once somebody has looked at the plan."""

import click

from hubdata.cli.common import Common, common_flags, show_run
from hubdata.errors import Exit


@click.command()
@click.option(
    "--to",
    "generation",
    type=click.IntRange(min=1),
    required=True,
    metavar="GENERATION",
    help="The generation to go back (or forward) to: `hubdata history` tells them.",
)
@click.option("--approve", multiple=True, metavar="PLAN_ID", help="Carry out this plan, as reviewed.  [repeatable]")
@click.option("--yes", is_flag=True, help="Carry out what is planned, unseen.")
@click.option("--prune", is_flag=True, help="Delete what is public now and was not then, within the job's max_deletes.")
@click.option("--dry-run", is_flag=True, help="Show the plan; write nothing. So it is without --approve and --yes.")
@click.option("--wait", is_flag=True, help="Wait until the CDN has finished.")
@common_flags()
def rollback(
    common: Common, *, generation: int, approve: tuple[str, ...], yes: bool, prune: bool, dry_run: bool, wait: bool
) -> Exit:
    """Publish what one target held in an older generation: a new generation with those bytes.

    Without --approve or --yes it only plans. Files that are the same now are not touched. What is rolled back is held
    when the source offers it again, until the source has something else or somebody approves it.
    """
    with common.watching() as reporter:
        from hubdata import app
        from hubdata.running.rolling_back import Past

        choices = common.choices(dry_run=dry_run or not (approve or yes), approve=approve, wait=wait)
        result = app.rollback(choices, Past(generation, prune), reporter)
    return show_run(common, result)
