"""The table `[http]` of the settings: where the worker listens, and which push makes it run which jobs.

Secrets never stand here: the token is in `HUBDATA_HTTP_TOKEN`, the webhook's secret in `HUBDATA_GITHUB_SECRET`, or in
the files that their `_FILE` forms name.
"""

import re
from typing import Annotated, Any

from hubdata.tables import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from hubdata.values import frozen

_PLACE = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}(?:%[A-Za-z0-9_.-]{1,16})?\]|[A-Za-z0-9._-]{0,253}):([0-9]{1,5})")
_MIB = 1 << 20


@frozen
class Place:
    """Where to listen. An empty `host` means every address of the machine, port 0 any port that is free."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Place":
        """Return the place that `HOST:PORT` means. Raises ValueError."""
        found = _PLACE.fullmatch(text.strip())
        if found is None or int(found[2]) > 65_535:
            raise ValueError(f"{text!r}: expected HOST:PORT, such as [::1]:8080, 127.0.0.1:8080, or :8080 for all")
        return cls(found[1], int(found[2]))


@frozen
class GithubSpec:
    """Which pushes are heeded: those to `ref` (as git writes it in full) of `repository` have `jobs` run."""

    repository: str
    ref: str
    jobs: tuple[str, ...]
    max_bytes: int = _MIB


@frozen
class HttpSpec:
    """How the worker answers over HTTP. `target` is whose state the page shows; None is the first one."""

    listen: tuple[Place, ...]
    target: str | None = None
    max_connections: int = 1024
    github: GithubSpec | None = None


def _listed(value: object) -> object:
    """Return the list that one text with commas stands for."""
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def _place(text: str) -> str:
    Place.parse(text)
    return text


_ADDRESS = {"type": "string", "maxLength": 300}
_Listen = Annotated[
    list[Annotated[str, AfterValidator(_place)]],
    BeforeValidator(_listed),
    Field(min_length=1, max_length=16),
    WithJsonSchema({"anyOf": [_ADDRESS, {"type": "array", "items": _ADDRESS, "minItems": 1, "maxItems": 16}]}),
]


class GithubTable(BaseModel):
    """The webhook of a repository at GitHub."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    repository: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}$", description="OWNER/NAME, as GitHub has it."
    )
    ref: str = Field(
        pattern=r"^[^\s~^:?*\[\\\x00-\x1f\x7f]{1,255}$", description="The branch, or the whole ref (refs/tags/...)."
    )
    jobs: list[Annotated[str, Field(min_length=1, max_length=255)]] = Field(
        min_length=1, max_length=64, description="The jobs that a push to it runs."
    )
    max_bytes: int = Field(default=_MIB, ge=1024, le=25 * _MIB, description="A larger delivery is refused (413).")


class HttpTable(BaseModel):
    """What the worker answers over HTTP: off unless it is to listen somewhere."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    listen: _Listen | None = Field(default=None, description="HOST:PORT, or several; :PORT is every address.")
    target: str | None = Field(
        default=None, min_length=1, description="The target whose state the page shows; the first when absent."
    )
    max_connections: int = Field(default=1024, ge=1, le=100_000, description="So many are answered at once.")
    github: GithubTable | None = None


def http_spec(table: HttpTable | None) -> HttpSpec | None:
    """Return what the table says, None when nothing is to be listened to."""
    if table is None or table.listen is None:
        return None
    return HttpSpec(tuple(map(Place.parse, table.listen)), table.target, table.max_connections, _github(table.github))


def _github(table: Any) -> GithubSpec | None:
    if table is None:
        return None
    ref = table.ref if table.ref.startswith("refs/") else f"refs/heads/{table.ref}"
    return GithubSpec(table.repository, ref, tuple(dict.fromkeys(table.jobs)), table.max_bytes)
