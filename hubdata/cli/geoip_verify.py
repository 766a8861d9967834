"""`hubdata geoip verify FILE...`: prove databases, and say what they are. No settings, no target, no network."""

from pathlib import Path
from typing import Any

import click

from hubdata.cli.common import Common, Format, common_flags, show_validation
from hubdata.cli.errors import say
from hubdata.errors import Exit

KIND = "mmdb"


@click.command()
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--edition", metavar="EDITION", help="The database_type they must have.  [default: what the name says]")
@click.option(
    "--threads", type=click.IntRange(1, 16), metavar="N", help="Threads for the proof.  [default: 2, where cores allow]"
)
@common_flags(jobs=False, targets=False, sarif=True)
def verify(common: Common, *, files: tuple[Path, ...], edition: str | None, threads: int | None) -> Exit:
    """Prove that each FILE is a whole GeoIP database, whatever its bytes, and show what it holds.

    A refusal names the byte and what the format's specification says there. Ends with 0 when nothing is refused, 3 when
    something is.
    """
    options: dict[str, Any] = {"edition": edition, "threads": threads}
    with common.watching():
        from hubdata.asking.checking import validate_paths
        from hubdata.mmdb.described import described

        result = validate_paths(common.choices(), files, KIND, options)
        databases = {path.as_posix(): database for path in files if (database := described(path)) is not None}
    if common.format is Format.JSON:
        from hubdata.report.geoip_verify_json import verification_json

        say(verification_json(result, databases))
    elif common.format is Format.TEXT:
        from hubdata.report.geoip_verify_text import verification_text

        say(verification_text(result, databases, common.screen(), verbose=common.verbose, quiet=common.quiet))
    else:
        return show_validation(common, result)
    return result.exit_code
