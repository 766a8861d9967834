"""A gate: load a candidate tree with a real engine, and refuse it when the engine is hurt by it.

    python -P -m hubdata.gates.crowdsec DIR [--engine PATH] [--timeout SECONDS] [--jobs DIR]

Ends with 0 only when the engine has loaded every file it knows how to load, holds every row of it, and has answered
all that it was asked. Else with 3, and one line for each complaint on stdout: file, line, the engine's words, advice.
With 2 where there is no engine or no job file to go by. It needs no rights, reads nothing of the machine's own engine,
and leaves nothing behind. What it proves and what not: docs/gates.md.
"""

import argparse
import os
import resource
import shutil
import socket
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory

from hubdata.clock import SystemClock
from hubdata.config.builtin import builtin_jobs_dir
from hubdata.config.jobs import load_jobs
from hubdata.errors import ConfigError, Exit, HubdataError
from hubdata.gates.candidates import Candidate, Loads, sort_files
from hubdata.gates.engine import Engine
from hubdata.gates.hearing import Complaint, of_answers, of_loading
from hubdata.gates.questions import questions
from hubdata.gates.workspace import Workspace
from hubdata.model.job import Job
from hubdata.plugins import Seam, load, parse_options
from hubdata.ports import Source, SourceContext

DEFAULT_TIMEOUT = timedelta(seconds=120)
MEMORY = 2 << 30
"""Data that the engine may take: many times what it needs for all of the real tree."""

_PLACES = ("/usr/local/bin", "/usr/bin", "/usr/sbin")
_PASSED = ("PATH", "LD_LIBRARY_PATH")
_SHOWN = 400


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the gate found: `loaded` are the files that the engine has read whole, `left` those not asked about."""

    complaints: tuple[Complaint, ...]
    loaded: tuple[Candidate, ...]
    left: tuple[tuple[str, str], ...]

    @property
    def exit_code(self) -> Exit:
        """Return FINE only where something was loaded and nobody complained."""
        return Exit.FINE if self.loaded and not self.complaints else Exit.REFUSED


def run(directory: Path, *, jobs_dir: Path | None, engine: str | None, timeout: timedelta) -> Judgement:
    """Return what the gate finds, within bounds of time and memory; the defaults are hubdata's own jobs, and the PATH.

    Raises ConfigError without an engine or with job files that cannot be used, SourceError for a tree that cannot be
    read.
    """
    jobs = load_jobs(jobs_dir or builtin_jobs_dir())
    program = find_engine(engine)
    with bounded_memory():
        return judge(directory, jobs, program, timeout=timeout)


def judge(
    directory: Path,
    jobs: tuple[Job, ...],
    program: Path,
    *,
    timeout: timedelta = DEFAULT_TIMEOUT,
    environment: Mapping[str, str] | None = None,
) -> Judgement:
    """Return what the engine `program` says of the tree at `directory`.

    Raises SourceError when the tree cannot be read, or OSError when a file of it cannot.
    """
    around = os.environ if environment is None else environment
    deadline = time.monotonic() + timeout.total_seconds()
    with TemporaryDirectory(prefix="hubdata-gate-") as place:
        root = Path(place)
        context = SourceContext(root, {}, SystemClock())
        options = parse_options(Seam.SOURCE, "directory", {"path": str(directory.resolve())})
        source: Source = load(Seam.SOURCE, "directory")(options, context)
        found = sort_files(jobs, source.fetch(dict).files)
        engine = Engine(program, {name: around[name] for name in _PASSED if name in around})
        empty = [one for one in found.candidates if one.rows == 0 and not one.is_database]
        complaints = [*map(_unknown, found.unknown), *map(_empty, empty)]
        loaded: list[Candidate] = []
        with socket.create_server(("127.0.0.1", 0)) as silent:  # connections wait in its queue, and nobody answers
            for number, together in enumerate(_rounds([one for one in found.candidates if one not in empty])):
                workspace = Workspace(root / f"start-{number}", silent.getsockname()[1])
                said, good = _one(workspace, together, engine, deadline)
                complaints += said
                loaded += good
    if not found.candidates:
        complaints.append(_nothing())
    return Judgement(tuple(complaints), tuple(loaded), found.left)


def _rounds(candidates: Sequence[Candidate]) -> Iterator[tuple[Candidate, ...]]:
    """Yield what is loaded together: everything at once, but one City and one ASN database at a time."""
    city = [one for one in candidates if one.loads is Loads.CITY]
    asn = [one for one in candidates if one.loads is Loads.ASN]
    texts = tuple(one for one in candidates if not one.is_database)
    pairs = [tuple(one for one in pair if one) for pair in zip_longest(city, asn)]
    first = (*texts, *(pairs[0] if pairs else ()))
    if first:
        yield first
    yield from pairs[1:]


def _one(
    workspace: Workspace, together: tuple[Candidate, ...], engine: Engine, deadline: float
) -> tuple[list[Complaint], list[Candidate]]:
    """Start the engine until it is content; each start without the files it died of. Return what it said meanwhile."""
    complaints: list[Complaint] = []
    staged = list(together)
    while staged:
        names = workspace.stage(staged)
        loading = of_loading(engine.test(workspace, _left(deadline)), workspace)
        if loading.complaints:
            complaints += loading.complaints
            if not loading.out:
                return complaints, []
            staged = [one for one in staged if one not in loading.out]
            continue
        asked = [question for one in staged for question in questions(one, names[one])]
        workspace.ask(asked)
        answers = of_answers(engine.ask(workspace, _left(deadline)), asked)
        if not answers.out:
            return [*complaints, *answers.complaints], staged
        # Who is left is asked all over again, so what they said until now would be told twice.
        complaints += [told for told in answers.complaints if any(told.key == one.key for one in answers.out)]
        staged = [one for one in staged if one not in answers.out]
    return complaints, []


def _left(deadline: float) -> timedelta:
    return timedelta(seconds=max(0.0, deadline - time.monotonic()))


def _unknown(key: str) -> Complaint:
    message = "no job says what kind of file this is, so it was not loaded"
    return Complaint(key, None, message, "name the job files that publish it by --jobs")


def _empty(candidate: Candidate) -> Complaint:
    message = "it has no data row: it never matches, and an engine says at every event that it does not find it"
    return Complaint(candidate.key, None, message, "see whether its source still gives anything")


def _nothing() -> Complaint:
    message = "there is no file in this tree that the engine can load: nothing is proven"
    return Complaint("", None, message, "name the tree that holds the published keys, and by --jobs its job files")


def find_engine(named: str | None) -> Path:
    """Return the engine's program. Raises ConfigError when there is none."""
    found = shutil.which(named) if named else shutil.which("crowdsec", path=os.pathsep.join(_search()))
    if found is None:
        raise ConfigError(
            f"expected an engine at {named or '`crowdsec` on the PATH'}, found none",
            advice="install Debian's package `crowdsec`, or unpack it and name its program by --engine",
        )
    return Path(found).resolve()


