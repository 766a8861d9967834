"""`hubdata geoip diff OLD NEW`: how much address space has another country, or another system."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hubdata.cli.common import Common, Format, common_flags
from hubdata.cli.errors import say
from hubdata.errors import ConfigError, Exit

if TYPE_CHECKING:
    from hubdata.model.geo import GeoComparison


@click.command("diff")
@click.argument("old")
@click.argument("new")
@click.option("--edition", metavar="EDITION", help="Which published database is meant.  [default: the other side's]")
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write the result here."
)
@common_flags(jobs=False, formats=(Format.TEXT, Format.JSON, Format.MARKDOWN, Format.HTML))
def geoip_diff(common: Common, *, old: str, new: str, edition: str | None, output: Path | None) -> Exit:
    """Show how much of IPv4 and IPv6 changed its country (or system) from OLD to NEW, and the largest moves.

    Each is a *.mmdb file, `published` (what a target holds now) or `generation:N` of it. Both are proven first. Ends
    with 0 however much they differ, with 3 when one of them is refused.
    """
    with common.watching():
        from hubdata.asking import geo_diffing

        result = geo_diffing.diff(common.choices(), geo_diffing.Wish(old, new, edition))
    text = _rendered(common, result, to_file=output is not None)
    if output is None:
        say(text)
    else:
        _write(output, text)
    return result.exit_code


def _rendered(common: Common, result: "GeoComparison", *, to_file: bool) -> str:
    if common.format is Format.JSON:
        from hubdata.report.geo_json import geo_comparison_json

        return geo_comparison_json(result)
    if common.format is Format.HTML:
        from hubdata.report.geo_html import geo_comparison_html

        return geo_comparison_html(result)
    if common.format is Format.MARKDOWN:
        from hubdata.report.geo_markdown import geo_comparison_markdown

        return geo_comparison_markdown(result)
    from hubdata.report.geo_text import geo_comparison_text
    from hubdata.report.terminal import Screen

    screen = Screen(120) if to_file else common.screen()
    return geo_comparison_text(result, screen, verbose=common.verbose, quiet=common.quiet)


def _write(path: Path, text: str) -> None:
    """Put `text` at `path`, whole or not at all. Raises ConfigError when that cannot be."""
    part = path.with_name(f".{path.name}.part")
    try:
        try:
            part.write_text(text, encoding="utf-8")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as err:
        raise ConfigError(
            f"--output {path}: cannot be written ({err.strerror or err})",
            advice="name a file in a directory that is there and can be written to",
        ) from err
