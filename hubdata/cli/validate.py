"""`hubdata validate PATH...`: judge files or a whole checkout; no target, no network."""

from pathlib import Path

import click

from hubdata.cli.common import Common, common_flags, show_validation
from hubdata.cli.explain import explain
from hubdata.errors import Exit


@click.command()
@click.argument("paths", nargs=-1, metavar="PATH...", type=click.Path(exists=True, allow_dash=True, path_type=Path))
@click.option("--kind", metavar="KIND", help="Judge files as this kind, whatever the job files say.")
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="A setting of that kind.  [repeatable]")
@click.option("--name", metavar="KEY", help="Judge one file, or -, as the job files have it for KEY.")
@click.option("--since", metavar="REV", help="Of a checkout (or here), judge only what differs from this commit.")
@click.option("--explain", "rule", metavar="RULE", help="Say what a rule means, as cidr.host-bits, and how to mend it.")
@common_flags(targets=False, sarif=True)
def validate(
    common: Common,
    *,
    paths: tuple[Path, ...],
    kind: str | None,
    options: tuple[str, ...],
    name: str | None,
    since: str | None,
    rule: str | None,
) -> Exit:
    """Check files, a checkout, or - for standard input, by the job files' rules.

    Keys are relative to a checkout's root. Ends with 0 when nothing is refused, 3 when something is.
    """
    if rule is not None:
        if paths:
            raise click.UsageError("--explain judges nothing: leave the paths out.")
        return explain(common, rule)
    if since is not None and not paths:
        paths = (Path(),)
    _check(paths, kind, options, name, since)
    settings = dict(map(_named, options))
    with common.watching():
        from hubdata.asking.checking import validate_paths

        result = validate_paths(common.choices(), paths, kind, settings, name=name, since=since)
    return show_validation(common, result)


def _check(
    paths: tuple[Path, ...], kind: str | None, options: tuple[str, ...], name: str | None, since: str | None
) -> None:
    """Refuse flags that do not go together, before anything is read."""
    stdin = Path("-") in paths
    if not paths:
        raise click.UsageError("Name at least one file or checkout.")
    if options and kind is None:
        raise click.UsageError("--option needs --kind: it is a setting of that kind.")
    if stdin and kind is None and name is None:
        raise click.UsageError("Standard input has no name: add --kind KIND, or --name KEY for the job files' rule.")
    if stdin and len(paths) > 1:
        raise click.UsageError("Standard input is judged alone: leave the other paths out.")
    if kind is not None and any(path.is_dir() for path in paths):
        raise click.UsageError("--kind judges files: name them, or leave it out to judge a checkout by the job files.")
    if name is not None and (not name or len(paths) > 1 or paths[0].is_dir()):
        raise click.UsageError("--name is for one file, or - for standard input.")
    if since is not None and (kind is not None or not all(path.is_dir() for path in paths)):
        raise click.UsageError("--since is for checkouts, judged by the job files.")


def _named(option: str) -> tuple[str, str]:
    name, equals, value = option.partition("=")
    if not name or not equals:
        raise click.BadParameter(f"{option!r} is not NAME=VALUE.", param_hint="'--option'")
    return name, value
