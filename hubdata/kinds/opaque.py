"""Judges a file that no engine loads: text of a bounded size, and nothing that could be run."""

from typing import ClassVar

from hubdata.grammar.executable import executable
from hubdata.grammar.gather import Gather
from hubdata.grammar.whole_text import read_text
from hubdata.model.snapshot import Artifact
from hubdata.ports import Body, Demands, Verdict
from hubdata.tables import BaseModel, ConfigDict


class OpaqueKind:
    """Any file: UTF-8 text, unless the job says that it is binary."""

    name: ClassVar[str] = "opaque"
    lasting = True
    content_type = "application/octet-stream"
    max_bytes = 32 << 20

    class Options(BaseModel):
        """`binary`: the file need not be text."""

        model_config = ConfigDict(extra="forbid")

        binary: bool = False

    def __init__(self, options: Options) -> None:
        self._binary = options.binary

    def check(self, artifact: Artifact, body: Body, demands: Demands) -> Verdict:  # noqa: ARG002 - the port's
        """Return every finding about `body`; nothing is counted."""
        gather = Gather(artifact.key, self.name)
        if len(body) == 0:
            gather.warning(None, "empty", "the file is empty", "remove it, or ignore it in the job file")
            return Verdict(gather.findings())
        what = executable(body)
        if what is not None:
            gather.error(1, "executable", f"this is {what}", "publish data only")
            return Verdict(gather.findings())
        findings = () if self._binary else read_text(artifact.key, body)[1]
        return Verdict(gather.findings(findings))
