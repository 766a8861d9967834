"""`hubdata pull JOB --into DIR`: a job's fetched and proven files, written into a checkout for a pull request."""

from pathlib import Path

import click

from hubdata.cli.common import Common, Format, common_flags, geoip_flag, job_names
from hubdata.cli.errors import say
from hubdata.errors import Exit, TargetError


@click.command()
@click.argument("job", shell_complete=job_names)
@click.option(
    "--into",
    required=True,
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The checkout; a file's key is its path there.",
)
@click.option(
    "--summary",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write title, blank line and Markdown body of a pull request here.",
)
@click.option("--force", is_flag=True, help="Fetch even what has not changed.")
@click.option("--approve", multiple=True, metavar="PLAN_ID", help="Write what this plan held.  [repeatable]")
@geoip_flag
@common_flags(jobs=False, targets=False)
def pull(
    common: Common,
    *,
    job: str,
    into: Path,
    summary: Path | None,
    force: bool,
    approve: tuple[str, ...],
    geoip: tuple[Path, ...],
) -> Exit:
    """Fetch and validate the files of JOB, and write those that changed into a checkout.

    What is refused, held by limits or not to be had stays as it is there, and nothing else is touched.
    """
    with common.watching() as reporter:
        from hubdata.asking import pulling

        result = pulling.pull(common.choices(force=force, approve=approve), job, into, reporter, geoip=geoip)
    if summary is not None:
        from hubdata.report.pull_markdown import pull_markdown

        try:
            summary.write_text(pull_markdown(result), encoding="utf-8", errors="backslashreplace")
        except OSError as err:
            raise TargetError(
                f"--summary {summary}: {err.strerror or err}", advice="name a file that can be written"
            ) from err
    if common.format is Format.JSON:
        from hubdata.report.pull_json import pull_json

        say(pull_json(result))
    elif common.format is Format.GITHUB:
        from hubdata.report.github import append_step_summary
        from hubdata.report.pull_github import pull_github
        from hubdata.report.pull_markdown import pull_body

        say(pull_github(result))
        append_step_summary(pull_body(result))
    else:
        from hubdata.report.pull_text import pull_text

        say(pull_text(result, common.screen(), verbose=common.verbose, quiet=common.quiet))
    return result.exit_code
