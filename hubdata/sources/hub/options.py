"""What `[source]` with `type = "hub"` may hold: where the items are, and bounds for all that they name."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from hubdata.model.key import key_problem
from hubdata.signing.minisign import FormatError, PublicKey
from hubdata.tables import Field, field_validator, model_validator
from hubdata.transfer.git import ref_problem, url_problem
from hubdata.transfer.public_url import canonical_url, file_url_problem
from hubdata.transfer.upstream import UpstreamOptions
from hubdata.transfer.url import base_url_problem, origin

NO_MANIFEST = "none"

Origin = tuple[str, str, int]
"""Scheme, host and port."""


class HubOptions(UpstreamOptions):
    """One of `path`, `url`, `index` and `index_file` says where the items are; `base_url`, where keys begin in a URL.

    `timeout_s` is for everything, `file_timeout_s` for one file with its retries. `max_bytes` bounds one file,
    `max_total_bytes` all that one run downloads.
    """

    timeout_s: Annotated[float, Field(gt=0, le=86_400)] = 1800
    max_bytes: Annotated[int, Field(gt=0, le=1 << 34)] = 512 << 20
    path: Path | None = None
    url: str | None = None
    ref: str = "HEAD"
    index: str | None = None
    index_file: Path | None = None
    base_url: str | None = None
    manifest: str | None = None
    public_keys: Annotated[tuple[str, ...], Field(max_length=10)] = ()
    min_generation: Annotated[int, Field(ge=0)] | None = None
    keys: Annotated[Mapping[str, str], Field(max_length=1000)] = {}
    internal_hosts: Annotated[tuple[str, ...], Field(max_length=100)] = ()
    file_timeout_s: Annotated[float, Field(gt=0, le=86_400)] = 300
    max_total_bytes: Annotated[int, Field(gt=0)] = 4 << 30
    max_items: Annotated[int, Field(ge=1, le=200_000)] = 20_000
    max_files: Annotated[int, Field(ge=1, le=50_000)] = 5_000
    concurrency: Annotated[int, Field(ge=1, le=16)] = 4

    @field_validator("url")
    @classmethod
    def _usable_repository(cls, url: str | None) -> str | None:
        if url is not None and (problem := url_problem(url)):
            raise ValueError(f"not a URL to fetch from: {problem}")
        return url

    @field_validator("ref")
    @classmethod
    def _usable_ref(cls, ref: str) -> str:
        if problem := ref_problem(ref):
            raise ValueError(f"not a ref: {problem}")
        return ref

    @field_validator("index")
    @classmethod
    def _usable_index(cls, url: str | None) -> str | None:
        if url is not None and (problem := file_url_problem(url)):
            raise ValueError(problem)
        return url

    @field_validator("base_url")
    @classmethod
    def _usable_base(cls, url: str | None) -> str | None:
        if url is None:
            return None
        if problem := base_url_problem(url):
            raise ValueError(problem.replace("would send the credentials in the clear", "lets anybody change it"))
        return canonical_url(url).rstrip("/")

    @field_validator("manifest")
    @classmethod
    def _usable_manifest(cls, url: str | None) -> str | None:
        if url not in (None, NO_MANIFEST) and (problem := file_url_problem(url or "")):
            raise ValueError(f'{problem}; or "{NO_MANIFEST}"')
        return url if url in (None, NO_MANIFEST) else canonical_url(url or "")

    @field_validator("public_keys")
    @classmethod
    def _usable_keys(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for text in texts:
            try:
                PublicKey.parse(text)
            except FormatError as err:
                raise ValueError(f"not a public key of minisign's: {err}") from None
        return texts

    @field_validator("internal_hosts")
    @classmethod
    def _usable_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        if any(not host or "/" in host or "@" in host for host in hosts):
            raise ValueError("a host's name or address, without scheme, port or path")
        return tuple(host.strip("[]").lower() for host in hosts)

    @field_validator("keys")
    @classmethod
    def _usable_names(cls, keys: Mapping[str, str]) -> Mapping[str, str]:
        for url, key in keys.items():
            if problem := file_url_problem(url):
                raise ValueError(f"a URL that is given a key: {problem}")
            if problem := key_problem(key):
                raise ValueError(f"{key!r} cannot be a key: {problem}")
        if len(set(keys.values())) != len(keys):
            raise ValueError("two URLs are given one key")
        return {canonical_url(url): key for url, key in keys.items()}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if sum(given is not None for given in (self.path, self.url, self.index, self.index_file)) != 1:
            raise ValueError("name where the hub's items are, by one of `path`, `url`, `index` and `index_file`")
        if self.public_keys and self.manifest == NO_MANIFEST:
            raise ValueError("`public_keys` are for a manifest's signature: leave them out, or name a `manifest`")
        if self.public_keys and self.manifest is None and self.base_url is None:
            raise ValueError("`public_keys` are for a manifest's signature: name the `manifest`, or a `base_url`")
        return self

    @property
    def parsed_keys(self) -> tuple[PublicKey, ...]:
        """Return what the manifest's signature is checked with."""
        return tuple(PublicKey.parse(text) for text in self.public_keys)

    @property
    def origins(self) -> frozenset[Origin]:
        """Return the servers that the operator named by a URL, which may lie in a private network."""
        named = (self.base_url, self.index, None if self.manifest == NO_MANIFEST else self.manifest, *self.keys)
        return frozenset(origin(url) for url in named if url)
