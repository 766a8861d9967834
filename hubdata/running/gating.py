"""Ask a target's gate before anything is written there: it is shown the files, and what it refuses stays out.

The gate is a program of the operator's. It is shown a tree of its own: a copy of exactly what the target would hold of
this run's jobs, under the same keys, each file compared with its SHA-256 as it is copied. So whatever the gate does to
the tree, what goes out is what was checked; and there is no link in it that leads anywhere. Content with a tree is
only a gate that was started, ended in time, and ended with 0. An approval changes nothing of that.
"""

import hashlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hubdata.errors import SourceError
from hubdata.model.event import Event
from hubdata.model.finding import Finding, Severity
from hubdata.model.gate import TREE, Gate, Verdict
from hubdata.model.manifest import Manifest
from hubdata.model.snapshot import Artifact
from hubdata.ports import Reporter, Target
from hubdata.publishing.recall import recall
from hubdata.transfer.digest import VerifiedReader
from hubdata.transfer.spool import spool_error

_CHUNK = 1 << 20
_RULES = {"not started": "gate.not-started", "timed out": "gate.timeout", "failed": "gate.failed"}
_ADVICE = {
    "gate.not-started": "install it, make it executable, or name another; until then nothing is published there",
    "gate.timeout": "see what it waits for; if it only needs longer, raise `gate_timeout_s`",
    "gate.failed": "read what it wrote and mend the files; no approval lets out what a gate refuses",
    "gate.tree": "rename one of the two in the data repository: a gate looks at files in directories",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a target would hold: files of this run by key, and those of what it `holds` that stay there as they are."""

    artifacts: Mapping[str, Artifact]
    holds: Manifest = Manifest()
    staying: frozenset[str] = frozenset()

    @property
    def digest(self) -> str:
        """Return a name of the whole: the same for the same files only."""
        both = {key: artifact.sha256 for key, artifact in self.artifacts.items()}
        both.update((key, self.holds.files[key].sha256) for key in self.staying)
        return hashlib.sha256("".join(f"{both[key]} {key}\n" for key in sorted(both)).encode()).hexdigest()


@dataclass(slots=True)
class Gatekeeper:
    """Asks one target's gate, once for each tree: a plan that is made anew upon the same files has passed already.

    `directory` gives a new, private directory; `environment` is hubdata's own, of which the gate gets little.
    """

    gate: Gate
    environment: Mapping[str, str]
    directory: Callable[[], Path]
    _said: dict[str, Verdict] = field(default_factory=dict)

    def ask(
        self, candidate: Candidate, target: Target, *, run_id: str, jobs: tuple[str, ...], reporter: Reporter
    ) -> Verdict:
        """Return what the gate says of `candidate`.

        Raises SourceError when a checked file is no longer what it was, TargetError when what stays at the target
        cannot be read, ConfigError when the spool cannot take the tree.
        """
        name = candidate.digest
        if name not in self._said:
            tree = self.directory()
            try:
                self._said[name] = self._asked(candidate, target, tree, run_id=run_id, jobs=jobs)
            finally:
                shutil.rmtree(tree, ignore_errors=True)
            _report(self._said[name], target.name, reporter)
        return self._said[name]

    def _asked(
        self, candidate: Candidate, target: Target, tree: Path, *, run_id: str, jobs: tuple[str, ...]
    ) -> Verdict:
        from hubdata.transfer import program  # and with it `subprocess`, which most runs do without

        count = len(candidate.artifacts) + len(candidate.staying)
        if clash := _clash({*candidate.artifacts, *candidate.staying}):
            why = f"cannot be shown the files: {clash} would be a file and a directory"
            return Verdict(self.gate.program, count, 0.0, rule="gate.tree", why=why)
        _lay_out(candidate, tree)
        _bring(candidate, target, tree, self.directory())
        told = {
            "HUBDATA_RUN_ID": run_id,
            "HUBDATA_JOB": " ".join(jobs),
            "HUBDATA_TARGET": target.name,
            "HUBDATA_TREE": str(tree),
        }
        ended = program.start(
            [self.gate.argv[0], *(argument.replace(TREE, str(tree)) for argument in self.gate.argv[1:])],
            env=program.harmless(self.environment) | told,
            timeout=self.gate.timeout,
            cwd=tree,
        )
        rule = "" if ended.fault is None else _RULES[ended.fault]
        output = ended.output.replace(f"{tree}/", "").replace(str(tree), ".")
        return Verdict(self.gate.program, count, ended.elapsed_s, output, rule, ended.why)


def _lay_out(candidate: Candidate, tree: Path) -> None:
    for key in sorted(candidate.artifacts):
        _copy(candidate.artifacts[key], tree / key)


def _bring(candidate: Candidate, target: Target, tree: Path, aside: Path) -> None:
    """Fetch what stays at the target into `tree`; `aside` is a directory for that, gone afterwards."""
    try:
        staged = recall(target, candidate.holds, candidate.staying, aside)
        for key, artifact in staged.items():
            path = tree / key
            path.parent.mkdir(parents=True, exist_ok=True)
            artifact.path.rename(path)
            path.chmod(0o444)
    except OSError as err:
        raise spool_error(err, tree) from err
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def finding_of(verdict: Verdict, target: str) -> Finding:
    """Return the finding about a tree that was refused. It quotes nothing of what the gate wrote."""
    message = f"the gate {verdict.program} of target {target} {verdict.why}, so nothing was published there"
    return Finding("", None, verdict.rule, Severity.ERROR, message, _ADVICE[verdict.rule])


def _clash(keys: set[str]) -> str | None:
    """Return a key that is also the directory of another: stores have such things, file systems do not."""
    for key in sorted(keys):
        above = key
        while "/" in above:
            above = above.rpartition("/")[0]
            if above in keys:
                return above
    return None


def _copy(artifact: Artifact, path: Path) -> None:
    def error(message: str) -> SourceError:
        return SourceError(f"{artifact.key}: {message}", advice="nothing was published: run again")

    with VerifiedReader(artifact.path, size=artifact.size, sha256=artifact.sha256, error=error) as body:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                while chunk := body.read(_CHUNK):
                    file.write(chunk)
            path.chmod(0o444)
        except OSError as err:
            raise spool_error(err, path.parent) from err


def _report(verdict: Verdict, target: str, reporter: Reporter) -> None:
    for line in verdict.output.splitlines():
        reporter.emit(Event("gate.said", {"target": target, "line": line}))
    fields: dict[str, str | int | float] = {
        "program": verdict.program,
        "target": target,
        "files": verdict.files,
        "elapsed_s": verdict.elapsed_s,
    }
    if verdict.passed:
        reporter.emit(Event("gate.passed", fields))
    else:
        reporter.emit(Event("gate.refused", {**fields, "rule": verdict.rule, "error": verdict.why}))
