"""`hubdata doctor`: everything that a run relies on, looked at before one fails, and what there is to mend."""

import click

from hubdata.cli.common import Common, Format, common_flags
from hubdata.cli.errors import say
from hubdata.errors import Exit


@click.command()
@click.option("--no-network", is_flag=True, help="Look at this machine alone.")
@click.option(
    "--write",
    is_flag=True,
    help="Try rights to write, too: a throw-away object at each target, one path of a CDN.",
)
@common_flags(formats=(Format.TEXT, Format.JSON))
def doctor(common: Common, *, no_network: bool, write: bool) -> Exit:
    """Look at what a run relies on, and say what to mend: git, login, bucket, CDN, DNS, clock, space, keys.

    Nothing is fetched or published. Ends with 0 when nothing is to be mended, else with what a run would end with:
    2 for settings and this machine, 5 for an upstream, 6 for a target, 7 for a CDN or the public copy.
    """
    if no_network and write:
        raise click.UsageError("--write asks targets: leave --no-network out.")
    with common.watching("looking at everything"):
        from hubdata.asking.doctoring import doctor as looked

        result = looked(common.choices(), network=not no_network, write=write)
    if common.format is Format.JSON:
        from hubdata.report.doctor_json import doctor_json

        say(doctor_json(result))
    else:
        from hubdata.report.doctor_text import doctor_text

        say(doctor_text(result, common.screen(), quiet=common.quiet))
    return result.exit_code
