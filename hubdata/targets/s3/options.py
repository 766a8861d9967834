"""What `[targets.NAME]` may say of a bucket."""

import re
from typing import Literal

from hubdata.tables import BaseModel, ConfigDict, Field, field_validator

MAX_PUT_BYTES = 5 * 1024**3
"""What S3 takes in one PutObject (Amazon S3 user guide, "Uploading objects")."""


class S3Options(BaseModel):
    """What `[targets.NAME]` may hold for `type = "s3"`. Empty strings count as not set.

    Files larger than `multipart_over_bytes` are sent in parts. A file sent whole has its MD5 for an ETag, by which it
    is recognised without being read, so the limit is what one put takes, unless a store takes less.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    bucket: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$")
    prefix: str = ""
    region: str | None = None
    endpoint_url: str | None = None
    addressing_style: Literal["auto", "path", "virtual"] = "auto"
    expected_bucket_owner: str | None = Field(default=None, pattern=r"^\d{12}$")
    multipart_over_bytes: int = Field(default=MAX_PUT_BYTES, ge=5 << 20, le=MAX_PUT_BYTES)

    @field_validator("region", "endpoint_url", "expected_bucket_owner", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("endpoint_url")
    @classmethod
    def _plain_url(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"https?://[^/@\s?#]+(/[^@\s?#]*)?", value):
            raise ValueError("expected http(s)://host[:port], without user, password or query")
        return value

    @field_validator("prefix")
    @classmethod
    def _whole_segments(cls, value: str) -> str:
        inner = value.strip("/")
        if any(segment in ("", ".", "..") for segment in inner.split("/")) and inner:
            raise ValueError("expected a path like `data/public`, without empty, `.` or `..` segments")
        return f"{inner}/" if inner else ""
