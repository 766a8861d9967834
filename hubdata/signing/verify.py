"""Judge a manifest by its signature: that one of the keys made it, of these bytes, and not of an older state.

Pure: bytes in, findings out. Nothing of a manifest is believed before its signature holds, save one number, to say
what is probably the matter with a pair that does not fit: two writes publish the pair, and caches keep each for
itself, so for a moment readers may get one of them new and the other old. That is told apart, as what waiting mends.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from hubdata.errors import TargetError
from hubdata.model import manifest as manifests
from hubdata.model.finding import Finding, Severity
from hubdata.model.key import MANIFEST_SIGNATURE
from hubdata.model.manifest import Manifest
from hubdata.signing.comment import Claim, claim
from hubdata.signing.minisign import MAX_SIGNATURE_BYTES, FormatError, PublicKey, Signature, key_name

MAX_MANIFEST_BYTES = 256 * 1024 * 1024
"""As much as hubdata reads of its own manifests."""

_ATTACK = "do not use these files: fetch both anew, and ask the publisher if it stays so"


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of it. `manifest` and `key` are what holds, None unless there are no findings.

    `passing` tells that what was found may be over as soon as both files are fetched again.
    """

    findings: tuple[Finding, ...]
    manifest: Manifest | None = None
    key: PublicKey | None = None
    passing: bool = False


def judge(
    manifest: bytes, signature: bytes | None, keys: Sequence[PublicKey], *, min_generation: int = 0, name: str = ""
) -> Judged:
    """Return whether one of `keys` signed `manifest`, of a generation not below `min_generation`.

    `keys` are all that are good: during a rotation the old one and the new one. `signature` is None where there is
    none. `name` is the key that findings stand under, the manifest's where it is empty.
    """
    name = name or manifests.KEY
    if signature is None:
        return _no(_missing(name), passing=True)
    if len(manifest) > MAX_MANIFEST_BYTES or len(signature) > MAX_SIGNATURE_BYTES:
        return _no(_oversize(name, manifest, signature))
    try:
        parsed = Signature.parse(signature)
    except FormatError as err:
        return _no(_malformed(name, err))
    named = [key for key in keys if key.id == parsed.key_id]
    if not named:
        return _no(_unknown_key(name, parsed, keys))
    said = claim(parsed.trusted_comment)
    key = next((key for key in named if parsed.holds(key, manifest)), None)
    if key is None:
        authentic = any(parsed.comment_holds(each) for each in named)
        return _mismatch(name, manifest, said if authentic else None)
    if not parsed.comment_holds(key):
        return _no(_comment(name))
    return _read(name, manifest, said, key, min_generation)


def _read(name: str, body: bytes, said: Claim, key: PublicKey, min_generation: int) -> Judged:
    """Judge what is said in a manifest, and of it, once its signature holds."""
    if said.file not in (None, manifests.KEY):
        return _no(_other_file(name, str(said.file)))
    try:
        manifest = Manifest.from_bytes(body)
    except TargetError as err:
        return _no(_other_file(name, f"no manifest ({err})"))
    if said.generation not in (None, manifest.generation):
        return _no(_other_generation(name, manifest.generation, said.generation))
    if manifest.generation < min_generation:
        return _no(_rolled_back(name, manifest.generation, min_generation))
    return Judged((), manifest, key)


def _mismatch(name: str, manifest: bytes, said: Claim | None) -> Judged:
    """Say why a signature is not of this manifest. `said` is None where not even its comment is authentic."""
    if said is not None and said.file not in (None, manifests.KEY):
        return _no(_other_file(name, str(said.file)))
    there = _generation(manifest)
    if said is not None and said.generation is not None and there is not None and said.generation != there:
        return _no(_other_generation(name, there, said.generation), passing=True)
    return _no(_not_of_these_bytes(name))


def _generation(manifest: bytes) -> int | None:
    """Return the generation that bytes nobody vouches for claim to be of."""
    try:
        found = json.loads(manifest)["generation"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return found if type(found) is int else None


def _no(finding: Finding, *, passing: bool = False) -> Judged:
    return Judged((finding,), passing=passing)


def _missing(name: str) -> Finding:
    said = f"there is no signature ({MANIFEST_SIGNATURE}), and one was asked for"
    advice = "have the publisher set [sign]; where it is set, this is a fault or an attack"
    return Finding(name, None, "signature.missing", Severity.ERROR, said, advice)


def _oversize(name: str, manifest: bytes, signature: bytes) -> Finding:
    most = f"{MAX_MANIFEST_BYTES} and {MAX_SIGNATURE_BYTES}"
    said = f"expected at most {most} bytes of manifest and signature, found {len(manifest)} and {len(signature)}"
    return Finding(name, None, "signature.oversize", Severity.ERROR, said, _ATTACK)


def _malformed(name: str, err: FormatError) -> Finding:
    said = f"{MANIFEST_SIGNATURE} is not a minisign signature: {err}"
    return Finding(name, None, "signature.malformed", Severity.ERROR, said, _ATTACK)


def _unknown_key(name: str, signature: Signature, keys: Sequence[PublicKey]) -> Finding:
    ours = ", ".join(key.name for key in keys) or "none"
    said = f"expected a signature by the key {ours}, found one by {key_name(signature.key_id)}"
    advice = "after a change of keys, name the publisher's new key too; its id comes from the publisher, not from here"
    return Finding(name, None, "signature.unknown-key", Severity.ERROR, said, advice)


def _not_of_these_bytes(name: str) -> Finding:
    said = "the signature is not one of these bytes: one of the two was changed, or is not whole"
    return Finding(name, None, "signature.mismatch", Severity.ERROR, said, _ATTACK)


def _comment(name: str) -> Finding:
    said = "the signature holds, but its trusted comment was changed"
    return Finding(name, None, "signature.comment", Severity.ERROR, said, _ATTACK)


def _other_file(name: str, found: str) -> Finding:
    said = f"expected a signature of {manifests.KEY}, found one of {found[:200]}"
    return Finding(name, None, "signature.other-file", Severity.ERROR, said, _ATTACK)


def _other_generation(name: str, manifest: int, signature: int | None) -> Finding:
    said = f"the manifest is of generation {manifest}, its signature of generation {signature}"
    advice = "fetch both again in a minute: a publication may be under way, or a cache behind; else it is an attack"
    return Finding(name, None, "signature.other-generation", Severity.ERROR, said, advice)


def _rolled_back(name: str, generation: int, least: int) -> Finding:
    said = f"expected generation {least} or newer, found {generation}: somebody serves an older state"
    return Finding(name, None, "signature.rolled-back", Severity.ERROR, said, _ATTACK)
