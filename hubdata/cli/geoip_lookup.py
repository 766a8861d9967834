"""`hubdata geoip lookup IP...`: what the published databases say of an address."""

from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import click

from hubdata.cli.common import Common, Format, common_flags
from hubdata.cli.errors import say
from hubdata.errors import Exit


@click.command()
@click.argument("ips", nargs=-1, required=True, metavar="IP...")
@click.option(
    "--database",
    "databases",
    multiple=True,
    metavar="FILE",
    type=click.Path(exists=True, path_type=Path),
    help="Ask this *.mmdb file, or all of a directory, and no target.  [repeatable]",
)
@common_flags(jobs=False, formats=(Format.TEXT, Format.JSON))
def lookup(common: Common, *, ips: tuple[str, ...], databases: tuple[Path, ...]) -> Exit:
    """Show country, system and network of each IP, as the databases say that a target has published.

    Ends with 0 whether there is a record or not: that there is none is an answer (`found` tells programs). With 3 when
    a database turns out to be corrupt.
    """
    addresses = tuple(map(_address, ips))
    if databases and common.targets:
        raise click.UsageError("--database asks files and --target what is published: leave one of them out.")
    with common.watching():
        from hubdata.asking import answering

        result = answering.lookup(common.choices(), answering.Question(addresses, databases))
    if common.format is Format.JSON:
        from hubdata.report.geoip_lookup_json import lookup_json

        say(lookup_json(result))
    else:
        from hubdata.report.geoip_lookup_text import lookup_text

        say(lookup_text(result, common.screen(), verbose=common.verbose, quiet=common.quiet))
    return result.exit_code


def _address(text: str) -> IPv4Address | IPv6Address:
    from hubdata.asking.answering import parsed

    try:
        return parsed(text)
    except ValueError as err:
        raise click.BadParameter(f"{text!r} is no IP address.", param_hint="'IP'") from err
