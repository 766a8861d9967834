"""Tell the demo's story: the very same `sync --once` five times, each on another state of the data repository."""

import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

from hubdata.app import Choices, sync
from hubdata.demo import cloud, workspace
from hubdata.demo.workspace import CLOUD_SETTINGS, LISTS, Workspace
from hubdata.errors import Exit
from hubdata.model.run import RunResult
from hubdata.ports import Reporter

_FILES = len(LISTS)  # README.md is ignored, the database comes on top
_KEY = "whitelists/registries_ipv4.txt"
_ADDED = "199.212.0.0/24"
_POISON = "0.0.0.0/0"

Show = Callable[[RunResult], str]
"""Makes a run's result readable."""


def tell(root: Path, *, say: Callable[[str], None], show: Show, reporter: Reporter) -> Exit:
    """Return FINE when every run of the demo ended as it should, else BUG; the workspace at `root` stays.

    Raises ConfigError when `root` is taken, or git or the demo's extra are missing.
    """
    with cloud.running() as edge:
        space = workspace.create(root, build_epoch=int(time.time()) - 86_400)
        settings = space.root / "demo.toml"
        settings.write_text(CLOUD_SETTINGS.format(endpoint=edge.endpoint, distribution=edge.distribution))
        say(f"hubdata demo: a data repository, job files and settings are in {root}")
        say("S3 and CloudFront run inside this process; no account, no network.\n")
        try:
            as_expected = _runs(space, settings, say, show, reporter)
        finally:
            settings.unlink()
    say(_next(root))
    if not as_expected:
        say("A run did not end as it should: please report this with the output above.")
    return Exit.FINE if as_expected else Exit.BUG


def _runs(space: Workspace, settings: Path, say: Callable[[str], None], show: Show, reporter: Reporter) -> bool:
    def once(title: str) -> RunResult:
        say(f"== {title}")
        result = sync(Choices(config=settings), reporter)
        say(show(result))
        return result

    first = once("1. The first run: everything is fetched, proven and published")
    second = once("2. The same again: nothing changed, so nothing is written and nothing is invalidated")
    space.edit(_KEY, f"{LISTS[_KEY]}{_ADDED}\n", "Add a network")
    third = once(f"3. A commit adds {_ADDED}: one file goes up, and the CDN forgets that path and the manifest's")
    space.edit(_KEY, f"{LISTS[_KEY]}{_ADDED}\n{_POISON}\n", "Let everybody in")
    poisoned = once(f"4. A poisoned commit adds {_POISON}, which would let every attacker in: refused, nothing changes")
    space.revert()
    healed = once("5. The commit is reverted: what is public was right all along, so nothing is written")
    return [r.exit_code for r in (first, second, third, poisoned, healed)] == [
        Exit.FINE,
        Exit.FINE,
        Exit.FINE,
        Exit.REFUSED,
        Exit.FINE,
    ] and [_puts(r) for r in (first, second, third, poisoned, healed)] == [2 * _FILES, 0, 2, 0, 0]


def _puts(result: RunResult) -> int:
    return sum(len(target.plan.puts) for job in result.jobs for target in job.targets)


def _next(root: Path) -> str:
    return "\n".join(
        [
            "== Now you",
            f"  1. edit a list below {root / 'data'} (add a line to {_KEY}) and commit it:",
            f"       git -C {root / 'data'} commit -am 'My change'",
            "  2. publish it into the directory that stays:",
            f"       {_command()} sync --once -c {root / 'hubdata.toml'}",
            f"What is public is in {root / 'public'}; start with manifest.json.",
        ]
    )


def _command() -> str:
    """Return how the reader can call hubdata again: a virtual environment that is not active is not on the PATH."""
    if shutil.which("hubdata"):
        return "hubdata"
    called = Path(sys.argv[0])
    return str(called) if called.name == "hubdata" else f"{sys.executable} -m hubdata"
