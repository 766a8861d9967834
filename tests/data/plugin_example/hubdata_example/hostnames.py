"""The kind `hostnames`: one host name a line, as a resolver that blocks names reads it.

A name that is none is an error, since the resolver would refuse the whole file; a name that is there twice is a
warning. All are told in one pass, with the line to look at.
"""

import re

from pydantic import BaseModel, ConfigDict, Field

from hubdata.model.finding import Finding, Severity
from hubdata.model.snapshot import Artifact, Stats
from hubdata.ports import Body, Demands, Verdict

_LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})+")


class HostnamesKind:
    """Host names, one a line."""

    content_type = "text/plain; charset=utf-8"
    max_bytes = 16 << 20

    class Options(BaseModel):
        """`min_labels`: how many labels a name must have; with 1 a whole top-level domain could be blocked."""

        model_config = ConfigDict(extra="forbid")

        min_labels: int = Field(default=2, ge=1, le=10)

    def __init__(self, options: Options) -> None:
        self._min_labels = options.min_labels

    def check(self, artifact: Artifact, body: Body, demands: Demands) -> Verdict:
        """Return every finding about the names in `body`; never raises."""
        findings: list[Finding] = []
        names: set[str] = set()
        for number, line in enumerate(bytes(body).decode("utf-8", "replace").splitlines(), 1):
            name = line.strip().rstrip(".").lower()
            if not name or name.startswith("#"):
                continue
            if len(name) > 253 or not _NAME.fullmatch(name) or name.count(".") + 1 < self._min_labels:
                message, advice = f"{name[:80]!r} is no host name", "write one name a line, as example.net"
                findings.append(Finding(artifact.key, number, "hostnames.malformed", Severity.ERROR, message, advice))
            elif name in names:
                message, advice = f"{name} is there twice", "keep one of them"
                findings.append(Finding(artifact.key, number, "hostnames.twice", Severity.WARNING, message, advice))
            names.add(name)
        if len(names) < (demands.limits.min_entries or 0):
            message = f"{len(names)} names, fewer than the {demands.limits.min_entries} demanded"
            findings.append(
                Finding(artifact.key, None, "hostnames.too-few", Severity.ERROR, message, "see what emptied it")
            )
        return Verdict(tuple(findings), Stats(entries=len(names)))
