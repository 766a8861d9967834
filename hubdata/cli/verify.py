"""`hubdata verify`: the public copy, over IPv4 and IPv6, against the manifest; writes nothing."""

import functools
import math
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hubdata.cli.common import Common, Format, common_flags, show_validation
from hubdata.cli.errors import say
from hubdata.errors import Exit

if TYPE_CHECKING:
    from hubdata.model.verification import Verification

FILE = click.Path(dir_okay=False, path_type=Path)
DIR = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.option("--url", metavar="URL", default="", help="Where the data is public.  [default: the settings' verify.url]")
@click.option(
    "--family",
    "families",
    multiple=True,
    type=click.Choice(["ipv4", "ipv6"]),
    help="Over this family alone.  [repeatable; default: the settings', else both]",
)
@click.option("--all", "everything", is_flag=True, help="Look at every file.")
@click.option(
    "--sample",
    type=click.IntRange(0, 100_000),
    metavar="N",
    help="Look at N files besides those that changed last.  [default: the settings', else 20]",
)
@click.option("--file", "keys", multiple=True, metavar="KEY", help="Look at this file alone.  [repeatable]")
@click.option("--seed", metavar="TEXT", default="", help="Choose the same files as an earlier look did.")
@click.option(
    "--generation", type=click.IntRange(1), metavar="N", default=None, help="Expect this generation, or a newer one."
)
@click.option("--public-only", is_flag=True, help="Ask no target; the newest public manifest counts.")
@click.option(
    "--pubkey",
    "pubkeys",
    multiple=True,
    metavar="KEY_OR_FILE",
    help="The manifest must be signed with this key of minisign's.  [repeatable: old and new key; default: [sign]'s]",
)
@click.option(
    "--min-generation",
    type=click.IntRange(0),
    metavar="N",
    default=0,
    help="Refuse a manifest older than generation N, which you have seen; with --pubkey.",
)
@click.option("--manifest", type=FILE, metavar="FILE", help="Look at this manifest, and at no public copy; offline.")
@click.option("--signature", type=FILE, metavar="FILE", help="Its signature.  [default: beside it, .minisig]")
@click.option("--dir", "directory", type=DIR, metavar="DIR", help="Look at all files below, too; with --manifest.")
@click.option(
    "--wait",
    type=click.FloatRange(0, 3600),
    metavar="SECONDS",
    default=0.0,
    help="Wait so long for a CDN that has old copies.  [default: 0]",
)
@click.option(
    "--resolve",
    multiple=True,
    metavar="HOST:PORT:ADDRESS",
    help="Use this address and not the DNS.  [repeatable]",
)
@common_flags(jobs=False)
def verify(
    common: Common,
    *,
    url: str,
    families: tuple[str, ...],
    everything: bool,
    sample: int | None,
    keys: tuple[str, ...],
    seed: str,
    generation: int | None,
    public_only: bool,
    pubkeys: tuple[str, ...],
    min_generation: int,
    manifest: Path | None,
    signature: Path | None,
    directory: Path | None,
    wait: float,
    resolve: tuple[str, ...],
) -> Exit:
    """Hold the public copy against the manifest, as readers of each address family get it.

    Looks at the manifest, at all files that changed last, and at some others. Ends with 7 when readers over IPv4 or
    IPv6 do not have what was published, with 3 when its signature is not good, else with 0.

    With --manifest, a copy on disk is held against its signed manifest instead: nothing is asked over the network.
    """
    if min_generation and not pubkeys:
        raise click.UsageError("--min-generation says nothing without --pubkey: anybody may write any generation.")
    if manifest is not None:
        return _on_disk(common, manifest, signature, pubkeys, min_generation=min_generation, directory=directory)
    if signature is not None or directory is not None:
        raise click.UsageError("--signature and --dir are for a copy on disk: name its manifest with --manifest.")
    if keys and (everything or sample is not None):
        raise click.UsageError("--file looks at the named files alone: leave out --all and --sample.")
    with common.watching() as reporter:
        from hubdata import app, reaching
        from hubdata.asking import viewing
        from hubdata.model.verification import Family
        from hubdata.signing.keys import public_key

        choices = common.choices()
        settings = app.settings_of(choices)
        question = viewing.Question(
            url=_checked(url),
            families=tuple(dict.fromkeys(map(Family, families))),
            pins=viewing.pins_of(resolve),
            keys=keys,
            everything=everything,
            sample=sample,
            seed=seed,
            generation=generation or 0,
            wait=_finite(wait),
            public_only=public_only,
            pubkeys=tuple(map(public_key, pubkeys)),
            min_generation=min_generation,
        )
        build = functools.partial(reaching.build_target, settings)
        result = viewing.verify(settings, question, choices.targets, build, reporter)
    return _show(common, result)


def _show(common: Common, result: "Verification") -> Exit:
    match common.format:
        case Format.JSON:
            from hubdata.report.verify_json import verify_json

            say(verify_json(result))
        case Format.GITHUB:
            from hubdata.report.github import append_step_summary
            from hubdata.report.verify_github import verify_github, verify_markdown

            say(verify_github(result))
            append_step_summary(verify_markdown(result))
        case _:
            from hubdata.report.verify_text import verify_text

            say(verify_text(result, common.screen(), verbose=common.verbose, quiet=common.quiet))
    return result.exit_code


def _on_disk(
    common: Common,
    manifest: Path,
    signature: Path | None,
    pubkeys: tuple[str, ...],
    *,
    min_generation: int,
    directory: Path | None,
) -> Exit:
    if not pubkeys:
        raise click.UsageError("--manifest wants --pubkey: without a key nothing vouches for the manifest.")
    from hubdata.asking.confirming import confirm
    from hubdata.signing.keys import public_key

    beside = manifest.with_name(f"{manifest.name}.minisig")
    keys = tuple(map(public_key, pubkeys))
    result = confirm(manifest, signature or beside, keys, min_generation=min_generation, directory=directory)
    return show_validation(common, result)


def _finite(wait: float) -> timedelta:
    """Return the time to wait; click takes `nan` for a number in any range. Raises BadParameter."""
    if not math.isfinite(wait):
        raise click.BadParameter(f"{wait} is no number of seconds.", param_hint="'--wait'")
    return timedelta(seconds=wait)


def _checked(url: str) -> str:
    """Return `url`, where it is one that can be asked."""
    from hubdata.transfer.url import hop_problem

    if url and (problem := hop_problem(url, url)):
        said = "expected https:// or http:// and a host" if problem.startswith("it leads to") else problem
        raise click.BadParameter(f"{said}, as in https://data.example.net.", param_hint="'--url'")
    return url
