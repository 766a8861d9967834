"""Judges a phrase file (`*.data`): the lines that a rule's `@pmFromFile` looks for in requests and answers.

The engine trims each line, skips the empty ones and those that then begin with `#`, and ignores case. So white space
at an end is lost, and a phrase that begins with `#` behind a space is no phrase. A phrase of one byte is in nearly
every request; without a phrase the rule never matches.
"""

from collections.abc import Iterator
from functools import cache
from typing import ClassVar

from hubdata.grammar.entries import too_few
from hubdata.grammar.gather import Gather, shown
from hubdata.grammar.go_regexp import ORDINARY
from hubdata.grammar.lines import Row, Rows, read_rows
from hubdata.grammar.named import named_rows
from hubdata.model.snapshot import Artifact, Stats
from hubdata.ports import Body, Demands, Verdict
from hubdata.tables import BaseModel, ConfigDict

MIN_BYTES = 2
DOUBTFUL_BYTES = 3
"""The shortest phrase in today's rule sets; two bytes are in many an innocent request."""

_LOWERED = tuple((what, text.lower()) for what, text in ORDINARY if text)
_EVERYDAY = "\n".join(text for _, text in _LOWERED)
_BEGINNING = 4
"""So many characters of a phrase tell in nearly all cases that no everyday text holds it."""

_SORTS = (
    ("the user agent of every browser", tuple(text for _, text in _LOWERED if text.startswith("mozilla"))),
    ("every path", tuple(text for _, text in _LOWERED if text.startswith("/"))),
)


class PhrasesKind:
    """Phrases, one a line."""

    name: ClassVar[str] = "phrases"
    lasting = True
    content_type = "text/plain; charset=utf-8"
    max_bytes = 32 << 20

    class Options(BaseModel):
        """No settings."""

        model_config = ConfigDict(extra="forbid")

    def __init__(self, options: Options) -> None:
        self._options = options

    def check(self, artifact: Artifact, body: Body, demands: Demands) -> Verdict:
        """Return every finding about the phrases in `body`; entries are phrases."""
        rows, findings = read_rows(artifact.key, body)
        gather = Gather(artifact.key, self.name)
        for number, text, phrase in gather.patient(_doubtful(rows)):
            if len(text) < DOUBTFUL_BYTES or phrase != text:
                _judge(Row(number, text), gather)
            if len(phrase) > DOUBTFUL_BYTES and (lowered := phrase.lower()) in _EVERYDAY:
                _everyday(number, lowered, gather)
        few = too_few(artifact.key, len(rows), demands.limits)
        stripped = (text.strip() for _, texts in rows.pieces() for text in texts)
        named = named_rows(artifact.key, stripped, demands.limits)
        return Verdict(gather.findings([*findings, *few, *named]), Stats(entries=len(rows)))


def _doubtful(rows: Rows) -> Iterator[tuple[int, str, str]]:
    """Yield line, text and phrase of the rows that are worth a second look: of 50,000 a few.

    One pass over many lines at once, that calls nothing of ours: a look into a set of beginnings takes a sixth of a
    search through all everyday texts.
    """
    beginnings = _everyday_beginnings()
    for first, texts in rows.pieces():
        yield from [
            (number, text, phrase)
            for number, text in enumerate(texts, first)
            if text
            and text[0] != "#"
            and (
                (phrase := text.strip()) != text
                or len(text) < DOUBTFUL_BYTES
                or phrase[:_BEGINNING].lower() in beginnings
            )
        ]


@cache
def _everyday_beginnings() -> frozenset[str]:
    """Return how a phrase may begin that everyday texts hold, in lower case: all that stands there, cut short.

    Of a phrase with a letter that lower case makes longer there is none: these texts are ASCII.
    """
    sizes = range(DOUBTFUL_BYTES, _BEGINNING + 1)
    return frozenset(_EVERYDAY[at : at + size] for size in sizes for at in range(len(_EVERYDAY) - size + 1))


def _everyday(number: int, phrase: str, gather: Gather) -> None:
    """Tell that everyday requests hold the phrase: a few of them, or all of one sort."""
    everywhere = next((what for what, texts in _SORTS if all(phrase in text for text in texts)), None)
    if everywhere is not None:
        gather.error(
            number,
            "overmatch",
            f"the phrase {shown(phrase)} is in {everywhere}",
            "remove it, or say more: a rule that looks there blocks everyone",
        )
    elif found := next((what for what, text in _LOWERED if phrase in text), None):
        gather.warning(
            number,
            "overmatch",
            f"the phrase {shown(phrase)} is in {found}",
            "see that the rule asks for more than this phrase",
        )


def _judge(row: Row, gather: Gather) -> None:
    phrase = row.text.strip()
    if phrase.startswith("#"):
        gather.warning(
            row.number,
            "hidden-comment",
            f"{shown(row.text)} is a comment to the engine, which trims the line first",
            "begin a comment in the first column; a phrase cannot begin with #",
        )
    elif phrase and phrase != row.text:
        gather.warning(
            row.number,
            "trimmed",
            f"white space at an end of {shown(row.text)} is lost: the engine trims each line",
            "remove it, so that the file says what is looked for",
        )
    size = len(phrase.encode(errors="replace"))
    if 0 < size < MIN_BYTES:
        gather.error(
            row.number,
            "short",
            f"the phrase {shown(phrase)} has one byte, and is in nearly every request",
            "remove it, or say more",
        )
    elif 0 < size < DOUBTFUL_BYTES:
        gather.warning(
            row.number, "short", f"the phrase {shown(phrase)} has {size} bytes, and is in many requests", "say more"
        )
