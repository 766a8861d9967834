"""The kind `needle`: texts that an engine looks for in a request (`contains`, `endsWith`, `==`).

A needle found in every request bans every visitor: the shorter it is, the likelier. Nothing is trimmed, since a
space at either end may be meant; it is told, because nobody sees it. Case matters where the item lowers or raises
the request but not the needle: a needle in the other case is never found.
"""

from typing import ClassVar, Literal

from hubdata.grammar.entries import too_few
from hubdata.grammar.gather import Gather, shown
from hubdata.grammar.go_regexp import ORDINARY
from hubdata.grammar.lines import Row, read_rows
from hubdata.grammar.named import named_rows
from hubdata.model.finding import Severity
from hubdata.model.snapshot import Artifact, Stats
from hubdata.ports import Body, Demands, Verdict
from hubdata.tables import BaseModel, ConfigDict, Field

_HAYSTACKS = tuple((what, text) for what, text in ORDINARY if text)


class NeedleKind:
    """Texts to look for, one a line."""

    name: ClassVar[str] = "needle"
    lasting = True
    content_type = "text/plain; charset=utf-8"
    max_bytes = 32 << 20

    class Options(BaseModel):
        """`case`: the case that the item brings the request into (any: none, or both sides); `min_length` in bytes."""

        model_config = ConfigDict(extra="forbid")

        case: Literal["any", "lower", "upper"] = "any"
        min_length: int = Field(default=2, ge=1)

    def __init__(self, options: Options) -> None:
        self._case = options.case
        self._min_length = options.min_length

    def check(self, artifact: Artifact, body: Body, demands: Demands) -> Verdict:
        """Return every finding about the needles in `body`."""
        rows, findings = read_rows(artifact.key, body)
        gather = Gather(artifact.key, self.name)
        haystacks = tuple((what, text, self._cased(text)) for what, text in _HAYSTACKS)
        everyday = "\n".join(cased for _, _, cased in haystacks)
        for row in gather.patient(rows):
            self._judge(row, haystacks if row.text in everyday else (), gather)
        few = too_few(artifact.key, len(rows), demands.limits)
        named = named_rows(artifact.key, (row.text for row in rows), demands.limits)
        return Verdict(gather.findings([*findings, *few, *named]), Stats(len(rows)))

    def _judge(self, row: Row, haystacks: tuple[tuple[str, str, str], ...], gather: Gather) -> None:
        text = row.text
        if len(text.encode(errors="replace")) < self._min_length:
            gather.error(
                row.number,
                "too-short",
                f"{shown(text)} is shorter than {self._min_length} bytes: it is found in almost every request",
                "write more of what is looked for",
            )
        else:
            found = next((f"{what} (`{whole}`)" for what, whole, cased in haystacks if text in cased), None)
            if found is not None:
                gather.error(
                    row.number,
                    "overmatch",
                    f"{shown(text)} is found in {found}",
                    "write more of what is looked for: a needle that ordinary visitors match bans them",
                )
        if text != self._cased(text):
            gather.error(
                row.number,
                "case",
                f"{shown(text)} is never found: the item brings the request into {self._case} case first",
                f"write {shown(self._cased(text))}",
            )
        if text != text.strip() and not text.isspace():
            gather.add(
                row.number,
                "edge-space",
                Severity.INFO,
                f"{shown(text)} begins or ends with white space, which is looked for too",
                "leave it when it is meant; engines do not trim",
            )

    def _cased(self, text: str) -> str:
        if self._case == "lower":
            return text.lower()
        return text.upper() if self._case == "upper" else text