def _search() -> tuple[str, ...]:
    return (*os.environ.get("PATH", "").split(os.pathsep), *_PLACES)


def shown(judgement: Judgement) -> Iterator[str]:
    """Yield a line for each complaint, printable whatever the files hold."""
    for complaint in judgement.complaints:
        place = complaint.key or "(engine)"
        if complaint.line is not None:
            place += f":{complaint.line}"
        yield _printable(f"{place}: {_cut(complaint.message)} ({complaint.advice})")


def summary(judgement: Judgement) -> Iterator[str]:
    """Yield what the gate did, for whoever reads its log."""
    rows = sum(one.rows for one in judgement.loaded)
    yield f"the engine has loaded {len(judgement.loaded)} files with {rows:,} rows, and answered for each of them"
    reasons: dict[str, int] = {}
    for _, reason in judgement.left:
        reasons[reason] = reasons.get(reason, 0) + 1
    for reason, count in sorted(reasons.items()):
        yield f"{count} files were not asked about: {reason}"


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


@contextmanager
def bounded_memory() -> Iterator[None]:
    """Let no program that is started within take more than `MEMORY` of data, nor leave a core file."""
    before = {limit: resource.getrlimit(limit) for limit in (resource.RLIMIT_DATA, resource.RLIMIT_CORE)}
    wanted = {resource.RLIMIT_DATA: MEMORY, resource.RLIMIT_CORE: 0}
    for limit, (soft, hard) in before.items():
        lowest = [value for value in (soft, hard, wanted[limit]) if value != resource.RLIM_INFINITY]
        resource.setrlimit(limit, (min(lowest), hard))
    try:
        yield
    finally:
        for limit, both in before.items():
            resource.setrlimit(limit, both)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the gate as a program and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m hubdata.gates.crowdsec", description=str(__doc__).partition("\n")[0]
    )
    parser.add_argument("directory", type=Path, metavar="DIR", help="the candidate tree")
    parser.add_argument("--engine", metavar="PATH", help="the engine's program (default: crowdsec on the PATH)")
    parser.add_argument("--timeout", type=float, default=DEFAULT_TIMEOUT.total_seconds(), metavar="SECONDS")
    parser.add_argument("--jobs", type=Path, metavar="DIR", help="job files (default: those that come with hubdata)")
    chosen = parser.parse_args(arguments)
    try:
        timeout = timedelta(seconds=chosen.timeout)
        judgement = run(chosen.directory, jobs_dir=chosen.jobs, engine=chosen.engine, timeout=timeout)
    except HubdataError as err:
        print(f"{err}\n  {err.advice}", file=sys.stderr)  # noqa: T201
        return int(err.exit_code)
    for line in shown(judgement):
        print(line)  # noqa: T201
    for line in summary(judgement):
        print(line, file=sys.stderr)  # noqa: T201
    return int(judgement.exit_code)


if __name__ == "__main__":
    sys.exit(main())
