"""`hubdata sync --once`: run every job once, then exit. Without it, the worker: each job on its schedule."""

import os
import sys
import threading
from contextlib import suppress

import click

from hubdata.cli.common import Common, Format, common_flags, show_run
from hubdata.cli.errors import say
from hubdata.errors import Exit, HubdataError


@click.command()
@click.option("--once", is_flag=True, help="Run every job once, then exit.")
@click.option("--dry-run", is_flag=True, help="Show what would be done; write nothing.")
@click.option("--force", is_flag=True, help="Download and publish even what has not changed.")
@click.option(
    "--approve", multiple=True, metavar="PLAN_ID", help="Let out this held plan, exactly as reviewed.  [repeatable]"
)
@click.option("--allow-rollback", is_flag=True, help="Let data go back in time.")
@click.option("--wait", is_flag=True, help="Wait until the CDN has finished.")
@common_flags()
def sync(
    common: Common,
    *,
    once: bool,
    dry_run: bool,
    force: bool,
    approve: tuple[str, ...],
    allow_rollback: bool,
    wait: bool,
) -> Exit:
    """Fetch, validate, plan, publish what changed, and tell the CDN.

    Without --once this is the worker: it runs every job on its schedule until SIGTERM. SIGHUP has it read its files
    again, SIGUSR1 runs every job now.
    """
    if not once:
        of_one_run = {
            "--dry-run": dry_run,
            "--force": force,
            "--approve": bool(approve),
            "--allow-rollback": allow_rollback,
            "--wait": wait,
        }
        given = [flag for flag, value in of_one_run.items() if value]
        if given:
            raise click.UsageError(f"{given[0]} is for one run, not for all that come: add --once.")
        return _work(common)
    with common.watching() as reporter:
        from hubdata import app

        choices = common.choices(
            dry_run=dry_run, force=force, approve=approve, allow_rollback=allow_rollback, wait=wait
        )
        result = app.sync(choices, reporter)
    return show_run(common, result)


def _work(common: Common) -> Exit:
    """Run the worker; how each run ended goes to stdout, a line each, and what happens to stderr."""
    if common.format is Format.GITHUB:
        raise click.UsageError("--format github is for one run: add --once.")
    from hubdata.clock import SystemClock
    from hubdata.report.log import Form, LogReporter, Verbosity, log_to
    from hubdata.worker.metering import Meter, telling
    from hubdata.worker.runs import Ended
    from hubdata.worker.telling import json_line, text_line
    from hubdata.worker.web.opening import answering
    from hubdata.worker.worker import Worker

    line, meter = json_line if common.format is Format.JSON else text_line, Meter()

    def show(ended: Ended) -> None:
        meter.ended(ended)
        if not (common.quiet and common.format is Format.TEXT and ended.exit_code is Exit.FINE):
            with suppress(HubdataError):  # no room for results: the runs go on, and the log tells how they end
                say(line(ended))

    loud = common.verbosity if common.quiet else max(common.verbosity, Verbosity.EVENTS)
    log_to(sys.stderr, loud, form=Form(common.log_format))
    clock, reporter = SystemClock(), LogReporter()
    worker = Worker(common.choices(), clock, reporter, show)
    with answering(worker, clock, reporter, telling(meter, worker, reporter)):
        done = worker.run()
    if not done or threading.active_count() > 1:
        sys.stdout.flush()
        os._exit(Exit.FINE)  # threads are amid calls that may never end, and Python would wait for them
    return Exit.FINE
