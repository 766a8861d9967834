"""Judges a JSON document that no engine loads, but people and scripts read: one strict value, nothing executable."""

from typing import ClassVar

from hubdata.grammar.entries import too_few
from hubdata.grammar.executable import executable
from hubdata.grammar.gather import Gather
from hubdata.grammar.json_document import DocumentError, count_members
from hubdata.grammar.whole_text import read_text
from hubdata.model.snapshot import Artifact, Stats
from hubdata.ports import Body, Demands, Verdict
from hubdata.tables import BaseModel, ConfigDict

_ADVICE = {
    "syntax": "correct it; `jq . FILE` shows the place too",
    "nesting": "flatten it",
    "number": "write it as a string",
    "duplicate-key": "readers differ in what they make of it: remove it",
    "constant": "readers differ in what they make of it: remove it",
}


class JsonKind:
    """One JSON value: RFC 8259, without repeated keys."""

    name: ClassVar[str] = "json"
    lasting = True
    content_type = "application/json"
    max_bytes = 32 << 20

    class Options(BaseModel):
        """No settings."""

        model_config = ConfigDict(extra="forbid")

    def __init__(self, options: Options) -> None:
        self._options = options

    def check(self, artifact: Artifact, body: Body, demands: Demands) -> Verdict:
        """Return every finding about `body`; entries are the members of the outermost array or object."""
        gather = Gather(artifact.key, self.name)
        what = executable(body)
        if what is not None:
            gather.error(1, "executable", f"this is {what}", "publish data only")
            return Verdict(gather.findings(), Stats(entries=0))
        text, findings = read_text(artifact.key, body)
        entries = 0 if text is None else _members(text, gather)
        few = too_few(artifact.key, entries, demands.limits)
        return Verdict(gather.findings([*findings, *few]), Stats(entries=entries))


def _members(text: str, gather: Gather) -> int:
    """Return how many members the outermost value has, none if `text` is not one strict value."""
    if not text or text.isspace():
        gather.error(None, "empty", "the file is empty", "write a JSON value, or remove the file")
        return 0
    try:
        return count_members(text)
    except DocumentError as err:
        line = text.count("\n", 0, err.at) + 1
        column = err.at - text.rfind("\n", 0, err.at)
        gather.error(line, err.problem, str(err), _ADVICE[err.problem], column=column)
        return 0
