"""The source `inline`: a small list that is kept in the job file itself, and reviewed with it."""

import hashlib
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, field_validator

from hubdata.errors import SourceError
from hubdata.model.key import key_problem
from hubdata.model.snapshot import Fetched, SourceFile
from hubdata.ports import Published, SourceContext


class InlineSource:
    """One file, whose lines stand in the job file."""

    class Options(BaseModel):
        """`key` is what the file is published as; `lines` is what stands in it."""

        model_config = ConfigDict(extra="forbid", frozen=True)

        key: str
        lines: tuple[str, ...] = Field(max_length=10_000)

        @field_validator("key")
        @classmethod
        def _safe(cls, key: str) -> str:
            if problem := key_problem(key):
                raise ValueError(f"this cannot be a key: {problem}")
            return key

    def __init__(self, options: Options, context: SourceContext) -> None:
        self._options = options
        self._context = context

    @classmethod
    def lacks(cls, options: Options, environment: Mapping[str, str]) -> str | None:
        """Return None: there are no credentials."""
        return None

    def fetch(self, published: Published) -> Fetched:
        """Return the file in the workspace, or its key in `kept` when the same lines are published already."""
        options = self._options
        if not options.lines:
            raise SourceError(f"{options.key}: there are no lines", advice="write `lines` in the job file")
        body = "".join(f"{line}\n" for line in options.lines).encode()
        source = {"type": "inline", "revision": hashlib.sha256(body).hexdigest()}
        if not self._context.force and published().get(options.key, {}) == source:
            return Fetched(revision=source["revision"], files=(), kept=(options.key,))
        self._context.workspace.mkdir(parents=True, exist_ok=True)
        path = self._context.workspace / "inline"
        path.write_bytes(body)
        return Fetched(source["revision"], (SourceFile(options.key, path, len(body), source),))
