"""The flags that commands share, and what follows from them: the choices for a run, who watches it, how it is shown."""

import gc
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from hubdata.cli.errors import Voice, say
from hubdata.errors import Exit
from hubdata.model.event import Event
from hubdata.values import frozen

if TYPE_CHECKING:
    from hubdata.app import Choices
    from hubdata.model.run import RunResult
    from hubdata.model.validation import ValidationResult
    from hubdata.ports import Reporter
    from hubdata.report.terminal import Screen

Command = Callable[..., Exit]


class Format(StrEnum):
    """Who reads the result."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"
    MARKDOWN = "markdown"
    HTML = "html"


@frozen
class Common:
    """The shared flags of one command line. `verbosity` is -1 for `-q`, else the number of `-v`."""

    config: Path | None
    jobs_dir: Path | None
    checkouts: tuple[str, ...]
    format: Format
    verbosity: int
    color: bool
    log_format: str = "console"
    jobs: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()

    @property
    def verbose(self) -> bool:
        """Tell whether reports show what they otherwise only count."""
        return self.verbosity > 0

    @property
    def quiet(self) -> bool:
        """Tell whether reports are silent when all is well."""
        return self.verbosity < 0

    def choices(self, **more: Any) -> "Choices":
        """Return what this command line chose, with a command's own flags in `more`."""
        from hubdata.app import Choices

        started()
        return Choices(
            config=self.config,
            jobs_dir=self.jobs_dir,
            jobs=self.jobs,
            targets=self.targets,
            checkouts=self.checkouts,
            **more,
        )

    @contextmanager
    def watching(self, begins: str = "reading sources") -> Iterator["Reporter"]:
        """Give whoever watches the run: a bar for a person at a terminal, log lines for `-v`, else nobody.

        The bar says what the command `begins` with.
        """
        if self.verbosity == 0 and self.log_format == "console" and sys.stderr.isatty():
            from hubdata.report.progress import ProgressReporter

            with ProgressReporter(sys.stderr, color=self.color, begins=begins) as bar:
                yield bar
        else:
            from hubdata.report.log import LogReporter

            yield LogReporter()

    def screen(self) -> "Screen":
        """Return the screen that results go to."""
        from hubdata.report.terminal import screen_of

        return screen_of(sys.stdout, color=self.color)


def started() -> None:
    """Let the garbage collector work again: what start-up made stays to the end, and need never be looked at."""
    if not gc.isenabled():
        gc.freeze()
        gc.set_threshold(10_000, 10, 10)  # values by the hundred thousand, and hardly a cycle: a quarter of the time
        gc.enable()


def show_run(common: Common, result: "RunResult") -> Exit:
    """Print a run, or a plan when nothing was to be written, and return its exit code."""
    if common.format is Format.JSON:
        from hubdata.report.json import run_json

        say(run_json(result))
    elif common.format is Format.GITHUB:
        from hubdata.report.github import append_step_summary, run_github, run_summary_markdown

        say(run_github(result))
        append_step_summary(run_summary_markdown(result))
    else:
        from hubdata.report.text import plan_text, run_text

        render = plan_text if result.dry_run else run_text
        say(render(result, common.screen(), verbose=common.verbose, quiet=common.quiet))
    return result.exit_code


def show_validation(common: Common, result: "ValidationResult") -> Exit:
    """Print a validation and return its exit code."""
    if common.format is Format.JSON:
        from hubdata.report.json import validation_json

        say(validation_json(result))
    elif common.format is Format.GITHUB:
        from hubdata.report.github import append_step_summary, validation_github, validation_summary_markdown

        say(validation_github(result))
        append_step_summary(validation_summary_markdown(result))
    elif common.format is Format.SARIF:
        from hubdata.report.sarif import validation_sarif

        say(validation_sarif(result))
    else:
        from hubdata.report.text import validation_text

        say(validation_text(result, common.screen(), verbose=common.verbose, quiet=common.quiet))
    return result.exit_code


