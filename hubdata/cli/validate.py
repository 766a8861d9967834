"""`hubdata validate PATH...`: judge files or a whole checkout; no target, no network."""

from pathlib import Path

import click

from hubdata.cli.common import Common, common_flags, show_validation
from hubdata.cli.explain import explain
from hubdata.errors import Exit


@click.command()
@click.argument("paths", nargs=-1, metavar="PATH...", type=click.Path(exists=True, path_type=Path))
@click.option("--kind", metavar="KIND", help="Judge files as this kind, whatever the job files say.")
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="A setting of that kind.  [repeatable]")
@click.option("--explain", "rule", metavar="RULE", help="Say what a rule means, as cidr.host-bits, and how to mend it.")
@common_flags(targets=False)
def validate(
    common: Common, *, paths: tuple[Path, ...], kind: str | None, options: tuple[str, ...], rule: str | None
) -> Exit:
    """Check files, or a checkout by the job files' rules.

    Keys are relative to a checkout's root. Ends with 0 when nothing is refused, 3 when something is.
    """
    if rule is not None:
        if paths:
            raise click.UsageError("--explain judges nothing: leave the paths out.")
        return explain(common, rule)
    if not paths:
        raise click.UsageError("Name at least one file or checkout.")
    if options and kind is None:
        raise click.UsageError("--option needs --kind: it is a setting of that kind.")
    settings = dict(map(_named, options))
    with common.watching():
        from hubdata import app

        result = app.validate_paths(common.choices(), paths, kind, settings)
    return show_validation(common, result)


def _named(option: str) -> tuple[str, str]:
    name, equals, value = option.partition("=")
    if not name or not equals:
        raise click.BadParameter(f"{option!r} is not NAME=VALUE.", param_hint="'--option'")
    return name, value
