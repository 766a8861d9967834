"""The table `[sign]` of the settings: whose signatures are made, and where the secret is that makes them.

Most settings have none, so what reads keys is imported where one is read.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from hubdata.tables import AfterValidator, BaseModel, ConfigDict, Field, model_validator

if TYPE_CHECKING:
    from hubdata.signing.keys import SignSpec


def _parsed(text: str) -> str:
    from hubdata.signing.minisign import FormatError, PublicKey

    try:
        PublicKey.parse(text)
    except FormatError as err:
        raise ValueError(f"{err}: the line of base64 in minisign.pub") from err
    return text


PublicKeyText = Annotated[str, AfterValidator(_parsed), Field(max_length=4096)]


class SignTable(BaseModel):
    """How manifests are signed. The secret key's password, and the key itself if in a variable, never stand here."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    public_key: PublicKeyText = Field(description="The public key that signatures verify with, as minisign prints it.")
    earlier_keys: list[PublicKeyText] = Field(
        default=[], max_length=8, description="Public keys that what is published now may still be signed with."
    )
    key_file: str | None = Field(default=None, min_length=1, description="The secret key, in minisign's format.")
    kms_key: str | None = Field(
        default=None, pattern=r"^[A-Za-z0-9:/_-]{1,2048}$", description="The AWS KMS key that the secret is wrapped by."
    )
    kms_region: str | None = Field(default=None, pattern=r"^[a-z0-9-]{1,40}$", description="That key's region.")
    kms_endpoint_url: str | None = Field(
        default=None, pattern=r"^https?://[^\s/@]+/?$", description="Another server for KMS, for tests."
    )

    @model_validator(mode="after")
    def _whole(self) -> "SignTable":
        if self.kms_key is None and (self.kms_region is not None or self.kms_endpoint_url is not None):
            raise ValueError("`kms_region` and `kms_endpoint_url` say nothing without `kms_key`")
        return self


def sign_spec(table: SignTable | None, path: Callable[..., Path]) -> "SignSpec | None":
    """Return what the table says; `path(text, *place)` makes a path absolute."""
    if table is None:
        return None
    from hubdata.signing.keys import KmsKey, SignSpec
    from hubdata.signing.minisign import PublicKey

    kms: Any = table.kms_key and KmsKey(table.kms_key, table.kms_region, table.kms_endpoint_url)
    return SignSpec(
        PublicKey.parse(table.public_key),
        tuple(map(PublicKey.parse, table.earlier_keys)),
        None if table.key_file is None else path(table.key_file, "sign", "key_file"),
        kms or None,
    )
