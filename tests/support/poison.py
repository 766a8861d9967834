"""The poison corpus: files that would each hurt an engine, and exactly what keeps each of them from being published.

`tests/data/poison/index.toml` says it all; what is too large to keep is made from `parts` when it is asked for.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hubdata.model.finding import Severity
from hubdata.model.job import Canary, Limits
from hubdata.plugins import Seam, load
from hubdata.ports import Verdict
from tests.support.judged import judged

POISON = Path(__file__).parents[1] / "data" / "poison"


@dataclass(frozen=True, slots=True)
class Poison:
    """One poisoned file. `errors` are `LINE RULE`, or `RULE` where the whole file is meant, in any order."""

    file: str
    kind: str
    errors: tuple[str, ...]
    harm: str
    settings: Mapping[str, Any]

    @property
    def body(self) -> bytes:
        """Return the bytes of the file."""
        if "parts" in self.settings:
            return "".join(text * times for text, times in self.settings["parts"]).encode()
        return (POISON / self.file).read_bytes()

    @property
    def plain(self) -> bool:
        """Tell whether the kind alone refuses it: no key, limit or canary of a job is needed."""
        return not {"key", "limits", "canaries"} & set(self.settings)

    def judge(self) -> Verdict:
        """Return what the file's kind says of it."""
        return judged(
            load(Seam.KIND, self.kind),
            self.body,
            key=self.settings.get("key", self.file),
            limits=Limits(**self.settings.get("limits", {})),
            canaries=tuple(Canary(**canary) for canary in self.settings.get("canaries", ())),
            **self.settings.get("options", {}),
        )


def refusals(verdict: Verdict) -> list[str]:
    """Return the errors of a verdict as the index spells them, sorted."""
    errors = (finding for finding in verdict.findings if finding.severity is Severity.ERROR)
    return sorted(f"{finding.line} {finding.rule}" if finding.line else finding.rule for finding in errors)


@cache
def corpus() -> tuple[Poison, ...]:
    """Return the whole corpus, in the index's order."""
    index = tomllib.loads((POISON / "index.toml").read_text(encoding="utf-8"))
    return tuple(
        Poison(
            file=entry.pop("file"),
            kind=entry.pop("kind"),
            errors=tuple(entry.pop("errors")),
            harm=entry.pop("harm"),
            settings=entry,
        )
        for entry in index["poison"]
    )
