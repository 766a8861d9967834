"""The shape of `hubdata.toml`. Tables of targets and CDNs are checked further by the adapter that they name."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(min_length=1)]


class TargetTable(BaseModel):
    """Where to publish. Further keys are those of the store named by `type`."""

    model_config = ConfigDict(extra="allow", defer_build=True)

    type: Name
    cdn: Name = Field(default="none", description="The name of a [cdns.NAME] table, or `none`.")


class CdnTable(BaseModel):
    """A cache before a target. Further keys are those of the CDN named by `type`."""

    model_config = ConfigDict(extra="allow", defer_build=True)

    type: Name


class VerifyTable(BaseModel):
    """How the world reads what was published."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    url: str = Field(pattern=r"^https?://[^\s@]+$", description="The public base URL.")
    families: list[Literal["ipv4", "ipv6"]] = Field(default=["ipv4", "ipv6"], min_length=1)


class SettingsFile(BaseModel):
    """The file `hubdata.toml`."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    jobs: Name | None = Field(default=None, description="Directory of job files; the built-in jobs when absent.")
    spool: Name | None = Field(default=None, description="Where downloads are staged.")
    targets: dict[Name, TargetTable] = {}
    cdns: dict[Name, CdnTable] = {}
    checkouts: dict[Name, Name] = Field(
        default={}, description="Repository URL (or `*`) to a directory that holds its checkout."
    )
    verify: VerifyTable | None = None


def options_of(table: Any) -> dict[str, Any]:
    """Return an adapter's own keys from the table of a target or CDN."""
    return {key: value for key, value in table.items() if key not in ("type", "cdn")}
