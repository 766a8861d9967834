"""What `[source]` with `type = "http"` may hold: addresses, what is made of their answers, and bounds for both."""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Self

from hubdata.model.key import key_problem
from hubdata.tables import BaseModel, ConfigDict, Field, field_validator, model_validator
from hubdata.transfer.public_url import file_url_problem
from hubdata.transfer.upstream import UpstreamOptions

MAX_ITEMS = 500
_MAX_HEADER_CHARS = 2048


class Item(BaseModel):
    """One file: what is fetched from `url`, through the filter `jq` if there is one, is published as `output`.

    `header` is put before it, on lines of its own. `name` is for people.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: Annotated[str, Field(max_length=2048)]
    output: str
    jq: Annotated[str, Field(max_length=4096)] | None = None
    header: Annotated[str, Field(max_length=_MAX_HEADER_CHARS)] | None = None
    name: Annotated[str, Field(max_length=128)] | None = None

    @field_validator("url")
    @classmethod
    def _usable_url(cls, url: str) -> str:
        if problem := file_url_problem(url):
            raise ValueError(problem)
        return url

    @field_validator("output")
    @classmethod
    def _usable_key(cls, output: str) -> str:
        if problem := key_problem(output):
            raise ValueError(f"this cannot be a key: {problem}")
        return output

    @field_validator("jq")
    @classmethod
    def _usable_filter(cls, jq: str | None) -> str | None:
        if jq is not None and "\x00" in jq:
            raise ValueError("a filter holds no NUL")
        return jq if jq and jq.strip() else None

    @field_validator("header")
    @classmethod
    def _usable_header(cls, header: str | None) -> str | None:
        if header is None or not header.strip():
            return None
        if not all(char.isprintable() or char in "\n\t" for char in header):
            raise ValueError("a header is printable text")
        return header.rstrip("\n")

    @field_validator("name")
    @classmethod
    def _usable_name(cls, name: str | None) -> str | None:
        if name is not None and not name.isprintable():
            raise ValueError("a name is printable text on one line")
        return name

    @property
    def recipe(self) -> str:
        """Return what stands for all that makes the file: another one is worth a download whatever upstream says."""
        parts = json.dumps([self.url, self.jq, self.header])
        return hashlib.sha256(parts.encode()).hexdigest()[:32]


class HttpOptions(UpstreamOptions):
    """The items, in the job file or in an `items_file`; how many addresses are asked at once, and how patiently.

    `timeout_s` is for one address, its retries included. `max_bytes` bounds an answer, and what a filter makes of it.
    """

    timeout_s: Annotated[float, Field(gt=0, le=86_400)] = 120
    max_bytes: Annotated[int, Field(gt=0, le=1 << 28)] = 16 << 20
    items: Annotated[tuple[Item, ...], Field(max_length=MAX_ITEMS)] = ()
    items_file: Path | None = None
    concurrency: Annotated[int, Field(ge=1, le=16)] = 4
    jq_timeout_s: Annotated[float, Field(gt=0, le=300)] = 10

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.items and self.items_file is None:
            raise ValueError("name what to fetch: [[source.items]] with `url` and `output`, or `items_file`")
        if twice := named_twice(self.items):
            raise ValueError(f"two items make {twice}: each file has one origin")
        return self


def named_twice(items: tuple[Item, ...]) -> str | None:
    """Return the first `output` that two items have, None when each has its own."""
    seen: set[str] = set()
    for item in items:
        if item.output in seen:
            return item.output
        seen.add(item.output)
    return None
