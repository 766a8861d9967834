"""`hubdata status`: how fresh each job's data is now, and what was refused, held or failed."""

import click

from hubdata.cli.common import Common, Format, common_flags
from hubdata.cli.errors import say
from hubdata.errors import Exit, worst


@click.command()
@common_flags(formats=(Format.TEXT, Format.JSON))
def status(common: Common) -> Exit:
    """Show how fresh each job's data is at each target, and what its newest run refused, held or failed at.

    Exits with 0 when every job is fresh and its newest run was well; with 5 when one is stale or no success of it is
    known; else with the code of the newest run.
    """
    with common.watching():
        from hubdata.asking.standing import standings

        targets = standings(common.choices())
    if common.format is Format.JSON:
        from hubdata.report.standing_json import standing_json

        say(standing_json(targets))
    else:
        from hubdata.report.standing_text import standing_text

        say(standing_text(targets, common.screen()))
    return worst([target.exit_code for target in targets])
