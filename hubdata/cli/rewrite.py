"""`hubdata rewrite --hub DIR --base URL`: a hub's items name the mirror's copies of their data files."""

from pathlib import Path

import click

from hubdata.cli.common import Format, set_up, started
from hubdata.cli.errors import say
from hubdata.errors import Exit


@click.command()
@click.option(
    "--hub",
    required=True,
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The hub's items: a checkout, or an engine's hub directory.",
)
@click.option("--base", required=True, metavar="URL", help="The mirror, as engines reach it.")
@click.option(
    "--published",
    metavar="WHERE",
    help="What the mirror has: its manifest.json (file or URL), or its directory.  [default: the one at --base]",
)
@click.option(
    "--from",
    "origins",
    multiple=True,
    metavar="URL",
    help="Paths below this address are the mirror's keys; for copies made by other means.  [repeatable]",
)
@click.option("--dry-run", is_flag=True, help="Show what would change, and write nothing.")
@click.option(
    "--format",
    "format_",
    type=click.Choice([Format.TEXT.value, Format.JSON.value]),
    default=Format.TEXT.value,
    help="Who reads the result: a person, a program.  [default: text]",
)
@click.option("-v", "--verbose", count=True, help="Show each address that changes.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing when all is well.")
@click.option("--no-color", is_flag=True, help="No colours (NO_COLOR does the same).")
def rewrite(
    *,
    hub: Path,
    base: str,
    published: str | None,
    origins: tuple[str, ...],
    dry_run: bool,
    format_: str,
    verbose: int,
    quiet: bool,
    no_color: bool,
) -> Exit:
    """Have the items below DIR name the mirror's copies of their data files.

    Only addresses that the mirror really publishes are changed, and nothing of a file but them. Ends with 3 when an
    item still names another address, else with 0. Doing it twice does no harm.
    """
    set_up(-1 if quiet else verbose, "console")
    started()
    from hubdata.asking import rewriting

    result = rewriting.rewrite(hub, base, published=published, origins=origins, dry_run=dry_run)
    if format_ == Format.JSON:
        from hubdata.report.rewrite_json import rewrite_json

        say(rewrite_json(result))
    else:
        import sys

        from hubdata.report.rewrite_text import rewrite_text
        from hubdata.report.terminal import screen_of

        screen = screen_of(sys.stdout, color=not no_color)
        say(rewrite_text(result, screen, verbose=verbose > 0, quiet=quiet))
    return result.exit_code
