"""Seal a publication for mirrors: sign its manifest, and write the digests down as coreutils reads them.

    sign, privately -> [manifest swap] -> manifest.json.minisig, SHA256SUMS, SHA256SUMS.minisig -> [deletes, CDN]

The signature follows the swap, for only what was swapped in is published; in between readers find the signature of
the generation before, which says so. It is made before it, and kept in `.hubdata/`, so that a run that finds a
manifest without its signature can tell one that a crashed run has left from one that somebody without the key has
written: hubdata never signs, and never builds upon, a manifest that was not signed when it was written.

What was sealed stands in the ledger with the ETags of its files, so a run that changes nothing sees in its listing
that the seal is whole: it opens no key and sends no request more. See docs/adr/0015.
"""

import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

from hubdata.errors import Conflict, TargetError
from hubdata.model import manifest as manifests
from hubdata.model.key import MANIFEST_SIGNATURE, PRIVATE, SUMS, SUMS_SIGNATURE
from hubdata.model.manifest import Manifest
from hubdata.ports import Target
from hubdata.publishing.lease import Held
from hubdata.publishing.ledger import Seal
from hubdata.publishing.survey import MANIFEST_MAX_BYTES, Survey

PENDING = f"{PRIVATE}{MANIFEST_SIGNATURE}"
"""Where the signature of a manifest waits that is about to be swapped in."""

CACHE_CONTROL = "public, max-age=60, s-maxage=86400, stale-while-revalidate=60, stale-if-error=86400"
"""As the manifest's: the CDN is told of both at once."""

_SIGNATURE_MAX_BYTES = 64 * 1024
_TRIES = 4


class Signing(Protocol):
    """Who signs: `hubdata.signing.keys.Signer`."""

    @property
    def name(self) -> str:
        """Return the key's id, as people compare it."""
        ...

    def open(self) -> None:
        """Open the key."""
        ...

    def sign(self, body: bytes, *, manifest: Manifest, file: str) -> bytes:
        """Return the signature of `body`, which is published as `file` with `manifest`."""
        ...

    def knows(self, body: bytes, signature: bytes) -> bool:
        """Tell whether the key, or one before it, made `signature` of `body`."""
        ...


