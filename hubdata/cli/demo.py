"""`hubdata demo`: the main job on sample data, with S3 and CloudFront inside this process."""

from pathlib import Path

import click

from hubdata.cli.common import started
from hubdata.cli.errors import say
from hubdata.errors import Exit


@click.command()
@click.option(
    "--dir",
    "directory",
    type=click.Path(path_type=Path),
    default=Path("hubdata-demo"),
    show_default=True,
    help="Where to write the demo's workspace; it stays.",
)
@click.option("--no-color", is_flag=True, help="No colours.")
def demo(directory: Path, *, no_color: bool) -> Exit:
    """Run the whole main job on sample data: no account, no network."""
    import sys

    from hubdata.demo import story
    from hubdata.report.log import LogReporter
    from hubdata.report.terminal import screen_of
    from hubdata.report.text import run_text

    started()
    screen = screen_of(sys.stdout, color=not no_color)
    return story.tell(
        directory,
        say=lambda line: say(f"{line}\n"),
        show=lambda result: run_text(result, screen),
        reporter=LogReporter(),
    )
