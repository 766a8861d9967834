"""`hubdata audit --hub DIR_OR_URL`: the hub's items against what is published; writes nothing."""

import re

import click

from hubdata.cli.common import Common, Format, common_flags
from hubdata.cli.errors import say
from hubdata.errors import Exit


@click.command()
@click.option("--hub", required=True, metavar="DIR_OR_URL", help="The hub: a checkout, or its git repository.")
@click.option("--ref", default="HEAD", metavar="REF", help="Branch, tag or commit of a hub given by URL.")
@click.option(
    "--published",
    metavar="WHERE",
    help="What is public: a manifest.json (file or URL), or a checkout of the data.  [default: the target's manifest]",
)
@click.option(
    "--base-url",
    "bases",
    multiple=True,
    metavar="URL",
    help="Where the data is public, as items name it.  [repeatable; default: the settings' verify.url]",
)
@click.option("--resolve", is_flag=True, help="Ask the DNS which hosts have no IPv6 address, or none at all.")
@common_flags(jobs=False, sarif=True)
def audit(common: Common, *, hub: str, ref: str, published: str | None, bases: tuple[str, ...], resolve: bool) -> Exit:
    """Hold the hub's items against what is published.

    Says which items ask for what is not there, use a file as what it is not, or depend on strangers; and which files
    nobody uses. Ends with 3 when something is broken, else with 0.
    """
    for base in bases:
        if not re.match(r"https?://[^/\s]+", base):
            raise click.BadParameter(f"{base!r} is no http or https URL.", param_hint="'--base-url'")
    with common.watching():
        from hubdata.asking.auditing import Question, audit_hub

        result = audit_hub(common.choices(), Question(hub, ref, published, bases, resolve))
    match common.format:
        case Format.JSON:
            from hubdata.report.audit_json import audit_json

            say(audit_json(result))
        case Format.SARIF:
            from hubdata.report.sarif import findings_sarif

            say(findings_sarif(result.findings, result.exit_code, notices=result.notices, base=result.base))
        case Format.GITHUB:
            from hubdata.report.audit_github import audit_github, audit_markdown
            from hubdata.report.github import append_step_summary

            say(audit_github(result))
            append_step_summary(audit_markdown(result))
        case Format.TEXT:
            from hubdata.report.audit_text import audit_text

            say(audit_text(result, common.screen(), verbose=common.verbose, quiet=common.quiet))
    return result.exit_code
