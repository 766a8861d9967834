"""The result of a run, job by job and target by target: what the reports print and the run history keeps."""

from collections.abc import Mapping
from dataclasses import field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from hubdata.errors import Exit, worst
from hubdata.model.finding import Finding
from hubdata.model.inventory import Past
from hubdata.model.plan import Plan
from hubdata.model.receipt import Invalidation
from hubdata.model.stage import Promoted, StageResult
from hubdata.values import frozen

if TYPE_CHECKING:
    from hubdata.model.fleet import Downloads
    from hubdata.model.gate import Verdict
    from hubdata.model.meaning import Difference
    from hubdata.model.tariff import Estimate
    from hubdata.model.verification import Verification


class Outcome(StrEnum):
    """How a job ended. `planned`: it would change something, in a dry run or in one that only approves other plans."""

    PLANNED = "planned"
    PUBLISHED = "published"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    HELD = "held"
    FAILED = "failed"


@frozen
class Problem:
    """An error as a value: what a failed job or target says for itself."""

    message: str
    advice: str
    exit_code: Exit


@frozen
class Database:
    """One GeoIP database at one target: the release (`YYYY-MM-DD`, if the vendor dates it) and build that is public."""

    key: str
    outcome: Outcome
    date: str = ""
    build_epoch: int | None = None

    @property
    def edition(self) -> str:
        """Return the key's name without directory and `.mmdb`."""
        return self.key.rpartition("/")[2].removesuffix(".mmdb")


@frozen
class Retained:
    """What was removed of a job's past at one target. `left` states are due too and wait for the next run."""

    days: int
    removed: tuple[Past, ...] = ()
    left: int = 0
    problem: Problem | None = None


@frozen
class TargetResult:
    """One job at one target. `generation` is the one in force afterwards; `requests` counts by method.

    `plan` is what was to go out, `failed` the keys of it that did not; `held` is the plan of what broke a limit and
    waits for approval by its id. `promoted` is the generation that they are of, where another target has had it. `gate`
    is what the target's gate said of all jobs' files together; `barred` is the plan of this job that it kept from going
    out. `applied` tells that `plan` was carried out; a dry run and a failed
    target leave it False. `waiting` broke no limit, but was left alone by a run that carries out approved plans only.
    `meanings` say by key what a change means, where it was worth finding out: in a dry run, and of held files.
    `changed` are the data keys that have other bytes in public since this run: put, deleted, or found put and entered
    in the manifest.
    `invalidation_estimate` is what telling the CDN would come to; it stands once, at a dry run's first job that changes
    anything, for all jobs at the target. `downloads` say by plan id what it costs the engines, where their number is
    known. `remark` is what a person should know of the target's status page, if anything; it stands at the first job.
    """

    target: str
    plan: Plan
    held: Plan | None = None
    applied: bool = False
    generation: int = 0
    requests: Mapping[str, int] = field(default_factory=dict)
    invalidation: Invalidation | None = None
    failed: frozenset[str] = frozenset()
    problem: Problem | None = None
    meanings: "Mapping[str, Difference]" = field(default_factory=dict)
    waiting: Plan | None = None
    changed: tuple[str, ...] = ()
    databases: tuple[Database, ...] = ()
    retention: Retained | None = None
    promoted: Promoted | None = None
    gate: "Verdict | None" = None
    barred: Plan | None = None
    invalidation_estimate: "Estimate | None" = None
    downloads: "Mapping[str, Downloads]" = field(default_factory=dict)
    remark: str = ""

    @property
    def done(self) -> Plan:
        """Return what of the plan was carried out; all that would be, when it was not applied."""
        return replace(self.plan, changes=tuple(c for c in self.plan.changes if c.key not in self.failed))


@frozen
class JobResult:
    """One job in one run. `source` is the job's source type and, where it has one, the revision fetched."""

    job: str
    outcome: Outcome
    source: Mapping[str, str]
    findings: tuple[Finding, ...] = ()
    targets: tuple[TargetResult, ...] = ()
    problem: Problem | None = None
    exit_code: Exit = Exit.FINE


@frozen
class HookResult:
    """What became of a hook that was told of one publication. `output` is the end of what it wrote."""

    hook: str
    target: str
    generation: int
    elapsed_s: float
    output: str = ""
    problem: Problem | None = None


@frozen
class RunResult:
    """A whole run. `notices` are things a person should know that are no fault of the data.

    `unknown_plans` are ids that were to be approved, and that no plan of this run has. `command` and
    `flags` are those of the command line that `--approve` needs beside it, so that the same plans are made again.
    `verification` is what readers get, where that was looked at. `records` are the keys of earlier runs' records by
    target, of each target that this run wrote to.
    """

    run_id: str
    jobs: tuple[JobResult, ...]
    elapsed_s: float
    dry_run: bool = False
    notices: tuple[str, ...] = ()
    unknown_plans: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    hooks: tuple[HookResult, ...] = ()
    stages: tuple[StageResult, ...] = ()
    command: tuple[str, ...] = ("sync", "--once")
    verification: "Verification | None" = None
    records: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def exit_code(self) -> Exit:
        """Return the worst of the jobs' codes, in the contract's order.

        HELD when an approval let nothing out, CDN_PENDING when a hook that relies on being told has failed, or when
        readers do not have what was published.
        """
        codes = [job.exit_code for job in self.jobs] + [Exit.HELD] * bool(self.unknown_plans)
        codes += [self.verification.exit_code] if self.verification is not None else []
        return worst(codes + [hook.problem.exit_code for hook in self.hooks if hook.problem is not None])
