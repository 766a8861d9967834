"""An upstream in memory, and the simplest kind of file there is."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hubdata.errors import SourceError
from hubdata.model.finding import Finding, Severity
from hubdata.model.snapshot import Artifact, Fetched, SourceFile, Stats
from hubdata.ports import Body, Demands, Published, Verdict


@dataclass
class ScriptedSource:
    """Implements `hubdata.ports.Source`: gives `files` as they are at the time, or raises `error`.

    With `conditional`, files that are public already with the same revision are kept instead of fetched.
    """

    spool: Path
    files: dict[str, bytes] = field(default_factory=dict)
    revision: str = "r1"
    rewinds: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    error: SourceError | None = None
    conditional: bool = False
    fetches: int = 0

    @classmethod
    def lacks(cls, options: Any, environment: Mapping[str, str]) -> str | None:
        """Return None: nothing is ever missing here."""
        return None

    def fetch(self, published: Published) -> Fetched:
        """Return what the test put into `files`, its bytes in the spool."""
        self.fetches += 1
        if self.error is not None:
            raise self.error
        public = published() if self.conditional else {}
        source = {"type": "scripted", "revision": self.revision}
        kept = tuple(key for key in sorted(self.files) if public.get(key) == source)
        files = tuple(
            SourceFile(key, self._spooled(body), len(body), source)
            for key, body in sorted(self.files.items())
            if key not in kept
        )
        return Fetched(self.revision, files, kept, self.rewinds, self.findings)

    def _spooled(self, body: bytes) -> Path:
        path = self.spool / hashlib.sha256(body).hexdigest()
        if not path.exists():
            path.write_bytes(body)
        return path


class TextKind:
    """Implements `hubdata.ports.Kind`: one entry a line; the line `BAD` refuses the file."""

    content_type = "text/plain"
    max_bytes = 64 * 1024 * 1024

    def check(self, artifact: Artifact, body: Body, demands: Demands) -> Verdict:
        """Return a finding for every bad line, and the number of lines as entries.

        `build N` as the first line states a build epoch, as a database would.
        """
        lines = bytes(body).decode(errors="replace").splitlines()
        findings = tuple(
            Finding(artifact.key, number, "text.bad", Severity.ERROR, "this line is bad", "remove it")
            for number, line in enumerate(lines, 1)
            if line == "BAD"
        )
        built = int(lines[0].removeprefix("build ")) if lines and lines[0].startswith("build ") else None
        return Verdict(findings, Stats(entries=len(lines), build_epoch=built))
