"""`hubdata gate ...`: gates that come with hubdata, to be named by a target's `gate` or run by hand."""

from datetime import timedelta
from pathlib import Path

import click

from hubdata.cli.errors import say
from hubdata.errors import Exit


@click.group()
def gate() -> None:
    """Look at a candidate tree once more, with somebody else's eyes."""


@gate.command()
@click.argument("directory", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--engine", metavar="PATH", help="The engine's program.  [default: crowdsec, on the PATH]")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=120.0,
    metavar="SECONDS",
    help="How long it may take altogether.  [default: 120]",
)
@click.option(
    "--jobs",
    "jobs_dir",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="The job files that say what each file is.  [default: those that come with hubdata]",
)
def crowdsec(directory: Path, engine: str | None, timeout: float, jobs_dir: Path | None) -> Exit:
    """Load the tree DIR with a real engine, and say what hurts it.

    Reads no settings and needs no network. Ends with 0 when the engine has loaded every file that it knows how to load,
    with 3 when it has something to say against one.
    """
    from hubdata.gates.crowdsec import run, shown, summary

    judgement = run(directory, jobs_dir=jobs_dir, engine=engine, timeout=timedelta(seconds=timeout))
    for line in shown(judgement):
        say(f"{line}\n")
    for line in summary(judgement):
        click.echo(line, err=True)
    return judgement.exit_code