def common_flags(
    *, jobs: bool = True, targets: bool = True, sarif: bool = False, formats: tuple[Format, ...] = ()
) -> Callable[[Command], Command]:
    """Return a decorator that adds the shared flags and hands them to the command as one `Common`.

    A command that has no use for jobs or targets leaves these flags out, so that nobody sets them in vain. `sarif` is
    for commands that find faults in files; `formats` for those whose results have readers of their own.
    """
    usual = (Format.TEXT, Format.JSON, Format.GITHUB, *((Format.SARIF,) if sarif else ()))
    how = (_format(*(formats or usual)), *_HOW)
    options = [*_WHERE, *(_JOBS if jobs else ()), *(_TARGETS if targets else ()), *how]

    def decorate(command: Command) -> Command:
        @wraps(command)
        def called(*, format_: str, log_format: str, verbose: int, quiet: bool, no_color: bool, **flags: Any) -> Exit:
            shared = {
                name: flags.pop(name)
                for name in ("config", "jobs_dir", "checkouts", "jobs", "targets")
                if name in flags
            }
            verbosity = -1 if quiet else verbose
            set_up(verbosity, log_format)
            common = Common(
                format=Format(format_), verbosity=verbosity, color=not no_color, log_format=log_format, **shared
            )
            return command(common, **flags)

        for option in reversed(options):
            called = option(called)
        return called

    return decorate


def set_up(verbosity: int, log_format: str) -> None:
    """Have failures told, and events logged to stderr, as loudly as `verbosity` says, for whom `log_format` says."""
    from hubdata.report.log import Form, log_to

    voice = click.get_current_context().find_object(Voice)
    if voice is not None:
        voice.verbosity, voice.log_json = verbosity, log_format == Form.JSON
    log_to(sys.stderr, verbosity, form=Form(log_format))


def remark(text: str) -> None:
    """Say something on stderr that whoever started the command should know."""
    voice = click.get_current_context().find_object(Voice)
    if voice is not None and voice.log_json:
        from hubdata.report.log import log_event

        log_event(Event("hubdata.remark", {"message": text}), logging.WARNING)
    else:
        click.echo(f"hubdata: {text}", err=True)


def job_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Return the jobs that a shell may complete: the files of the directory at hand, nothing read."""
    directory = Path(ctx.params.get("jobs_dir") or "jobs")
    names = sorted(path.stem for path in directory.glob("*.toml"))
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _format(*known: Format) -> Callable[[Command], Command]:
    readers = ", ".join(_READERS[format_] for format_ in known)
    return click.option(
        "--format",
        "format_",
        type=click.Choice([f.value for f in known]),
        default=Format.TEXT.value,
        help=f"Who reads the result: {readers}.  [default: text]",
    )


_READERS = {
    Format.TEXT: "a person",
    Format.JSON: "a program",
    Format.GITHUB: "GitHub Actions",
    Format.SARIF: "code scanning",
    Format.MARKDOWN: "a pull request",
    Format.HTML: "a browser",
}
_FILE = click.Path(dir_okay=False, path_type=Path)
_DIR = click.Path(file_okay=False, path_type=Path)
_WHERE = (
    click.option("-c", "--config", type=_FILE, metavar="FILE", help="Settings.  [default: hubdata.toml, if there]"),
    click.option("--jobs", "jobs_dir", type=_DIR, metavar="DIR", help="Directory of job files."),
    click.option(
        "--checkout",
        "checkouts",
        multiple=True,
        metavar="[URL=]DIR",
        help="Read this checkout in place of the repository it was cloned from.  [repeatable]",
    ),
)
_JOBS = (
    click.option(
        "--job",
        "jobs",
        multiple=True,
        metavar="NAME",
        shell_complete=job_names,
        help="Only this job.  [repeatable; default: all]",
    ),
)
_TARGETS = (
    click.option(
        "--target", "targets", multiple=True, metavar="NAME", help="Only this target.  [repeatable; default: all]"
    ),
)
geoip_flag = click.option(
    "--geoip",
    multiple=True,
    metavar="DIR_OR_FILE",
    type=click.Path(exists=True, path_type=Path),
    help="Tell whose networks are by these *.mmdb files.  [repeatable; default: those a directory target holds]",
)
"""For commands that speak of networks."""

log_format_flag = click.option(
    "--log-format",
    type=click.Choice(["console", "json"]),
    default="console",
    envvar="HUBDATA_LOG_FORMAT",
    help="Who reads stderr: a person, or a program.  [default: console]",
)
"""For every command that says what it does while it does it."""

_HOW = (
    log_format_flag,
    click.option("-v", "--verbose", count=True, help="Say more: every warning, events; -vv: libraries too."),
    click.option("-q", "--quiet", is_flag=True, help="Say nothing when all is well."),
    click.option("--no-color", is_flag=True, help="No colours (NO_COLOR does the same)."),
)
