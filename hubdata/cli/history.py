"""`hubdata history`: the generations of each target and the runs that made them; what `rollback` can go back to."""

import click

from hubdata.cli.common import Common, Format, common_flags
from hubdata.cli.errors import say
from hubdata.errors import Exit, worst


@click.command()
@click.option(
    "-n",
    "--most",
    type=click.IntRange(1, 200),
    default=20,
    show_default=True,
    metavar="N",
    help="Generations and runs that are told of.",
)
@common_flags(jobs=False, formats=(Format.TEXT, Format.JSON))
def history(common: Common, *, most: int) -> Exit:
    """Show what was published when, by which run, and of which jobs; -v names the files."""
    with common.watching():
        from hubdata.asking import remembering

        targets = remembering.history(common.choices(), most)
    if common.format is Format.JSON:
        from hubdata.report.history_json import history_json

        say(history_json(targets))
    else:
        from hubdata.report.history_text import history_text

        say(history_text(targets, common.screen(), verbose=common.verbose))
    return worst([target.problem.exit_code for target in targets if target.problem is not None])
