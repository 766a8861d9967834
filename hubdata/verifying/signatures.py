"""What readers of one family need to trust the manifest: a signature of just these bytes, by a key that they know.

Each family is given its own pair, so each is judged. A pair of two moments is what a CDN that catches up mends.
"""

from dataclasses import dataclass

from hubdata.model.key import MANIFEST_SIGNATURE
from hubdata.model.verification import Discrepancy
from hubdata.signing.minisign import MAX_SIGNATURE_BYTES, PublicKey
from hubdata.signing.verify import judge
from hubdata.transfer.one_family import Answer, NoAnswer
from hubdata.verifying.manifests import Front
from hubdata.verifying.words import About, refused, unanswered

MAX_BYTES = MAX_SIGNATURE_BYTES
_WHAT = "the manifest's signature"


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose signature is good, and since when: during a rotation there are two keys."""

    keys: tuple[PublicKey, ...]
    min_generation: int = 0


def compare(front: Front, answer: Answer | NoAnswer, about: About, trust: Trust) -> tuple[Discrepancy, ...]:
    """Return why readers who know the keys must not believe the manifest of `front`; nothing where they may.

    `answer` is what came for the signature, and `about` its place. A manifest that did not come is told elsewhere.
    """
    if front.raw is None or front.manifest is None:
        return ()
    if isinstance(answer, NoAnswer):
        return (unanswered(about, answer, what=_WHAT),)
    missing = answer.status in (403, 404, 410)
    if answer.status != 200 and not missing:
        return (refused(about, answer.status, passing=False),)
    # Beyond what is read of it, the signature is not had whole: then it is its size that is wrong.
    signature = None if missing else answer.body if answer.body is not None else bytes(MAX_BYTES + 1)
    judged = judge(front.raw, signature, trust.keys, min_generation=trust.min_generation)
    expected = f"a signature of this manifest ({MANIFEST_SIGNATURE}) by {' or '.join(k.name for k in trust.keys)}"
    return tuple(
        about.error(each.rule, expected, each.message, each.advice, passing=judged.passing) for each in judged.findings
    )
