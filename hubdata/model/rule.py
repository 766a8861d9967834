"""One rule of the catalogue: what a finding's rule id means, to whoever has to act on it.

The finding says what is wrong in one place; the rule says why that matters at all. Rules are data: `hubdata.rules`
holds them, `docs/rules.md` and `--explain` print them, and a test holds every one to the code that finds it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hubdata.model.finding import Severity
from hubdata.model.job import Limits

ERROR = (Severity.ERROR,)
WARNING = (Severity.WARNING,)
EITHER = (Severity.ERROR, Severity.WARNING)


MAX_SHOWN = 1000
"""A longer example is told by its note."""


@dataclass(frozen=True, slots=True)
class Example:
    """The least that breaks a rule: `body`, written `times` times over, judged as `kind` with `options` and `limits`.

    Where bytes alone cannot show it (a state of the target, a binary file), `body` is empty and `note` tells it.
    """

    kind: str = ""
    body: bytes = b""
    times: int = 1
    options: Mapping[str, Any] = field(default_factory=dict)
    limits: Limits = Limits()
    note: str = ""

    @property
    def content(self) -> bytes:
        """Return the bytes of the file; what is written over and over ends with one line feed."""
        if self.times == 1 or self.body.endswith(b"\n"):
            return self.body * self.times
        return self.body * self.times + b"\n"

    @property
    def shown(self) -> tuple[str, ...]:
        """Return the lines of `body` as a page can show them, what is not printable ASCII escaped; none if too many."""
        if self.times > 1 or len(self.body) > MAX_SHOWN:
            return ()
        lines = self.body.removesuffix(b"\n").split(b"\n") if self.body else []
        return tuple("".join(chr(b) if 0x20 <= b < 0x7F else f"\\x{b:02x}" for b in line) for line in lines)


@dataclass(frozen=True, slots=True)
class Rule:
    """What breaking the rule `id` does to an engine, the least file that breaks it, and how to mend that.

    `severities` are all that a finding of this rule can have, the worst first.
    """

    id: str
    severities: tuple[Severity, ...]
    engine: str
    example: Example
    mend: str

    @property
    def family(self) -> str:
        """Return what the id begins with: the kind's word, or `text`, `limits`, `job` ..."""
        return self.id.partition(".")[0]
