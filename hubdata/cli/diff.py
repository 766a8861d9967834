"""`hubdata diff OLD NEW`: what changed in meaning, between files, checkouts, commits and generations."""

from pathlib import Path

import click

from hubdata.cli.common import Common, Format, common_flags, geoip_flag
from hubdata.cli.errors import say
from hubdata.errors import Exit


@click.command()
@click.argument("old")
@click.argument("new")
@click.option("--kind", metavar="KIND", help="Read files as this kind, whatever the job files say.")
@geoip_flag
@common_flags(formats=(Format.TEXT, Format.JSON, Format.MARKDOWN))
def diff(common: Common, *, old: str, new: str, kind: str | None, geoip: tuple[Path, ...]) -> Exit:
    """Show how NEW differs from OLD in what it means to engines.

    Each is a file, a directory (a checkout), `git:REV` of the checkout at hand (`git:REV...`: where it left REV),
    `published` (what a target holds now) or `generation:N` of it. Files that were only sorted or cut differently are
    equal. Ends with 0 whatever differs.
    """
    with common.watching():
        from hubdata.asking import diffing

        result = diffing.diff(common.choices(), diffing.Wish(old, new, kind, geoip))
    if common.format is Format.JSON:
        from hubdata.report.diff_json import comparison_json

        say(comparison_json(result))
    elif common.format is Format.MARKDOWN:
        from hubdata.report.markdown import comparison_markdown

        say(comparison_markdown(result))
    else:
        from hubdata.report.diff_text import comparison_text

        say(comparison_text(result, common.screen(), verbose=common.verbose, quiet=common.quiet))
    return Exit.FINE
