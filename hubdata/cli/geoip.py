"""`hubdata geoip ...`: the GeoIP databases by themselves."""

import click

from hubdata.cli.common import Common, common_flags, show_run
from hubdata.cli.geoip_diff import geoip_diff
from hubdata.cli.geoip_lookup import lookup
from hubdata.cli.geoip_verify import verify
from hubdata.errors import Exit


@click.group()
def geoip() -> None:
    """Work with the GeoIP databases."""


@geoip.command()
@click.option("--force", is_flag=True, help="Download and publish even if upstream says that nothing changed.")
@click.option(
    "--edition", "editions", multiple=True, metavar="EDITION", help="Only this one (GeoLite2-City ...).  [repeatable]"
)
@click.option("--dry-run", is_flag=True, help="Show what would be done; write nothing.")
@click.option(
    "--approve", multiple=True, metavar="PLAN_ID", help="Let out this held plan, exactly as reviewed.  [repeatable]"
)
@click.option("--allow-rollback", is_flag=True, help="Let data go back in time.")
@click.option("--wait", is_flag=True, help="Wait until the CDN has finished.")
@common_flags()
def refresh(
    common: Common,
    *,
    force: bool,
    editions: tuple[str, ...],
    dry_run: bool,
    approve: tuple[str, ...],
    allow_rollback: bool,
    wait: bool,
) -> Exit:
    """Run the GeoIP jobs now: fetch, prove, publish what changed."""
    with common.watching() as reporter:
        from hubdata import app

        choices = common.choices(
            force=force,
            editions=editions,
            dry_run=dry_run,
            approve=approve,
            allow_rollback=allow_rollback,
            wait=wait,
        )
        result = app.geoip_refresh(choices, reporter)
    return show_run(common, result)


geoip.add_command(verify)
geoip.add_command(lookup)
geoip.add_command(geoip_diff)
