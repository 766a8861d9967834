r"""The kind `rdns-regexp`: patterns that an engine asks `RegexpInFile(reverse name, file)` about; a match lets in.

A row that Go cannot compile ends the process, and a row that matches a name which anyone can register lets anyone
in: errors. A row that can never match (`no-final-dot`) opens nothing and costs only itself: a warning, unless there
is no other row, for then the whole list is dead.
"""

from itertools import islice
from typing import ClassVar

from hubdata.grammar.entries import too_few
from hubdata.grammar.gather import Gather, shown
from hubdata.grammar.go_regexp import MAX_PATTERNS, MAX_REFUSED, labour, matches, regexp_problem
from hubdata.grammar.lines import read_rows
from hubdata.grammar.named import named_rows
from hubdata.grammar.rdns import NEVER_MATCHES, RdnsProblem, rdns_labour, rdns_problems
from hubdata.model.finding import Severity
from hubdata.model.snapshot import Artifact, Stats
from hubdata.ports import Body, Demands, Verdict
from hubdata.tables import BaseModel, ConfigDict


class RdnsRegexpKind:
    """Patterns of reverse-DNS names, one a line, each closed to names that others can hold."""

    name: ClassVar[str] = "rdns-regexp"
    lasting = True
    content_type = "text/plain; charset=utf-8"
    max_bytes = 4 << 20

    class Options(BaseModel):
        """`final_dot`: whether the engine asks about names that end with a dot, as RegexpInFile does."""

        model_config = ConfigDict(extra="forbid")

        final_dot: bool = True

    def __init__(self, options: Options) -> None:
        self._final_dot = options.final_dot

    def check(self, artifact: Artifact, body: Body, demands: Demands) -> Verdict:
        """Return every finding about the patterns in `body`, each danger with a name that proves it."""
        rows, findings = read_rows(artifact.key, body)
        gather = Gather(artifact.key, self.name)
        judged: list[tuple[int, tuple[RdnsProblem, ...]]] = []
        if len(rows) > MAX_PATTERNS:
            gather.error(
                None,
                "too-many",
                f"{len(rows):,} patterns, more than {MAX_PATTERNS:,}: the rest is not judged",
                "an engine tries all of them for every event: write fewer",
            )
        refused = 0
        for row in gather.patient(islice(rows, MAX_PATTERNS)):
            if refused == MAX_REFUSED:
                break
            reason = regexp_problem(row.text)
            if reason is None:
                gather.spend(labour(row.text) + rdns_labour(row.text), on=row.text)
                judged.append((row.number, rdns_problems(row.text, self._final_dot)))
                if matches(row.text, ""):
                    gather.error(
                        row.number,
                        "no-name",
                        f"{shown(row.text)} matches the empty text: every visitor without a reverse name is let in",
                        r"see that each branch has a name in it: `^([a-z0-9-]+\.)?example\.net\.$`",
                    )
            else:
                refused += 1
                gather.error(
                    row.number,
                    "syntax",
                    f"Go cannot compile {shown(row.text)}: {reason}",
                    "mend it or take it out: an engine that loads it ends at once",
                )
        dead = len(judged) > 0 and all(_never_matches(problems) for _, problems in judged)
        for number, problems in judged:
            for problem in problems:
                told = _as_severe(problem, dead)
                gather.add(number, told.rule, told.severity, told.message, told.advice)
        few = too_few(artifact.key, len(rows), demands.limits)
        named = named_rows(artifact.key, (row.text for row in rows), demands.limits)
        return Verdict(gather.findings([*findings, *few, *named]), Stats(len(rows)))


def _never_matches(problems: tuple[RdnsProblem, ...]) -> bool:
    return any(problem.rule in NEVER_MATCHES for problem in problems)


def _as_severe(problem: RdnsProblem, dead: bool) -> RdnsProblem:
    """Return `problem`, an error when it is why no row of the file can match."""
    return problem._replace(severity=Severity.ERROR) if dead and problem.rule in NEVER_MATCHES else problem
