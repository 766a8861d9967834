"""The kind `regexp`: patterns that an engine asks `RegexpInFile(path or user agent, file)` about.

One row that Go cannot compile ends the process, on reload too; a row that matches ordinary requests bans ordinary
visitors. What passes here compiles in every engine in the field (`grammar/go_regexp.py`).
"""

from itertools import islice
from typing import ClassVar

from hubdata.grammar.entries import too_few
from hubdata.grammar.gather import Gather, shown
from hubdata.grammar.go_regexp import MAX_PATTERNS, MAX_REFUSED, labour, matched_crawler, overmatch, regexp_problem
from hubdata.grammar.lines import read_rows
from hubdata.grammar.named import named_rows
from hubdata.model.snapshot import Artifact, Stats
from hubdata.ports import Body, Demands, Verdict
from hubdata.tables import BaseModel, ConfigDict


class RegexpKind:
    """Patterns in Go's dialect, one a line."""

    name: ClassVar[str] = "regexp"
    lasting = True
    content_type = "text/plain; charset=utf-8"
    max_bytes = 4 << 20

    class Options(BaseModel):
        """Nothing to set."""

        model_config = ConfigDict(extra="forbid")

    def __init__(self, options: Options) -> None:
        self._options = options

    def check(self, artifact: Artifact, body: Body, demands: Demands) -> Verdict:
        """Return every finding about the patterns in `body`."""
        rows, findings = read_rows(artifact.key, body)
        gather = Gather(artifact.key, self.name)
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
            if reason is not None:
                refused += 1
                gather.error(
                    row.number,
                    "syntax",
                    f"Go cannot compile {shown(row.text)}: {reason}",
                    "mend it or take it out: an engine that loads it ends at once",
                )
                continue
            gather.spend(labour(row.text) - 2, on=row.text)  # plain ones are bounded by their number
            what = overmatch(row.text) or matched_crawler(row.text)
            if what is not None:
                gather.error(
                    row.number,
                    "overmatch",
                    f"{shown(row.text)} matches {what}",
                    "say more of what is meant: a pattern that ordinary visitors match bans them",
                )
        few = too_few(artifact.key, len(rows), demands.limits)
        named = named_rows(artifact.key, (row.text for row in rows), demands.limits)
        return Verdict(gather.findings([*findings, *few, *named]), Stats(len(rows)))