@dataclass(frozen=True, slots=True)
class Sealer:
    """What each publication is sealed with. `signer` is None where nothing is signed."""

    signer: Signing | None = None
    sums: bool = True

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the public keys that a seal consists of."""
        signed = (MANIFEST_SIGNATURE,) if self.signer else ()
        summed = (SUMS,) if self.sums else ()
        return (*signed, *summed, *((SUMS_SIGNATURE,) if signed and summed else ()))

    def open(self) -> None:
        """Get ready to seal. Raises ConfigError when the key cannot be opened: nothing is published unsigned."""
        if self.signer is not None:
            self.signer.open()

    def files(self, manifest: bytes) -> Mapping[str, bytes]:
        """Return the files of the seal of `manifest`: the same for the same bytes and the same key."""
        parsed = Manifest.from_bytes(manifest)
        files: dict[str, bytes] = {}
        if self.signer is not None:
            files[MANIFEST_SIGNATURE] = self.signer.sign(manifest, manifest=parsed, file=manifests.KEY)
        if self.sums:
            from hubdata.signing.sums import sums

            files[SUMS] = sums({key: entry.sha256 for key, entry in parsed.files.items()})
            if self.signer is not None:
                files[SUMS_SIGNATURE] = self.signer.sign(files[SUMS], manifest=parsed, file=SUMS)
        return files

    def is_whole(self, found: Survey) -> bool:
        """Tell whether what `found` holds is sealed, by this key, as the ledger remembers it. Asks nothing."""
        if found.inventory.manifest_etag is None:
            return True
        seal = found.ledger.seal
        return (
            seal is not None
            and seal.manifest == found.inventory.manifest_etag
            and seal.signed_by == (self.signer.name if self.signer else "")
            and seal.files.keys() == set(self.keys)
            and all(found.own.get(key) == etag for key, etag in seal.files.items())
        )


@dataclass(slots=True)
class Sealing:
    """One run's sealing of one target, under its lease. `etags` are those of hubdata's own files, as last seen."""

    target: Target
    sealer: Sealer
    lease: Held
    etags: dict[str, str] = field(default_factory=dict)

    def vouch(self, manifest_etag: str | None) -> None:
        """Return if the manifest at the target is one that was signed when it was written, or none ever was there.

        Raises TargetError when somebody else has written it: what is built upon it would be theirs, under our name.
        """
        signer = self.sealer.signer
        if signer is None or manifest_etag is None:
            return
        with ThreadPoolExecutor(1, thread_name_prefix="vouch") as aside:
            public = aside.submit(self.target.read, MANIFEST_SIGNATURE, max_bytes=_SIGNATURE_MAX_BYTES)
            blob = self.target.read(manifests.KEY, max_bytes=MANIFEST_MAX_BYTES)
        if blob is None or blob.stored.etag != manifest_etag:
            raise Conflict(
                f"target {self.target.name}: {manifests.KEY} changed while this run looked at its signature",
                advice="run again: the next plan starts from what is there now",
                retryable=True,
            )
        signed = 0
        for key in (MANIFEST_SIGNATURE, PENDING):
            private = key == PENDING  # it is seldom wanted
            signature = self.target.read(key, max_bytes=_SIGNATURE_MAX_BYTES) if private else public.result()
            if signature is None:
                continue
            signed += 1
            self.etags[key] = signature.stored.etag
            if signer.knows(blob.body, signature.body):
                return
        if signed:
            raise TargetError(
                f"target {self.target.name}: {manifests.KEY} is not what was signed with {signer.name} or a key in"
                " `earlier_keys`: somebody has written it without the key, or with another one",
                advice=f"restore {manifests.KEY} and {MANIFEST_SIGNATURE} as they were published together; or, if this"
                f" manifest is good, delete {MANIFEST_SIGNATURE} and {PENDING}, and it is signed anew",
            )

    def announce(self, manifest: Manifest) -> None:
        """Sign `manifest`, which is about to be swapped in, where only hubdata looks. Raises TargetError."""
        signer = self.sealer.signer
        if signer is not None:
            signature = signer.sign(manifest.to_bytes(), manifest=manifest, file=manifests.KEY)
            self._write(PENDING, signature, cache_control="private, no-store")

    def sealed(self, manifest: bytes, manifest_etag: str) -> tuple[Seal | None, TargetError | None]:
        """Return the seal of `manifest`, or why there is none yet: what is published must go on being told."""
        try:
            return self.seal(manifest, manifest_etag), None
        except TargetError as err:
            return None, err

    def seal(self, manifest: bytes, manifest_etag: str) -> Seal:
        """Return the seal of `manifest`, now in place.

        Raises TargetError when the store refuses, Conflict when the lease is lost.
        """
        files = self.sealer.files(manifest)
        with ThreadPoolExecutor(min(self.target.concurrency, len(files)), thread_name_prefix="seal") as pool:
            pending = {key: pool.submit(self._write, key, body) for key, body in files.items()}
            etags = {key: future.result() for key, future in pending.items()}
        signed_by = self.sealer.signer.name if self.sealer.signer else ""
        return Seal(manifest_etag, signed_by, etags)

    def _write(self, key: str, body: bytes, *, cache_control: str = CACHE_CONTROL) -> str:
        """Return the ETag of `key` once it holds `body`; where it does already, nothing is written."""
        held = self.etags.get(key)
        if held == hashlib.md5(body, usedforsecurity=False).hexdigest():
            return held
        content_type = "text/plain; charset=utf-8"
        for _ in range(_TRIES):
            self.lease.check()
            try:
                stored = self.target.write(
                    key, body, content_type=content_type, cache_control=cache_control, if_etag=held
                )
            except Conflict:
                blob = self.target.read(key, max_bytes=MANIFEST_MAX_BYTES)
                if blob is not None and blob.body == body:  # an answer was lost, or a run before had done it
                    self.etags[key] = blob.stored.etag
                    return blob.stored.etag
                held = None if blob is None else blob.stored.etag
            else:
                self.etags[key] = stored.etag
                return stored.etag
        raise Conflict(
            f"target {self.target.name}: {key} changed {_TRIES} times while this run tried to write it",
            advice="find out who else writes it; the next run seals this publication",
            retryable=True,
        )
