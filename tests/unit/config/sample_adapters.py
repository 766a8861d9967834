"""Adapters that exist only here, so that tests of the configuration do not depend on what real ones accept."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class GitSource:
    """A source with a required URL."""

    class Options(BaseModel):
        """Settings."""

        model_config = ConfigDict(extra="forbid")

        url: str
        ref: str = "HEAD"


class DirectorySource:
    """A source with a path."""

    class Options(BaseModel):
        """Settings."""

        model_config = ConfigDict(extra="forbid")

        path: Path


class Item(BaseModel):
    """One of a list of tables."""

    model_config = ConfigDict(extra="forbid")

    url: str


class ListSource:
    """A source with nested tables."""

    class Options(BaseModel):
        """Settings."""

        model_config = ConfigDict(extra="forbid")

        items: list[Item]
        named: dict[str, Item] = {}
        best: Item | None = None
        token: int | None = None


class CidrKind:
    """A kind with a choice."""

    class Options(BaseModel):
        """Settings."""

        model_config = ConfigDict(extra="forbid")

        family: Literal["ipv4", "ipv6"] | None = None


class PlainKind:
    """A kind without settings."""

    class Options(BaseModel):
        """Settings."""

        model_config = ConfigDict(extra="forbid")


class S3Target:
    """A target like a bucket."""

    class Options(BaseModel):
        """Settings."""

        model_config = ConfigDict(extra="forbid")

        bucket: str
        prefix: str = ""
        region: str | None = None
        attempts: int = Field(default=3, ge=1)


class DirectoryTarget:
    """A target like a directory."""

    class Options(BaseModel):
        """Settings."""

        model_config = ConfigDict(extra="forbid")

        path: Path


class CloudfrontCdn:
    """A CDN with a required id."""

    class Options(BaseModel):
        """Settings."""

        model_config = ConfigDict(extra="forbid")

        distribution_id: str


class NoCdn:
    """No CDN."""

    class Options(BaseModel):
        """Settings."""

        model_config = ConfigDict(extra="forbid")
